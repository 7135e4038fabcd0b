/**
 * The streaming and coherent DMA mapping API (K5), with dma-direct and dma-iommu behind it, and
 * the checks dma-debug makes of its use (H11).
 * Sources: kernel/dma/direct.h and direct.c, drivers/iommu/dma-iommu.c, kernel/dma/mapping.c,
 * kernel/dma/debug.c (v6.12); measured on real kernels by the conformance tables.
 * Leaves out: swiotlb, masks (K9), dma_mapping_error that nobody checks.
 */
import type { Destination } from './access.js';
import {
  DMA_ATTR_SKIP_CPU_SYNC,
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  IOMMU_CACHE,
  IOMMU_READ,
  IOMMU_WRITE,
} from './constants.js';
import type { KernelContext } from './context.js';
import { dmaDomain, lookup, refusal, translate, translationFor, type Reached } from './iommu.js';
import { type Range, syncForCpu, syncForDevice } from './maintenance.js';
import { physicalAddress } from './pages.js';
import type { DmaMapping, Sgt } from './state.js';

/** DMA API addresses behind an IOMMU: one 256 MiB window for each mapping call. */
const IOVA_STRIDE = 0x1000_0000;

export interface MapRequest {
  readonly device: number;
  readonly range: Range;
  readonly direction: number;
  readonly attrs: number;
  readonly type: DmaMapping['type'];
  /** The pages a scatterlist names; absent: those of the buffer now. */
  readonly frames?: Sgt['frames'];
}

