/**
 * What the kernel knows: buffers and their pages, CPU mappings, IOMMU domains, scatterlists, DMA
 * mappings, locks. All of it is immutable; an operation replaces records. An object's id is the
 * number of the call that made it, so equal situations are equal states (see value.ts).
 * Leaves out: reference counts nobody can observe, and pages no access of the scenario names.
 */
import type { Attribute } from '../machine/attributes.js';
import type { Line } from '../machine/line.js';
import type { Entry } from '../machine/store-buffer.js';
import type { Attachment, DmaMapping, IovaState, Sgt } from './dma-state.js';
import type { Domain, IoContext, IotlbEntry, PteMeaning } from './iommu-state.js';
import type { LineHistory } from './mismatch.js';
import type { CarveOut, PagePool, Pool } from './pools.js';
import type { Value } from './value.js';

/** A page frame of physical memory. */
export interface Frame {
  readonly pfn: number;
  /** Whose page it is: buffer id and page number; -1 when it is free. */
  readonly buffer: number;
  readonly page: number;
  /** The tracked lines of that page, in the order of the layout. */
  readonly lines: readonly Line[];
  /** The linear map covers it (M13). */
  readonly linear: boolean;
  /** Cacheable mappings that are in no page table any more, but maybe in a TLB (M13, M18). */
  readonly inTlb?: readonly KernelTlb[];
  /** Its attribute there, where set_memory_wc() or the like changed it; absent: WB. */
  readonly linearAs?: Attribute;
  /** By tracked line; only kept for H5. */
  readonly history?: readonly LineHistory[];
  /** It is memory of this device, behind a BAR (M1). */
  readonly bar?: number;
  /** It belongs to the secure world (M16). */
  readonly secure?: boolean;
  /** It holds a page table of the IOMMU API, which nobody else touches (M12). */
  readonly table?: boolean;
  /** memblock_mark_nomap: paging_init leaves it out. */
  readonly nomap?: boolean;
  /** While it is free: whose page it was, and what the CPU that freed it knew. */
  readonly freed?: {
    readonly buffer: number;
    readonly page: number;
    readonly clock: readonly number[];
  };
}

/** Which kernel mapping a TLB entry came from: each has a flush of its own. */
export type KernelTlb = 'linear' | 'vmap';

export type PageSlot =
  | { readonly state: 'none' }
  | { readonly state: 'resident'; readonly frame: number }
  /** Swapped out: the words as the backing device got them, in layout order by line. */
  | { readonly state: 'swapped'; readonly lines: readonly (readonly number[])[] };

export type BufferKind =
  | 'gem-shmem'
  | 'gem'
  | 'msm'
  | 'pages'
  | 'kmalloc'
  | 'coherent'
  /** An object over the buffer of another driver; it has no pages of its own. */
  | 'gem-imported'
  /** Of DRM's DMA helper: memory of the DMA API, kept until the object goes. */
  | 'gem-dma'
  /** Of videobuf2: memory of the DMA API, or pages mapped without maintenance. */
  | 'vb2-dc'
  | 'vb2-sg'
  | 'ttm'
  | 'heap'
  /** Variables of a kernel thread. */
  | 'stack'
  /** Pages of a memfd; `device` is the misc device. */
  | 'udmabuf'
  /** Anonymous memory of a process. */
  | 'user'
  /** A page table of an IOMMU, made by io-pgtable-arm. */
  | 'pgtable'
  /** Device memory behind a BAR. */
  | 'bar'
  /** A bounce buffer; its words stand for those of the buffer that is mapped. */
  | 'swiotlb';

/** ZONE_DMA, ZONE_DMA32, or wherever there is memory. */
export type Zone = 'dma' | 'dma32' | 'any';

