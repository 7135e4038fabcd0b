/**
 * The settings that a machine block may have, and those of a device in it, each with its line of
 * the reference. Leaves out: what they are read into (machine-config.ts).
 */

/** Functions of the kernel that a scenario may take for patched, each also for one direction. */
export const patchSettings: readonly (readonly [string, string])[] = [
  ...['arch_sync_dma_for_device', 'arch_sync_dma_for_cpu'].flatMap((name) =>
    ['', '_to_device', '_from_device', '_bidirectional'].map((direction) => {
      const doc =
        direction === ''
          ? 'what a patched kernel does there: clean, inval, clean_inval or none'
          : `the same for DMA${direction.toUpperCase()} only`;
      return [`${name}${direction}`, doc] as const;
    }),
  ),
  ['arch_dma_prep_coherent', 'what a patched kernel does there: clean, inval, clean_inval or none'],
];

export const machineSettings: ReadonlyMap<string, string> = new Map([
  [
    'linear_map_removable',
    'true: set_direct_map_invalid_noflush() works (default true, except on arm64)',
  ],
  ['swap', 'none (default), zram, or a device that swaps by DMA'],
  [
    'unexpected_hit',
    'ignore (default), arch (arm64) or may_hit: whether an uncached access may hit (M6)',
  ],
  ['swiotlb', 'on (default), force or noforce: bounce buffers where needed, always, never (K9)'],
  [
    'swiotlb_slots',
    'free bounce slots of 2048 bytes (default: enough); a mapping that finds none fails (K9)',
  ],
  ['iommu_strict', 'false: DMA API unmaps leave the IOTLB to a flush queue (default true)'],
  ['memory_above_4g', 'true: memory without a zone flag lies above 4 GiB (default false)'],
  ['zone_dma', 'highest address of ZONE_DMA: DMA_BIT_MASK(n) (default 32 bits)'],
  ['svpbmt', 'false: riscv without Svpbmt, where pages cannot be non-cacheable (default true)'],
  [
    'allocation_may_fail',
    'true: memory may run out, so that calls which allocate may fail, but not in init (K1)',
  ],
  ['dirty_at_boot', 'true: firmware left lines of carve-outs dirty in the cache (M14)'],
  ['strict_alias', 'true: mismatched accesses are findings of their own, H5 (default false)'],
  ['cache_line', 'bytes in a cache line, a power of two (default 64)'],
  [
    'writeback_granule',
    'bytes fetched and written back together, at least a line (default: as cache_line) (M1)',
  ],
  ...patchSettings,
  ['page_size', 'bytes in a page, a power of two (default 4096)'],
]);

export const deviceSettings: ReadonlyMap<string, string> = new Map([
  [
    'coherent',
    'true: it snoops the CPU caches, and the kernel knows (default true, except on arm64)',
  ],
  ['snoops', 'what it really does, where the kernel is wrong about it (default as .coherent)'],
  ['any', 'true: every device, coherent or not, with an IOMMU or not, of 64 or 32 bits (M15)'],
  ['write_back_cache', 'true: what it writes stays in a cache of its own for a while (M11)'],
  [
    'read_cache',
    'true: it keeps what it reads in a cache of its own until that is invalidated (M11)',
  ],
  [
    'remoteproc',
    "true: a processor outside the CPUs' shareability domain, with a write-back cache (M2, M11)",
  ],
  [
    'unordered_interrupt',
    'true: its interrupt may come before its writes are in memory, as that of a pin may (M10)',
  ],
  ['rogue', 'true: it runs at any time, doorbell or not; its faults are protection at work (M15)'],
  ['iommu', 'the name of its IOMMU, or none (default): DMA API addresses are bus addresses'],
  [
    'coherent_walk',
    'its IOMMU walks page tables in memory; true: the kernel takes walks for coherent',
  ],
  [
    'walk_snoops',
    'what the walks really do, where the kernel is wrong (default: as .coherent_walk)',
  ],
  ['caches_faults', 'true: its IOTLB may keep that an address is not mapped (default false)'],
  ['mapping_may_fail', 'true: dma_map_* may fail, so dma_mapping_error() matters (default false)'],
  ['dma_mask', 'highest address it can emit: DMA_BIT_MASK(n) (default 64 bits)'],
  ['coherent_dma_mask', 'the same for dma_alloc_* (default: as dma_mask)'],
  ['bus_dma_limit', 'highest address its bus passes on: DMA_BIT_MASK(n) (default 64 bits)'],
  ['bus_passes', 'what the bus really passes on, where the device tree is wrong (M15)'],
]);
