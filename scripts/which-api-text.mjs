/**
 * What docs/which-api.md says in prose, and for each statement the cells it rests on:
 * `useCases` by their keys, `verdicts` as civac compare --json has them.
 */

const safe = ['safe'];
const unsafe = ['hazard', 'setting'];
const never = ['refused', 'idle'];

function cells(design, useCases, verdicts) {
  return { design, useCases, verdicts };
}

/** Safe, but not with this setting. */
function unless(design, useCases, setting) {
  return { design, useCases, verdicts: safe, setting };
}

/** Designs that map write-combined and work on the pages, whatever device they are for. */
const all = 'a b c c2 d d2 e f g i1 i2 k l n';

/** The answer, up front: what to do in which case. `design`: which one shows that it is right. */
export const advice = [
  {
    when: 'device with page tables that does not snoop; the CPU maps write-combined',
    advised:
      'clean the pages when you get them, before anybody maps them, and again after swap-in;' +
      ' invalidate before they go back; nothing per frame (no function that a module may call' +
      ' does just that today: see the next two rows)',
    design: 'arch_sync',
    cells: [cells('arch_sync', all, safe)],
  },
  {
    when: 'the same, on the `drm_gem_shmem` helpers',
    advised:
      'call `drm_gem_shmem_get_pages_sgt()` when the object is created, not when a device maps' +
      ' it: the `dma_map` inside is the clean',
    design: 'shmem_sgt_early',
    cells: [
      cells('shmem_sgt_early', 'a b c c2 d d2 f i1 i2 k n', safe),
      cells('shmem_helper', 'a b', unsafe),
    ],
  },
  {
    when: 'the same, pages and page tables your own (drm/msm)',
    advised: '`dma_map_sgtable()` when the pages are got, `dma_unmap_sgtable()` when they go',
    design: 'msm_dma_map',
    cells: [cells('msm_dma_map', 'a b c c2 d d2 e f i1 i2 k n', safe)],
  },
  {
    when: 'device that snoops',
    advised: 'map write-back everywhere, and with `IOMMU_CACHE`; write-combined is the bug (j)',
    design: 'cached',
    cells: [
      cells('cached', 'j', safe),
      cells('arch_sync', 'j', unsafe),
      cells('shmem_sgt_early', 'j', unsafe),
    ],
  },
  {
    when: 'the CPU reads the buffer back a lot, so it maps write-back',
    advised:
      'a sync before and after each access of the CPU, and user space that keeps to it; no CPU' +
      ' and GPU in one cache line',
    design: 'streaming',
    cells: [cells('streaming', 'a c d2 e f g i1 i2 j n', safe), cells('streaming', 'c2 d', unsafe)],
  },
  {
    when: 'memory of user space (userptr)',
    advised: 'pin it, and the same syncs: it is mapped write-back whatever you would like (h)',
    design: 'streaming',
    cells: [
      cells('streaming', 'h', safe),
      cells('arch_sync_owner', 'h', safe),
      cells('arch_sync', 'h', unsafe),
      cells('msm_dma_map', 'h', unsafe),
    ],
  },
  {
    when: 'device without page tables, or one that emits few bits of address',
    advised: '`dma_alloc_wc()`, or pages from a zone that it reaches (`GFP_DMA32`)',
    design: 'dma_alloc_wc',
    cells: [cells('dma_alloc_wc', 'm', safe), cells('shmem_dma32', 'm', safe)],
  },
  {
    when: 'exporter that does not know the importer (vgem, udmabuf)',
    advised: 'maintain the pages, not a mapping; or map when the importer attaches',
    design: 'arch_sync',
    cells: [cells('arch_sync', 'g', safe), cells('streaming', 'g', safe)],
  },
];

