/**
 * Bounce buffers (K9): when a mapping goes through one, how its memory is laid out, and the copies.
 * The slot is a third copy of the data beside memory and cache; the ideal memory knows only the
 * buffer that was mapped, so copying is no ideal store.
 * Sources: kernel/dma/direct.h:dma_direct_map_page, drivers/iommu/dma-iommu.c (dev_use_swiotlb,
 * dev_use_sg_swiotlb, iommu_dma_map_page), include/linux/dma-map-ops.h (dma_kmalloc_safe,
 * dma_kmalloc_size_aligned), kernel/dma/swiotlb.c (swiotlb_tbl_map_single copies in whatever the
 * direction), mm/slab_common.c (kmalloc_size_roundup).
 * Leaves out: slots that are used again, gaps between them, untrusted devices, restricted pools.
 */
import { absentLine } from '../machine/line.js';
import { cpuFetch, loadMustWait, pushEntries } from './access.js';
import { DMA_TO_DEVICE } from './constants.js';
import type { KernelContext } from './context.js';
import { deviceConfig, dmaLimit, pageAligned, physicalIn } from './dma-address.js';
import { objectId } from './ids.js';
import type { Cell } from './layout.js';
import { emptySlots, framesIn, takeFrame, unused } from './pages.js';
import type { Buffer, Piece } from './state.js';
import type { Destination } from './standing.js';
import { secretOf } from './values.js';

/** IO_TLB_SIZE: a mapping begins at a multiple of it in the pool. */
const SLOT_SIZE = 2048;
/** swiotlb_max_mapping_size(): a mapping takes IO_TLB_SEGSIZE slots side by side at most. */
export const SLOTS_MOST = 128 * SLOT_SIZE;
/** From this size on kmalloc() areas are aligned to ARCH_DMA_MINALIGN, which is 128 on arm64. */
const ALIGNED_FROM = 256;

/** A part of a buffer that is to be mapped, with its pages. */
export type Mapped = Pick<Piece, 'buffer' | 'offset' | 'size' | 'frames'>;

/** The size kmalloc() would make of it: a power of two, 96 or 192. */
function roundedUp(size: number, least: number): number {
  const power = Math.max(8, 2 ** Math.ceil(Math.log2(size)));
  const bucket = power === 128 && size <= 96 ? 96 : power === 256 && size <= 192 ? 192 : power;
  return Math.ceil(bucket / least) * least;
}

/** dma_kmalloc_needs_bounce: the size alone tells that the area may share a line with another. */
function kmallocNeedsBounce(
  context: KernelContext,
  device: number,
  size: number,
  direction: number,
): boolean {
  if (deviceConfig(context, device).coherent || direction === DMA_TO_DEVICE) return false;
  if (size >= ALIGNED_FROM) return false;
  const { lineSize, swiotlb } = context.machine;
  // Without bounce buffers kmalloc() keeps its areas a cache line apart instead.
  return roundedUp(size, swiotlb === 'noforce' ? lineSize : 8) % lineSize !== 0;
}

/** Highest physical address of a part: pages may lie apart. */
export function endOf(context: KernelContext, part: Mapped): number {
  const last = physicalIn(context, part, part.offset + Math.max(1, part.size) - 1);
  const { pageSize } = context.machine;
  const frames = part.frames.map(([, frame]) => (context.frame(frame)?.pfn ?? 0) * pageSize);
  return Math.max(last, ...frames);
}

/** Whether a part is mapped through a bounce buffer; `error`: it has to, and there is none. */
export function bounces(
  context: KernelContext,
  device: number,
  part: Mapped,
  direction: number,
): 'no' | 'yes' | 'error' {
  // `swiotlb` is read where it counts: elsewhere a matrix has the answer of another setting.
  const { machine } = context;
  const unaligned = kmallocNeedsBounce(context, device, part.size, direction);
  if (deviceConfig(context, device).iommu) {
    const { pageSize } = machine;
    const pageCut = part.offset % pageSize !== 0 || part.size % pageSize !== 0;
    if (!unaligned || !pageCut) return 'no';
  } else if (machine.swiotlb !== 'force') {
    if (endOf(context, part) <= dmaLimit(context, device) && !unaligned) return 'no';
  }
  return machine.swiotlb === 'noforce' || part.size > SLOTS_MOST ? 'error' : 'yes';
}

