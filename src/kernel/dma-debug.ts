/**
 * What dma-debug knows about the use of the DMA API (H11), in its own words.
 * Source: kernel/dma/debug.c: check_unmap, check_sync, add_dma_entry, debug_dma_map_single,
 * check_sg_segment.
 * Leaves out: memory on a stack that is not vmalloc memory, and in kernel text; the order in which
 * the real one stops looking: here every breach is told.
 */
import {
  DMA_ATTR_SKIP_CPU_SYNC,
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
} from './constants.js';
import type { KernelContext } from './context.js';
import { deviceConfig, masksOf, physicalIn } from './dma-address.js';
import type { DmaMapping } from './state.js';

export interface UnmapRequest {
  readonly device: number;
  readonly address: number;
  readonly size: number | undefined;
  readonly direction: number;
  readonly attrs: number;
  readonly type: DmaMapping['type'];
  /** As the caller names it, for a scatterlist. */
  readonly nents?: number;
}

export interface SyncRequest {
  readonly device: number;
  readonly address: number;
  readonly size: number;
  readonly direction: number;
  readonly to: 'device' | 'cpu';
  readonly nents?: number;
}

export function checkUnmap(
  context: KernelContext,
  mapping: DmaMapping,
  request: UnmapRequest,
): void {
  if (request.size !== undefined && request.size !== mapping.size) {
    context.contract('device driver frees DMA memory with different size');
  }
  if (request.type !== mapping.type) {
    context.contract('device driver frees DMA memory with wrong function');
  }
  if (request.nents !== undefined && request.nents !== mapping.nents) {
    context.contract('device driver frees DMA sg list with different entry count');
  }
  if (request.direction !== mapping.direction) {
    context.contract('device driver frees DMA memory with different direction');
  }
  if (!mapping.checked) context.contract('device driver failed to check map error');
}

export function checkSync(
  context: KernelContext,
  mapping: DmaMapping,
  request: Omit<SyncRequest, 'device'>,
): void {
  const { address, size, direction, to } = request;
  if (address + size > mapping.address + mapping.size) {
    context.contract('device driver syncs DMA memory outside allocated range');
  }
  if (request.nents !== undefined && request.nents !== mapping.nents) {
    context.contract('device driver syncs DMA sg list with different entry count');
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

/** check_sg_segment, for each entry that was mapped. */
export function checkSegment(
  context: KernelContext,
  device: number,
  address: number,
  size: number,
): void {
  const { maxSegment, segBoundary } = masksOf(context, device);
  if (size > maxSegment) {
    context.contract('mapping sg segment longer than device claims to support');
  }
  const within = (address % (segBoundary + 1)) + size <= segBoundary + 1;
  if (!deviceConfig(context, device).iommu && !within) {
    context.contract('mapping sg segment across boundary');
  }
}

/** First cache lines of what a device may write, as the overlap check keeps them. */
function firstLines(context: KernelContext, mapping: DmaMapping): readonly number[] {
  const tracked = mapping.direction !== DMA_TO_DEVICE;
  if (!tracked || (mapping.attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0) return [];
  return mapping.pieces.map((piece) =>
    Math.floor(physicalIn(context, piece, piece.offset) / context.machine.helperLine),
  );
}

/** add_dma_entry: two mappings that begin in one line, and neither is for reading only. */
export function checkOverlap(context: KernelContext, mapping: DmaMapping): void {
  const mine = firstLines(context, mapping);
  const clash = context.kernel.mappings.some((each) =>
    firstLines(context, each).some((line) => mine.includes(line)),
  );
  if (clash) {
    context.contract("cacheline tracking EEXIST, overlapping mappings aren't supported");
  }
}
