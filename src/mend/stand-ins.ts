/**
 * Which operations and constants may stand for each other: what `changes.ts` offers where a call
 * stands. Leaves out: values that the scenario itself suggests (extent.ts, and names).
 */

/** Operations that take the same arguments: each may stand for the others. */
export const families: readonly (readonly string[])[] = [
  ['dcache_clean_poc', 'dcache_inval_poc', 'dcache_clean_inval_poc'],
  ['mb', 'wmb', 'rmb', 'dma_mb', 'dma_wmb', 'dma_rmb', 'smp_mb', 'smp_wmb', 'smp_rmb'],
  ['dma_sync_single_for_cpu', 'dma_sync_single_for_device'],
  ['dma_sync_single_range_for_cpu', 'dma_sync_single_range_for_device'],
  ['dma_sync_sg_for_cpu', 'dma_sync_sg_for_device'],
  ['dma_sync_sgtable_for_cpu', 'dma_sync_sgtable_for_device'],
  ['arch_sync_dma_for_cpu', 'arch_sync_dma_for_device'],
  ['dma_buf_begin_cpu_access', 'dma_buf_end_cpu_access'],
  ['arm_cl2_cleanbypa', 'arm_cl2_invbypa', 'arm_cl2_cleaninvbypa'],
];

/** One way only. */
export const replacements: Readonly<Record<string, readonly string[]>> = {
  dcache_clean_poc_nosync: ['dcache_clean_poc'],
  dcache_inval_poc_nosync: ['dcache_inval_poc'],
  dma_sync_sg_for_cpu: ['dma_map_sg'],
  dma_sync_sg_for_device: ['dma_map_sg'],
  dma_sync_sgtable_for_cpu: ['dma_map_sgtable'],
  dma_sync_sgtable_for_device: ['dma_map_sgtable'],
  iommu_unmap_fast: ['iommu_unmap'],
  iommu_iotlb_sync: ['iommu_flush_iotlb_all'],
  writel_relaxed: ['writel'],
  kmalloc: ['kzalloc'],
  iommu_get_domain_for_dev: ['iommu_paging_domain_alloc'],
  dma_unmap_single: ['dma_unmap_page'],
  dma_unmap_page: ['dma_unmap_single'],
  drm_gem_shmem_pin: ['drm_gem_shmem_get_pages_sgt'],
  drm_gem_shmem_get_pages: ['drm_gem_shmem_get_pages_sgt'],
  virt_to_page: ['vmalloc_to_page'],
};

/** Replacements that take one argument more. */
export const withArgument: Readonly<Record<string, readonly [string, string]>> = {
  drm_clflush_pages: ['drm_cflush_pages', 'DRM_CFLUSH_BOTH'],
  drm_clflush_sg: ['drm_cflush_sg', 'DRM_CFLUSH_BOTH'],
  drm_clflush_virt_range: ['drm_cflush_virt_range', 'DRM_CFLUSH_BOTH'],
};

/** Invalidations of less than the one that may stand for them, which takes so many arguments. */
export const wider: Readonly<Record<string, readonly [string, number]>> = {
  arm_smmu_tlb_inv_context: ['iommu_flush_iotlb_all', 1],
  flush_tlb_kernel_range: ['flush_tlb_all', 0],
};

/** Values of constants that may stand for each other, by the kind of the parameter. */
export const constantsOf: Readonly<Record<string, readonly string[]>> = {
  direction: ['DMA_BIDIRECTIONAL', 'DMA_TO_DEVICE', 'DMA_FROM_DEVICE'],
  cflush: ['DRM_CFLUSH_CLEAN', 'DRM_CFLUSH_INVALIDATE', 'DRM_CFLUSH_BOTH'],
  bufsync: [
    'DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW',
    'DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW',
    'DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ',
    'DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE',
  ],
  pgprot: ['PAGE_KERNEL', 'pgprot_writecombine(PAGE_KERNEL)'],
  attrs: ['0', 'DMA_ATTR_SKIP_CPU_SYNC'],
};