/** A part that is to bounce. */
interface Wanted {
  readonly part: Pick<Mapped, 'size'>;
  readonly bounce: boolean;
}

function slotsFor({ size }: Wanted['part'], unit: number): number {
  return (Math.ceil(size / unit) * unit) / SLOT_SIZE;
}

/** Whether the pool has no slots for the last of these parts, beside what is mapped (K9). */
export function isFull(
  context: KernelContext,
  parts: readonly Wanted[],
  last: number,
  wholePages: boolean,
): boolean {
  const { swiotlbSlots, pageSize, devices } = context.machine;
  if (swiotlbSlots === null || parts[last]?.bounce !== true) return false;
  const { mappings, iovas } = context.kernel;
  const taken = [...mappings, ...iovas].flatMap(({ device, pieces }) => {
    const unit = devices[device]?.iommu === true ? pageSize : SLOT_SIZE;
    return pieces.map((each) => (each.slot === undefined ? 0 : slotsFor(each, unit)));
  });
  const unit = wholePages ? pageSize : SLOT_SIZE;
  const upTo = parts.slice(0, last + 1);
  const mine = upTo.map((each) => (each.bounce ? slotsFor(each.part, unit) : 0));
  return [...taken, ...mine].reduce((sum, each) => sum + each, 0) > swiotlbSlots;
}

/** Gives slots to those parts that bounce; the pool is in the lowest zone (arm64/mm/init.c). */
export function takeSlots(
  context: KernelContext,
  parts: readonly (Wanted & { readonly part: Mapped })[],
  wholePages: boolean,
): readonly Piece['slot'][] {
  const unit = wholePages ? context.machine.pageSize : SLOT_SIZE;
  let next = 0;
  const offsets = parts.map(({ part, bounce }) => {
    const at = next;
    if (bounce) next += Math.ceil(part.size / unit) * unit;
    return at;
  });
  if (next === 0) return parts.map(() => undefined);
  context.recorder.couples?.('a bounce buffer holds words of another one');
  const id = poolId(context);
  addPoolBuffer(context, id, pageAligned(context, next));
  const slots = parts.map(({ part, bounce }, i) => {
    const offset = offsets[i] ?? 0;
    if (bounce) mirror(context, part, { buffer: id, offset });
    return bounce ? { buffer: id, offset, frames: [] } : undefined;
  });
  const frames = framesIn(context, context.buffer(id), 0, next);
  return slots.map((slot) => slot && { ...slot, frames });
}

/** Not the name of an object that the same call made, as vb2_dma_sg_alloc() does. */
function poolId(context: KernelContext): number {
  const { buffers } = context.kernel;
  const isTaken = ({ kind, gone }: Buffer): boolean => kind !== 'swiotlb' || gone === 'no';
  return objectId(context, (each) => buffers.some((one) => one.id === each && isTaken(one)));
}

/** The slots of a mapping are free again, once the calls' earlier work is done. */
export function freeSlots(context: KernelContext, pieces: readonly Piece[]): void {
  const slot = pieces.find((each) => each.slot !== undefined)?.slot;
  if (slot !== undefined) context.queue({ do: 'free', buffer: slot.buffer });
}

