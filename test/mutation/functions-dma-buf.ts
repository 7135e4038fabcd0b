/** Scenarios about dma-bufs and IOMMU domains; see functions.ts. */
import { behind, msmObject, object, type Part, plain, type Scenarios, text } from './part.js';

/** A dma-buf of an exporter that maps cacheable, imported by nic. */
export const shared: Part = {
  ...object,
  names: 'u32 *p;\nu32 *q;\ndma_addr_t dma;\nstruct completion done;',
  init: `buf = system_heap_allocate(PAGE_SIZE);
	attach = dma_buf_attach(buf, nic);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	dma = sg_dma_address(sgt);
	p = mmap(buf);`,
};
const handed = {
  reader: 'wait_for_completion(&done);\n\tu32 got = p[0];',
  nic: 'dma_write(dma, 7);',
};

function shares(name: string, on: Part): Scenarios {
  const begin = {
    begin: 'dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE);',
    ioctl: 'ioctl(buf, DMA_BUF_IOCTL_SYNC, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);',
  };
  const end = {
    end: 'dma_buf_end_cpu_access(buf, DMA_TO_DEVICE);',
    ioctl: 'ioctl(buf, DMA_BUF_IOCTL_SYNC, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);',
  };
  return [
    ...Object.entries(begin).map(
      ([how, call]) =>
        [
          `dma-buf ${name}, begin by ${how}: another CPU reads`,
          text('coherent', {
            ...shared,
            ...on,
            ...handed,
            cpu: `writel(1, nic);\n\twait(nic);\n\t${call}\n\tcomplete(&done);`,
          }),
        ] as const,
    ),
    ...Object.entries(end).map(
      ([how, call]) =>
        [
          `dma-buf ${name}, end by ${how}: ring`,
          text('coherent', {
            ...shared,
            ...on,
            cpu: `p[0] = 1;\n\t${call}\n\twritel_relaxed(1, nic);`,
            nic: 'u32 x = dma_read(dma);',
          }),
        ] as const,
    ),
  ];
}

const dmaBuf: Scenarios = [
  ...shares('direct', plain),
  ...shares('behind an IOMMU', behind),
  ...shares('bounced', { ...plain, settings: '.swiotlb = force;' }),
  [
    'dma_buf_unmap_attachment, dma_buf_detach: leave no mapping',
    text('coherent', {
      ...shared,
      cpu: `dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf, attach);
	device_release_driver(nic);`,
    }),
  ],
  [
    'dma_buf_unmap_attachment: the device no longer reaches it',
    text('H14', {
      ...shared,
      ...behind,
      cpu: `dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);\n\twritel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'dma_buf_unmap_attachment bounced: another CPU reads',
    text('coherent', {
      ...shared,
      ...handed,
      settings: '.swiotlb = force;',
      cpu: `writel(1, nic);
	wait(nic);
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	complete(&done);`,
    }),
  ],
  [
    'dma_buf_unmap_attachment bounced: used after unmap',
    text('H8 H6', {
      ...shared,
      settings: '.swiotlb = force;',
      cpu: `dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	writel(1, nic);
	wait(nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'dma_buf_unmap_attachment: another CPU reads',
    text('coherent', {
      ...shared,
      ...handed,
      cpu: `writel(1, nic);
	wait(nic);
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	complete(&done);`,
    }),
  ],
  [
    'dma_buf_map_attachment: a store before it is there',
    text('coherent', {
      ...shared,
      init: `buf = system_heap_allocate(PAGE_SIZE);
	attach = dma_buf_attach(buf, nic);
	p = mmap(buf);`,
      cpu: `p[0] = 1;
	sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);
	dma = sg_dma_address(sgt);
	writel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'dma_buf_detach: an object is no longer pinned',
    text('coherent', {
      ...msmObject,
      cpu: `buf = drm_gem_prime_export(bo);
	attach = dma_buf_attach(buf, nic);
	dma_buf_detach(buf, attach);
	msm_gem_evict(bo);
	device_release_driver(nic);`,
    }),
  ],
  [
    'dma_buf_attach: the zeroes are in memory before it returns',
    text('coherent', {
      ...msmObject,
      cpu: `buf = drm_gem_prime_export(bo);
	attach = dma_buf_attach(buf, nic);
	sgt = drm_prime_pages_to_sg(bo);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE);
	p = mmap(bo);
	writel_relaxed(1, nic);
	wait(nic);
	u32 got = p[0];`,
      nic: 'dma_write(vm, 0x100000, 7);',
      after: 'always (driver:got == 7)',
    }),
  ],
  [
    'dma_buf_attach: pins the object',
    text('H11', {
      ...msmObject,
      cpu: `buf = drm_gem_prime_export(bo);
	attach = dma_buf_attach(buf, nic);
	msm_gem_evict(bo);
	device_release_driver(nic);`,
    }),
  ],
];

const domains: Scenarios = [
  [
    'iommu_domain_free: the device no longer reaches the page',
    text('H14', {
      ...behind,
      init: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	drm_cflush_pages(pg, DRM_CFLUSH_BOTH);
	vm = iommu_domain_alloc(nic);
	iommu_map(vm, 0x100000, page_to_phys(pg), PAGE_SIZE, IOMMU_READ);`,
      cpu: 'iommu_domain_free(vm);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'iommu_detach_device: the device no longer reaches the page',
    text('H14', {
      ...behind,
      init: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	drm_cflush_pages(pg, DRM_CFLUSH_BOTH);
	vm = iommu_domain_alloc(nic);
	iommu_attach_device(vm, nic);
	iommu_map(vm, 0x100000, page_to_phys(pg), PAGE_SIZE, IOMMU_READ);`,
      cpu: 'iommu_detach_device(vm, nic);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'dma_write: leaves an IOTLB entry behind',
    text('H8 H14', {
      ...behind,
      init: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	vm = iommu_domain_alloc(nic);
	iommu_map(vm, 0x100000, page_to_phys(pg), PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);`,
      cpu: `writel(1, nic);
	wait(nic);
	iommu_unmap_fast(vm, 0x100000, PAGE_SIZE);
	__free_pages(pg, 0);
	writel(1, nic);`,
      nic: 'dma_write(vm, 0x100000, 7);',
    }),
  ],
  [
    'iommu_iotlb_sync: takes it away',
    text('H14', {
      ...behind,
      init: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	vm = iommu_domain_alloc(nic);
	iommu_map(vm, 0x100000, page_to_phys(pg), PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);`,
      cpu: `writel(1, nic);
	wait(nic);
	iommu_unmap_fast(vm, 0x100000, PAGE_SIZE);
	iommu_iotlb_sync(vm);
	__free_pages(pg, 0);
	writel(1, nic);`,
      nic: 'dma_write(vm, 0x100000, 7);',
    }),
  ],
];

export function dmaBufScenarios(): Scenarios {
  return [...dmaBuf, ...domains];
}
