/** Scenarios about frees with a store under way, odd calls, messages; see functions.ts. */
import { behind, type Part, plain, type Scenarios, text } from './part.js';

/** A store through `p` is still under way when the pages are freed, and got again by somebody. */
function late(name: string, init: string, use: string, free: string): readonly [string, string] {
  return [
    `${name}: a store under way does not reach the next owner`,
    text('coherent', {
      ...plain,
      settings: '.swap = zram;',
      names: 'u32 *p;\ndma_addr_t dma;',
      init,
      cpu: `${use}
	p[0] = 5;
	${free}
	u32 *q = kzalloc(PAGE_SIZE, GFP_KERNEL);
	dcache_clean_inval_poc(q, q + 16);
	u32 first = q[0];
	q[0] = 6;
	dcache_clean_inval_poc(q, q + 16);
	u32 second = q[0];`,
      after: 'always (driver:first == 0 && driver:second == 6)',
    }),
  ];
}

const shmem = 'bo = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);';
const cachedObject = 'bo = drm_gem_shmem_create(nic, PAGE_SIZE);';
const msm = 'bo = msm_gem_new(nic, PAGE_SIZE, .map_wc = true);';

const frees: Scenarios = [
  late(
    '__free_pages',
    'pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);\n\tp = vmap(pg, pgprot_writecombine(PAGE_KERNEL));',
    '',
    '__free_pages(pg, 0);',
  ),
  late('kfree', 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);', '', 'kfree(p);'),
  late(
    'dma_free_coherent',
    'p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);',
    '',
    'dma_free_coherent(nic, PAGE_SIZE, p, dma);',
  ),
  late('drm_gem_object_put', shmem, 'p = drm_gem_shmem_vmap(bo);', 'drm_gem_object_put(bo);'),
  late(
    'drm_gem_shmem_purge',
    shmem,
    'drm_gem_shmem_get_pages_sgt(bo);\n\tp = mmap(bo);',
    'drm_gem_shmem_madvise(bo, MADV_DONTNEED);\n\tdrm_gem_shmem_purge(bo);',
  ),
  late('shmem_writepage', cachedObject, 'p = mmap(bo);', 'munmap(p);\n\tshmem_writepage(bo);'),
  late(
    'msm_gem_purge',
    msm,
    'p = mmap(bo);',
    'msm_gem_madvise(bo, MADV_DONTNEED);\n\tmsm_gem_purge(bo);',
  ),
  late(
    'msm_gem_shrinker_scan',
    msm,
    'p = mmap(bo);',
    'msm_gem_madvise(bo, MADV_DONTNEED);\n\tmsm_gem_shrinker_scan();',
  ),
  late('msm_gem_evict', msm, 'p = mmap(bo);', 'msm_gem_evict(bo);\n\tshmem_writepage(bo);'),
  late(
    'ttm_tt_unpopulate',
    'bo = ttm_tt_init(nic, PAGE_SIZE, ttm_write_combined);\n\tttm_tt_populate(bo);',
    'p = mmap(bo);\n\tu32 *r = ttm_bo_vmap(bo);',
    'ttm_tt_unpopulate(bo);',
  ),
  late('munmap_anonymous', 'p = mmap_anonymous(PAGE_SIZE);', '', 'munmap_anonymous(p);'),
  late('swap_writepage', 'p = mmap_anonymous(PAGE_SIZE);', '', 'swap_writepage(p);'),
  late('migrate_pages', 'p = mmap_anonymous(PAGE_SIZE);', '', 'migrate_pages(p);'),
  late(
    'dma_pool_destroy',
    'pool = dma_pool_create(nic, 64, 64);',
    'p = dma_pool_alloc(pool, GFP_KERNEL, &dma);',
    'dma_pool_free(pool, p, dma);\n\tdma_pool_destroy(pool);',
  ),
];

