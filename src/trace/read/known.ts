/**
 * The events that the tracker knows, by name. What their fields are called and how they are
 * printed is said where they are decoded: `text-fields.ts` and `text-events.ts` for text,
 * `decode.ts` for trace.dat.
 */
import { wordTable } from './bytes.js';

/** Order of `names` below. */
export enum Known {
  MapPage,
  MapResource,
  MapPhys,
  UnmapPage,
  UnmapResource,
  UnmapPhys,
  Alloc,
  AllocPages,
  Free,
  FreePages,
  AllocSgt,
  FreeSgt,
  MapSg,
  MapSgErr,
  UnmapSg,
  SyncSingleForCpu,
  SyncSingleForDevice,
  SyncSgForCpu,
  SyncSgForDevice,
  IommuMap,
  IommuUnmap,
  Attach,
  Detach,
  IoPageFault,
  Bounced,
  PageAlloc,
  PageFree,
  WriteFolio,
  FenceEmit,
  FenceInit,
  FenceDestroy,
  FenceEnable,
  FenceSignaled,
  FenceWaitStart,
  FenceWaitEnd,
}

interface KnownEvent {
  readonly system: string;
  readonly name: string;
}

const dma = (name: string): KnownEvent => ({ system: 'dma', name });
const iommu = (name: string): KnownEvent => ({ system: 'iommu', name });
const fence = (name: string): KnownEvent => ({ system: 'dma_fence', name });

/**
 * include/trace/events/{dma,iommu,swiotlb,kmem,vmscan,dma_fence}.h of Linux 6.12 and 7.2. Older
 * kernels call mm_vmscan_write_folio mm_vmscan_writepage; `knownOf` takes both.
 */
export const knownEvents: readonly KnownEvent[] = [
  dma('dma_map_page'),
  dma('dma_map_resource'),
  dma('dma_map_phys'),
  dma('dma_unmap_page'),
  dma('dma_unmap_resource'),
  dma('dma_unmap_phys'),
  dma('dma_alloc'),
  dma('dma_alloc_pages'),
  dma('dma_free'),
  dma('dma_free_pages'),
  dma('dma_alloc_sgt'),
  dma('dma_free_sgt'),
  dma('dma_map_sg'),
  dma('dma_map_sg_err'),
  dma('dma_unmap_sg'),
  dma('dma_sync_single_for_cpu'),
  dma('dma_sync_single_for_device'),
  dma('dma_sync_sg_for_cpu'),
  dma('dma_sync_sg_for_device'),
  iommu('map'),
  iommu('unmap'),
  iommu('attach_device_to_domain'),
  iommu('detach_device_from_domain'),
  iommu('io_page_fault'),
  { system: 'swiotlb', name: 'swiotlb_bounced' },
  { system: 'kmem', name: 'mm_page_alloc' },
  { system: 'kmem', name: 'mm_page_free' },
  { system: 'vmscan', name: 'mm_vmscan_write_folio' },
  fence('dma_fence_emit'),
  fence('dma_fence_init'),
  fence('dma_fence_destroy'),
  fence('dma_fence_enable_signal'),
  fence('dma_fence_signaled'),
  fence('dma_fence_wait_start'),
  fence('dma_fence_wait_end'),
];

/** Names to numbers of `Known`, for text. */
export const knownNames = wordTable(knownEvents.map(({ name }) => name));

const numbers: ReadonlyMap<string, { readonly system: string; readonly number: number }> = new Map(
  knownEvents.map(({ system, name }, number) => [name, { system, number }]),
);

/** The number of an event of trace.dat, or -1. */
export function knownOf(system: string, name: string): number {
  const today = name === 'mm_vmscan_writepage' ? 'mm_vmscan_write_folio' : name;
  const found = numbers.get(today);
  return found !== undefined && found.system === system ? found.number : -1;
}

/** `emit`, `init` … of a fence event. */
export function fencePart(known: number): string {
  return knownEvents[known]!.name.slice('dma_fence_'.length);
}
