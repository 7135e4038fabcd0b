/** Scenarios about the order of reclaim, x86, and what is left; see functions.ts. */

import { mayFail } from './functions-rest.js';
import { behind, plain, type Scenarios, text } from './part.js';

/** Object `a` was used before `b`; what is done to it now makes it the last to be evicted. */
const uses: Scenarios = [
  ['msm_gem_get_vaddr', 'u32 *v = msm_gem_get_vaddr(a);\n\tmsm_gem_put_vaddr(a, v);'],
  ['memset', 'memset(pa, 1, 64);\n\tu32 seen = pa[0];'],
  ['a store', 'pa[0] = 1;'],
  ['msm_gem_unpin_pages_locked', 'msm_gem_unpin_pages_locked(a);'],
].map(([name = '', use = '']) => [
  `${name}: the object is the last to be reclaimed`,
  text('coherent', {
    ...behind,
    settings: '.swap = zram;',
    names: 'u32 *pa;',
    init: `a = msm_gem_new(nic, PAGE_SIZE, .map_wc = true);
	b = msm_gem_new(nic, PAGE_SIZE, .map_wc = true);
	vm = iommu_domain_alloc(nic);
	msm_gem_pin_pages_locked(a);
	one = drm_prime_pages_to_sg(a);
	iommu_map_sgtable(vm, 0x100000, one, IOMMU_READ);
	${name === 'msm_gem_unpin_pages_locked' ? '' : 'msm_gem_unpin_pages_locked(a);\n\t'}msm_gem_pin_pages_locked(b);
	msm_gem_unpin_pages_locked(b);
	pa = mmap(a);`,
    cpu: `${use}
	dma_wmb();
	msm_gem_shrinker_scan(.nr_to_scan = 1);
	writel(1, nic);`,
    nic: 'u32 x = dma_read(vm, 0x100000);',
  }),
]);

