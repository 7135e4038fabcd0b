/**
 * Cache maintenance by address range (K4): which lines a helper touches and how.
 * Sources: arch/arm64/mm/cache.S: dcache_inval_poc uses DC CIVAC where the range cuts a line and
 * DC IVAC elsewhere, the helpers end with DSB SY; arch/arm64/mm/dma-mapping.c for direction:
 * for_device cleans whatever the direction, for_cpu invalidates unless DMA_TO_DEVICE.
 */
import type { Entry, Maintenance } from '../machine/store-buffer.js';
import { pushEntries } from './access.js';
import { goneMappings, liveMappings } from './aliases.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from './constants.js';
import type { KernelContext } from './context.js';
import { physicalIn } from './dma-address.js';
import { overridden } from './overrides.js';
import { framesIn, pageLayouts } from './pages.js';
import { profileOf } from './profile.js';
import type { Buffer } from './state.js';

export interface Range {
  readonly buffer: number;
  readonly from: number;
  readonly size: number;
  /** By the address of another mapping, still live; absent: by the linear-map address (M13). */
  readonly otherAddress?: boolean;
  /** A line that the range cuts is invalidated too, and not cleaned as on arm64. */
  readonly cutsDropped?: boolean;
  /** The pages as a table knows them: [page number, frame]; absent: those of the buffer now. */
  readonly frames?: readonly (readonly [number, number])[];
}

/** Issues maintenance on a byte range, without its DSB; it acts on every alias of a line. */
export function issueMaintenance(context: KernelContext, op: Maintenance, range: Range): void {
  const { buffer: id, from, size } = range;
  context.recorder.operated?.({ site: context.step.site, op, buffer: id, from, size });
  context.layout.cut(id, from, 'maintained');
  context.layout.cut(id, from + size, 'maintained');
  const buffer = context.buffer(range.buffer);
  const entries = pageLayouts(context, buffer.id).flatMap((layout, i) => {
    const slot = buffer.pages[i];
    const now = slot?.state === 'resident' ? slot.frame : undefined;
    const known = range.frames?.find(([page]) => page === layout.page)?.[1];
    const frame = range.frames === undefined ? now : known;
    return frame === undefined ? [] : linesIn(context, op, range, layout.page, frame, i);
  });
  if (entries.length === 0) return;
  if (context.recorder.quiet !== true) {
    const live = liveMappings(context, buffer);
    context.recorder.maintained(buffer.id, context.step.site, live, goneMappings(context, buffer));
  }
  issue(context, entries);
}

/** Puts entries into the store buffer now, or after work that is already queued. */
export function issue(context: KernelContext, entries: readonly Entry[]): void {
  if (context.work.length === 0) pushEntries(context, entries);
  else context.queue({ do: 'enqueue', entries });
}

function linesIn(
  context: KernelContext,
  op: Maintenance,
  range: Range,
  page: number,
  frame: number,
  pageIndex: number,
): Entry[] {
  const { pageSize, lineSize, helperLine } = context.machine;
  const from = Math.max(0, range.from - page * pageSize);
  const to = Math.min(pageSize, range.from + range.size - page * pageSize);
  if (to <= from) return [];
  if (range.otherAddress !== true && context.frame(frame)?.linear === false) {
    context.find('H14', true, -1, () => ({
      message: 'cache maintenance by a linear-map address that is not mapped',
      expected: 'a mapped address',
      actual: 'a fault',
    }));
    return [];
  }
  const layout = pageLayouts(context, range.buffer)[pageIndex];
  return (layout?.lines ?? []).flatMap((each, line): Entry[] => {
    const start = each.line * lineSize;
    if (start + lineSize <= from || to <= start) return [];
    // The kernel goes by its line, the machine by the granule: it cuts one only inside a line.
    const cut =
      (start < from && from % helperLine !== 0) || (to < start + lineSize && to % helperLine !== 0);
    const { cutLine } = profileOf(context);
    const cleaned = cut && range.cutsDropped !== true && cutLine === 'clean+invalidate';
    const real = op === 'invalidate' && cleaned ? 'clean+invalidate' : op;
    const cell = each.cells[0]?.id ?? -1;
    return [{ kind: 'maintain', op: real, frame, line, cell, from, to, at: context.step.site }];
  });
}

export function dsb(context: KernelContext): void {
  context.queue({ do: 'drained', what: 'all' });
}

