/**
 * Page allocator, zeroing and swap (K1, K2, M14). Zeroing and zram go through the linear map and
 * leave dirty lines; block DMA goes by the rules of its device.
 * Sources: mm/shmem.c (shmem_get_folio_gfp clears new folios with clear_highpage; shmem_writepage,
 * shmem_swapin_folio), arch/arm64/mm/flush.c:flush_dcache_folio (no clean to PoC),
 * drivers/block/zram (copies through the kernel mapping).
 * Leaves out: zeroing still in the store buffer when the allocator returns; it counts as drained.
 */
import { newest } from '../ideal/word.js';
import { rowsFor } from '../machine/cache-rules.js';
import { absentLine, dirtyLine, type Line } from '../machine/line.js';
import { pickRow, storesPending } from './access.js';
import type { MachineConfig } from './config.js';
import type { KernelContext } from './context.js';
import { judge } from './judge.js';
import { type LineLayout, NewCell, type PageLayout } from './layout.js';
import { freshHistory } from './mismatch.js';
import type { Buffer, Frame, PageSlot, Zone } from './state.js';
import { secretOf } from './values.js';

/** Frames per allocation in pfn space, so that contiguous buffers never run into each other. */
const PFN_STRIDE = 0x1000;
/** Memory begins at 2 GiB, or at 16 MiB where ZONE_DMA asks for less. */
const PFN_BASE = 0x80000;
const PFN_BASE_LOW = 0x1000;
const LOW_STRIDE = 0x400;

/** First page number behind a zone. */
function zoneEnd(context: KernelContext, zone: Zone): number {
  if (zone === 'any') return Number.MAX_SAFE_INTEGER;
  return ((zone === 'dma' ? context.machine.zoneDma : 2 ** 32 - 1) + 1) / context.machine.pageSize;
}

/** First page of the n-th allocation, in the zone it comes from. */
function pfnFor(context: KernelContext, zone: Zone, index: number): number {
  const { memoryAbove4G, zoneDma, pageSize } = context.machine;
  if (zone === 'any' && memoryAbove4G) return 2 ** 32 / pageSize + index * PFN_STRIDE;
  if (zone === 'dma' && zoneDma < PFN_BASE * pageSize) return PFN_BASE_LOW + index * LOW_STRIDE;
  return PFN_BASE + index * PFN_STRIDE;
}

export function pageLayouts(context: KernelContext, buffer: number): readonly PageLayout[] {
  return context.layout.pages(buffer);
}

export function emptySlots(context: KernelContext, buffer: number): readonly PageSlot[] {
  return pageLayouts(context, buffer).map(() => ({ state: 'none' }));
}

/** What a buffer is before anybody uses it. */
export const unused = {
  pins: 0,
  vmaps: 0,
  sgt: -1,
  gone: 'no',
  held: false,
  dontneed: false,
} as const;

/**
 * Gives frames to every page of a buffer that has none. `zero`: cleared through the linear map.
 * `cleaned`: of a pool that was cleaned long ago, so that no old line is dirty.
 */
export function allocatePages(
  context: KernelContext,
  id: number,
  zero: boolean,
  cleaned = false,
): void {
  const buffer = context.buffer(id);
  const zone = buffer.zone ?? 'any';
  const base = pfnFor(context, zone, context.step.frames.length);
  const slots = buffer.pages.slice();
  let zeroed: { count: number; clock: readonly number[] } | undefined;
  pageLayouts(context, id).forEach((layout, i) => {
    if (slots[i]?.state !== 'none') return;
    // One page lies anywhere; only longer contiguous runs need frames side by side.
    const long = buffer.contiguous && buffer.size > context.machine.pageSize;
    const pfn = long ? base + layout.page : undefined;
    const frame = takeFrame(context, id, layout, zone, pfn);
    const junk = !zero && !cleaned && layout.lines.length > 0 && context.choose(2) === 1;
    const lines = layout.lines.map((each) => freshLine(each, frame, zero, junk));
    const old = context.frame(frame);
    const made = zero ? 'zeroed' : cleaned ? 'clean' : 'unknown';
    if (old !== undefined) context.setFrame(frame, filled(context, old, lines, made));
    slots[i] = { state: 'resident', frame };
    if (zero) {
      zeroed ??= context.tick();
      for (const cell of layout.lines.flatMap((each) => each.cells)) {
        context.write(cell, 0, zeroed);
      }
    }
  });
  context.setBuffer({ ...context.buffer(id), pages: slots });
  if (zeroed !== undefined) {
    context.say('K1', () => 'pages zeroed through the linear map: dirty lines');
  }
}

