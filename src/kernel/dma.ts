/**
 * The streaming and coherent DMA mapping API (K5), with dma-direct and dma-iommu behind it.
 * Sources: kernel/dma/direct.h and direct.c, drivers/iommu/dma-iommu.c, kernel/dma/mapping.c
 * (v6.12); measured on real kernels by the conformance tables.
 */
import {
  DMA_ATTR_OVERWRITE,
  DMA_ATTR_PRIVILEGED,
  DMA_ATTR_SKIP_CPU_SYNC,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  IOMMU_CACHE,
  IOMMU_PRIV,
  IOMMU_READ,
  IOMMU_WRITE,
} from './constants.js';
import type { KernelContext } from './context.js';
import {
  deviceConfig,
  dmaLimit,
  DMA_MAPPING_ERROR,
  iovaFor,
  iovaLength,
  mappingAt,
  pageAligned,
  physicalIn,
  type Place,
  placeOf,
  resetNeedSync,
  skipsSync,
} from './dma-address.js';
import {
  checkOverlap,
  checkStack,
  checkSync,
  checkUnmap,
  type SyncRequest,
  type UnmapRequest,
} from './dma-debug.js';
import { objectId } from './ids.js';
import { dmaDomain, domainOf, translationFor } from './iommu.js';
import { queueInstall, queueInvalidate, queueRemove, WHOLE_SPACE } from './io-tables.js';
import { type Range, syncForCpu, syncForDevice } from './maintenance.js';
import { framesIn } from './pages.js';
import { overridden, syncsIotlb } from './overrides.js';
import type { DmaMapping, Piece } from './state.js';
import { beforeFailure, cleanInVain, mustAsk } from './map-failure.js';
import { bounces, endOf, freeSlots, isFull, takeSlots } from './swiotlb.js';

export interface MapRequest {
  readonly device: number;
  /** One range, or the entries of a scatterlist. */
  readonly ranges: readonly Range[];
  readonly direction: number;
  readonly attrs: number;
  readonly type: DmaMapping['type'];
  /** Entries of the scatterlist. */
  readonly nents?: number;
  /** The exporter of a dma-buf syncs all its attachments, so that overlapping is no breach. */
  readonly shared?: boolean;
}

/** dma_info_to_prot: rights by direction; IOMMU_CACHE if coherent, IOMMU_PRIV if asked for. */
export function protOf(direction: number, coherent: boolean, attrs: number): number {
  const rights =
    direction === DMA_TO_DEVICE
      ? IOMMU_READ
      : direction === DMA_FROM_DEVICE
        ? IOMMU_WRITE
        : IOMMU_READ | IOMMU_WRITE;
  const privileged = (attrs & DMA_ATTR_PRIVILEGED) !== 0 ? IOMMU_PRIV : 0;
  return rights | (coherent ? IOMMU_CACHE : 0) | privileged;
}

/**
 * dma_map_*: cleans unless coherent or told not to, then makes the addresses. Null when it fails:
 * the device may be declared so, no address it can emit is free, or nothing can bounce.
 */
export function dmaMap(context: KernelContext, request: MapRequest): DmaMapping | null {
  const { device, direction, attrs, type } = request;
  const config = deviceConfig(context, device);
  const streaming = type === 'single' || type === 'page' || type === 'sg';
  if (streaming && config.mappingMayFail && context.choose(2) === 1) {
    context.say('K5', () => 'the mapping fails');
    cleanInVain(context, request, beforeFailure(context, request));
    return null;
  }
  for (const range of request.ranges) checkExtent(context, range);
  if (streaming) checkStack(context, request.ranges);
  const id = objectId(context, (each) => context.kernel.mappings.some((m) => m.id === each));
  const pieces = layOut(context, request, id, streaming);
  if (typeof pieces === 'number') {
    context.noop('the mapping fails: no bounce buffer or no address that the device can emit');
    if (streaming) cleanInVain(context, request, request.ranges.slice(0, pieces));
    return null;
  }
  if (streaming) mapMaintenance(context, request, pieces);
  if (config.iommu) {
    const prot = protOf(direction, config.coherent, attrs);
    for (const piece of pieces) mapPiece(context, request, piece, prot);
  }
  const mapping: DmaMapping = {
    id,
    type,
    device,
    address: pieces[0]?.address ?? 0,
    size: request.ranges.reduce((sum, each) => sum + each.size, 0),
    direction,
    attrs,
    nents: request.nents ?? 1,
    pieces,
    checked: !mustAsk(context, device) || (type !== 'single' && type !== 'page'),
  };
  checkOverlap(context, mapping, request.shared === true);
  context.update({ mappings: [...context.kernel.mappings, mapping] });
  return mapping;
}

