/**
 * Mappings that fail (K5, K9): where in a list, and what was cleaned by then. dma-direct cleans
 * entry by entry, and takes back what it has mapped with DMA_ATTR_SKIP_CPU_SYNC: nothing is
 * invalidated or copied out. dma-iommu cleans everything before it looks for addresses.
 * Sources: kernel/dma/direct.c:dma_direct_map_sg, drivers/iommu/dma-iommu.c (iommu_dma_map_page,
 * iommu_dma_map_sg, iommu_dma_map_sg_swiotlb).
 * Leaves out: the bounce buffers of entries that were mapped, which nobody saw.
 */
import { DMA_ATTR_SKIP_CPU_SYNC } from './constants.js';
import type { KernelContext } from './context.js';
import { deviceConfig } from './dma-address.js';
import { type Range, syncForDevice } from './maintenance.js';
import { framesIn } from './pages.js';
import { bounces } from './swiotlb.js';

export interface Attempt {
  readonly device: number;
  readonly ranges: readonly Range[];
  readonly direction: number;
  readonly attrs: number;
  readonly type: string;
}

/** A list fails at its first entry, its last, or one between, as long as it is so short. */
const ENTRIES_FEW = 4;

/** What stands in front of the entry that fails, by choice. */
export function beforeFailure(context: KernelContext, attempt: Attempt): readonly Range[] {
  const { device, ranges, type } = attempt;
  if (deviceConfig(context, device).iommu) return ranges;
  if (type !== 'sg') return [];
  const last = ranges.length - 1;
  const starts = ranges.map((_, i) => ranges.slice(0, i));
  const points = starts.filter((_, i) => ranges.length <= ENTRIES_FEW || i === 0 || i === last);
  const most = ranges[last];
  const pages = most === undefined ? [] : withoutLastPage(context, most);
  if (pages.length > 0) points.push([...ranges.slice(0, last), ...pages]);
  return points[points.length > 1 ? context.choose(points.length) : 0] ?? [];
}

/** The pages of an object that are no entry of their own are, where they lie apart. */
function withoutLastPage(context: KernelContext, range: Range): readonly Range[] {
  const { pageSize } = context.machine;
  const end = Math.ceil((range.from + range.size) / pageSize - 1) * pageSize;
  if (context.buffer(range.buffer).contiguous || end <= range.from) return [];
  return [{ ...range, size: end - range.from }];
}

/** The clean of what a mapping that fails has come to. */
export function cleanInVain(
  context: KernelContext,
  { device, direction, attrs }: Attempt,
  ranges: readonly Range[],
): void {
  const skip = (attrs & DMA_ATTR_SKIP_CPU_SYNC) !== 0;
  if (skip || deviceConfig(context, device).coherent || ranges.length === 0) return;
  const seen = ranges.filter((range) => !isBounced(context, device, direction, range));
  syncForDevice(context, direction, ...seen);
  context.say('K5', () => 'what was cleaned stays so; nothing is invalidated');
}

function isBounced(
  context: KernelContext,
  device: number,
  direction: number,
  { buffer, from: offset, size, frames }: Range,
): boolean {
  const known = frames ?? framesIn(context, context.buffer(buffer), offset, size);
  return bounces(context, device, { buffer, offset, size, frames: known }, direction) !== 'no';
}

/** Somebody who maps has to ask: the scenario says that mappings fail, or how small the pool is. */
export function mustAsk(context: KernelContext, device: number): boolean {
  return deviceConfig(context, device).mappingMayFail || context.machine.swiotlbSlots !== null;
}