/** A frame with what stands in it now; under .strict_alias also how that came there. */
function filled(
  context: KernelContext,
  frame: Frame,
  lines: readonly Line[],
  made: Parameters<typeof freshHistory>[1],
): Frame {
  if (!context.machine.strictAlias) return { ...frame, lines };
  return { ...frame, lines, history: freshHistory(lines, made) };
}

function freshLine(layout: LineLayout, frame: number, zero: boolean, junk: boolean): Line {
  const dram = layout.cells.map(() => secretOf(frame, 0));
  if (zero)
    return dirtyLine(
      dram,
      layout.cells.map(() => 0),
    );
  return junk
    ? dirtyLine(
        dram,
        layout.cells.map(() => secretOf(frame, 1)),
      )
    : absentLine(dram);
}

/** A frame never used, or by choice a freed one that something stale still points to. */
export function takeFrame(
  context: KernelContext,
  buffer: number,
  layout: PageLayout,
  zone: Zone,
  pfn?: number | 'new',
): number {
  const stale = pfn === undefined ? staleFrames(context, zone) : [];
  const choice = stale.length === 0 ? 0 : context.choose(stale.length + 1);
  const reused = choice === 0 ? undefined : stale[choice - 1];
  const chosen = pfn === 'new' ? undefined : pfn;
  const index = reused ?? context.step.frames.length;
  if (reused !== undefined) context.recorder.couples?.('a page is used again');
  const freed = context.frame(index)?.freed;
  if (freed !== undefined) context.learn(freed.clock);
  context.setFrame(index, {
    pfn: context.frame(index)?.pfn ?? chosen ?? pfnFor(context, zone, index),
    buffer,
    page: layout.page,
    lines: [],
    linear: true,
  });
  return index;
}

function staleFrames(context: KernelContext, zone: Zone): number[] {
  const { domains, maps, mappings } = context.kernel;
  const pointed = new Set<number>();
  for (const domain of domains) {
    for (const entry of [...domain.entries, ...domain.stale]) {
      for (const [, frame] of entry.frames) pointed.add(frame);
    }
  }
  for (const map of maps) {
    if (map.live) for (const [, frame] of map.present) pointed.add(frame);
    for (const [, frame] of map.unflushed ?? []) pointed.add(frame);
    for (const { frame } of map.stale ?? []) pointed.add(frame);
  }
  for (const { frames, slot } of mappings.flatMap((each) => each.pieces)) {
    for (const [, frame] of [...frames, ...(slot?.frames ?? [])]) pointed.add(frame);
  }
  const limit = zoneEnd(context, zone);
  return [...pointed]
    .filter((i) => context.frame(i)?.buffer === -1 && (context.frame(i)?.pfn ?? 0) < limit)
    .sort((a, b) => a - b);
}

export function freePages(context: KernelContext, id: number): void {
  const buffer = context.buffer(id);
  for (const slot of buffer.pages) {
    if (slot.state === 'resident') releaseFrame(context, slot.frame);
  }
  context.setBuffer({ ...buffer, pages: emptySlots(context, id) });
}

function releaseFrame(context: KernelContext, index: number): void {
  const frame = context.frame(index);
  if (frame === undefined) return;
  const { pfn, buffer, page, linear } = frame;
  const freed = { buffer, page, clock: context.step.clock };
  context.setFrame(index, { pfn, buffer: -1, page: -1, lines: [], linear, freed });
}

/**
 * Gives a buffer's pages back once the CPU's earlier stores have drained: the allocator's locks
 * order them before whoever gets the pages next (K1; mm/page_alloc.c, zone->lock).
 */
