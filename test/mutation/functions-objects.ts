/** Scenarios about shmem objects and their mappings; see functions.ts. */
import { behind, object, type Part, plain, type Scenarios, text } from './part.js';

const objectBehind: Part = { ...object, device: behind.device };

const shmem: Scenarios = [
  [
    'drm_gem_shmem_get_pages_sgt: bounces where it has to',
    text('coherent', {
      ...object,
      settings: '.swiotlb = force;',
      cpu: `drm_gem_shmem_get_pages(bo);
	q = page_address(bo);
	q[0] = 1;
	sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	writel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_shmem_get_pages_sgt: maps behind the IOMMU',
    text('coherent', {
      ...objectBehind,
      cpu: `sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_object_put: unmaps behind the IOMMU',
    text('H14', {
      ...objectBehind,
      cpu: `sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	drm_gem_object_put(bo);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_object_put: leaves no mapping',
    text('coherent', {
      ...object,
      cpu: `drm_gem_shmem_get_pages_sgt(bo);
	drm_gem_object_put(bo);
	device_release_driver(nic);`,
    }),
  ],
  [
    'drm_gem_object_put: frees the pages',
    text('H6 H8', {
      ...object,
      cpu: `sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	drm_gem_object_put(bo);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_object_put: a store under way is done before the pages are freed',
    text('coherent', {
      ...object,
      cpu: `p = drm_gem_shmem_vmap(bo);
	p[0] = 1;
	drm_gem_shmem_vunmap(bo, p);
	drm_gem_object_put(bo);`,
    }),
  ],
  [
    'drm_gem_object_put: a store through the linear map is done before the pages are freed',
    text('coherent', {
      ...object,
      cpu: `drm_gem_shmem_get_pages(bo);
	q = page_address(bo);
	q[0] = 1;
	drm_gem_object_put(bo);`,
    }),
  ],
  [
    '__free_pages: a store under way is done before the page is freed',
    text('coherent', {
      ...plain,
      names: 'u32 *p;',
      cpu: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	p = vmap(pg, pgprot_writecombine(PAGE_KERNEL));
	p[0] = 1;
	__free_pages(pg, 0);`,
    }),
  ],
  [
    'drm_gem_shmem_purge: leaves no mapping, no page and no table',
    text('coherent', {
      ...object,
      cpu: `drm_gem_shmem_get_pages_sgt(bo);
	drm_gem_shmem_madvise(bo, MADV_DONTNEED);
	drm_gem_shmem_purge(bo);
	device_release_driver(nic);`,
    }),
  ],
  [
    'drm_gem_shmem_purge: the device no longer reaches the pages',
    text('H14', {
      ...objectBehind,
      cpu: `sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	drm_gem_shmem_madvise(bo, MADV_DONTNEED);
	drm_gem_shmem_purge(bo);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_shmem_purge: user space faults',
    text('H14', {
      ...object,
      cpu: `drm_gem_shmem_get_pages_sgt(bo);
	p = mmap(bo);
	p[0] = 1;
	drm_gem_shmem_madvise(bo, MADV_DONTNEED);
	drm_gem_shmem_purge(bo);
	u32 x = p[0];`,
    }),
  ],
  [
    'drm_gem_shmem_purge: a store under way is done before the pages are freed',
    text('coherent', {
      ...object,
      cpu: `drm_gem_shmem_get_pages_sgt(bo);
	p = mmap(bo);
	p[0] = 1;
	drm_gem_shmem_madvise(bo, MADV_DONTNEED);
	drm_gem_shmem_purge(bo);`,
    }),
  ],
  [
    'drm_gem_shmem_get_pages: counted',
    text('coherent', {
      ...object,
      cpu: `drm_gem_shmem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);
	dma_map_sgtable(nic, sgt, DMA_TO_DEVICE);
	dma = sg_dma_address(sgt);
	drm_gem_shmem_get_pages(bo);
	drm_gem_shmem_put_pages(bo);
	shmem_writepage(bo);
	writel(1, nic);
	wait(nic);
	dma_unmap_sgtable(nic, sgt, DMA_TO_DEVICE);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_shmem_pin: keeps the pages',
    text('coherent', {
      ...object,
      cpu: `drm_gem_shmem_pin(bo);
	sgt = drm_prime_pages_to_sg(bo);
	dma_map_sgtable(nic, sgt, DMA_TO_DEVICE);
	dma = sg_dma_address(sgt);
	shmem_writepage(bo);
	writel(1, nic);
	wait(nic);
	dma_unmap_sgtable(nic, sgt, DMA_TO_DEVICE);
	drm_gem_shmem_unpin(bo);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_shmem_unpin: lets them go',
    text('H6 H8', {
      ...object,
      cpu: `drm_gem_shmem_pin(bo);
	sgt = drm_prime_pages_to_sg(bo);
	dma_map_sgtable(nic, sgt, DMA_TO_DEVICE);
	dma = sg_dma_address(sgt);
	drm_gem_shmem_unpin(bo);
	shmem_writepage(bo);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'drm_gem_shmem_vunmap: the address is gone',
    text('H3 H14', {
      ...object,
      cpu: `p = drm_gem_shmem_vmap(bo);
	p[0] = 1;
	drm_gem_shmem_vunmap(bo, p);
	u32 x = p[0];`,
    }),
  ],
  [
    'vunmap: the address is gone',
    text('H14', {
      ...plain,
      names: 'u32 *p;',
      init: 'pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);',
      cpu: `p = vmap(pg, PAGE_KERNEL);
	vunmap(p);
	u32 x = p[0];`,
    }),
  ],
  [
    'munmap: the address is gone',
    text('H14', {
      ...object,
      cpu: 'p = mmap(bo);\n\tp[0] = 1;\n\tmunmap(p);\n\tu32 x = p[0];',
    }),
  ],
];

/** What ends a mapping waits for its stores: a flag after it tells another CPU that they are there. */
const unmappings: Scenarios = ['munmap(p);', 'drm_vma_node_unmap(bo);'].map((unmap) => [
  `${unmap} waits for stores under way`,
  text('coherent', {
    ...object,
    names: `${object.names ?? ''}\nu32 *flag;`,
    init: `${object.init ?? ''}
	sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	flag = kzalloc(64, GFP_KERNEL);
	p = mmap(bo);`,
    cpu: `p[0] = 1;\n\t${unmap}\n\tWRITE_ONCE(flag[0], 1);`,
    reader: 'while (READ_ONCE(flag[0]) == 0)\n\t\t;\n\twritel_relaxed(1, nic);',
    nic: 'u32 x = dma_read(dma);',
    after: 'always (nic:x == 1)',
  }),
]);

export function objectScenarios(): Scenarios {
  return [...shmem, ...unmappings];
}
