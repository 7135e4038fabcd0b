/**
 * Operations: memory of the secure world, and the linear map made at boot (M16, M4).
 * Sources: TF-A drivers/arm/tzc/tzc400.c:tzc400_configure_region; mm/memblock.c
 * (memblock_mark_nomap), arch/arm64/mm/mmu.c:paging_init (map_mem leaves nomap regions out).
 * Leaves out: accesses that the secure world makes itself; which core takes the abort.
 */
import { bufferArg, fail, int } from '../args.js';
import { QCOM_SCM_VMID_HLOS } from '../constants.js';
import type { KernelContext } from '../context.js';
import { physicalPlace } from '../dma-address.js';
import { frameOf, framesIn } from '../pages.js';
import { family, type Effect, type Operation, type Param } from '../registry.js';
import type { Frame } from '../state.js';
import type { Value } from '../value.js';
import { goesOver } from './memory.js';

function changeFrames(
  context: KernelContext,
  value: Value | undefined,
  change: (frame: Frame) => Frame,
): void {
  const buffer = bufferArg(context, value);
  // No access of the scenario need name a word of it: its first page stands for all.
  frameOf(context, buffer, 0);
  for (const slot of buffer.pages) {
    if (slot.state !== 'resident') continue;
    const frame = context.frame(slot.frame);
    if (frame !== undefined) context.setFrame(slot.frame, change(frame));
  }
}

/** Until paging_init nothing is mapped. */
const secure: Effect = (context, args) => {
  changeFrames(context, args[0], (frame) => ({ ...frame, secure: true, linear: false }));
  return 0;
};

const nomap: Effect = (context, args) => {
  changeFrames(context, args[0], (frame) => ({ ...frame, nomap: true }));
  context.say('M16', () => 'left out of what paging_init() maps');
  return 0;
};

/** A fill can come as soon as the mapping is there; when it comes makes no difference. */
const pagingInit: Effect = (context) => {
  context.step.frames.forEach((frame, i) => {
    if (frame.secure !== true || frame.nomap === true) return;
    context.setFrame(i, { ...frame, linear: true });
    if (!context.liberties.has('speculation') || context.choose(2) === 0) return;
    context.tookLiberty = true;
    context.find('H14', true, -1, () => ({
      message: 'a speculative read of secure memory through the linear map: a system error',
      expected: 'no mapping of memory that belongs to the secure world',
      actual: 'a cacheable one',
    }));
    context.say('M4 M16', () => 'a line of secure memory is fetched by speculation: it aborts');
  });
  return 0;
};

/** The call is an SMC: what this CPU stored before is out. */
const assign: Effect = (context, args) => {
  const place = physicalPlace(context, int(args[0]));
  if (place === null) return fail(context, 'nothing is at this address');
  const buffer = context.buffer(place.buffer);
  context.recorder.couples?.('memory is given to another world');
  // A dirty line counts also where no access names it: the first and the last stand for those.
  const { lineSize } = context.machine;
  const end = place.offset + int(args[1]);
  goesOver(context, buffer.id, place.offset, place.offset + lineSize);
  goesOver(context, buffer.id, end - lineSize, end);
  const frames = framesIn(context, buffer, place.offset, int(args[1])).map(([, frame]) => frame);
  context.queue({ do: 'drained', what: 'all' });
  context.queue({ do: 'assign', frames, secure: int(args[2]) !== QCOM_SCM_VMID_HLOS });
  return 0;
};

const page: Param = { name: 'page', kinds: ['page'] };

const op = family({ family: 'pages', where: 'cpu', returns: 'void', rules: ['M16', 'M13'] });

export const secureOperations: readonly Operation[] = [
  op(
    'tzc400_configure_region',
    [page],
    'firmware gives the memory to the secure world: whatever reads or writes it from here faults',
    'TF-A drivers/arm/tzc/tzc400.c:tzc400_configure_region',
    secure,
  ),
  op(
    'qcom_scm_assign_mem',
    [
      { name: 'mem_addr', kinds: ['phys'] },
      { name: 'mem_sz', kinds: ['int'] },
      { name: 'newvm', kinds: ['int'] },
    ],
    'gives memory to another world, or back (HLOS): a line dirty then, or fetched later, aborts',
    'drivers/firmware/qcom/qcom_scm.c:qcom_scm_assign_mem',
    assign,
    { returns: 'int' },
  ),
  op(
    'memblock_mark_nomap',
    [page],
    'keeps the pages out of the linear map that paging_init() makes',
    'mm/memblock.c:memblock_mark_nomap',
    nomap,
  ),
  op(
    'paging_init',
    [],
    'maps all memory write-back, except what is marked nomap; matters for secure memory only',
    'arch/arm64/mm/mmu.c:paging_init, map_mem',
    pagingInit,
  ),
];
