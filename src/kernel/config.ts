/** The machine a scenario runs on, as its `machine` block says. */
import type { Span } from '../diagnostics/diagnostic.js';
import type { Maintenance } from '../machine/store-buffer.js';
import type { ProfileName } from '../machine/profile.js';

/** What an importer that nobody knows yet may be. */
export type Varying = 'coherent' | 'iommu' | 'dma_mask';

export interface DeviceConfig {
  readonly name: string;
  /** The kernel takes it for coherent: dev_is_dma_coherent(), no maintenance for it (K5). */
  readonly coherent: boolean;
  /** It does snoop the CPU's caches (M10, M15); as `coherent` unless the scenario says else. */
  readonly snoops: boolean;
  /** It has a write-back cache of its own (M11). */
  readonly writeBackCache: boolean;
  /** It keeps what it reads in a cache of its own, until told to drop it (M11). */
  readonly readCache: boolean;
  /** A processor with caches, in a shareability domain of its own (M2, M11): has both caches. */
  readonly remoteproc: boolean;
  /** Its interrupt may overtake what it wrote (M10). */
  readonly unorderedInterrupt: boolean;
  /** It runs without being told to, and a fault of its is protection at work (M15). */
  readonly rogue: boolean;
  /** Its DMA API operations go through an IOMMU (dma-iommu), else dma-direct. */
  readonly iommu: boolean;
  /** Name of that IOMMU: devices behind one share its IOTLB (M12); '' without one. */
  readonly iommuUnit: string;
  /**
   * What the kernel believes of the walks of its page tables (io_pgtable_cfg.coherent_walk); null:
   * page tables are not memory, and every change of one is seen at once.
   */
  readonly coherentWalk: boolean | null;
  /** The walks do snoop the CPU's caches (M15); as `coherentWalk` unless the scenario says else. */
  readonly walkSnoops: boolean;
  /** The IOTLB may also hold that an address is not mapped. */
  readonly cachesFaults: boolean;
  /** Highest bus address it can emit, as DMA_BIT_MASK(n); also what the driver says at first. */
  readonly dmaMask: number;
  /** The same for coherent allocations, as the driver says. */
  readonly coherentDmaMask: number;
  /** Highest address the bus in between passes on, as the device tree has it (dma-ranges). */
  readonly busDmaLimit: number;
  /** What the bus does pass on (M15); as `busDmaLimit` unless the scenario says else. */
  readonly busPasses: number;
  /** dma_map_* may fail at any call, for want of memory or address space. */
  readonly mappingMayFail: boolean;
  /** It stands for every device of a class (M15): settings that are not as written but any. */
  readonly varies: readonly Varying[];
  readonly at: Span;
}

export interface MachineConfig {
  readonly profile: ProfileName;
  readonly devices: readonly DeviceConfig[];
  /** set_direct_map_invalid_noflush works: page-granular linear map (M13). */
  readonly linearMapRemovable: boolean;
  /** RISC-V pages can be non-cacheable (Svpbmt); true elsewhere. */
  readonly svpbmt: boolean;
  /** Where shmem pages are swapped to: nowhere, zram (the CPU copies), or a block device. */
  readonly swap: 'none' | 'zram' | { readonly device: number };
  /** What an NC or Device access does when the line is cached (M6). */
  readonly unexpectedHit: 'ignore' | 'arch' | 'may-hit';
  /** Bounce buffers: where needed, always (swiotlb=force), or never (swiotlb=noforce). */
  readonly swiotlb: 'on' | 'force' | 'noforce';
  /** Slots of 2 KiB that are free for the scenario's mappings; null: as many as they need. */
  readonly swiotlbSlots: number | null;
  /** dma-iommu invalidates the IOTLB in each unmap; else a flush queue does it later. */
  readonly iommuStrict: boolean;
  /** There is memory above 4 GiB, and allocations take it unless a zone is asked for. */
  readonly memoryAbove4G: boolean;
  /** Highest address of ZONE_DMA, below 4 GiB. */
  readonly zoneDma: number;
  /** What a patched kernel does in place of its own: by function, with or without a direction. */
  readonly overrides: Readonly<Record<string, Maintenance | 'none'>>;
  /** Firmware left lines of reserved memory dirty in the cache (M14). */
  readonly dirtyAtBoot: boolean;
  /** Allocations of threads other than `init` may fail, each by choice (K1). */
  readonly allocationMayFail: boolean;
  /** Mismatched accesses are findings (H5) also where nothing goes wrong. */
  readonly strictAlias: boolean;
  /**
   * Bytes that the cache fetches, keeps and writes back as one: the write-back granule
   * (CTR_EL0.CWG), which may be longer than a line.
   */
  readonly lineSize: number;
  /** Bytes that cache maintenance goes by (CTR_EL0.DminLine); at most lineSize. */
  readonly helperLine: number;
  /** Bytes; like the two above a power of two. */
  readonly pageSize: number;
}
