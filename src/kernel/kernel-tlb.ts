/**
 * What CPUs' TLBs keep of kernel mappings that were taken out of the page table (M13, M18): as long
 * as an entry may be there, lines may be fetched through it, and accesses may go by it.
 * Sources: arch/arm64/mm/pageattr.c (set_direct_map_invalid_noflush flushes nothing), mm/vmalloc.c
 * (vunmap: lazy TLB flush until vm_unmap_aliases), mm/secretmem.c (removal, then
 * flush_tlb_kernel_range).
 * Leaves out: which CPU has an entry; maintenance through one, which faults here; entries that drop
 * by themselves, since one that stays shows all that the drop would.
 */
import { attributes } from '../machine/attributes.js';
import type { KernelContext } from './context.js';
import type { CpuMap, Frame, KernelState, KernelTlb } from './state.js';

/** A mapping of this page has left the page table, and nothing was flushed. */
export function keepInTlb(context: KernelContext, index: number, what: KernelTlb): void {
  const frame = context.frame(index);
  if (frame === undefined || frame.inTlb?.includes(what) === true) return;
  if (what === 'linear' && !attributes[frame.linearAs ?? 'WB'].cacheable) return;
  context.setFrame(index, { ...frame, inTlb: [...(frame.inTlb ?? []), what].sort() });
  context.say('M13', () => 'a TLB may keep the translation, and lines be fetched through it');
}

/** vunmap leaves the TLB alone. What accesses may go by afterwards, if anything. */
export function keepVmapInTlb(context: KernelContext, map: CpuMap): Pick<CpuMap, 'unflushed'> {
  if (map.user || map.kind === 'linear') return {};
  if (attributes[map.attribute].cacheable) {
    for (const [, frame] of map.present) keepInTlb(context, frame, 'vmap');
  }
  return { unflushed: map.present };
}

/**
 * An access goes by what a TLB kept of a mapping that left the page table. Whether there is an
 * entry is decided here (ADR-9): some CPU may have walked the table just before.
 */
export function goesByTlb(context: KernelContext): boolean {
  context.recorder.met?.('speculation');
  if (!context.liberties.has('speculation') || context.choose(2) === 0) return false;
  context.tookLiberty = true;
  context.say('M18', () => 'translated by a TLB entry of what the page table no longer has');
  return true;
}

/** TLBI and DSB for pages that some CPU may still have entries of. */
export function flushKernelTlb(
  context: KernelContext,
  frames: readonly number[],
  what: readonly KernelTlb[],
): void {
  const unflushed = what.includes('vmap') ? flushMaps(context, frames) : [];
  const held = frames.filter(
    (each) => context.frame(each)?.inTlb !== undefined || unflushed.includes(each),
  );
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

/** Accesses through what vunmap() left fault from now on. The pages it was about. */
function flushMaps(context: KernelContext, frames: readonly number[]): readonly number[] {
  const { maps } = context.kernel;
  const isMet = ({ unflushed }: CpuMap): boolean =>
    unflushed?.some(([, frame]) => frames.includes(frame)) === true;
  const met = maps.filter(isMet);
  if (met.length === 0) return [];
  const flushed = maps.map((map): CpuMap => {
    if (!met.includes(map)) return map;
    const { unflushed: _, ...rest } = map;
    return rest;
  });
  context.update({ maps: flushed });
  return met.flatMap(({ unflushed }) => (unflushed ?? []).map(([, frame]) => frame));
}

/**
 * Some mapping that is not execute-never leads to the page, or a TLB entry of one: instructions may
 * be fetched from there at any time, whatever the attribute (M4).
 */
export function mayFetchInstructions(kernel: KernelState, frame: number): boolean {
  const leads = (pages: CpuMap['unflushed']): boolean =>
    pages?.some(([, each]) => each === frame) === true;
  return kernel.maps.some(
    ({ executable, present, unflushed }) =>
      executable === true && (leads(present) || leads(unflushed)),
  );
}
