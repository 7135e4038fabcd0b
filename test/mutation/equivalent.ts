/**
 * Mutants that no scenario can tell from the model, each with the argument. Reviewed by hand: who
 * adds one here says why nothing can show it, not that nothing did.
 */
const absentCopy =
  'an absent line has no copy to be looked at: whatever was left in it, a fill overwrites it';

const both =
  'never alone: the direction differs too, and of two breaches by one call the first is told';
const waiting =
  'the call then neither waits nor does its work: those runs hang, the ones that had no need to wait remain';
const freed =
  'the pages are freed in the same call, and a free page has no cache lines (docs/warts.md)';
const faultsAgain = 'the next access faults again, and finds the pages there';

const unknownAddress =
  "nobody has the address: the object's own table is not handed out, users map the pages themselves";

const notReused =
  'no mapping is left, so the frame is not given out again (docs/warts.md): a late store hurts nobody there';
const superseded =
  'a pinned object is not reclaimed; unpinning it makes it the last in the order once more';

const wrongWay = 'device driver syncs device write-only DMA memory to device';

export const equivalent: ReadonlyMap<string, string> = new Map([
  [`dma_sync_sgtable_for_device: tells H11: ${wrongWay}`, both],
  ...['complete', 'mutex_unlock', 'spin_unlock', 'migrate_pages'].map((name): [string, string] => [
    `${name}: waits`,
    waiting,
  ]),
  [
    'dma_write: domains changed',
    'a stale IOTLB entry that was not taken is gone for later accesses; what they could do by it, the first one could',
  ],
  [
    'dma_write_unpriv: domains changed',
    'a stale IOTLB entry that was not taken is gone for later accesses; what they could do by it, the first one could',
  ],
  ['drm_gem_object_put: buffers.pins', 'the object is gone, and its counts with it'],
  [
    'drm_gem_object_put: attachments removed',
    'an attachment of drm_gem_prime_import() is unmapped by then, and has no name to be used by',
  ],
  [
    'drm_gem_fb_begin_cpu_access: then invalidate',
    'the tables of a buffer name the same pages: one invalidate of them is as good as two',
  ],
  [
    'ttm_bo_swapout: step seen',
    'the value that the copy returned is the one that the pages come back with: no later read finds an older one',
  ],
  ['drm_gem_object_put: issues invalidate', freed],
  ['drm_gem_object_put: then wait for all', freed],
  ['drm_gem_object_put: then invalidate', freed],
  ['drm_gem_shmem_purge: issues invalidate', freed],
  ['drm_gem_shmem_purge: then wait for all', freed],
  ['msm_gem_purge: issues invalidate', freed],
  ['msm_gem_purge: then invalidate', freed],
  ['msm_gem_purge: then wait for all', freed],
  ['ttm_tt_unpopulate: issues invalidate', freed],
  ['ttm_tt_unpopulate: then invalidate', freed],
  ['ttm_tt_unpopulate: then wait for all', freed],
  ['ttm_bo_swapout: issues invalidate', freed],
  ['ttm_bo_swapout: then invalidate', freed],
  ['ttm_bo_swapout: then wait for all', freed],
  [
    'page_pool_destroy: pagePools removed',
    'whoever uses the pool later makes a mistake in the scenario (L070), which has no verdict',
  ],
  ['memset: maps changed', faultsAgain],
  ['put_user: maps changed', faultsAgain],
  [
    'tlb_finish_mmu: maps changed',
    'the mark that the address is being unmapped stays; it has no page any more, and the stale entries go all the same',
  ],
  ['swap_writepage: waits', waiting],
  ...[
    'drm_gem_shmem_purge',
    'msm_gem_purge',
    'msm_gem_shrinker_scan',
    'munmap_anonymous',
    'dma_pool_destroy',
  ].map((name): [string, string] => [`${name}: then wait for stores`, notReused]),
  [
    'drm_gem_shmem_purge: buffers.pins',
    'a purged object stays purged: nobody asks for its pin count again',
  ],
  ['msm_gem_pin_pages_locked: lru', superseded],
  ['dma_buf_attach: lru', superseded],
  [
    'msm_gem_get_vaddr: lru',
    'a vmapped object is not reclaimed; msm_gem_put_vaddr() makes it the last once more',
  ],
  [
    'migrate_pages: buffers.leaving',
    'a mapping names the page of its buffer: an access that came too early reaches the new frame all the same',
  ],
  ['msm_gem_shrinker_scan: issues invalidate', freed],
  ...['msm_gem_pin_pages_locked', 'msm_gem_get_vaddr', 'dma_buf_attach', 'memset'].map(
    (name): [string, string] => [`${name}: then translate`, unknownAddress],
  ),
  ['msm_gem_get_vaddr: then bounce', unknownAddress],
  ['msm_gem_get_vaddr: then clean', unknownAddress],
  [
    'memset: tables',
    'the table is made again by the next call that needs one; nobody has its name',
  ],
  [
    'dma_buf_detach: attachments removed',
    'an attachment that is gone cannot be named again (L070), and one without a mapping is synced by nobody',
  ],
  ['dma_pool_destroy: pools removed', 'a pool that is gone cannot be named again (L070)'],
  [
    'memcpy: step early removed',
    'an early read that was used is used up: the thread is past the place where it could be used again',
  ],
  [
    'shmem_writepage: then wait for all',
    'the page is cleaned by the block layer in the step that writes it out, so nothing is still to come',
  ],
  [
    'paging_init: memory',
    'whether secure memory is mapped is looked at by speculation in the same call only; accesses to it are refused',
  ],
  [
    'drm_gem_shmem_vmap: then wait for all',
    'only on x86, where CLFLUSH is ordered before later stores, so that no doorbell can overtake it',
  ],
  ...['set_pages_array_wc', 'set_pages_array_wb', 'set_memory_wb'].map((name): [string, string] => [
    `${name}: then wait for all`,
    'only on x86, where CLFLUSH is ordered before later stores, so that no doorbell can overtake it',
  ]),
  [
    'dma_map_sgtable: then barrier st',
    'the device has the address only when the call is over, and it ends with a wmb(): nobody walks there before',
  ],
  ['ttm_tt_unpopulate: files removed', 'the object is gone: nobody can bring its file back'],
  [
    'dma_iova_try_alloc: iovas.address',
    'the old range instead of the new one: both are free, and dma_iova_addr() tells which it is',
  ],
  [
    'ttm_bo_swapout: then wait for stores',
    'it begins when the stores of its CPU have drained (blocked until then), so that none are left',
  ],
  [
    'dma_vunmap_noncontiguous: memory',
    "nothing names a table's pages to take the linear map from them: lines are fetched by that, whatever a TLB keeps of the vmap",
  ],
  [
    'memchr_inv: memory',
    'the lines that a cacheable load fills could have been filled by speculation at any time before',
  ],
  ['sg_free_table: tables', 'a table that is gone cannot be named again (L070)'],
  [
    'cache row dirty, evict -> absent (eviction): removed',
    'two steps do the same: written back and kept clean, then dropped; both need eviction',
  ],
  ['cache row dirty, evict -> absent (eviction): without drop', absentCopy],
  ['cache row clean, evict -> absent (eviction): without drop', absentCopy],
  ['cache row clean, invalidate -> absent: without drop', absentCopy],
  [
    'cache row dirty, invalidate -> absent (eviction): removed',
    'an eviction just before the invalidate does the same, and needs the same liberty',
  ],
  ['cache row dirty, invalidate -> absent (eviction): without drop', absentCopy],
  [
    'cache row dirty, invalidate -> absent (eviction): without write-back',
    'it is then the row without the liberty; the write-back comes from an eviction just before',
  ],
  ['cache row clean, clean+invalidate -> absent: without drop', absentCopy],
  ['cache row dirty, clean+invalidate -> absent: without drop', absentCopy],
  ['cache row clean, snooping write -> absent: without drop', absentCopy],
  ['cache row dirty, snooping write -> absent: without drop', absentCopy],
]);

