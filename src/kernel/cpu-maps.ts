/**
 * CPU mappings (K3): linear map, vmap, user mmap, the remap of dma_alloc_coherent. A kernel mapping
 * keeps the frames it was made with; a user mapping takes pages at faults and loses them by zap.
 * Sources: mm/vmalloc.c:vmap, drivers/gpu/drm/drm_gem_shmem_helper.c (mmap, fault), mm/memory.c
 * (unmap_mapping_range).
 * Leaves out: the CPU's TLB (M18) where a call invalidates it itself, as all but ops/tlb.ts do.
 */
import { type Attribute, attributes } from '../machine/attributes.js';
import type { Destination } from './access.js';
import { liveMappings, mapName } from './aliases.js';
import type { KernelContext } from './context.js';
import { objectId } from './ids.js';
import { refusal } from './iommu.js';
import { goesByTlb, keepVmapInTlb } from './kernel-tlb.js';
import { msmGetPages } from './msm.js';
import { framesIn, residentPages } from './pages.js';
import { profileOf } from './profile.js';
import type { Buffer, CpuMap, Frame, StaleTranslation } from './state.js';
import { populateTtm } from './ttm.js';
import type { Value } from './value.js';

/** Makes a mapping of a whole buffer; user mappings start without pages. */
export function mapBuffer(
  context: KernelContext,
  buffer: Buffer,
  kind: CpuMap['kind'],
  attribute: Attribute,
): Value {
  const user = kind === 'mmap';
  const present = user ? [] : framesIn(context, buffer, 0, buffer.size);
  const linear = kind === 'linear' ? linearMapOf(context, buffer.id) : undefined;
  if (linear !== undefined && JSON.stringify(linear.present) === JSON.stringify(present)) {
    return { kind: 'ptr', map: linear.id, offset: 0 };
  }
  // There is one linear map: whoever asks for the address of a page gets the same one.
  const { maps } = context.kernel;
  const id =
    kind === 'linear' && linear === undefined
      ? -1 - buffer.id
      : objectId(context, (each) => maps.some((map) => map.id === each && inUse(context, map)));
  const map: CpuMap = {
    id,
    kind,
    buffer: buffer.id,
    bytes: buffer.size,
    attribute,
    user,
    live: true,
    present,
  };
  const mapping = { name: mapName(kind, attribute), site: context.step.site };
  if (kind !== 'linear' && context.recorder.quiet !== true) {
    context.recorder.mapped(buffer.id, mapping, liveMappings(context, buffer));
  }
  context.update({ maps: [...maps.filter((each) => each.id !== id), map] });
  return { kind: 'ptr', map: id, offset: 0 };
}

/**
 * A user mapping whose entries are there from the start: remap_pfn_range(), which holds no page.
 * kernel/dma/direct.c:dma_direct_mmap, kernel/dma/ops_helpers.c:dma_common_mmap.
 */
export function remapToUser(context: KernelContext, buffer: Buffer, attribute: Attribute): Value {
  const pointer = mapBuffer(context, buffer, 'mmap', attribute);
  const map = mapBehind(context, pointer);
  if (map === undefined) return pointer;
  const present = framesIn(context, buffer, 0, buffer.size);
  const first = present[0]?.[1] ?? -1;
  changeMap(context, { ...map, present, attribute: insertedAs(context, map, first) });
  return pointer;
}

/** A linear-map address leads somewhere for as long as one of its pages is the buffer's. */
function inUse(context: KernelContext, map: CpuMap): boolean {
  if (map.kind !== 'linear') return map.live;
  return map.present.some(([page, frame]) => refusal(context, frame, map.buffer, page) === null);
}

function linearMapOf(context: KernelContext, buffer: number): CpuMap | undefined {
  return context.kernel.maps.findLast((each) => each.buffer === buffer && each.kind === 'linear');
}

export function mapOf(context: KernelContext, id: number): CpuMap | undefined {
  return context.kernel.maps.find((each) => each.id === id);
}

/** The mapping that a pointer points into; undefined for NULL and what is no pointer. */
export function mapBehind(context: KernelContext, pointer: Value): CpuMap | undefined {
  return typeof pointer === 'object' && pointer.kind === 'ptr'
    ? mapOf(context, pointer.map)
    : undefined;
}

export function changeMap(context: KernelContext, next: CpuMap): void {
  context.update({
    maps: context.kernel.maps.map((each) => (each.id === next.id ? next : each)),
  });
}

