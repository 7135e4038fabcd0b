/**
 * The streaming and coherent DMA mapping API (K5), with dma-direct and dma-iommu behind it.
 * Sources: kernel/dma/direct.h and direct.c, drivers/iommu/dma-iommu.c, kernel/dma/mapping.c
 * (v6.12); measured on real kernels by the conformance tables.
 * Leaves out: swiotlb and masks (K9).
 */
import {
  DMA_ATTR_SKIP_CPU_SYNC,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  IOMMU_CACHE,
  IOMMU_READ,
  IOMMU_WRITE,
} from './constants.js';
import type { KernelContext } from './context.js';
import {
  deviceConfig,
  DMA_MAPPING_ERROR,
  iovaFor,
  iovaLength,
  mappingAt,
  pageAligned,
  physicalIn,
  type Place,
  placeOf,
} from './dma-address.js';
import {
  checkOverlap,
  checkSync,
  checkUnmap,
  type SyncRequest,
  type UnmapRequest,
} from './dma-debug.js';
import { objectId } from './ids.js';
import { dmaDomain, translationFor } from './iommu.js';
import { type Range, syncForCpu, syncForDevice } from './maintenance.js';
import { framesIn } from './pages.js';
import type { DmaMapping, Piece } from './state.js';

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

/** dma_info_to_prot: rights by direction, IOMMU_CACHE exactly for a coherent device. */
function protOf(direction: number, coherent: boolean): number {
  const rights =
    direction === DMA_TO_DEVICE
      ? IOMMU_READ
      : direction === DMA_FROM_DEVICE
        ? IOMMU_WRITE
        : IOMMU_READ | IOMMU_WRITE;
  return rights | (coherent ? IOMMU_CACHE : 0);
}

/**
 * dma_map_*: cleans unless coherent or told not to, then makes the addresses. Null when it fails:
 * the device may be declared so, or no address it can emit is free.
 */
export function dmaMap(context: KernelContext, request: MapRequest): DmaMapping | null {
  const { device, direction, attrs, type } = request;
  const config = deviceConfig(context, device);
  if (type !== 'coherent' && config.mappingMayFail && context.choose(2) === 1) {
    context.say('K5', () => 'the mapping fails');
    return null;
  }
  for (const range of request.ranges) checkExtent(context, range);
  const id = objectId(context, (each) => context.kernel.mappings.some((m) => m.id === each));
  const pieces = layOut(context, request, id);
  if (pieces === null) return null;
  if (type !== 'coherent') mapMaintenance(context, request);
  if (config.iommu) {
    const prot = protOf(direction, config.coherent);
    for (const piece of pieces) {
      const entry = translationFor(piece, prot);
      context.queue({ do: 'translate', domain: dmaDomain(device), entry });
    }
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
    checked: !config.mappingMayFail || (type !== 'single' && type !== 'page'),
  };
  if (request.shared !== true) checkOverlap(context, mapping);
  context.update({ mappings: [...context.kernel.mappings, mapping] });
  return mapping;
}

function checkExtent(context: KernelContext, { buffer, from, size }: Range): void {
  const end = context.buffer(buffer).size;
  if (from + size <= end) return;
  context.contract(`maps ${from + size - end} bytes behind the end of the memory`);
}

/** Addresses for each range: one after the other behind an IOMMU, else where the pages are. */
function layOut(
  context: KernelContext,
  { device, ranges }: MapRequest,
  id: number,
): readonly Piece[] | null {
  const { pageSize } = context.machine;
  const { iommu } = deviceConfig(context, device);
  let next = iommu ? iovaFor(context, device, id, iovaLength(context, ranges)) : 0;
  if (next === null) return null;
  const pieces: Piece[] = [];
  for (const range of ranges) {
    const { buffer, from: offset, size } = range;
    const frames = range.frames ?? framesIn(context, context.buffer(buffer), offset, size);
    const inPage = offset % pageSize;
    const address = iommu ? next + inPage : physicalIn(context, { buffer, frames }, offset);
    pieces.push({ address, buffer, offset, size, frames });
    next += pageAligned(context, inPage + size);
  }
  return pieces;
}

function mapMaintenance(context: KernelContext, request: MapRequest): void {
  if ((request.attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0) {
    context.noop('DMA_ATTR_SKIP_CPU_SYNC: no cache maintenance');
  } else if (deviceConfig(context, request.device).coherent) {
    context.noop('the device is coherent: no cache maintenance');
  } else {
    syncForDevice(context, ...request.ranges);
  }
}

export function rangeOf({ buffer, offset, size, frames }: Piece): Range {
  return { buffer, from: offset, size, frames };
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
  const size = request.size ?? mapping.size;
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0) {
    context.noop('DMA_ATTR_SKIP_CPU_SYNC: no cache maintenance');
  } else if (deviceConfig(context, device).coherent) {
    context.noop('the device is coherent: no cache maintenance');
  } else if (mapping.type !== 'coherent') {
    const [first] = mapping.pieces;
    const single = mapping.pieces.length === 1 && first !== undefined;
    const ranges = single ? [{ ...rangeOf(first), size }] : mapping.pieces.map(rangeOf);
    syncForCpu(context, direction, ...ranges);
  }
  endMapping(context, mapping, size);
}

/** Takes the translation away and forgets the mapping. `size`: as the caller says. */
export function endMapping(context: KernelContext, mapping: DmaMapping, size: number): void {
  if (deviceConfig(context, mapping.device).iommu) {
    const [first] = mapping.pieces;
    for (const piece of mapping.pieces) {
      context.queue({
        do: 'untranslate',
        domain: dmaDomain(mapping.device),
        iova: piece.address,
        size: piece === first && mapping.pieces.length === 1 ? size : piece.size,
        sync: true,
      });
    }
  }
  context.update({ mappings: context.kernel.mappings.filter((each) => each !== mapping) });
}

/** dma_sync_single_for_*: the range is found from the address, as the ops do. */
export function dmaSync(context: KernelContext, request: SyncRequest): void {
  const { device, address, size, direction, to } = request;
  const found = mappingAt(context, device, address);
  if (found === null) {
    context.contract('device driver tries to sync DMA memory it has not allocated');
  } else {
    checkSync(context, found.mapping, request);
  }
  if (deviceConfig(context, device).coherent) {
    context.noop('the device is coherent: no cache maintenance');
    return;
  }
  const place: Place | null = found?.place ?? placeOf(context, device, address);
  if (place === null) {
    badAddress(context, address);
    return;
  }
  const { buffer, offset: from, frames } = place;
  const range: Range =
    frames === undefined ? { buffer, from, size } : { buffer, from, size, frames };
  if (to === 'device') syncForDevice(context, range);
  else syncForCpu(context, direction, range);
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