export function releasePages(context: KernelContext, id: number): void {
  drainStores(context);
  if (context.work.length === 0) freePages(context, id);
  else context.queue({ do: 'free', buffer: id });
}

/** What a lock in a kernel function does: the rest of the call waits for the CPU's stores (M7). */
export function drainStores(context: KernelContext): void {
  if (storesPending(context)) context.queue({ do: 'drained', what: 'stores' });
}

/** Makes the pages resident: new ones zeroed, swapped ones read back. */
export function residentPages(context: KernelContext, id: number): void {
  context.buffer(id).pages.forEach((slot, i) => {
    if (slot.state === 'swapped') swapInPage(context, id, i, slot.lines);
  });
  if (context.buffer(id).pages.some((slot) => slot.state === 'none')) {
    allocatePages(context, id, true);
  }
}

/** The end of reclaim or migration, unless somebody took a reference since it began. */
export function takePages(context: KernelContext, how: 'swap-out' | 'migrate', id: number): void {
  const { leaving: _, ...buffer } = context.buffer(id);
  context.setBuffer(buffer);
  if (buffer.pins > 0 || buffer.held) {
    context.noop('somebody holds the pages by now: they stay');
  } else if (how === 'migrate') {
    movePages(context, id);
  } else {
    // shmem_writepage: the pages go to the swap device and their frames are freed.
    takeOut(context, id, context.machine.swap);
    context.say('K2', () => 'pages written to swap, frames freed');
  }
}

/** migrate_pages: the CPU copies each page into another one (folio_copy), as zram does. */
function movePages(context: KernelContext, id: number): void {
  takeOut(context, id, 'zram');
  context.buffer(id).pages.forEach((slot, i) => {
    // The new page was taken before the old one was given back.
    if (slot.state === 'swapped') swapInPage(context, id, i, slot.lines, 'new');
  });
}

function takeOut(context: KernelContext, id: number, swap: MachineConfig['swap']): void {
  const buffer = context.buffer(id);
  const pages = buffer.pages.map((slot, i): PageSlot => {
    const layout = pageLayouts(context, id)[i];
    if (slot.state !== 'resident' || layout === undefined) return slot;
    const lines = layout.lines.map((_, line) =>
      swapOutLine(context, slot.frame, layout, line, swap),
    );
    return { state: 'swapped', lines };
  });
  for (const slot of buffer.pages) {
    if (slot.state === 'resident') releaseFrame(context, slot.frame);
  }
  context.setBuffer({ ...context.buffer(id), pages });
}

/** What the CPU reads of a buffer's pages through the linear map: by page, line and word. */
export function copyOut(
  context: KernelContext,
  id: number,
): readonly (readonly (readonly number[])[])[] {
  const { pages } = context.buffer(id);
  return pageLayouts(context, id).map((layout, i) => {
    const slot = pages[i];
    if (slot?.state !== 'resident') return [];
    return layout.lines.map((_, line) => swapOutLine(context, slot.frame, layout, line, 'zram'));
  });
}

/** Pages that have no frame, by index. */
export function emptyPages(context: KernelContext, id: number): readonly number[] {
  const { pages } = context.buffer(id);
  return pages.flatMap(({ state }, i) => (state === 'none' ? [i] : []));
}

function swapOutLine(
  context: KernelContext,
  frame: number,
  layout: PageLayout,
  line: number,
  swap: MachineConfig['swap'],
): readonly number[] {
  const device = typeof swap === 'object' ? context.machine.devices[swap.device] : undefined;
  const state = () => context.lineAt(frame, line)?.state ?? 'absent';
  if (device !== undefined && !device.coherent) {
    // The block layer's dma_map_sg(TO_DEVICE) cleans the page through the linear map.
    context.apply(frame, line, pickRow(context, rowsFor(state(), 'clean')));
  }
  const loads = context.frame(frame)?.linearAs === undefined ? 'load WB' : 'load NC';
  const event = device === undefined ? loads : device.snoops ? 'snooping read' : 'device read';
  return (layout.lines[line]?.cells ?? []).map((cell, word) => {
    const row = pickRow(context, rowsFor(state(), event));
    const outcome = context.apply(frame, line, row, { word, value: 0 });
    const value = outcome.value ?? 0;
    const before = context.findings.length;
    judge(context, cell, value, outcome.from ?? 'dram', false, false);
    markSwapLoss(context, cell.id, value, context.findings[before]?.id);
    return value;
  });
}