const value = 'returns a value and changes nothing';
const reads = 'reads memory; what a read does is in the rows of the cache table';
const names = 'gives an object another name';
const refused = '-EINVAL on arm64 for memory that is not from vmalloc: changes nothing';

/** Functions that change nothing, with what they do instead. */
export const returnsOnly: ReadonlyMap<string, string> = new Map([
  ['barrier', 'orders for nobody but this CPU'],
  ['cache_line_size', value],
  ['dma_addressing_limited', value],
  ['dma_get_cache_alignment', value],
  ['dma_get_max_seg_size', value],
  ['dma_iova_addr', value],
  ['dma_need_sync', value],
  ['dma_use_iova', value],
  ['drm_fb_dma_get_gem_addr', value],
  ['drm_gem_dma_vmap', value],
  ['page_pool_get_dma_addr', value],
  ['ttm_tt_dma_address', value],
  ['vb2_dc_cookie', value],
  ['vb2_dc_get_dmabuf', value],
  ['vb2_dma_sg_cookie', value],
  ['vb2_dma_sg_get_dmabuf', value],
  ['vmalloc_to_page', value],
  ['drm_gem_shmem_is_purgeable', value],
  ['iommu_get_domain_for_dev', value],
  ['mmu_interval_read_retry', value],
  ['IS_ERR', value],
  ['IS_ERR_OR_NULL', value],
  ['PTR_ERR', value],
  ['dma_max_mapping_size', value],
  ['kunmap_local', 'does nothing'],
  ['page_to_phys', value],
  ['sg_dma_address', value],
  ['virt_to_phys', value],
  ['dma_read_range', reads],
  ['dma_read_unpriv', reads],
  ['sg_free_table', 'forgets a name'],
  ['drm_gem_prime_export', names],
  ['set_memory_nx', refused],
  ['set_memory_ro', refused],
  ['set_memory_rw', refused],
  ['set_memory_x', refused],
]);