/** Nothing keeps instruction fetches out of the mapping (M4). */
export function makeExecutable(context: KernelContext, pointer: Value): void {
  const made = mapBehind(context, pointer);
  if (made !== undefined) changeMap(context, { ...made, executable: true });
}

/** vunmap: later accesses through it fault. vmalloc invalidates its TLB entries lazily. */
export function unmapMap(context: KernelContext, map: CpuMap): void {
  const kept = keepVmapInTlb(context, map);
  changeMap(context, { ...map, live: false, present: [], ...kept });
}

/** munmap: as vunmap, and the TLB is invalidated at once. */
export function unmapUserMap(context: KernelContext, map: CpuMap): void {
  flushTlb(context, [map]);
  unmapMap(context, map);
}

/** unmap_mapping_range: every user mapping of the buffer loses its pages. */
export function zapUserMaps(context: KernelContext, buffer: number): void {
  const zapped = context.kernel.maps.filter(
    (each) => each.buffer === buffer && each.user && each.leaving !== 'unlinked',
  );
  flushTlb(context, zapped);
  const maps = context.kernel.maps.map((each) =>
    zapped.includes(each) ? { ...withoutStale(each), present: [] } : each,
  );
  context.update({ maps });
}

/**
 * A TLBI with its DSB also completes the stores other CPUs made through the old entries. Source:
 * arch/arm64/include/asm/tlbflush.h; Arm ARM D8, completion of TLB maintenance.
 */
function flushTlb(context: KernelContext, maps: readonly CpuMap[]): void {
  const frames = maps.flatMap((map) => [
    ...map.present.map(([, frame]) => frame),
    ...(map.stale ?? []).map(({ frame }) => frame),
  ]);
  if (frames.length > 0) context.queue({ do: 'tlbi', frames: [...new Set(frames)] });
}

/** A TLBI for mappings whose page table was changed before. */
export function dropStale(context: KernelContext, maps: readonly CpuMap[]): void {
  flushTlb(context, maps);
  for (const map of maps) {
    const now = mapOf(context, map.id);
    if (now !== undefined) changeMap(context, withoutStale(now));
  }
}

function withoutStale({ stale: _, ...map }: CpuMap): CpuMap {
  return map;
}

/** The stale translation this access goes by: the TLB's, if it has one and did not drop it. */
function staleOf(context: KernelContext, map: CpuMap, page: number): StaleTranslation | null {
  const found = map.stale?.find((each) => each.page === page);
  if (found === undefined) return null;
  if (!found.sure && !context.liberties.has('speculation')) return null;
  const mayMiss = !found.sure || context.liberties.has('eviction');
  if (mayMiss && context.choose(2) === 1) {
    context.tookLiberty = true;
    const stale = map.stale?.filter((each) => each !== found) ?? [];
    changeMap(context, stale.length > 0 ? { ...map, stale } : withoutStale(map));
    return null;
  }
  context.say('M18', () => 'translated by a stale TLB entry');
  return found;
}

export type CpuReach =
  | {
      readonly kind: 'memory';
      readonly destination: Destination;
      readonly attribute: Attribute;
      readonly user: boolean;
    }
  | { readonly kind: 'fault'; readonly why: string }
  /** The fault handler queued work; the access is tried again after it. */
  | { readonly kind: 'again' };