/** User space is unmapped in steps; the page goes back between them, as in zap_pte_range. */
const flushes: Scenarios = ['tlb_flush_mmu', 'tlb_finish_mmu'].map((call) => [
  `${call}: waits for stores under way`,
  text('coherent', {
    ...plain,
    names: 'u32 *p;\nu32 *flag;\ndma_addr_t dma;',
    init: `${shmem}
	sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	flag = kzalloc(64, GFP_KERNEL);
	p = mmap(bo);`,
    cpu: `p[0] = 1;
	unmap_vmas(p);
	${call === 'tlb_finish_mmu' ? 'unlink_file_vma(p);\n\t' : ''}${call}(p);
	WRITE_ONCE(flag[0], 1);`,
    reader: 'while (READ_ONCE(flag[0]) == 0)\n\t\t;\n\twritel_relaxed(1, nic);',
    nic: 'u32 x = dma_read(dma);',
    after: 'always (nic:x == 1)',
  }),
]);

const invalid: Scenarios = [
  [
    'tlb_finish_mmu: the address is gone for good',
    text('H14', {
      ...plain,
      names: 'u32 *p;',
      init: `${shmem}\n\tdrm_gem_shmem_get_pages_sgt(bo);\n\tp = mmap(bo);`,
      cpu: `p[0] = 1;
	unmap_vmas(p);
	unlink_file_vma(p);
	tlb_finish_mmu(p);
	u32 x = p[0];`,
    }),
  ],
  [
    'set_memory_valid: waits for stores under way',
    text('coherent', {
      ...plain,
      names: 'u32 *p;\nu32 *nc;\nu32 *flag;',
      init: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	p = page_address(pg);
	nc = vmap(pg, pgprot_writecombine(PAGE_KERNEL));
	phys = page_to_phys(pg);
	flag = kzalloc(64, GFP_KERNEL);`,
      cpu: 'p[0] = 1;\n\tset_memory_valid(p, 1, 0);\n\tWRITE_ONCE(flag[0], 1);',
      reader: `while (READ_ONCE(flag[0]) == 0)
		;
	drm_cflush_virt_range(nc, 64, DRM_CFLUSH_BOTH);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(phys);',
      after: 'always (nic:x == 1)',
    }),
  ],
];

export const mayFail: Part = {
  device: '.coherent = false, .iommu = smmu, .mapping_may_fail = true',
  settings: '',
  names: 'u32 *p;\ndma_addr_t dma;',
  init: 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);',
};