/** __iommu_dma_map() of one range calls iommu_map(); a scatterlist goes by iommu_map_sg(). */
function mapPiece(
  context: KernelContext,
  { device, type }: MapRequest,
  piece: Piece,
  prot: number,
): void {
  const id = dmaDomain(device);
  if (type === 'sg' || piece.slot !== undefined || !context.overrides.has('iommu_map')) {
    queueInstall(context, id, translationFor(piece, prot));
    return;
  }
  const { pageSize } = context.machine;
  const skipped = piece.address % pageSize;
  const size = pageAligned(context, skipped + piece.size);
  const phys = physicalIn(context, piece, piece.offset) - skipped;
  const domain = { kind: 'domain', id } as const;
  overridden(context, 'iommu_map', [domain, piece.address - skipped, phys, size, prot, 0]);
}

function checkExtent(context: KernelContext, { buffer, from, size }: Range): void {
  const end = context.buffer(buffer).size;
  if (from + size <= end) return;
  context.contract(`maps ${from + size - end} bytes behind the end of the memory`);
}

/**
 * Addresses for each range: one after the other behind an IOMMU, else where the pages are; of the
 * bounce buffer where one is needed (K9). A number: that range fails, those before it do not.
 */
function layOut(
  context: KernelContext,
  { device, ranges, direction }: MapRequest,
  id: number,
  streaming: boolean,
): readonly Piece[] | number {
  const { pageSize } = context.machine;
  const { iommu } = deviceConfig(context, device);
  const parts = ranges.map(({ buffer, from: offset, size, frames }) => ({
    buffer,
    offset,
    size,
    frames: frames ?? framesIn(context, context.buffer(buffer), offset, size),
  }));
  const how = parts.map((part) =>
    streaming ? bounces(context, device, part, direction) : ('no' as const),
  );
  const wanted = parts.map((part, i) => ({ part, bounce: how[i] === 'yes' }));
  const failed = how.findIndex((each, i) => each === 'error' || isFull(context, wanted, i, iommu));
  if (failed >= 0) return failed;
  const slots = takeSlots(context, wanted, iommu);
  if (how.includes('yes')) resetNeedSync(context, device);
  // swiotlb_map: the device does not even reach the pool.
  const limit = dmaLimit(context, device);
  const missed = slots.findIndex(
    (slot, i) => slot && endOf(context, { ...slot, size: parts[i]?.size ?? 1 }) > limit,
  );
  if (!iommu && missed >= 0) return missed;
  let next = iommu ? iovaFor(context, device, id, iovaLength(context, ranges)) : 0;
  if (next === null) return parts.length;
  const pieces: Piece[] = [];
  for (const [i, part] of parts.entries()) {
    context.layout.cut(part.buffer, part.offset);
    context.layout.cut(part.buffer, part.offset + part.size);
    const slot = slots[i];
    const start = slot ?? part;
    const inPage = start.offset % pageSize;
    const address = iommu ? next + inPage : physicalIn(context, start, start.offset);
    pieces.push(slot === undefined ? { ...part, address } : { ...part, address, slot });
    next += pageAligned(context, inPage + part.size);
  }
  return pieces;
}