export interface Buffer {
  readonly id: number;
  readonly kind: BufferKind;
  readonly size: number;
  /** Tracked pages only; index as in the layout's page list. */
  readonly pages: readonly PageSlot[];
  /** Physically contiguous: page p has the pfn of page 0 plus p. */
  readonly contiguous: boolean;
  /** Where its pages come from; absent: anywhere. */
  readonly zone?: Zone;
  readonly mapWc: boolean;
  /** Device it was created for; -1 for none. */
  readonly device: number;
  /** Which of the device's BARs it stands behind. */
  readonly bar?: number;
  /** Uses that hold the pages (pages_use_count; for `gem` the get_pages count). */
  readonly pins: number;
  readonly vmaps: number;
  /** Of the pins: references by get_user_pages(), which fork does not respect. */
  readonly got?: number;
  /** Old pages of that buffer, which only whoever got them holds (fork). */
  readonly heldFor?: number;
  /** The driver holds page references without a pin (msm: from get_pages until evict). */
  readonly held: boolean;
  /** drm_gem_shmem's own sgt, or msm's own mapping for the clean; -1 without one. */
  readonly sgt: number;
  /** Exported with begin/end_cpu_access hooks that sync (drm/panthor). */
  readonly syncsAccess?: boolean;
  /** What its CPU mappings are, where it does not follow from `mapWc` (TTM). */
  readonly attribute?: Attribute;
  /** TTM maps the pages for the device when it gets them. */
  readonly mapsPages?: boolean;
  /** Freed when its device's driver goes (devres). */
  readonly managed?: true;
  /** madvise said DONTNEED: the contents may be purged. */
  readonly dontneed: boolean;
  readonly gone: 'no' | 'freed' | 'purged';
  /** Reclaim or migration has begun: whoever faults waits for its end (K2). */
  readonly leaving?: true;
  /** Exported so that it may move while it is attached. */
  readonly dynamic?: true;
  /** TTM's pin_count. */
  readonly pinned?: number;
  /** The attachment that an imported object stands for. */
  readonly imported?: number;
  /** What dma_buf_vmap() gave, and to how many. */
  readonly shown?: { readonly map: number; readonly count: number };
  /** No user's command stream may reach it (H9). */
  readonly kernelOnly?: boolean;
  readonly clients?: Clients;
  /** It was taken for this buffer's page, which it is not (H15). */
  readonly standsFor?: number;
}

/** Who has handles for an object, and who had. Only kept for objects that got one. */
export interface Clients {
  /** One entry for each handle. */
  readonly now: readonly number[];
  /** All that had one since the memory last changed hands: the data there may be theirs. */
  readonly known: readonly number[];
  /** What the CPU that took the last handle away knew; absent while there is one. */
  readonly left?: readonly number[];
}

export interface CpuMap {
  readonly id: number;
  readonly kind: 'linear' | 'vmap' | 'mmap' | 'remap';
  readonly buffer: number;
  readonly bytes: number;
  readonly attribute: Attribute;
  /** Accesses through it are made by user space. */
  readonly user: boolean;
  readonly live: boolean;
  /** Pages present in the page table: [page number, frame]. */
  readonly present: readonly (readonly [number, number])[];
  /** MAP_PRIVATE, and not written through yet. */
  readonly copyOnWrite?: true;
  /** fork(): the mapping of a child that shares the pages until somebody stores. */
  readonly forked?: number;
  /** Device-nGnRnE: a store is not over before the device has it (M5). */
  readonly nonPosted?: true;
  /** Of a client whose object went to another one (M14). */
  readonly foreign?: boolean;
  /** Nothing keeps instruction fetches out (M4). */
  readonly executable?: boolean;
  /** munmap is under way: no page comes in any more; `unlinked`: nor does the rmap find it. */
  readonly leaving?: 'detached' | 'unlinked';
  /** What vunmap() took out of the page table and left to a lazy flush (M18). */
  readonly unflushed?: readonly (readonly [number, number])[];
  /** Not in the page table (any more), and maybe in a TLB. */
  readonly stale?: readonly StaleTranslation[];
}

/** What a TLB or a walk cache may still hold (M18). */
export interface StaleTranslation {
  readonly page: number;
  /** -1: the cached walk ends in a table without this page. */
  readonly frame: number;
  /** It was used, so it is there until it is invalidated or dropped; else only by speculation. */
  readonly sure: boolean;
}

export interface Lock {
  readonly id: number;
  readonly kind: 'mutex' | 'completion' | 'iova';
  /** Holder of a mutex, -1 when free. Completions count in `count`. */
  readonly holder: number;
  readonly count: number;
  readonly clock: readonly number[];
}

/** A device's doorbell queue and its completions. */
export interface Port {
  /** Doorbells rung so far, those still on their way included. */
  readonly rung: number;
  /** Doorbells rung and not yet taken: what each told. */
  readonly queue: readonly (readonly number[])[];
  /** Runs finished, and what their completions tell. */
  readonly done: number;
  readonly clock: readonly number[];
  /** The last doorbell that a read from the device has shown to have arrived. */
  readonly readBack?: number;
}

/** What a driver has said a device can address, once it has. */
export interface Masks {
  readonly device: number;
  readonly dma: number;
  readonly coherent: number;
  /** Bytes of the longest entry of a scatterlist, and the addresses that none may cross. */
  readonly maxSegment: number;
  readonly segBoundary: number;
  /** dma_skip_sync was set although something of the device is bounced: syncs do nothing. */
  readonly skipsSync?: true;
}