export const statements = [
  {
    text:
      '**Right for a write-combined buffer of a device that has page tables and does not' +
      ' snoop:** clean the pages when they are got (new or back from swap, before anybody' +
      ' maps them), invalidate before they go back to the kernel, and do both by the page,' +
      ' without asking for a device. `drm_cflush` and `arch_sync` do that. They are unsafe in' +
      ' three use cases: none that maps write-combined is safe for a GPU that snoops (j), they' +
      ' hand a device without page tables an address that it may not reach (m), and user pages' +
      ' stay write-back (h).',
    cells: [
      cells('drm_cflush', all, safe),
      cells('arch_sync', all, safe),
      cells('drm_cflush', 'h j m', unsafe),
      cells('arch_sync', 'h j m', unsafe),
      cells('prep_coherent', 'j', unsafe),
      cells('msm_dma_map', 'j', unsafe),
      cells('alias_removed', 'j', unsafe),
      cells('iommu_map_sync', 'j', unsafe),
      cells('shmem_helper', 'j', unsafe),
      cells('shmem_sgt_early', 'j', unsafe),
    ],
  },
  {
    text:
      '**"wb+inv" of new pages is a clean.** The invalidate on top changes no cell:' +
      ' `arch_sync` only cleans, `drm_cflush` does both, and both are safe in the same use' +
      ' cases.',
    cells: [cells('drm_cflush', all, safe), cells('arch_sync', all, safe)],
  },
  {
    text:
      '**"There is no need to clean up after a long-term uncached mapping" holds until the' +
      ' pages are swapped.** `prep_coherent` cleans and then does nothing. Unlike the two' +
      ' above it is unsafe in (e): zram reads through the linear map and may read a line that' +
      ' was fetched speculatively before the GPU wrote. Invalidate before unpinning.',
    cells: [
      cells('prep_coherent', 'a b c c2 d d2 f g i1 i2 k l', safe),
      cells('prep_coherent', 'e', unsafe),
    ],
  },
  {
    text:
      '**Cache operations tied to `iommu_map()` come too late** when user space (a), the' +
      ' kernel (b) or an exporter (g) uses the buffer before it is mapped for a device.',
    cells: [cells('iommu_map_sync', 'a b g', unsafe), cells('iommu_map_sync', 'c d e i1 i2', safe)],
  },
  {
    text:
      '**`dma_map_sgtable()` for its clean alone, as drm/msm does today, is sound** on' +
      ' dma-direct and behind an IOMMU (i1, i2), at the price of an address that nobody uses.' +
      ' It is not for whoever does not know the device (g), nor for accesses that do not' +
      ' snoop of a device that does (l): there the DMA API maintains nothing.',
    cells: [
      cells('msm_dma_map', 'a b c c2 d d2 e f i1 i2 k', safe),
      cells('msm_dma_map', 'g l', unsafe),
    ],
  },
  {
    text:
      '**`dma_sync_*` without a mapping is right nowhere.** Behind an IOMMU (i2) it happens' +
      ' to clean and only breaks the contract (H11); on dma-direct it faults and cleans' +
      ' nothing.',
    cells: [cells('msm_dma_sync', '*', unsafe)],
  },
  {
    text:
      '**`drm_gem_shmem` as it is leaves new pages dirty until a device maps them**, so' +
      ' whoever maps first loses data: (a) is CVE-2025-40276, (b) the same for the kernel.' +
      ' Taking the sgt when a write-combined object is created, as panthor does since' +
      ' 576c930e5e7d, mends both.',
    cells: [
      cells('shmem_helper', 'a b', unsafe),
      cells('shmem_sgt_early', 'a b c c2 d d2 f i1 i2 k', safe),
    ],
  },
  {
    text:
      '**Write-back with syncs needs user space to follow the protocol.** `bo_sync` and' +
      ' `streaming` are safe where every access is bracketed, and for a GPU that snoops; a' +
      ' buffer cache that reuses without asking (d), a kernel that draws unasked (b), and CPU' +
      ' and GPU in one cache line (c2) break them. `bo_sync` alone lets the CPU write other' +
      ' lines meanwhile (k), because it cleans before it invalidates; that is what its third' +
      ' sync per frame pays for.',
    cells: [
      cells('bo_sync', 'a c d2 f i1 i2 j k', safe),
      cells('streaming', 'a c d2 e f g i1 i2 j', safe),
      cells('bo_sync', 'b c2 d', unsafe),
      cells('streaming', 'b c2 d k', unsafe),
    ],
  },
  {
    text:
      '**Coherent allocation is safe and never swapped**, and it is made for one device: an' +
      ' importer that snoops less than the device it was allocated for reads old data (g).',
    cells: [
      cells('dma_alloc_wc', 'a b c c2 d f i1 i2 j k', safe),
      cells('dma_alloc_wc', 'd2 e', never),
      cells('dma_alloc_wc', 'g', unsafe),
    ],
  },
  {
    text:
      '**A mapping that bounces is a second copy, and only syncs keep it.** For a 32-bit' +
      ' device and memory above 4 GiB (m), whoever maps write-combined and never syncs' +
      ' (`msm_dma_map`, `shmem_sgt_early`) reads and writes the wrong copy. `bo_sync` is' +
      ' unsafe too: its clean before the invalidate is a copy into the bounce buffer, over' +
      ' what the device wrote. Pages from below 4 GiB (`shmem_dma32`), memory from the DMA' +
      ' API, and the streaming API by the book are right.',
    cells: [
      cells('msm_dma_map', 'm', unsafe),
      cells('shmem_sgt_early', 'm', unsafe),
      cells('bo_sync', 'm', unsafe),
      cells('shmem_dma32', 'm', safe),
      cells('dma_alloc_wc', 'm', safe),
      cells('dma_alloc_pages', 'm', safe),
      cells('streaming', 'm', safe),
    ],
  },
  {
    text:
      '**`DMA_ATTR_NO_KERNEL_MAPPING` hands out memory that nobody cleared** where the DMA' +
      ' API is dma-direct (H6 in a, d, i1; not in i2): a driver that lets user space map it' +
      ' must clear it first, and has no kernel mapping to do it with. The pages stay in the' +
      ' linear map.',
    cells: [cells('no_kernel_mapping', 'a d i1', unsafe), cells('no_kernel_mapping', 'i2', safe)],
  },
  {
    text:
      '**User pages need syncs.** Memory that user space gives the device (h) is mapped' +
      ' write-back and stays so. A clean when it is imported is not enough; only designs with a' +
      ' sync at each change of owner (`streaming`, `arch_sync_owner`) are right.',
    cells: [
      cells('streaming', 'h', safe),
      cells('arch_sync_owner', 'h', safe),
      cells('drm_cflush', 'h', unsafe),
      cells('prep_coherent', 'h', unsafe),
      cells('msm_dma_map', 'h', unsafe),
    ],
  },
  {
    text:
      '**A kernel that reads through its linear map is right on today’s cores, and no further.**' +
      ' `linear_reads` invalidates before it reads; then the line is in the cache, and an' +
      ' uncached read of the same CPU may hit it unless a DMB stands between (Arm ARM B2.11).' +
      ' Cortex-A cores do not look; the architecture does not promise it (n: *core*). Read' +
      ' through a write-combined `vmap()`, as the other designs do.',
    cells: [cells('linear_reads', 'n', ['core']), cells('arch_sync', 'n', safe)],
  },
];

