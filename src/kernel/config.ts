/** The machine a scenario runs on, as its `machine` block says. */
import type { Span } from '../diagnostics/diagnostic.js';
import type { ProfileName } from '../machine/profile.js';

export interface DeviceConfig {
  readonly name: string;
  /** The kernel takes it for coherent: dev_is_dma_coherent(), no maintenance for it (K5). */
  readonly coherent: boolean;
  /** It does snoop the CPU's caches (M10, M15); as `coherent` unless the scenario says else. */
  readonly snoops: boolean;
  /** It has a write-back cache of its own (M11). */
  readonly writeBackCache: boolean;
  /** Its DMA API operations go through an IOMMU (dma-iommu), else dma-direct. */
  readonly iommu: boolean;
  /** Highest bus address it can emit, as DMA_BIT_MASK(n); also what the driver says at first. */
  readonly dmaMask: number;
  /** The same for coherent allocations, as the driver says. */
  readonly coherentDmaMask: number;
  /** Highest address the bus in between passes on. */
  readonly busDmaLimit: number;
  /** dma_map_* may fail at any call, for want of memory or address space. */
  readonly mappingMayFail: boolean;
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
  /** dma-iommu invalidates the IOTLB in each unmap; else a flush queue does it later. */
  readonly iommuStrict: boolean;
  /** There is memory above 4 GiB, and allocations take it unless a zone is asked for. */
  readonly memoryAbove4G: boolean;
  /** Highest address of ZONE_DMA, below 4 GiB. */
  readonly zoneDma: number;
  /** Mismatched accesses are findings (H5) also where nothing goes wrong. */
  readonly strictAlias: boolean;
  /** Bytes, powers of two. */
  readonly lineSize: number;
  readonly pageSize: number;
}
