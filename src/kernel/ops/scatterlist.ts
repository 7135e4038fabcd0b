/**
 * Operations: streaming mappings of scatterlists (K5).
 * Sources: include/linux/dma-mapping.h, kernel/dma/mapping.c, direct.c, drivers/iommu/dma-iommu.c.
 * dma-iommu merges what follows on in the list and in its addresses (__finalise_sg), up to
 * dma_get_max_seg_size() and never across dma_get_seg_boundary(); dma-direct merges nothing.
 * Leaves out: the padding by which dma-iommu keeps single entries from crossing a boundary.
 */
import { bufferArg, deviceArg, fail, int, sgCount, sgRanges, sgtArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { badAddress, dmaMap, dmaUnmap, type SyncPart, syncPieces } from '../dma.js';
import { busAddress, deviceConfig, DMA_MAPPING_ERROR, masksOf } from '../dma-address.js';
import { checkSegment, checkSync } from '../dma-debug.js';
import { type Range, syncForCpu, syncForDevice } from '../maintenance.js';
import { syncsTable } from '../overrides.js';
import { framesIn } from '../pages.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Operation } from '../registry.js';
import { addSgt, makeSgt } from '../sg-tables.js';
import type { DmaMapping, SgEntry, Sgt } from '../state.js';
import { NULL, type Value } from '../value.js';
import {
  dev,
  dir,
  attrs,
  sgt,
  nents,
  entry,
  gfp,
  size,
  offset,
  mapDoc,
  unmapDoc,
  forCpuDoc,
  forDeviceDoc,
  attrsOf,
  op,
} from './dma-parts.js';

type Args = readonly Value[];

/** The mapping of a table; undefined (and H11) when it is not mapped for that device. */
function sgMapping(context: KernelContext, args: Args, breach: string): DmaMapping | undefined {
  const table = sgtArg(context, args[1]);
  const device = deviceArg(context, args[0]);
  const found = context.kernel.mappings.find(
    (each) => each.id === table.mapping && each.device === device,
  );
  if (found === undefined) context.contract(breach);
  return found;
}

/** Null when it fails; the table then stays unmapped. */
function mapSg(
  context: KernelContext,
  args: Args,
  call: { direction: number; attrs: number; nents?: number },
): DmaMapping | null {
  const table = sgtArg(context, args[1]);
  if (context.kernel.mappings.some((each) => each.id === table.mapping)) {
    context.contract('maps a scatterlist that is mapped already');
  }
  const count = sgCount(context, table);
  if (call.nents !== undefined && call.nents > count) {
    context.contract(`maps ${call.nents} entries of a scatterlist that has ${count}`);
  }
  const mapping = dmaMap(context, {
    device: deviceArg(context, args[0]),
    ranges: firstEntries(context, table, call.nents ?? count),
    direction: call.direction,
    attrs: call.attrs,
    type: 'sg',
    nents: call.nents ?? count,
  });
  setSgtMapping(context, table, mapping?.id ?? -1);
  if (mapping === null) return null;
  for (const { address, size } of given(context, table, mapping)) {
    checkSegment(context, mapping.device, address(), size);
  }
  return mapping;
}

/** The first entries of a table, as ranges: dma_map_sg() may be asked for fewer than all. */
function firstEntries(context: KernelContext, table: Sgt, nents: number): readonly Range[] {
  let left = nents;
  return sgRanges(context, table).flatMap((range, i) => {
    const perPage = table.entries[i]?.perPage === true;
    const { pageSize } = context.machine;
    const count = perPage ? Math.ceil(range.size / pageSize) : 1;
    const taken = Math.min(left, count);
    left -= taken;
    if (taken === 0) return [];
    return [taken === count ? range : { ...range, size: taken * pageSize }];
  });
}

function setSgtMapping(context: KernelContext, table: Sgt, mapping: number): void {
  const sgts = context.kernel.sgts.map((each) =>
    each.id === table.id ? { ...each, mapping } : each,
  );
  context.update({ sgts });
}

function unmapSg(
  context: KernelContext,
  args: Args,
  call: { direction: number; attrs: number; nents?: number },
): Value {
  const breach = 'device driver tries to free DMA memory it has not allocated';
  const mapping = sgMapping(context, args, breach);
  if (mapping === undefined) return 0;
  dmaUnmap(context, {
    device: mapping.device,
    address: mapping.address,
    size: mapping.size,
    type: 'sg',
    ...call,
  });
  setSgtMapping(context, sgtArg(context, args[1]), -1);
  return 0;
}

/**
 * dma_sync_sg*: dma-direct takes the range from sg_dma_address, dma-iommu from sg_phys; so on a
 * table nobody mapped the first goes to a bogus address and the second happens to work.
 */
/** dma_sync_sgtable_for_*: dma_sync_sg_for_* with orig_nents. */
function syncTable(context: KernelContext, args: Args, to: 'cpu' | 'device'): Value {
  const table = sgtArg(context, args[1]);
  if (syncsTable(context, to, deviceArg(context, args[0]), table, int(args[2]))) return 0;
  return syncSg(context, args, to, int(args[2]));
}

export function syncSg(
  context: KernelContext,
  args: Args,
  to: 'cpu' | 'device',
  direction: number,
  nents?: number,
): Value {
  const breach = 'device driver tries to sync DMA memory it has not allocated';
  const mapping = sgMapping(context, args, breach);
  if (mapping !== undefined) {
    const { address, size } = mapping;
    const request = { address, size, direction, to };
    checkSync(context, mapping, nents === undefined ? request : { ...request, nents });
  }
  const device = deviceArg(context, args[0]);
  const { coherent, iommu } = deviceConfig(context, device);
  if (mapping !== undefined) {
    syncPieces(context, { device, direction, to }, firstParts(context, args, mapping, nents));
  } else if (coherent) {
    context.noop('the device is coherent: no cache maintenance');
  } else if (!iommu) {
    badAddress(context, 0);
  } else {
    const ranges = sgRanges(context, sgtArg(context, args[1]));
    if (to === 'device') syncForDevice(context, direction, ...ranges);
    else syncForCpu(context, direction, ...ranges);
  }
  return 0;
}

/** What a sync acts on: it walks the list for as many entries as it is told, and no further. */
function firstParts(
  context: KernelContext,
  args: Args,
  mapping: DmaMapping,
  nents = Number.MAX_SAFE_INTEGER,
): readonly SyncPart[] {
  const { entries } = sgtArg(context, args[1]);
  const { pageSize } = context.machine;
  let left = nents;
  return mapping.pieces.flatMap((piece, i) => {
    const perPage = entries[i]?.perPage === true;
    const count = perPage ? Math.ceil(piece.size / pageSize) : 1;
    const taken = Math.min(left, count);
    left -= taken;
    const size = taken === count ? piece.size : taken * pageSize;
    return size === 0 ? [] : [{ piece, from: piece.offset, size }];
  });
}

/** Where the device finds the entries of a table: address and bytes of each, as given. */
function given(context: KernelContext, table: Sgt, mapping: DmaMapping): readonly Segment[] {
  const { pageSize } = context.machine;
  return mapping.pieces.flatMap((piece, i): readonly Segment[] => {
    const perPage = table.entries[i]?.perPage === true;
    const count = perPage ? Math.ceil(piece.size / pageSize) : 1;
    return Array.from({ length: count }, (_, at) => {
      const byte = piece.offset + at * pageSize;
      const address = (): number => busAddress(context, mapping, piece, byte);
      const size = perPage ? Math.min(pageSize, piece.size - at * pageSize) : piece.size;
      return { address, size };
    });
  });
}

interface Segment {
  readonly address: () => number;
  readonly size: number;
}

/** What dma_map_sg() counts, and what sg_dma_address() walks: behind an IOMMU merged. */
function segments(context: KernelContext, table: Sgt, mapping: DmaMapping): readonly Segment[] {
  const entries = given(context, table, mapping);
  const bounced = mapping.pieces.some(({ slot }) => slot !== undefined);
  if (!deviceConfig(context, mapping.device).iommu || bounced) return entries;
  const found: { address: () => number; size: number }[] = [];
  const { maxSegment, segBoundary } = masksOf(context, mapping.device);
  for (const { address, size } of entries) {
    const last = found.at(-1);
    const follows = last !== undefined && last.address() + last.size === address();
    const atBoundary = address() % (segBoundary + 1) === 0;
    if (follows && !atBoundary && last.size + size <= maxSegment) last.size += size;
    else found.push({ address, size });
  }
  return found;
}

/** Bus address of a segment; 0 while the table is not mapped. */
function sgAddress(context: KernelContext, table: Sgt, entry: number): number {
  const mapping = context.kernel.mappings.find((each) => each.id === table.mapping);
  if (mapping === undefined) return 0;
  const found = segments(context, table, mapping)[entry];
  if (found !== undefined) return found.address();
  if (entry < given(context, table, mapping).length) {
    context.noop('the entry was merged into one before it: it has no address');
    return DMA_MAPPING_ERROR;
  }
  return fail(context, `the scatterlist has no entry ${entry}`);
}

/** What dma_map_sg() returns. */
function mappedCount(context: KernelContext, args: Args, mapping: DmaMapping | null): number {
  return mapping === null ? 0 : segments(context, sgtArg(context, args[1]), mapping).length;
}

/** sg_alloc_table: entries that name nothing yet. */
function allocTable(context: KernelContext, args: Args): Value {
  const empty: SgEntry = { buffer: -1, offset: 0, size: 0, frames: [], perPage: false };
  return addSgt(
    context,
    Array.from({ length: int(args[0]) }, () => empty),
    -1,
  );
}

function setPage(context: KernelContext, args: Args): Value {
  const table = sgtArg(context, args[0]);
  const at = int(args[1]);
  const buffer = bufferArg(context, args[2]);
  const size = int(args[3]);
  const offset = int(args[4]);
  if (at >= table.entries.length) fail(context, `the scatterlist has no entry ${at}`);
  const frames = framesIn(context, buffer, offset, size);
  const entry: SgEntry = { buffer: buffer.id, offset, size, frames, perPage: false };
  const entries = table.entries.map((each, i) => (i === at ? entry : each));
  context.update({
    sgts: context.kernel.sgts.map((each) => (each.id === table.id ? { ...each, entries } : each)),
  });
  return 0;
}

function freeTable(context: KernelContext, args: Args): Value {
  const table = sgtArg(context, args[0]);
  if (context.kernel.mappings.some((each) => each.id === table.mapping)) {
    context.contract('sg_free_table of a table that is mapped for a device');
  }
  context.update({ sgts: context.kernel.sgts.filter((each) => each.id !== table.id) });
  return 0;
}

/** Errors are negative in the kernel; integers here are unsigned, so they are large. */
const EIO = 2 ** 32 - 5;

const rows: readonly Operation[] = [
  ...(['dma_map_sg', 'dma_map_sg_attrs'] as const).map((name) =>
    op(
      name,
      'int',
      name === 'dma_map_sg' ? [dev, sgt, nents, dir] : [dev, sgt, nents, dir, attrs],
      `${mapDoc}; returns the entries that the device sees, which an IOMMU merges`,
      (c, a) => {
        const call = { direction: int(a[3]), attrs: attrsOf(c, a[4]), nents: int(a[2]) };
        return mappedCount(c, a, mapSg(c, a, call));
      },
      'skip-sync',
    ),
  ),
  op(
    'dma_map_sgtable',
    'int',
    [dev, sgt, dir, { ...attrs, optional: true }],
    mapDoc,
    (c, a) => (mapSg(c, a, { direction: int(a[2]), attrs: attrsOf(c, a[3]) }) === null ? EIO : 0),
    'skip-sync',
  ),
  ...(['dma_unmap_sg', 'dma_unmap_sg_attrs'] as const).map((name) =>
    op(
      name,
      'void',
      name === 'dma_unmap_sg' ? [dev, sgt, nents, dir] : [dev, sgt, nents, dir, attrs],
      unmapDoc,
      (c, a) =>
        unmapSg(c, a, { direction: int(a[3]), attrs: attrsOf(c, a[4]), nents: int(a[2]) }),
      'skip-sync',
    ),
  ),
  op(
    'dma_unmap_sgtable',
    'void',
    [dev, sgt, dir, { ...attrs, optional: true }],
    unmapDoc,
    (c, a) => unmapSg(c, a, { direction: int(a[2]), attrs: attrsOf(c, a[3]) }),
    'skip-sync',
  ),
  op(
    'dma_sync_sg_for_cpu',
    'void',
    [dev, sgt, nents, dir],
    forCpuDoc,
    (c, a) => syncSg(c, a, 'cpu', int(a[3]), int(a[2])),
    'drop',
  ),
  op(
    'dma_sync_sg_for_device',
    'void',
    [dev, sgt, nents, dir],
    forDeviceDoc,
    (c, a) => syncSg(c, a, 'device', int(a[3]), int(a[2])),
    'drop',
  ),
  op(
    'dma_sync_sgtable_for_cpu',
    'void',
    [dev, sgt, dir],
    forCpuDoc,
    (c, a) => syncTable(c, a, 'cpu'),
    'drop',
  ),
  op(
    'dma_sync_sgtable_for_device',
    'void',
    [dev, sgt, dir],
    forDeviceDoc,
    (c, a) => syncTable(c, a, 'device'),
    'drop',
  ),
  op(
    'drm_prime_pages_to_sg',
    'sgt',
    [{ name: 'bo', kinds: ['bo', 'page'] }],
    "a scatterlist over the object's pages, not mapped for any device",
    (c, a) => makeSgt(c, bufferArg(c, a[0]), -1),
  ),
  op(
    'sg_dma_address',
    'dma',
    [sgt, { ...entry, optional: true }],
    "bus address of the table's first entry, or of entry `entry`; 0 while it is not mapped; behind an IOMMU entries are merged, and those that are have no address",
    (c, a) => sgAddress(c, sgtArg(c, a[0]), int(a[1])),
  ),
  op(
    'sg_alloc_table',
    'sgt',
    [nents, { ...gfp, optional: true }],
    'a table of empty entries; here it is the result, in Linux it goes into the first argument',
    allocTable,
  ),
  op(
    'sg_set_page',
    'void',
    [sgt, entry, { name: 'page', kinds: ['page', 'bo'] }, size, offset],
    'an entry names bytes of a buffer; here the table and the number of the entry name it',
    setPage,
  ),
  op('sg_free_table', 'void', [sgt], 'the table goes; the pages stay', freeTable),
];

export const scatterlistOperations = withFailures(rows, { fails: { sg_alloc_table: NULL, drm_prime_pages_to_sg: ENOMEM } });