function addPoolBuffer(context: KernelContext, id: number, size: number): void {
  const buffer: Buffer = {
    id,
    kind: 'swiotlb',
    size,
    pages: emptySlots(context, id),
    contiguous: true,
    zone: 'dma',
    mapWc: false,
    device: -1,
    ...unused,
  };
  const others = context.kernel.buffers.filter((each) => each.id !== id);
  context.update({ buffers: [...others, buffer] });
  let first: number | undefined;
  const pages = context.layout.pages(id).map((layout) => {
    const pfn = first === undefined ? undefined : first + layout.page;
    const frame = takeFrame(context, id, layout, 'dma', pfn ?? 'new');
    first ??= (context.frame(frame)?.pfn ?? 0) - layout.page;
    const lines = layout.lines.map(({ cells }) => absentLine(cells.map(() => secretOf(frame, 0))));
    const taken = context.frame(frame);
    if (taken !== undefined) context.setFrame(frame, { ...taken, lines });
    return { state: 'resident' as const, frame };
  });
  context.setBuffer({ ...buffer, pages });
}

/** The words that the scenario names in the part, and those that stand for them in the slot. */
function mirror(
  context: KernelContext,
  part: { readonly buffer: number; readonly offset: number; readonly size: number },
  to: { readonly buffer: number; readonly offset: number },
): readonly { readonly cell: Cell; readonly slotCell: Cell }[] {
  const bytes = context.machine.pageSize;
  return context.layout.cells.flatMap((cell) => {
    if (cell.buffer !== part.buffer) return [];
    const at = cell.page * bytes + cell.offset - part.offset;
    if (at < 0 || at + cell.size > part.size) return [];
    return [{ cell, slotCell: context.layout.cell(to.buffer, to.offset + at, cell.size) }];
  });
}

/** A copy between a buffer and its slot, as work of a call. */
export interface Bounce {
  readonly do: 'bounce';
  readonly way: 'in' | 'out';
  readonly piece: Piece;
  /** Bytes of the buffer. */
  readonly from: number;
  readonly size: number;
}

/** swiotlb_bounce(): memcpy() by the CPU through the linear map. False: it has to wait first. */
export function copyBounce(context: KernelContext, { way, piece, from, size }: Bounce): boolean {
  const { slot } = piece;
  if (slot === undefined) return true;
  const to = { buffer: slot.buffer, offset: slot.offset + (from - piece.offset) };
  const part = { buffer: piece.buffer, offset: from, size };
  const pairs = mirror(context, part, to).map(({ cell, slotCell }) => {
    const mine = placed(context, cell, piece.frames);
    const theirs = placed(context, slotCell, slot.frames);
    return way === 'in' ? { source: mine, target: theirs } : { source: theirs, target: mine };
  });
  if (pairs.some(({ source }) => source.frame >= 0 && loadMustWait(context, source, 'WB'))) {
    return false;
  }
  for (const { source, target } of pairs) copyWord(context, source, target);
  context.say('K9', () =>
    way === 'in' ? 'copied into the bounce buffer' : 'copied out of the bounce buffer',
  );
  return true;
}

function placed(context: KernelContext, cell: Cell, frames: Piece['frames']): Destination {
  const frame = frames.find(([page]) => page === cell.page)?.[1] ?? -1;
  const owner = context.frame(frame);
  const mine = owner?.buffer === cell.buffer && owner.page === cell.page;
  return { frame, cell, refused: mine ? null : 'H8' };
}

function copyWord(context: KernelContext, source: Destination, target: Destination): void {
  const gone = [source, target].some(({ refused }) => refused !== null);
  if (gone) {
    context.find('H8', true, target.cell.id, () => ({
      message: 'the bounce buffer is copied from or to a page that was freed or swapped out',
      expected: "no access: the page is not this buffer's any more",
      actual: `frame ${source.refused === null ? target.frame : source.frame}`,
    }));
    return;
  }
  const { value } = cpuFetch(context, source, 'WB');
  const { line, word } = context.layout.position(target.cell);
  context.touch(target.frame, line);
  const { frame, cell } = target;
  const own = context.hasTouched(frame, line);
  const at = context.step.site;
  pushEntries(context, [
    { kind: 'store', attribute: 'WB', frame, line, word, cell: cell.id, value, own, at },
  ]);
}