const calls: Scenarios = [
  [
    'munmap: the pages are no longer held',
    text('H6 H8', {
      ...plain,
      settings: '.swap = zram;',
      names: 'u32 *p;\ndma_addr_t dma;',
      init: cachedObject,
      cpu: `p = mmap(bo);
	p[0] = 1;
	sgt = drm_prime_pages_to_sg(bo);
	dma_map_sgtable(nic, sgt, DMA_TO_DEVICE);
	dma = sg_dma_address(sgt);
	munmap(p);
	shmem_writepage(bo);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'dma_unmap_single: nobody asked whether the mapping failed',
    text(
      'H11',
      {
        ...mayFail,
        cpu: `dma = dma_map_single(nic, p, PAGE_SIZE, DMA_TO_DEVICE);
	dma_unmap_single(nic, dma, PAGE_SIZE, DMA_TO_DEVICE);`,
      },
      'device driver failed to check map error',
    ),
  ],
  [
    'dma_sync_single_for_cpu: of an address that is none',
    text(
      'H11 H14',
      {
        ...plain,
        cpu: 'dma_sync_single_for_cpu(nic, 0x12345000, 64, DMA_FROM_DEVICE);',
      },
      'cache maintenance at an address that is no memory: the kernel oopses; device driver tries to sync DMA memory it has not allocated',
    ),
  ],
  [
    'udelay: what the device did is done',
    text('H1', {
      ...plain,
      names: 'u32 *p;',
      init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	dcache_clean_inval_poc(p, p + 16);
	phys = virt_to_phys(p);`,
      cpu: `u32 old = p[0];
	mb();
	writel(1, nic);
	u32 status = readl(nic);
	udelay(10);
	u32 got = p[0];`,
      nic: 'dma_write(phys, 7);',
    }),
  ],
  [
    'dma_write_unpriv: the store is there',
    text('coherent', {
      ...behind,
      names: 'u32 *p;',
      init: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	drm_cflush_pages(pg, DRM_CFLUSH_BOTH);
	vm = iommu_domain_alloc(nic);
	iommu_map(vm, 0x100000, page_to_phys(pg), PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);
	p = page_address(pg);`,
      cpu: `writel(1, nic);
	wait(nic);
	dcache_inval_poc(p, p + 16);
	u32 got = p[0];`,
      nic: 'dma_write_unpriv(vm, 0x100000, 5);',
      after: 'always (driver:got == 5)',
    }),
  ],
  [
    'dma_write_unpriv: reaches what only the kernel may',
    text('H9', {
      ...behind,
      init: `bo = msm_gem_kernel_new(nic, PAGE_SIZE, .map_wc = true);
	msm_gem_pin_pages_locked(bo);
	sgt = drm_prime_pages_to_sg(bo);
	vm = iommu_domain_alloc(nic);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE);`,
      cpu: 'writel(1, nic);\n\twait(nic);',
      nic: 'dma_write_unpriv(vm, 0x100000, 5);',
    }),
  ],
  [
    'gic_read_iar: what was acknowledged by accident stays so',
    text('H3', {
      ...plain,
      names: 'u32 *iar;\nphys_addr_t intack;',
      init: `intack = platform_get_resource(nic);
	iar = ioremap(intack, PAGE_SIZE, .executable = true);`,
      cpu: `writel(1, nic);
	wait(nic);
	u32 irq = gic_read_iar(iar);
	u32 again = gic_read_iar(iar);`,
      nic: 'dma_write(intack, 34);',
      after: 'forbidden (driver:irq != 34 && driver:again == 34)',
    }),
  ],
  [
    'dma_map_resource: registers of another device, at the bus address',
    text('coherent', {
      ...plain,
      names: 'dma_addr_t dma;',
      cpu: `dma = dma_map_resource(nic, 0x10000000, 4096, DMA_TO_DEVICE);
	dma_unmap_resource(nic, dma, 4096, DMA_TO_DEVICE);
	device_release_driver(nic);`,
    }),
  ],
  [
    'dma_map_resource: a mapping that is left behind',
    text('H11', {
      ...plain,
      names: 'dma_addr_t dma;',
      cpu: `dma = dma_map_resource(nic, 0x10000000, 4096, DMA_TO_DEVICE);
	device_release_driver(nic);`,
    }),
  ],
  [
    'dma_get_sgtable: the table of coherent memory',
    text('coherent', {
      ...behind,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);',
      cpu: `p[0] = 1;
	sgt = dma_get_sgtable(nic, p, dma, PAGE_SIZE);
	vm = iommu_domain_alloc(nic);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
      after: 'always (nic:x == 1)',
    }),
  ],
  ...['dma_mmap_coherent', 'dma_mmap_wc', 'dma_mmap_attrs'].map(
    (call) =>
      [
        `${call}: user space sees what the device wrote`,
        text('coherent', {
          ...plain,
          names: 'u32 *p;\nu32 *q;\ndma_addr_t dma;',
          init: `p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);\n\tq = ${call}(nic, p);`,
          cpu: 'writel(1, nic);\n\twait(nic);\n\tu32 got = q[0];',
          nic: 'dma_write(dma, 7);',
          after: 'always (driver:got == 7)',
        }),
      ] as const,
  ),
  [
    'dma_set_mask: believes what the driver claims',
    text('H7', {
      ...plain,
      device: '.coherent = false, .dma_mask = DMA_BIT_MASK(32)',
      settings: '.memory_above_4g = true;',
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);\n\tdma_set_mask(nic, DMA_BIT_MASK(64));',
      cpu: 'dma = dma_map_single(nic, p, PAGE_SIZE, DMA_TO_DEVICE);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'dma_set_coherent_mask: believes what the driver claims',
    text('H7', {
      ...plain,
      device: '.coherent = false, .dma_mask = DMA_BIT_MASK(32)',
      settings: '.memory_above_4g = true;',
      names: 'u32 *p;\ndma_addr_t dma;',
      init: `dma_set_coherent_mask(nic, DMA_BIT_MASK(64));
	p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);`,
      cpu: 'p[0] = 1;\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
];

export function restScenarios(): Scenarios {
  return [...frees, ...flushes, ...invalid, ...calls];
}