/** A job that works on a buffer: the device's, counted from 1. */
export interface Fence {
  readonly buffer: number;
  readonly device: number;
  readonly ticket: number;
}

/** A mapping that drm_gpuvm keeps books of, in the page table or evicted. */
export interface GpuVa {
  readonly domain: number;
  readonly iova: number;
  readonly size: number;
  readonly buffer: number;
  readonly offset: number;
  readonly prot: number;
}

/** A driver wants to know before pages of user memory go. */
export interface Notifier {
  readonly buffer: number;
  readonly device: number;
  readonly domain: number;
  /** Lock that the callback takes; -1 for none. */
  readonly lock: number;
}

/** mmu notifiers are being called for a buffer; the driver's own callback runs. */
export interface Invalidating {
  readonly buffer: number;
  /** It has called mmu_interval_set_seq(). */
  readonly told: boolean;
}

/** A word as a device's own cache keeps it since it was read (M11). */
export interface DeviceLine {
  readonly device: number;
  readonly cell: number;
  readonly value: number;
}

/** A store to device memory that has left its CPU and not arrived. */
export interface PostedWrite {
  /** Whose memory it goes to. */
  readonly device: number;
  /** Thread that made it. */
  readonly agent: number;
  readonly store: Extract<Entry, { readonly kind: 'store' }>;
}

/** A shmem file with the contents of a TTM object that was swapped out. */
export interface SwapFile {
  readonly buffer: number;
  readonly lines: readonly (readonly (readonly number[])[])[];
}

export interface KernelState {
  /** In the order they were sent. */
  readonly posted: readonly PostedWrite[];
  readonly deviceLines: readonly DeviceLine[];
  readonly iotlb: readonly IotlbEntry[];
  readonly ptes: readonly PteMeaning[];
  readonly contexts: readonly IoContext[];
  /** IOMMUs without power, by the first device behind each. */
  readonly iommusOff: readonly number[];
  readonly notifiers: readonly Notifier[];
  /** [buffer, how often its pages were taken away]. */
  readonly invalidated: readonly (readonly [number, number])[];
  readonly invalidating: readonly Invalidating[];
  readonly files: readonly SwapFile[];
  readonly pools: readonly Pool[];
  readonly pagePools: readonly PagePool[];
  readonly gpuVas: readonly GpuVa[];
  /** drm/msm's objects, the one that was used longest ago first. */
  readonly lru: readonly number[];
  /** Memory that the device tree reserves for single devices. */
  readonly carveOuts: readonly CarveOut[];
  /** What the reservation objects of buffers hold. */
  readonly fences: readonly Fence[];
  readonly masks: readonly Masks[];
  readonly buffers: readonly Buffer[];
  readonly maps: readonly CpuMap[];
  readonly domains: readonly Domain[];
  readonly sgts: readonly Sgt[];
  readonly mappings: readonly DmaMapping[];
  readonly iovas: readonly IovaState[];
  readonly attachments: readonly Attachment[];
  readonly locks: readonly Lock[];
  readonly ports: readonly Port[];
  readonly handles: readonly (Value | null)[];
}

/**
 * The books with some parts replaced. Every record of them is made here or by Progress.newKernel,
 * in the same order of fields, so that all have one shape: what reads them is fast then.
 */
export function booksWith(of: KernelState, part: Partial<KernelState>): KernelState {
  const books: KernelState = {
    posted: of.posted,
    iotlb: of.iotlb,
    ptes: of.ptes,
    contexts: of.contexts,
    iommusOff: of.iommusOff,
    deviceLines: of.deviceLines,
    notifiers: of.notifiers,
    invalidated: of.invalidated,
    invalidating: of.invalidating,
    pools: of.pools,
    pagePools: of.pagePools,
    gpuVas: of.gpuVas,
    lru: of.lru,
    carveOuts: of.carveOuts,
    fences: of.fences,
    masks: of.masks,
    buffers: of.buffers,
    maps: of.maps,
    sgts: of.sgts,
    mappings: of.mappings,
    iovas: of.iovas,
    files: of.files,
    attachments: of.attachments,
    locks: of.locks,
    handles: of.handles,
    domains: of.domains,
    ports: of.ports,
  };
  return Object.assign(books, part);
}

export type { Attachment, DmaMapping, IovaState, Piece, SgEntry, Sgt } from './dma-state.js';
export type {
  Domain,
  IoContext,
  IoTable,
  IotlbEntry,
  PteMeaning,
  Translation,
} from './iommu-state.js';
export type { CarveOut, PagePool, Pool } from './pools.js';