/** A bounced part is copied in whatever the direction, and then the copy is cleaned. */
export function mapMaintenance(
  context: KernelContext,
  { device, attrs, direction }: Pick<MapRequest, 'device' | 'attrs' | 'direction'>,
  pieces: readonly Piece[],
): void {
  const skip = (attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0;
  const { coherent } = deviceConfig(context, device);
  if (skip) context.noop('DMA_ATTR_SKIP_CPU_SYNC: no cache maintenance');
  else if (coherent) context.noop('the device is coherent: no cache maintenance');
  const overwritten = (attrs & DMA_ATTR_OVERWRITE) !== 0 && direction === DMA_FROM_DEVICE;
  for (const piece of pieces) {
    if (!overwritten) bounce(context, 'in', piece);
    if (!skip && !coherent) syncForDevice(context, direction, seen(piece));
  }
}

/** swiotlb_bounce() of some bytes of a part, if it has a bounce buffer. */
function bounce(
  context: KernelContext,
  way: 'in' | 'out',
  piece: Piece,
  from = piece.offset,
  size = piece.size,
): void {
  const { slot } = piece;
  if (slot === undefined) return;
  const op = way === 'in' ? 'copy in' : 'copy out';
  context.recorder.operated?.({
    site: context.step.site,
    op,
    buffer: slot.buffer,
    from: slot.offset + (from - piece.offset),
    size,
  });
  context.queue({ do: 'bounce', way, piece, from, size });
}

/** The memory whose cache lines count: the bounce buffer where there is one. */
function seen(piece: Piece, from = piece.offset, size = piece.size): Range {
  const { buffer, slot, frames } = piece;
  if (slot === undefined) return { buffer, from, size, frames };
  const at = slot.offset + (from - piece.offset);
  return { buffer: slot.buffer, from: at, size, frames: slot.frames };
}

/** dma_unmap_*: invalidates unless DMA_TO_DEVICE, then takes the translation away. */
export function dmaUnmap(context: KernelContext, request: UnmapRequest): void {
  const { device, address, direction, attrs } = request;
  const mapping = context.kernel.mappings.find(
    (each) => each.device === device && each.address === address,
  );
  if (mapping === undefined) {
    context.contract(
      address === DMA_MAPPING_ERROR
        ? 'device driver tries to free an invalid DMA memory address'
        : 'device driver tries to free DMA memory it has not allocated',
    );
    return;
  }
  checkUnmap(context, mapping, request);
  const skip = (attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0;
  if (skip) context.noop('DMA_ATTR_SKIP_CPU_SYNC: no cache maintenance');
  const [only] = mapping.pieces;
  const single = mapping.pieces.length === 1 && only !== undefined && request.size !== undefined;
  // A wrong size is believed, as far as the cache maintenance goes.
  const pieces = single ? [{ ...only, size: request.size }] : mapping.pieces;
  const { iommu } = deviceConfig(context, device);
  const bounced = mapping.pieces.some((each) => each.slot !== undefined);
  for (const piece of pieces) {
    if (!skip) handOver(context, { device, direction, to: 'cpu' }, [whole(piece)], !iommu);
    if (!iommu || !bounced) continue;
    // Behind an IOMMU each entry is unmapped by itself, and copied out after that.
    untranslate(context, device, piece.address, piece.size);
    if (!skip && direction !== DMA_TO_DEVICE) bounce(context, 'out', piece);
  }
  if (iommu && !bounced) endMapping(context, mapping, request.size ?? mapping.size);
  else {
    forget(context, mapping);
    freeSlots(context, mapping.pieces);
  }
}

/**
 * dma_sync_* and dma_unmap_* of this device neither maintain nor copy nor invalidate: it counts as
 * coherent, has no IOMMU, and nothing of it is bounced (kernel/dma/direct.h). No barrier then.
 */
export function doesNothing(context: KernelContext, device: number): boolean {
  const { coherent, iommu } = deviceConfig(context, device);
  if (!coherent || iommu) return false;
  return context.kernel.mappings.every(
    (each) => each.device !== device || each.pieces.every(({ slot }) => slot === undefined),
  );
}

function whole(piece: Piece): SyncPart {
  return { piece, from: piece.offset, size: piece.size };
}

/** __iommu_dma_unmap(); not `strict`: the IOTLB waits for the flush queue. */
export function untranslate(
  context: KernelContext,
  device: number,
  iova: number,
  size: number,
  strict = context.machine.iommuStrict,
): void {
  const id = dmaDomain(device);
  if (overridden(context, 'iommu_unmap_fast', [{ kind: 'domain', id }, iova, size])) {
    const domain = domainOf(context, id);
    if (!strict || domain === undefined || syncsIotlb(context, id)) return;
    queueInvalidate(context, domain, WHOLE_SPACE.iova, WHOLE_SPACE.size);
    return;
  }
  const own = strict && context.overrides.has('iommu_iotlb_sync');
  queueRemove(context, id, iova, size, strict && !own);
  if (own) syncsIotlb(context, id);
}

function forget(context: KernelContext, mapping: DmaMapping): void {
  context.update({ mappings: context.kernel.mappings.filter((each) => each !== mapping) });
}

/** Takes the translation and slots away and forgets the mapping. `size`: as the caller says. */
export function endMapping(context: KernelContext, mapping: DmaMapping, size: number): void {
  if (deviceConfig(context, mapping.device).iommu) {
    const single = mapping.pieces.length === 1;
    for (const piece of mapping.pieces) {
      untranslate(context, mapping.device, piece.address, single ? size : piece.size);
    }
  }
  forget(context, mapping);
  freeSlots(context, mapping.pieces);
}

/** dma_sync_single_for_*: the range is found from the address, as the ops do. */
export function dmaSync(context: KernelContext, request: SyncRequest): void {
  const { device, address, size } = request;
  const found = mappingAt(context, device, address);
  if (found === null) {
    context.contract('device driver tries to sync DMA memory it has not allocated');
  } else {
    checkSync(context, found.mapping, request);
  }
  const place: Place | null = found?.place ?? placeOf(context, device, address);
  const { coherent } = deviceConfig(context, device);
  if (place === null) {
    if (coherent) context.noop('the device is coherent: no cache maintenance');
    else badAddress(context, address);
    return;
  }
  const { buffer, offset, piece } = place;
  const frames = place.frames ?? framesIn(context, context.buffer(buffer), offset, size);
  const whole = piece ?? { address, buffer, offset, size, frames };
  syncPieces(context, request, [{ piece: whole, from: offset, size }]);
}

/** A part of a mapping to sync. */
export interface SyncPart {
  readonly piece: Piece;
  readonly from: number;
  readonly size: number;
}

/** dma_sync_*: nothing where the device skips syncs (include/linux/dma-mapping.h). */
export function syncPieces(
  context: KernelContext,
  request: Handover,
  parts: readonly SyncPart[],
): void {
  if (!skipsSync(context, request.device)) handOver(context, request, parts);
  else context.noop('dma_set_mask() set dma_skip_sync: syncs do nothing, bounced or not');
}

type Handover = Pick<SyncRequest, 'device' | 'direction' | 'to'>;

/** The maintenance and the copies: in before the clean, out after the invalidate. */
function handOver(
  context: KernelContext,
  { device, direction, to }: Handover,
  parts: readonly SyncPart[],
  copies = true,
): void {
  const { coherent } = deviceConfig(context, device);
  if (coherent) context.noop('the device is coherent: no cache maintenance');
  for (const { piece, from, size } of parts) {
    const range = seen(piece, from, size);
    if (to === 'device') {
      if (direction !== DMA_FROM_DEVICE) bounce(context, 'in', piece, from, size);
      if (!coherent) syncForDevice(context, direction, range);
    } else {
      if (!coherent) syncForCpu(context, direction, range);
      if (copies && direction !== DMA_TO_DEVICE) bounce(context, 'out', piece, from, size);
    }
  }
}

/** Maintenance at a linear-map address that no page has: the helper takes a translation fault. */
export function badAddress(context: KernelContext, address: number): void {
  context.find('H14', true, -1, () => ({
    message: 'cache maintenance at an address that is no memory: the kernel oopses',
    expected: 'the DMA address of a mapping',
    actual: `0x${address.toString(16)}`,
  }));
  context.say('H14', () => `maintenance at 0x${address.toString(16)} faults`);
}
