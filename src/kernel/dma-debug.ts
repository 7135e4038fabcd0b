/**
 * What dma-debug knows about the use of the DMA API (H11), in its own words.
 * Source: kernel/dma/debug.c: check_unmap, check_sync, add_dma_entry, debug_dma_map_single,
 * check_sg_segment, check_for_stack, active_cacheline_inc_overlap.
 * Leaves out: kernel text, which has no linear address on arm64 (check_for_illegal_area); what the
 * tool says of itself; the order in which the real one stops looking: here every breach is told.
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
  if (mapping.direction === DMA_TO_DEVICE) return [];
  return mapping.pieces.map((piece) =>
    Math.floor(physicalIn(context, piece, piece.offset) / context.machine.helperLine),
  );
}

function isSynced({ attrs }: DmaMapping): boolean {
  return (attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0;
}

/** ACTIVE_CACHELINE_MAX_OVERLAP: so many mappings of one line beside the first can be counted. */
const OVERLAPS_MOST = 7;

/**
 * add_dma_entry: two mappings that begin in one line, and neither is for reading only. `shared`: of
 * attachments of one dma-buf, which are not told of until they are too many to count.
 */
export function checkOverlap(context: KernelContext, mapping: DmaMapping, shared: boolean): void {
  const { mappings } = context.kernel;
  const told = !shared && isSynced(mapping);
  if (!told && mappings.length <= OVERLAPS_MOST) return;
  const mine = firstLines(context, mapping);
  const clashes = mappings.filter((each) =>
    firstLines(context, each).some((line) => mine.includes(line)),
  );
  if (told && clashes.some(isSynced)) {
    context.contract("cacheline tracking EEXIST, overlapping mappings aren't supported");
  }
  if (clashes.length > OVERLAPS_MOST) {
    context.contract(`exceeded ${OVERLAPS_MOST} overlapping mappings of cacheline`);
  }
}

/** check_for_stack, for each page that is mapped. */
export function checkStack(
  context: KernelContext,
  ranges: readonly { readonly buffer: number }[],
): void {
  if (ranges.some(({ buffer }) => context.buffer(buffer).kind === 'stack')) {
    context.contract('device driver maps memory from stack');
  }
}
