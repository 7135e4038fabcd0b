/** The hazards of model.md §4: id, name, what each means, what usually mends it, sources. */
export type HazardId =
  | 'H1'
  | 'H2'
  | 'H3'
  | 'H4'
  | 'H5'
  | 'H6'
  | 'H7'
  | 'H8'
  | 'H9'
  | 'H10'
  | 'H11'
  | 'H12'
  | 'H13'
  | 'H14'
  | 'H15';

export interface HazardInfo {
  readonly name: string;
  readonly meaning: string;
  /** How it usually comes about. */
  readonly story: string;
  readonly mends: readonly string[];
  readonly sources: readonly string[];
}

const ARM = 'Arm ARM DDI0487, B2.11 "Mismatched memory attributes"';

export const hazards: Readonly<Record<HazardId, HazardInfo>> = {
  H1: {
    name: 'stale copy read',
    meaning:
      'A read came from a copy (a cache line, the original of a bounced page) that is older than a write it had to see.',
    story:
      'A device wrote to memory while the CPU still held the line, or fetched it speculatively meanwhile; nothing invalidated it before the CPU read.',
    mends: [
      'invalidate after the device has finished and before the read: dma_sync_*_for_cpu or dma_unmap_* with DMA_FROM_DEVICE or DMA_BIDIRECTIONAL',
      'read through a non-cacheable mapping (dma_alloc_coherent, pgprot_writecombine)',
    ],
    sources: ['model.md M4, M5, M9', 'arch/arm64/mm/dma-mapping.c:arch_sync_dma_for_cpu', ARM],
  },
  H2: {
    name: 'newest data not there yet',
    meaning:
      'A device, or a CPU through a non-cacheable mapping, read memory before the newest data had reached it: it was dirty in a cache, or still in a store buffer.',
    story:
      'The CPU wrote (or the kernel zeroed) the page through a cacheable mapping and nothing cleaned the line before memory was read directly.',
    mends: [
      'clean after the last cacheable write and before the hand-over: dma_map_* or dma_sync_*_for_device (on arm64 a clean in every direction)',
      'for a write-combined object: get the sgt (dma_map_sgtable) before the first access through the mapping',
    ],
    sources: [
      'model.md M2, M5, M7, M10',
      'arch/arm64/mm/dma-mapping.c:arch_sync_dma_for_device',
      ARM,
    ],
  },
  H3: {
    name: 'lost write',
    meaning:
      'The newest value is nowhere any more: a dirty line went out to memory later and overwrote it, or an invalidate threw the only copy away.',
    story:
      'A line was still dirty when somebody else wrote the memory under it; sooner or later it is evicted or cleaned over the new data. Or for_cpu ran over data the CPU itself had just written.',
    mends: [
      'clean (or clean+invalidate) the line before anybody writes the memory another way',
      'never invalidate what the CPU has written since: dma_sync_*_for_device first',
    ],
    sources: ['model.md M3, M9', ARM],
  },
  H4: {
    name: 'unexpected cache hit',
    meaning: 'A non-cacheable access returned or updated a cached copy.',
    story:
      'The line of a write-combined mapping was cached through a cacheable alias and the core looks it up (M6).',
    mends: [
      'clean+invalidate before the non-cacheable mapping is used',
      'remove the cacheable alias',
    ],
    sources: ['model.md M6', ARM],
  },
  H5: {
    name: 'mismatched access',
    meaning:
      'Two accesses to one line differ in cacheability and the later one lacks the recovery rule it needs.',
    story:
      'A warning beside H1-H4: the architecture gives no guarantee without the maintenance of rules R1-R4.',
    mends: ['the maintenance that rules R1-R4 of model.md M9 ask for'],
    sources: ['model.md M9', ARM],
  },
  H6: {
    name: 'leak',
    meaning: 'An agent outside the kernel read data of another owner.',
    story: 'A page was handed out before its zeroes reached memory, or was never zeroed.',
    mends: ['zero the page and clean it before a device or a non-cacheable mapping can see it'],
    sources: ['model.md M14', 'CVE-2025-40276 (panthor)', 'arm64 commit c50f11c6196f'],
  },
  H7: {
    name: 'unreachable address',
    meaning: 'The device cannot emit the address and nothing bounces it.',
    story: "Pages above the device's mask without an IOMMU.",
    mends: ['allocate below the mask (GFP_DMA32)', 'use the DMA mapping API and check its result'],
    sources: ['model.md K9'],
  },
  H8: {
    name: 'use after free',
    meaning: 'An agent reached a page after it was freed, swapped out or given to somebody else.',
    story: 'A translation, an IOTLB entry or a kernel mapping outlived the page.',
    mends: [
      'unmap and sync the IOTLB before the pages go back: iommu_unmap, or iommu_unmap_fast then iommu_iotlb_sync',
      'pin the pages while a device or a vmap uses them',
      "flush a device's own cache, and the CPUs' TLBs, before the pages go",
    ],
    sources: ['model.md M12', 'i915 commit 7938d61591d3', 'msm: 20210426235326.1230125-1'],
  },
  H9: {
    name: 'isolation',
    meaning:
      'A context reached a buffer that was never mapped for it, or bytes beside the range granted.',
    story:
      'A mapping covers more than the buffer, goes into the wrong domain, or lacks IOMMU_PRIV.',
    mends: ['map whole pages only, into the right domain', "map the kernel's own with IOMMU_PRIV"],
    sources: ['model.md M12'],
  },
  H10: {
    name: 'false sharing',
    meaning:
      'A value was destroyed by the write-back, or the maintenance, of a line it only shares with another object.',
    story: 'A CPU-written field and device-written data stand in one cache line.',
    mends: ["align and pad the device's data to ARCH_DMA_MINALIGN"],
    sources: ['model.md M2', 'arch/arm64/mm/cache.S:dcache_inval_poc (edges)'],
  },
  H11: {
    name: 'API contract',
    meaning:
      'A call breaks its contract: unbalanced, double, wrong size, direction, device or function, never mapped.',
    story: 'It may happen to work on one kernel configuration and oops or corrupt on the next.',
    mends: [
      'make the call match the mapping; CONFIG_DMA_API_DEBUG reports the same class at run time',
    ],
    sources: ['kernel/dma/debug.c', 'model.md H11'],
  },
  H12: {
    name: 'lost wake-up',
    meaning:
      'A loop keeps failing on the values it really sees although the newest values would end it.',
    story: 'A CPU polls a cached flag that a device writes in memory.',
    mends: ['poll through a non-cacheable mapping', 'invalidate the line in the loop'],
    sources: ['model.md H12'],
  },
  H13: {
    name: 'ordering',
    meaning: 'Wrong only in runs that reorder: a barrier is missing.',
    story:
      'The doorbell or the flag overtook the data in the store buffer, or maintenance was not complete.',
    mends: [
      'dma_wmb() between data and flag or index; writel() instead of writel_relaxed() for the doorbell',
      'dma_rmb() between reading a flag or index and reading the data it announces',
      'a dsb (wmb(), arch_sync_dma_flush()) after maintenance and before the doorbell',
    ],
    sources: ['model.md M7, M9', 'Documentation/memory-barriers.txt, KERNEL I/O BARRIER EFFECTS'],
  },
  H14: {
    name: 'fault',
    meaning: 'An access hit no valid translation, or an address that is no memory.',
    story: 'The mapping was gone, never made, or lacks the right.',
    mends: ['map before use and keep the mapping while it is used'],
    sources: ['model.md M9, M12, M13'],
  },
  H15: {
    name: 'wrong memory',
    meaning: "One buffer was meant and another one's memory was reached.",
    story: 'A wrong page, pfn or truncated address.',
    mends: ['use the address that the mapping call returned'],
    sources: ['model.md M1'],
  },
};

