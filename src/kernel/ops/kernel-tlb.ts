/**
 * Operations: flushing TLBs of kernel addresses (M13, M18).
 * Sources (v6.12): arch/arm64/include/asm/tlbflush.h (flush_tlb_kernel_range: TLBI VAALE1IS and
 * DSB), mm/vmalloc.c (vm_unmap_aliases, __purge_vmap_area_lazy).
 * Leaves out: a part of a page.
 */
import { fail, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { flushKernelTlb } from '../kernel-tlb.js';
import { family, type Effect, type Operation } from '../registry.js';

function allFrames(context: KernelContext): readonly number[] {
  return context.step.frames.map((_, index) => index);
}

const flushRange: Effect = (context, args) => {
  const start = pointerArg(context, args[0]);
  const end = pointerArg(context, args[1]);
  if (start.map.id !== end.map.id) fail(context, 'start and end are of different mappings');
  if (start.map.user) fail(context, 'this is a user address');
  const { pageSize } = context.machine;
  const first = Math.floor(start.offset / pageSize);
  const last = Math.ceil(end.offset / pageSize);
  const { buffer, kind } = start.map;
  const frames = context.step.frames.flatMap((frame, index) =>
    frame.buffer === buffer && frame.page >= first && frame.page < last ? [index] : [],
  );
  flushKernelTlb(context, frames, [kind === 'linear' ? 'linear' : 'vmap']);
  return 0;
};

const op = family({
  family: 'CPU mappings',
  where: 'cpu',
  returns: 'void',
  rules: ['M13', 'M18'],
});

export const kernelTlbOperations: readonly Operation[] = [
  op(
    'flush_tlb_kernel_range',
    [
      { name: 'start', kinds: ['ptr'] },
      { name: 'end', kinds: ['ptr'] },
    ],
    'no CPU fetches lines any more through what left the linear map, or a vmap, in [start, end)',
    'arch/arm64/include/asm/tlbflush.h:flush_tlb_kernel_range',
    flushRange,
    { removable: 'drop' },
  ),
  op(
    'vm_unmap_aliases',
    [],
    'flushes what vunmap() left in the TLBs',
    'mm/vmalloc.c:vm_unmap_aliases',
    (context) => {
      flushKernelTlb(context, allFrames(context), ['vmap']);
      return 0;
    },
    { removable: 'drop' },
  ),
  op(
    'flush_tlb_all',
    [],
    'flushes every TLB entry, of the linear map too',
    'arch/arm64/include/asm/tlbflush.h:flush_tlb_all',
    (context) => {
      flushKernelTlb(context, allFrames(context), ['linear', 'vmap']);
      return 0;
    },
    { removable: 'drop' },
  ),
];
