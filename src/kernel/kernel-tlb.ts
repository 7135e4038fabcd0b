/**
 * What CPUs' TLBs keep of kernel mappings that were taken out of the page table (M13, M18): as long
 * as an entry may be there, lines may be fetched through it.
 * Sources: arch/arm64/mm/pageattr.c (set_direct_map_invalid_noflush flushes nothing), mm/vmalloc.c
 * (vunmap: lazy TLB flush until vm_unmap_aliases), mm/secretmem.c (removal, then
 * flush_tlb_kernel_range).
 * Leaves out: accesses through such an entry, which fault here; entries that drop by themselves,
 * since one that stays shows all that the drop would.
 */
import { attributes } from '../machine/attributes.js';
import type { KernelContext } from './context.js';
import type { CpuMap, Frame, KernelTlb } from './state.js';

/** A mapping of this page has left the page table, and nothing was flushed. */
export function keepInTlb(context: KernelContext, index: number, what: KernelTlb): void {
  const frame = context.frame(index);
  if (frame === undefined || frame.inTlb?.includes(what) === true) return;
  if (what === 'linear' && !attributes[frame.linearAs ?? 'WB'].cacheable) return;
  context.setFrame(index, { ...frame, inTlb: [...(frame.inTlb ?? []), what].sort() });
  context.say('M13', () => 'a TLB may keep the translation, and lines be fetched through it');
}

/** vunmap leaves the TLB alone. */
export function keepVmapInTlb(context: KernelContext, map: CpuMap): void {
  if (map.user || map.kind === 'linear' || !attributes[map.attribute].cacheable) return;
  for (const [, frame] of map.present) keepInTlb(context, frame, 'vmap');
}

/** TLBI and DSB for pages that some CPU may still have entries of. */
export function flushKernelTlb(
  context: KernelContext,
  frames: readonly number[],
  what: readonly KernelTlb[],
): void {
  const held = frames.filter((each) => context.frame(each)?.inTlb !== undefined);
  for (const index of held) {
    const frame = context.frame(index);
    if (frame !== undefined) context.setFrame(index, without(frame, what));
  }
  if (held.length > 0) context.queue({ do: 'tlbi', frames: held });
  else context.noop('no TLB has an entry that the page table has not');
}

function without({ inTlb, ...frame }: Frame, what: readonly KernelTlb[]): Frame {
  const left = inTlb?.filter((each) => !what.includes(each)) ?? [];
  return left.length > 0 ? { ...frame, inTlb: left } : frame;
}
