/**
 * The events of a trace as the tracker sees them: one shape for all kernel versions, text and
 * binary. Leaves out how they are read (`read/`) and every event without use for buffers, of which
 * only the head is passed on.
 *
 * The reader calls one method of the sink per event, in the order of time as far as the recording
 * keeps it: a damaged time can go back. Scalars are passed as they are and arrays and the head are
 * reused: a sink that keeps one copies it. That keeps 50 million events out of the garbage
 * collector.
 *
 * Source of the fields: include/trace/events/{dma,iommu,swiotlb,kmem}.h of Linux 6.12 and 7.2.
 */

/**
 * A 64-bit address as a double: exact below 2^53, which every bus and physical address of arm64
 * is. A larger one loses its lowest bits; all ones is MAPPING_ERROR.
 */
export type Address = number;

/** DMA_MAPPING_ERROR, all ones. */
export const MAPPING_ERROR: Address = -1;
/** What the trace does not hold (an old text form, a hashed pointer), or not as a number. */
export const UNKNOWN = -2;

/** enum dma_data_direction (include/linux/dma-direction.h); Unknown when the event has none. */
export enum Direction {
  Unknown = -2,
  Bidirectional = 0,
  ToDevice = 1,
  FromDevice = 2,
  None = 3,
}

/**
 * The bits of `attrs` under the names the events print (DMA_ATTR_* in include/linux/dma-mapping.h;
 * the table stands in the print format of every dma event).
 */
export const attributeBits = {
  WEAK_ORDERING: 1 << 1,
  WRITE_COMBINE: 1 << 2,
  NO_KERNEL_MAPPING: 1 << 4,
  SKIP_CPU_SYNC: 1 << 5,
  FORCE_CONTIGUOUS: 1 << 6,
  ALLOC_SINGLE_PAGES: 1 << 7,
  NO_WARN: 1 << 8,
  PRIVILEGED: 1 << 9,
  MMIO: 1 << 10,
  CACHELINES_OVERLAP: 1 << 11,
  REQUIRE_COHERENT: 1 << 12,
  CC_SHARED: 1 << 13,
} as const;

/** What every event begins with. */
export interface EventHead {
  /** Position in the trace, from 0, over all buffers. */
  index: number;
  /** Time in nanoseconds of the trace's clock; in its own ticks where that clock has no unit. */
  time: number;
  cpu: number;
  pid: number;
  /** comm of the task, '' when the trace does not say. */
  task: string;
  /** The event's name as the trace has it: dma_map_page, dma_map_phys … */
  name: string;
}

/** Which function family a mapping came from, as the event's name tells it. */
export type SingleKind = 'page' | 'resource';
export type MapKind = SingleKind | 'sg';
export type PlainAllocKind = 'coherent' | 'pages';
export type AllocKind = PlainAllocKind | 'sgt';

/** Numbers of a list, the first `length` of `values` count. */
export interface NumberList {
  readonly values: ArrayLike<number>;
  readonly length: number;
}

/** Receives a trace. The comments name the events of each method. */
export interface TraceSink {
  /**
   * dma_map_page, dma_map_resource, dma_map_phys (a resource when attrs has MMIO). `dma` is
   * MAPPING_ERROR when the call failed.
   */
  mapSingle(
    head: EventHead,
    kind: SingleKind,
    device: string,
    phys: Address,
    dma: Address,
    size: number,
    dir: Direction,
    attrs: number,
  ): void;
  unmapSingle(
    head: EventHead,
    kind: SingleKind,
    device: string,
    dma: Address,
    size: number,
    dir: Direction,
    attrs: number,
  ): void;
  /**
   * dma_map_sg. `nents` and `ents` are the full counts (UNKNOWN in the first shape of the event);
   * the lists may be cut, which `truncated` tells where the event does.
   */
  mapSg(
    head: EventHead,
    device: string,
    nents: number,
    ents: number,
    truncated: boolean,
    phys: NumberList,
    dma: NumberList,
    lengths: NumberList,
    dir: Direction,
    attrs: number,
  ): void;
  mapSgError(
    head: EventHead,
    device: string,
    phys: NumberList,
    error: number,
    dir: Direction,
    attrs: number,
  ): void;
  unmapSg(head: EventHead, device: string, phys: NumberList, dir: Direction, attrs: number): void;
  syncSingle(
    head: EventHead,
    forCpu: boolean,
    device: string,
    dma: Address,
    size: number,
    dir: Direction,
  ): void;
  syncSg(
    head: EventHead,
    forCpu: boolean,
    device: string,
    dma: NumberList,
    lengths: NumberList,
    dir: Direction,
  ): void;
  /**
   * dma_alloc, dma_alloc_pages. `virt` is a token to compare, '' when unknown; on failure `dma`
   * is 0 and `virt` '0'.
   */
  alloc(
    head: EventHead,
    kind: PlainAllocKind,
    device: string,
    virt: string,
    dma: Address,
    size: number,
    dir: Direction,
    attrs: number,
  ): void;
  free(
    head: EventHead,
    kind: PlainAllocKind,
    device: string,
    virt: string,
    dma: Address,
    size: number,
    dir: Direction,
    attrs: number,
  ): void;
  allocSgt(
    head: EventHead,
    device: string,
    phys: NumberList,
    dma: Address,
    size: number,
    dir: Direction,
    attrs: number,
  ): void;
  freeSgt(
    head: EventHead,
    device: string,
    phys: NumberList,
    dma: Address,
    size: number,
    dir: Direction,
  ): void;
  iommuMap(head: EventHead, iova: Address, phys: Address, size: number): void;
  iommuUnmap(head: EventHead, iova: Address, size: number, unmapped: number): void;
  /** attach_device_to_domain, detach_device_from_domain. */
  iommuAttach(head: EventHead, device: string, attached: boolean): void;
  ioPageFault(head: EventHead, device: string, driver: string, iova: Address, flags: number): void;
  /**
   * swiotlb_bounced: before the map event of the same task; `original` is the address that was to
   * be mapped. A mask of 64 ones is MAPPING_ERROR.
   */
  bounced(
    head: EventHead,
    device: string,
    dmaMask: number,
    original: Address,
    size: number,
    force: boolean,
  ): void;
  /** kmem:mm_page_alloc that succeeded; a failed one is `other`. */
  pageAlloc(head: EventHead, pfn: number, order: number): void;
  pageFree(head: EventHead, pfn: number, order: number): void;
  /** vmscan:mm_vmscan_write_folio: the page is being swapped out. */
  pageWrittenOut(head: EventHead, pfn: number): void;
  /** dma_fence_*: `what` is the part of the name after dma_fence_. */
  fence(
    head: EventHead,
    what: string,
    driver: string,
    timeline: string,
    context: number,
    seqno: number,
  ): void;
  /**
   * Events were lost on this CPU somewhere before this moment; `count` is UNKNOWN when the buffer
   * does not tell, `cpu` is UNKNOWN when it may have been any.
   */
  lost(cpu: number, count: number, time: number): void;
  /** Any other event, or one whose fields could not be read. Only its head is decoded. */
  other(head: EventHead): void;
}
