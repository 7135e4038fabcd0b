/** Scenarios about msm objects; see functions.ts. */
import { msmObject, type Scenarios, text } from './part.js';

const pinned = `msm_gem_pin_pages_locked(bo);
	sgt = drm_prime_pages_to_sg(bo);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE);`;
const unpinned = `iommu_unmap(vm, 0x100000, PAGE_SIZE);
	msm_gem_unpin_pages_locked(bo);`;

const msm: Scenarios = [
  [
    'msm_gem_evict: what the device wrote reaches the swap',
    text('coherent', {
      ...msmObject,
      cpu: `${pinned}
	writel(1, nic);
	wait(nic);
	${unpinned}
	msm_gem_evict(bo);
	shmem_writepage(bo);
	q = mmap(bo);
	u32 got = q[0];`,
      nic: 'dma_write(vm, 0x100000, 7);',
      after: 'always (driver:got == 7)',
    }),
  ],
  [
    'msm_gem_evict: leaves no mapping',
    text('coherent', {
      ...msmObject,
      cpu: `msm_gem_pin_pages_locked(bo);
	msm_gem_unpin_pages_locked(bo);
	msm_gem_evict(bo);
	device_release_driver(nic);`,
    }),
  ],
  [
    'msm_gem_pin_pages_locked: keeps a mapping',
    text('H11', {
      ...msmObject,
      cpu: 'msm_gem_pin_pages_locked(bo);\n\tdevice_release_driver(nic);',
    }),
  ],
  [
    'msm_gem_get_vaddr: keeps a mapping',
    text('H11', { ...msmObject, cpu: 'p = msm_gem_get_vaddr(bo);\n\tdevice_release_driver(nic);' }),
  ],
  [
    'mmap of an msm object: keeps a mapping once it is touched',
    text('H11', {
      ...msmObject,
      cpu: 'p = mmap(bo);\n\tp[0] = 1;\n\tdevice_release_driver(nic);',
    }),
  ],
  [
    'memset through a mapping of an msm object: its first fault maps it',
    text('H11', {
      ...msmObject,
      cpu: 'p = mmap(bo);\n\tmemset(p, 1, 64);\n\tdevice_release_driver(nic);\n\tu32 x = p[0];',
    }),
  ],
  [
    'memset: what user space cleared is there again when it looks',
    text('coherent', {
      ...msmObject,
      cpu: 'p = mmap(bo);\n\tmemset(p, 1, 64);\n\tu32 x = p[0];\n\tmemset(p, 2, 64);\n\tu32 y = p[0];',
      after: 'always (driver:x == 0x01010101 && driver:y == 0x02020202)',
    }),
  ],
  [
    'msm_gem_put_vaddr: lets the pages go',
    text('H14', {
      ...msmObject,
      cpu: `p = msm_gem_get_vaddr(bo);
	p[0] = 1;
	msm_gem_put_vaddr(bo, p);
	msm_gem_shrinker_scan();
	u32 x = p[0];`,
    }),
  ],
  [
    'msm_gem_put_vaddr: the object can be purged',
    text('coherent', {
      ...msmObject,
      cpu: `p = msm_gem_get_vaddr(bo);
	msm_gem_put_vaddr(bo, p);
	msm_gem_madvise(bo, MADV_DONTNEED);
	msm_gem_purge(bo);
	device_release_driver(nic);`,
    }),
  ],
  [
    'msm_gem_purge: user space faults',
    text('H14', {
      ...msmObject,
      cpu: `p = mmap(bo);
	p[0] = 1;
	msm_gem_madvise(bo, MADV_DONTNEED);
	msm_gem_purge(bo);
	u32 x = p[0];`,
    }),
  ],
  [
    'msm_gem_purge: the device no longer reaches the pages',
    text('H14', {
      ...msmObject,
      cpu: `${pinned}
	msm_gem_unpin_pages_locked(bo);
	msm_gem_madvise(bo, MADV_DONTNEED);
	msm_gem_purge(bo);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'msm_gem_shrinker_scan: the device no longer reaches the pages',
    text('H14', {
      ...msmObject,
      cpu: `${pinned}
	msm_gem_unpin_pages_locked(bo);
	msm_gem_madvise(bo, MADV_DONTNEED);
	msm_gem_shrinker_scan();
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'msm_gem_shrinker_scan: leaves no mapping of what is not needed',
    text('coherent', {
      ...msmObject,
      cpu: `msm_gem_pin_pages_locked(bo);
	msm_gem_unpin_pages_locked(bo);
	msm_gem_madvise(bo, MADV_DONTNEED);
	msm_gem_shrinker_scan();
	device_release_driver(nic);`,
    }),
  ],
  [
    'msm_gem_shrinker_scan: user space faults',
    text('H14', {
      ...msmObject,
      cpu: `p = mmap(bo);
	p[0] = 1;
	msm_gem_madvise(bo, MADV_DONTNEED);
	msm_gem_shrinker_scan();
	u32 x = p[0];`,
    }),
  ],
];

export function msmScenarios(): Scenarios {
  return [...msm];
}