/** Begins the message of a load that a later store or doorbell overtook (kernel/judge.ts). */
const OVERTAKEN = 'a later store overtook this read';

/** Of a value that is still in a store buffer or in a device's own cache (kernel/judge.ts). */
const ON_ITS_WAY = 'on its way to memory';
const ARRIVE =
  "bring it to memory before the invalidate: a barrier behind a non-cacheable store; of a device with a cache of its own, its flush (panthor_gpu_flush_caches)";

/** Of a line that was fetched again before a store past the cache had drained (R4). */
const STALE = 'the value comes from a stale copy';
const DRAIN = 'mb() or dma_mb() between a non-cacheable store and the invalidate behind it';

/** What would mend a finding with this message. */
export function mendsFor(id: HazardId, message: string): readonly string[] {
  if (id === 'H1' && message.endsWith(ON_ITS_WAY)) return [ARRIVE, ...hazards.H1.mends];
  if (id === 'H13' && message.startsWith(STALE)) return [...hazards.H13.mends, DRAIN];
  if (id !== 'H13' || !message.startsWith(OVERTAKEN)) return hazards[id].mends;
  return [
    'mb() or dma_mb() between this read and the store or doorbell behind it',
    'something that needs the value before that: a branch, or the value itself in what is stored',
  ];
}