/** When the wrong value went to swap, the newest is gone with the frame: later reads say so. */
function markSwapLoss(
  context: KernelContext,
  cellId: number,
  value: number,
  found: string | undefined,
): void {
  const cell = context.layout.cells[cellId];
  if (cell === undefined) return;
  const word = context.word(cell);
  const lost = word.writes.length > 0 && !newest(word.writes).some((w) => w.value === value);
  if (!lost || word.lost !== null) return;
  context.setWord(cell, { ...word, lost: found === 'H2' ? 'H2' : found === 'H1' ? 'H1' : 'H3' });
}

export function swapInPage(
  context: KernelContext,
  id: number,
  index: number,
  saved: readonly (readonly number[])[],
  where?: 'new',
): void {
  const layout = pageLayouts(context, id)[index];
  if (layout === undefined) return;
  const zone = context.buffer(id).zone ?? 'any';
  const frame = takeFrame(context, id, layout, zone, where);
  const dirty = where === 'new' || swapInDirties(context);
  const lines = layout.lines.map((each, i): Line => {
    const values = saved[i] ?? each.cells.map(() => 0);
    return dirty
      ? dirtyLine(
          each.cells.map(() => secretOf(frame, 0)),
          values,
        )
      : absentLine(values);
  });
  const taken = context.frame(frame);
  const made = dirty ? 'zeroed' : 'clean';
  if (taken !== undefined) context.setFrame(frame, filled(context, taken, lines, made));
  const buffer = context.buffer(id);
  const pages = buffer.pages.slice();
  pages[index] = { state: 'resident', frame };
  context.setBuffer({ ...buffer, pages });
  context.say('K2', () =>
    dirty
      ? 'swapped in to another page: the data is dirty in the cache'
      : 'swapped in to another page by block DMA: the data is in memory',
  );
}

/** zram decompresses through the linear map; a coherent block device may allocate (stash). */
function swapInDirties(context: KernelContext): boolean {
  const swap = context.machine.swap;
  if (typeof swap !== 'object') return true;
  const snoops = context.machine.devices[swap.device]?.snoops ?? false;
  return snoops && context.liberties.has('stash') && context.choose(2) === 1;
}

/** Frame of a byte of a buffer; -1 when the page is not resident. Tracks the page on demand. */
export function frameOf(context: KernelContext, buffer: Buffer, byte: number): number {
  const page = Math.floor(byte / context.machine.pageSize);
  const index = context.layout.pageIndex(buffer.id, page);
  if (index < 0) throw new NewCell(buffer.id, page * context.machine.pageSize, 0);
  const slot = buffer.pages[index];
  return slot?.state === 'resident' ? slot.frame : -1;
}

/** Every tracked page of a byte range with its frame, as page tables keep them. */
export function framesIn(
  context: KernelContext,
  buffer: Buffer,
  from: number,
  size: number,
): readonly (readonly [number, number])[] {
  const bytes = context.machine.pageSize;
  return pageLayouts(context, buffer.id).flatMap(({ page }, i) => {
    const slot = buffer.pages[i];
    const inside = page * bytes < from + size && from < (page + 1) * bytes;
    return inside && slot?.state === 'resident' ? [[page, slot.frame] as const] : [];
  });
}

/** How many tracked pages a byte range has. */
export function pagesIn(context: KernelContext, buffer: number, from: number, size: number) {
  const bytes = context.machine.pageSize;
  const inside = ({ page }: PageLayout): boolean =>
    page * bytes < from + size && from < (page + 1) * bytes;
  return pageLayouts(context, buffer).filter(inside).length;
}

/** Bus address of a byte under dma-direct: the physical one. */
export function physicalAddress(context: KernelContext, buffer: Buffer, byte: number): number {
  const frame = context.frame(frameOf(context, buffer, byte));
  const bytes = context.machine.pageSize;
  return frame === undefined ? 0 : frame.pfn * bytes + (byte % bytes);
}