export const answers = [
  {
    question: 'Why shmem, and how is it addressable?',
    text:
      'Because its pages can be swapped: (e) is possible only for designs on shmem pages.' +
      ' They are addressable if the device has page tables, if they are asked for in a zone' +
      ' (`shmem_dma32`), or if every access is bracketed by syncs, so that they may bounce' +
      ' (`streaming`): column m.',
    cells: [
      cells('drm_cflush', 'e', safe),
      cells('msm_dma_map', 'e', safe),
      cells('dma_alloc_wc', 'e', never),
      cells('dma_alloc_pages', 'e', never),
      cells('shmem_dma32', 'm', safe),
      cells('streaming', 'm', safe),
    ],
  },
  {
    question: 'User mmap or vmap, and does the write-combined mapping live until the end?',
    text:
      'Both may (a, b), also while user space reuses the buffer on its own (d), if the pages' +
      ' were cleaned when they were got, and not when a device first mapped them.',
    cells: [cells('arch_sync', 'a b d', safe), cells('iommu_map_sync', 'a b', unsafe)],
  },
  {
    question: 'How are aliases in the linear map excluded after swap-in?',
    text:
      'They need not be, if the pages are cleaned again, "same as newly allocated pages", and' +
      ' invalidated before they are swapped out. Taking the pages out of the linear map' +
      ' (`alias_removed`) makes the invalidate unnecessary, but only where the linear map can' +
      ' be changed; where it cannot, the same code is not safe (e).',
    cells: [cells('drm_cflush', 'e', safe), cells('alias_removed', 'e', ['setting'])],
  },
  {
    question: 'Is the IOMMU mapping long-lived?',
    text:
      'It may be, and one clean serves any number of domains (c): maintenance belongs to the' +
      ' pages, not to the mappings. Unmapping many and invalidating the TLB once before the' +
      ' free is right (f).',
    cells: [cells('arch_sync', 'c f', safe), cells('prep_coherent', 'c f', safe)],
  },
  {
    question: 'Which device, when the importer is not known yet (vgem, udmabuf)?',
    text:
      'None: an operation on pages suffices for every importer (g). The DMA API does for the' +
      ' device it is given, so it must be asked when the importer is known: `streaming`,' +
      ' which maps when the importer attaches, is safe there, the designs that map at' +
      ' creation are not.',
    cells: [
      cells('arch_sync', 'g', safe),
      cells('prep_coherent', 'g', safe),
      cells('streaming', 'g', safe),
      cells('shmem_sgt_early', 'g', unsafe),
      cells('bo_sync', 'g', unsafe),
    ],
  },
  {
    question: 'Under which settings does the answer change?',
    text:
      'Where the device snoops, everything that maps write-combined turns unsafe. With' +
      ' `swiotlb=force` so does every design that maps by the DMA API, unless an IOMMU stands' +
      ' behind it (i2): the maintenance goes to the bounce buffer, and the page tables lead' +
      ' to the pages. (A driver that fills its page tables from DMA addresses, as panfrost' +
      ' does, is as in m then.) Whether the linear map can be changed decides only for' +
      ' `alias_removed` with zram. All settings that turn a cell round are listed below.',
    cells: [
      unless('arch_sync', 'a c d e', 'gpu .coherent = true'),
      unless('prep_coherent', 'a c d', 'gpu .coherent = true'),
      unless('msm_dma_map', 'a b c d e i1', '.swiotlb = force'),
      unless('shmem_sgt_early', 'a b c d i1', '.swiotlb = force'),
      unless('streaming', 'a c e i1', '.swiotlb = force'),
      cells('alias_removed', 'e', ['setting']),
    ],
  },
  {
    question: 'Guaranteed, or only likely?',
    text:
      'A cell is called safe only if no run breaks it. For an unsafe one the list below says' +
      ' what it needs: nothing ("in every run"), a schedule, an eviction, or a speculative' +
      ' fetch. The last two are why such code passes its tests.',
    cells: [],
  },
];
