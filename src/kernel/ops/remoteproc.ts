/**
 * Operations: cache maintenance in the program of a processor outside the CPUs' shareability domain
 * (M9, M11), by the names of CMSIS.
 * Source: CMSIS-Core cachel1_armv7.h (SCB_*DCache_by_Addr: a DSB, the lines, a DSB).
 * Leaves out: maintenance of the whole cache, ranges over more than one buffer.
 */
import { int } from '../args.js';
import { IOMMU_READ } from '../constants.js';
import type { KernelContext } from '../context.js';
import type { Cell } from '../layout.js';
import { family, type Effect, type Operation, type Param } from '../registry.js';
import type { Value } from '../value.js';
import { address, deviceFaults, reach } from './device.js';

type Maintains = (context: KernelContext, isIn: (cell: number) => boolean) => void;

/** The lines that (address, size) or (domain, iova, size) meets, as words that may stand there. */
function range(run: Maintains): Effect {
  return (context, args: readonly Value[]) => {
    const first = reach(context, args, 2, IOMMU_READ);
    if (first.kind === 'fault') {
      deviceFaults(context, first, 'cache maintenance');
      return 0;
    }
    const { pageSize, lineSize } = context.machine;
    const { buffer, page, offset } = first.destination.cell;
    const from = page * pageSize + offset;
    const start = from - (from % lineSize);
    const end = Math.ceil((from + int(args.at(-1))) / lineSize) * lineSize;
    const meets = (cell: Cell | undefined): boolean => {
      const byte = (cell?.page ?? 0) * pageSize + (cell?.offset ?? 0);
      return cell?.buffer === buffer && start <= byte && byte < end;
    };
    context.layout.cut(buffer, start);
    context.layout.cut(buffer, end);
    run(context, (id) => meets(context.layout.cells[id]));
    return 0;
  };
}

/** Waits until what is dirty there is in memory. */
const clean: Maintains = (context, isIn) => {
  context.blocked = context.step.entries.some((each) => each.kind === 'store' && isIn(each.cell));
};

/** What is dirty there is thrown away with the rest. */
const invalidate: Maintains = (context, isIn) => {
  const { device, entries } = context.step;
  context.step.entries = entries.filter((each) => each.kind !== 'store' || !isIn(each.cell));
  const deviceLines = context.kernel.deviceLines.filter(
    (each) => each.device !== device || !isIn(each.cell),
  );
  context.update({ deviceLines });
  context.say('M11', () => 'the lines leave its own cache');
};

const both: Maintains = (context, isIn) => {
  clean(context, isIn);
  if (!context.blocked) invalidate(context, isIn);
};

const params: readonly Param[] = [
  address,
  { name: 'iova or size', kinds: ['int', 'dma', 'phys'] },
  { name: 'size', kinds: ['int'], optional: true },
];

const op = family({ family: 'device', where: 'device', returns: 'void', rules: ['M9', 'M11'] });
const SOURCE = 'CMSIS-Core cachel1_armv7.h';
const more = { removable: 'drop', blocks: true } as const;

export const remoteprocOperations: readonly Operation[] = [
  op(
    'SCB_CleanDCache_by_Addr',
    params,
    'the processor writes its dirty lines back: (domain, iova, size), or (address, size)',
    `${SOURCE}:SCB_CleanDCache_by_Addr`,
    range(clean),
    more,
  ),
  op(
    'SCB_InvalidateDCache_by_Addr',
    params,
    'the processor drops its lines there, what is dirty included',
    `${SOURCE}:SCB_InvalidateDCache_by_Addr`,
    range(invalidate),
    { removable: 'drop' },
  ),
  op(
    'SCB_CleanInvalidateDCache_by_Addr',
    params,
    'the processor writes its dirty lines back and drops all it has there',
    `${SOURCE}:SCB_CleanInvalidateDCache_by_Addr`,
    range(both),
    more,
  ),
];