/**
 * Maintenance as the helpers do it: with the DSB that completes it on arm64 (6.12), between two
 * full barriers on x86, and with none on RISC-V, where the next fence orders it.
 */
export function maintain(context: KernelContext, op: Maintenance, range: Range): void {
  const { completes, hasClflush } = profileOf(context);
  const then = completes ? ', then dsb' : '';
  context.say('M9', () => `${op} of bytes ${range.from}..${range.from + range.size}${then}`);
  if (hasClflush) dsb(context);
  issueMaintenance(context, op, range);
  if (completes) dsb(context);
}

/** arch_dma_prep_coherent: before memory gets a non-cacheable mapping. */
export function prepCoherent(context: KernelContext, range: Range): void {
  const page = { kind: 'buffer', id: range.buffer } as const;
  if (overridden(context, 'arch_dma_prep_coherent', [page, range.size])) return;
  const op = patched(context, 'arch_dma_prep_coherent') ?? profileOf(context).prepCoherent;
  if (op !== 'none') maintain(context, op, range);
}

const suffixes = new Map([
  [DMA_TO_DEVICE, '_to_device'],
  [DMA_FROM_DEVICE, '_from_device'],
  [DMA_BIDIRECTIONAL, '_bidirectional'],
]);

/** What the scenario says that its kernel does instead; undefined where it says nothing. */
function patched(
  { machine }: KernelContext,
  name: string,
  direction?: number,
): Maintenance | 'none' | undefined {
  const suffix = suffixes.get(direction ?? -1) ?? '';
  return machine.overrides[`${name}${suffix}`] ?? machine.overrides[name];
}

/** The scenario's own arch_sync_dma_*, once for each physically contiguous part. */
function archSync(
  context: KernelContext,
  name: 'arch_sync_dma_for_device' | 'arch_sync_dma_for_cpu',
  direction: number,
  ranges: readonly Range[],
): boolean {
  if (!context.overrides.has(name)) return false;
  for (const range of ranges) {
    for (const [address, size] of physicalParts(context, range)) {
      overridden(context, name, [address, size, direction]);
    }
  }
  return true;
}

/** Address and size of what lies in one piece; of scattered memory the pages that are tracked. */
function physicalParts(
  context: KernelContext,
  { buffer: id, from, size, frames }: Range,
): readonly (readonly [number, number])[] {
  const buffer = context.buffer(id);
  const known = frames ?? framesIn(context, buffer, from, size);
  const piece = { buffer: id, frames: known };
  const { pageSize } = context.machine;
  const [first] = known;
  if (buffer.contiguous || first === undefined) return [[physicalIn(context, piece, from), size]];
  return known.flatMap(([page]): readonly (readonly [number, number])[] => {
    const start = Math.max(from, page * pageSize);
    const end = Math.min(from + size, (page + 1) * pageSize);
    return start < end ? [[physicalIn(context, piece, start), end - start]] : [];
  });
}

/** arch_sync_dma_for_device: a clean, whatever the direction. */
export function syncForDevice(
  context: KernelContext,
  direction: number,
  ...ranges: readonly Range[]
): void {
  if (archSync(context, 'arch_sync_dma_for_device', direction, ranges)) return;
  const op = patched(context, 'arch_sync_dma_for_device', direction) ?? 'clean';
  if (op === 'none') context.noop('this kernel does no cache maintenance for the device');
  else for (const range of ranges) maintain(context, op, range);
}

/** arch_sync_dma_for_cpu: an invalidate, unless the device only read. */
export function syncForCpu(
  context: KernelContext,
  direction: number,
  ...ranges: readonly Range[]
): void {
  if (archSync(context, 'arch_sync_dma_for_cpu', direction, ranges)) return;
  const plain = direction === DMA_TO_DEVICE ? 'none' : 'invalidate';
  const op = patched(context, 'arch_sync_dma_for_cpu', direction) ?? plain;
  if (op !== 'none') for (const range of ranges) maintain(context, op, range);
  else if (direction === DMA_TO_DEVICE) {
    context.noop('for_cpu with DMA_TO_DEVICE does no cache maintenance');
  } else context.noop('this kernel does no cache maintenance for the CPU');
}

export function wholeBuffer(buffer: Buffer): Range {
  return { buffer: buffer.id, from: 0, size: buffer.size };
}