export function deviceConfig(context: KernelContext, device: number) {
  const found = context.machine.devices[device];
  if (found === undefined) throw new Error(`no device ${device}`);
  return found;
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

/** dma_map_*: cleans unless coherent or told not to, then makes the address. */
export function dmaMap(context: KernelContext, request: MapRequest): DmaMapping {
  const { device, range, direction, attrs, type } = request;
  const config = deviceConfig(context, device);
  const buffer = context.buffer(range.buffer);
  const id = context.step.site;
  const address = config.iommu
    ? (id + 1) * IOVA_STRIDE + (range.from % context.machine.pageSize)
    : physicalAddress(context, buffer, range.from);
  if (type !== 'coherent') mapMaintenance(context, request);
  if (config.iommu) {
    const prot = protOf(direction, config.coherent);
    const entry = translationFor(
      context,
      buffer,
      address,
      range.from,
      range.size,
      prot,
      request.frames,
    );
    context.queue({ do: 'translate', domain: dmaDomain(device), entry });
  }
  const mapping: DmaMapping = {
    id,
    type,
    device,
    address,
    size: range.size,
    direction,
    buffer: range.buffer,
    offset: range.from,
    attrs,
  };
  context.update({ mappings: [...context.kernel.mappings, mapping] });
  return mapping;
}

function mapMaintenance(context: KernelContext, request: MapRequest): void {
  if ((request.attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0) {
    context.noop('DMA_ATTR_SKIP_CPU_SYNC: no cache maintenance');
  } else if (deviceConfig(context, request.device).coherent) {
    context.noop('the device is coherent: no cache maintenance');
  } else {
    syncForDevice(context, request.range);
  }
}

export interface UnmapRequest {
  readonly device: number;
  readonly address: number;
  readonly size: number | undefined;
  readonly direction: number;
  readonly attrs: number;
  readonly type: DmaMapping['type'];
}

/** dma_unmap_*: invalidates unless DMA_TO_DEVICE, then takes the translation away. */
export function dmaUnmap(context: KernelContext, request: UnmapRequest): void {
  const { device, address, direction, attrs } = request;
  const mapping = findMapping(context, device, address, 'exact');
  if (mapping === undefined) {
    context.contract('device driver tries to free DMA memory it has not allocated');
    return;
  }
  checkUnmap(context, mapping, request);
  const config = deviceConfig(context, device);
  const size = request.size ?? mapping.size;
  const range = { buffer: mapping.buffer, from: mapping.offset, size };
  if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0) {
    context.noop('DMA_ATTR_SKIP_CPU_SYNC: no cache maintenance');
  } else if (config.coherent) {
    context.noop('the device is coherent: no cache maintenance');
  } else if (mapping.type !== 'coherent') {
    syncForCpu(context, range, direction);
  }
  endMapping(context, mapping, size);
}

/** Takes the translation away and forgets the mapping. */
export function endMapping(context: KernelContext, mapping: DmaMapping, size: number): void {
  if (deviceConfig(context, mapping.device).iommu) {
    context.queue({
      do: 'untranslate',
      domain: dmaDomain(mapping.device),
      iova: mapping.address,
      size,
      sync: true,
    });
  }
  context.update({ mappings: context.kernel.mappings.filter((each) => each !== mapping) });
}

function checkUnmap(context: KernelContext, mapping: DmaMapping, request: UnmapRequest): void {
  if (request.size !== undefined && request.size !== mapping.size) {
    context.contract('device driver frees DMA memory with different size');
  }
  if (request.type !== mapping.type) {
    context.contract('device driver frees DMA memory with wrong function');
  }
  if (request.direction !== mapping.direction) {
    context.contract('device driver frees DMA memory with different direction');
  }
}

export interface SyncRequest {
  readonly device: number;
  readonly address: number;
  readonly size: number;
  readonly direction: number;
  readonly to: 'device' | 'cpu';
}

/** dma_sync_single_for_*: the range is found from the address, as the ops do. */
export function dmaSync(context: KernelContext, request: SyncRequest): void {
  const { device, address, size, direction, to } = request;
  const mapping = findMapping(context, device, address, 'inside');
  if (mapping === undefined) {
    context.contract('device driver tries to sync DMA memory it has not allocated');
  } else {
    checkSync(context, mapping, request);
  }
  if (deviceConfig(context, device).coherent) {
    context.noop('the device is coherent: no cache maintenance');
    return;
  }
  const place = placeOf(context, device, address);
  if (place === null) {
    badAddress(context, address);
    return;
  }
  const range = { buffer: place.buffer, from: place.offset, size };
  if (to === 'device') syncForDevice(context, range);
  else syncForCpu(context, range, direction);
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

export function checkSync(
  context: KernelContext,
  mapping: DmaMapping,
  request: { address: number; size: number; direction: number; to: 'device' | 'cpu' },
): void {
  const { address, size, direction, to } = request;
  if (address + size > mapping.address + mapping.size) {
    context.contract('device driver syncs DMA memory outside allocated range');
  }
  if (mapping.direction === DMA_BIDIRECTIONAL) return;
  if (direction !== mapping.direction) {
    context.contract('device driver syncs DMA memory with different direction');
  }
  const readOnly = mapping.direction !== DMA_FROM_DEVICE && direction !== DMA_TO_DEVICE;
  if (to === 'cpu' && readOnly) {
    context.contract('device driver syncs device read-only DMA memory for cpu');
  }
  const writeOnly = mapping.direction !== DMA_TO_DEVICE && direction !== DMA_FROM_DEVICE;
  if (to === 'device' && writeOnly) {
    context.contract('device driver syncs device write-only DMA memory to device');
  }
}

export function findMapping(
  context: KernelContext,
  device: number,
  address: number,
  how: 'exact' | 'inside',
): DmaMapping | undefined {
  return context.kernel.mappings.find(
    (each) =>
      each.device === device &&
      (how === 'exact'
        ? each.address === address
        : each.address <= address && address < each.address + each.size),
  );
}

/** Buffer and byte behind a DMA address of a device, as dma-direct or dma-iommu find it. */
export function placeOf(
  context: KernelContext,
  device: number,
  address: number,
): { buffer: number; offset: number } | null {
  if (deviceConfig(context, device).iommu) return lookup(context, dmaDomain(device), address);
  return physicalPlace(context, address);
}

export function physicalPlace(
  context: KernelContext,
  address: number,
): { buffer: number; offset: number } | null {
  const bytes = context.machine.pageSize;
  const frame = context.step.frames.find((each) => each.pfn === Math.floor(address / bytes));
  if (frame === undefined || frame.buffer < 0) return null;
  return { buffer: frame.buffer, offset: frame.page * bytes + (address % bytes) };
}

/** Where a device's access at a DMA API address arrives. */
export function deviceReach(
  context: KernelContext,
  device: number,
  address: number,
  size: number,
  right: number,
): Reached {
  if (deviceConfig(context, device).iommu) {
    return translate(context, dmaDomain(device), address, size, right);
  }
  const bytes = context.machine.pageSize;
  const pfn = Math.floor(address / bytes);
  const frame = context.step.frames.findIndex((each) => each.pfn === pfn);
  const mapping = findMapping(context, device, address, 'inside');
  const owner = context.frame(frame);
  const meant = mapping ?? lastOwner(context, address);
  if (owner === undefined || meant === undefined) {
    return { kind: 'fault', why: `no memory answers at 0x${address.toString(16)}` };
  }
  const cell = context.layout.cell(meant.buffer, meant.offset + (address - meant.address), size);
  const refused = refusal(context, frame, cell.buffer, cell.page);
  const destination: Destination = { frame, cell, refused };
  return { kind: 'memory', destination, cacheable: true };
}

/** Without a mapping the page's present owner is meant: raw physical addresses are allowed. */
function lastOwner(
  context: KernelContext,
  address: number,
): { buffer: number; offset: number; address: number } | undefined {
  const place = physicalPlace(context, address);
  return place === null ? undefined : { ...place, address };
}