const vaddrs: Scenarios = [
  [
    'drm_gpuvm_sm_map: what was bound last is what an eviction takes',
    text('H14', {
      ...behind,
      init: `first = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);
	second = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);
	drm_gem_shmem_get_pages_sgt(first);
	drm_gem_shmem_get_pages_sgt(second);
	vm = iommu_domain_alloc(nic);
	drm_gpuvm_sm_map(vm, 0x100000, PAGE_SIZE, first, 0, IOMMU_READ);
	drm_gpuvm_sm_map(vm, 0x100000, PAGE_SIZE, second, 0, IOMMU_READ);`,
      cpu: 'drm_gpuvm_bo_evict(second);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'msm_gem_put_vaddr: the object can be evicted',
    text('H14', {
      ...behind,
      settings: '.swap = zram;',
      names: 'u32 *p;',
      init: `bo = msm_gem_new(nic, PAGE_SIZE, .map_wc = true);
	vm = iommu_domain_alloc(nic);
	msm_gem_pin_pages_locked(bo);
	sgt = drm_prime_pages_to_sg(bo);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ);
	msm_gem_unpin_pages_locked(bo);`,
      cpu: `p = msm_gem_get_vaddr(bo);
	msm_gem_put_vaddr(bo, p);
	msm_gem_evict(bo);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'dma_unmap_single: of a mapping that is known to have failed',
    text(
      'H11',
      {
        ...mayFail,
        cpu: `dma = dma_map_single(nic, p, PAGE_SIZE, DMA_TO_DEVICE);
	int failed = dma_mapping_error(nic, dma);
	dma_unmap_single(nic, dma, PAGE_SIZE, DMA_TO_DEVICE);`,
      },
      'device driver tries to free an invalid DMA memory address',
    ),
  ],
];

const intel = { ...plain, device: '.coherent = true, .snoops = false', machine: 'x86' };

/** x86 has its own calls; a device that does not snoop is rare there, but there is one. */
const x86: Scenarios = [
  ...[
    'clflush_cache_range(p, 64);',
    'drm_clflush_virt_range(p, 64);',
    'drm_clflush_pages(pg);',
    'drm_clflush_sg(sgt);',
    'wbinvd_on_all_cpus();',
  ].map(
    (call) =>
      [
        `${call} before a doorbell`,
        text('coherent', {
          ...intel,
          names: 'u32 *p;',
          init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	pg = virt_to_page(p);
	sgt = drm_prime_pages_to_sg(pg);
	phys = virt_to_phys(p);`,
          cpu: `p[0] = 1;\n\t${call}\n\twritel(1, nic);`,
          nic: 'u32 x = dma_read(phys);',
        }),
      ] as const,
  ),
  ...[
    'set_memory_wc(p, 1);',
    'set_memory_uc(p, 1);',
    'set_pages_array_wc(pg, 1);',
    'set_pages_array_uc(pg, 1);',
  ].map(
    (call) =>
      [
        `${call} the linear map is no longer cacheable`,
        text('coherent', {
          ...intel,
          names: 'u32 *p;',
          init: 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);\n\tpg = virt_to_page(p);\n\tphys = virt_to_phys(p);',
          cpu: `${call}\n\tp[0] = 1;\n\twmb();\n\twritel(1, nic);\n\twait(nic);\n\tu32 got = p[1];`,
          nic: 'u32 x = dma_read(phys);\n\tdma_write(phys + 4, 7);',
          after: 'always (nic:x == 1 && driver:got == 7)',
        }),
      ] as const,
  ),
  ...[
    ['set_memory_uc(p, 1);', 'set_memory_wb(p, 1);'],
    ['set_pages_array_uc(pg, 1);', 'set_pages_array_wb(pg, 1);'],
  ].map(
    ([away = '', back = '']) =>
      [
        `${back} the linear map is cacheable again`,
        text('H2', {
          ...intel,
          names: 'u32 *p;',
          init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	pg = virt_to_page(p);
	phys = virt_to_phys(p);
	${away}
	${back}`,
          cpu: 'p[0] = 1;\n\twmb();\n\twritel(1, nic);',
          nic: 'u32 x = dma_read(phys);',
        }),
      ] as const,
  ),
];

const more: Scenarios = [
  [
    'arm_cl2_cleanbypa before a relaxed doorbell',
    text('coherent', {
      ...plain,
      names: 'u32 *p;',
      init: 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);\n\tphys = virt_to_phys(p);',
      cpu: 'p[0] = 1;\n\tarm_cl2_cleanbypa(phys, phys + 63, .nsec = true);\n\twritel_relaxed(1, nic);',
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    "dma_release_from_contiguous: the pages are somebody else's",
    text('H6 H8', {
      ...plain,
      init: 'pg = dma_alloc_from_contiguous(nic, 1, 0);\n\tphys = page_to_phys(pg);',
      cpu: 'dma_release_from_contiguous(nic, pg, 1);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    'sg_free_table: the pages stay',
    text('coherent', {
      ...plain,
      names: 'u32 *p;',
      init: 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);\n\tpg = virt_to_page(p);',
      cpu: 'sgt = drm_prime_pages_to_sg(pg);\n\tsg_free_table(sgt);\n\tu32 x = p[0];',
    }),
  ],
  [
    'memchr_inv: reads what the device wrote',
    text('H1 H3', {
      ...plain,
      names: 'u32 *p;',
      init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	dcache_clean_inval_poc(p, p + 16);
	phys = virt_to_phys(p);`,
      cpu: `p[0] = 1;
	writel(1, nic);
	wait(nic);
	memchr_inv(p, 0, 64);`,
      nic: 'dma_write(phys, 7);',
    }),
  ],
  [
    'drm_gpuvm_sm_unmap: the VM forgets the object',
    text('H14', {
      ...behind,
      init: `bo = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);
	drm_gem_shmem_get_pages_sgt(bo);
	vm = iommu_domain_alloc(nic);
	drm_gpuvm_sm_map(vm, 0x100000, PAGE_SIZE, bo, 0, IOMMU_READ);`,
      cpu: `drm_gpuvm_sm_unmap(vm, 0x100000, PAGE_SIZE);
	drm_gpuvm_bo_evict(bo);
	drm_gpuvm_validate(vm);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'drm_gpuvm_sm_unmap: the device no longer reaches the object',
    text('H14', {
      ...behind,
      init: `bo = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);
	drm_gem_shmem_get_pages_sgt(bo);
	vm = iommu_domain_alloc(nic);
	drm_gpuvm_sm_map(vm, 0x100000, PAGE_SIZE, bo, 0, IOMMU_READ);`,
      cpu: 'drm_gpuvm_sm_unmap(vm, 0x100000, PAGE_SIZE);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'dma_write_range, memchr_inv: what the device filled in is there',
    text('coherent', {
      ...plain,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);',
      cpu: 'writel(1, nic);\n\twait(nic);\n\tu32 first = p[0];\n\tu32 last = p[15];',
      nic: 'dma_write_range(dma, 7, 64);',
      after: 'always (driver:first == 7 && driver:last == 7)',
    }),
  ],
];

export function moreScenarios(): Scenarios {
  return [...x86, ...more, ...uses, ...vaddrs];
}