/** Where a CPU access arrives; a user mapping may take a page fault on the way. */
export function cpuReach(
  context: KernelContext,
  pointer: { readonly map: number; readonly offset: number },
  size: number,
): CpuReach {
  const map = mapOf(context, pointer.map);
  const gone = map?.live !== true;
  if (map === undefined || (gone && map.unflushed === undefined)) {
    return { kind: 'fault', why: 'the mapping is gone' };
  }
  if (pointer.offset < 0 || pointer.offset + size > map.bytes) {
    return { kind: 'fault', why: 'outside the mapping' };
  }
  const own = context.layout.cell(map.buffer, pointer.offset, size);
  const { standsFor } = context.buffer(map.buffer);
  if (standsFor !== undefined) context.recorder.couples?.('one page is taken for another');
  const meant = standsFor ?? map.buffer;
  const cell = standsFor === undefined ? own : context.layout.cell(meant, pointer.offset, size);
  const held = staleOf(context, map, cell.page);
  if (gone && !goesByTlb(context)) return { kind: 'fault', why: 'the mapping is gone' };
  const table = (gone ? map.unflushed : map.present)?.find(([page]) => page === cell.page);
  const present = held === null ? table : ([held.page, held.frame] as const);
  if (present?.[1] === -1) return { kind: 'fault', why: 'a cached walk ends in the old table' };
  if (present === undefined && map.leaving !== undefined) {
    return { kind: 'fault', why: 'the mapping is gone' };
  }
  if (present === undefined && map.user) {
    context.recorder.faulted?.(context.step.site);
    const fault = faultIn(context, map, cell.page);
    if (fault !== null) return fault;
  }
  const frame = (present ?? mapOf(context, map.id)?.present.find(([p]) => p === cell.page))?.[1];
  if (frame === undefined) return { kind: 'fault', why: 'no page is mapped there' };
  if (context.frame(frame)?.secure === true) return { kind: 'fault', why: 'secure memory' };
  const page = context.frame(frame);
  const removed = map.kind === 'linear' && page?.linear === false;
  const inTlb = removed && page.inTlb?.includes('linear') === true && goesByTlb(context);
  if (removed && !inTlb) return { kind: 'fault', why: 'the page is not in the linear map' };
  const refused: Destination['refused'] =
    standsFor === undefined
      ? (refusal(context, frame, map.buffer, cell.page) ?? (map.foreign === true ? 'H9' : null))
      : 'H15';
  const plain = { frame, cell, refused };
  const destination = map.nonPosted === true ? { ...plain, nonPosted: true as const } : plain;
  const now = mapOf(context, map.id)?.attribute ?? map.attribute;
  const attribute = map.kind === 'linear' ? linearAttribute(page) : now;
  return { kind: 'memory', destination, attribute, user: map.user };
}

/** What the linear map says of a page: WB, unless set_memory_wc() or the like changed it. */
export function linearAttribute(frame: Frame | undefined): Attribute {
  return frame?.linearAs ?? 'WB';
}

/** H14: a CPU access has no page to arrive at. `who` names it in the message, `what` in a trace. */
export function accessFaults(context: KernelContext, why: string, what: string, who = what): void {
  context.recorder.faulted?.(context.step.site);
  context.find('H14', true, -1, () => ({
    message: `${who} faults: ${why}`,
    expected: 'a mapped page',
    actual: why,
  }));
  context.say('H14', () => `${what} faults: ${why}`);
}

/**
 * x86 gives a user mapping the memory type that the page has in the linear map, whatever the
 * mapping asks for (arch/x86/mm/pat/memtype.c:track_pfn_insert, from vmf_insert_pfn).
 */
function insertedAs(context: KernelContext, map: CpuMap, frame: number): Attribute {
  const tracked = linearAttribute(context.frame(frame));
  if (!profileOf(context).tracksMemoryType || tracked === map.attribute) return map.attribute;
  context.noop(`the memory type of the page wins: the user mapping is ${attributes[tracked].name}`);
  return tracked;
}

/** The fault handler of a user mapping: gets the pages, puts them in. null: done, go on. */
function faultIn(context: KernelContext, map: CpuMap, page: number): CpuReach | null {
  const buffer = context.buffer(map.buffer);
  if (buffer.gone !== 'no') return { kind: 'fault', why: `the buffer was ${buffer.gone}` };
  if (buffer.leaving === true) {
    context.blocked = true;
    return { kind: 'again' };
  }
  const missing = buffer.pages.some((slot) => slot.state !== 'resident');
  if (missing && buffer.kind === 'gem-shmem' && buffer.pins === 0) {
    return { kind: 'fault', why: 'the buffer has no pages' };
  }
  if (missing || buffer.kind === 'msm') {
    context.say('K3', () => 'page fault: the pages are got');
    // ttm_bo_vm_fault_reserved
    if (buffer.kind === 'ttm') populateTtm(context, buffer);
    else residentPages(context, buffer.id);
    msmGetPages(context, context.buffer(buffer.id));
  }
  const all = framesIn(context, context.buffer(buffer.id), 0, buffer.size);
  const mine = all.filter(([each]) => each === page);
  const present = [...map.present, ...mine].sort((a, b) => a[0] - b[0]);
  changeMap(context, { ...map, present, attribute: insertedAs(context, map, mine[0]?.[1] ?? -1) });
  return context.work.length > 0 ? { kind: 'again' } : null;
}
