/** Scenarios about the lives of pages, objects, mappings and tables; see functions.ts. */
import { type Part, text } from './part.js';

const plain = { device: '.coherent = false', settings: '' };
const behind = { device: '.coherent = false, .iommu = smmu', settings: '' };
const swapping = { device: '.coherent = false', settings: '.swap = zram;' };

interface Allocator {
  readonly name: string;
  readonly alloc: string;
  readonly free: string;
  /** The memory is cacheable for the CPU, and has to be synced. */
  readonly cached?: boolean;
  readonly after: { readonly direct: After; readonly behind: After };
}

/** What comes of reading it as it is born, and of a use after the free by device and CPU. */
interface After {
  readonly born: string;
  readonly device: string;
  readonly cpu: string;
}

const coherentMemory = {
  direct: { born: 'coherent', device: 'H6 H8', cpu: 'H14' },
  behind: { born: 'coherent', device: 'H14', cpu: 'H14' },
};
/** Cleared by the CPU and left in the cache: its user has to sync it first. */
const cachedMemory = {
  direct: { born: 'assertion H2 H6', device: 'H6 H8', cpu: 'H8' },
  behind: { born: 'assertion H2 H6', device: 'H14', cpu: 'H8' },
};

const dirs = 'DMA_BIDIRECTIONAL';
const allocators: readonly Allocator[] = [
  {
    name: 'dma_alloc_coherent',
    after: coherentMemory,
    alloc: 'p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);',
    free: 'dma_free_coherent(nic, PAGE_SIZE, p, dma);',
  },
  {
    name: 'dma_alloc_wc',
    after: coherentMemory,
    alloc: 'p = dma_alloc_wc(nic, PAGE_SIZE, &dma, GFP_KERNEL);',
    free: 'dma_free_wc(nic, PAGE_SIZE, p, dma);',
  },
  {
    name: 'dma_alloc_attrs',
    after: coherentMemory,
    alloc: 'p = dma_alloc_attrs(nic, PAGE_SIZE, &dma, GFP_KERNEL, DMA_ATTR_WRITE_COMBINE);',
    free: 'dma_free_attrs(nic, PAGE_SIZE, p, dma, DMA_ATTR_WRITE_COMBINE);',
  },
  {
    name: 'dma_alloc_noncoherent',
    after: cachedMemory,
    alloc: `p = dma_alloc_noncoherent(nic, PAGE_SIZE, &dma, ${dirs}, GFP_KERNEL);`,
    free: `dma_free_noncoherent(nic, PAGE_SIZE, p, dma, ${dirs});`,
    cached: true,
  },
  {
    name: 'dma_alloc_pages',
    after: cachedMemory,
    alloc: `pg = dma_alloc_pages(nic, PAGE_SIZE, &dma, ${dirs}, GFP_KERNEL);
	p = page_address(pg);`,
    free: `dma_free_pages(nic, PAGE_SIZE, pg, dma, ${dirs});`,
    cached: true,
  },
  {
    name: 'dma_alloc_noncontiguous',
    after: {
      direct: cachedMemory.direct,
      // Scattered pages are not cleared.
      behind: { born: 'assertion H6', device: 'H14', cpu: 'H14' },
    },
    alloc: `sgt = dma_alloc_noncontiguous(nic, PAGE_SIZE, ${dirs}, GFP_KERNEL);
	p = dma_vmap_noncontiguous(nic, PAGE_SIZE, sgt);
	dma = sg_dma_address(sgt);`,
    free: `dma_vunmap_noncontiguous(nic, p);
	dma_free_noncontiguous(nic, PAGE_SIZE, sgt, ${dirs});`,
    cached: true,
  },
  {
    name: 'dma_pool_alloc',
    after: {
      // The pool keeps its pages.
      direct: { born: 'coherent', device: 'coherent', cpu: 'coherent' },
      behind: { born: 'coherent', device: 'coherent', cpu: 'coherent' },
    },
    alloc: `pool = dma_pool_create(nic, 64, 64);
	p = dma_pool_alloc(pool, GFP_KERNEL, &dma);`,
    free: 'dma_pool_free(pool, p, dma);',
  },
];

function allocated(allocator: Allocator, on: Part): readonly (readonly [string, string])[] {
  const { name, alloc, free, cached } = allocator;
  const where = on === behind ? 'behind an IOMMU' : 'direct';
  const sync = (what: string): string =>
    cached === true ? `dma_sync_single_${what}(nic, dma, 64, ${dirs});\n\t` : '';
  const names = 'u32 *p;\ndma_addr_t dma;';
  const use = { ...on, names, init: alloc };
  const nic = 'u32 x = dma_read(dma);\n\tdma_write(dma, x + 1);';
  const { born, device, cpu } = allocator.after[on === behind ? 'behind' : 'direct'];
  const table = name === 'dma_alloc_noncontiguous';
  const twice = { ...use, cpu: `${free}\n\t${free}` };
  return [
    [
      `${name} ${where}: CPU and device in turn`,
      text('coherent', {
        ...use,
        cpu: `p[0] = 1;
	${sync('for_device')}dma_wmb();
	writel_relaxed(1, nic);
	wait(nic);
	${sync('for_cpu')}u32 got = p[0];
	${free}`,
        nic,
        after: 'always (driver:got == 2)',
      }),
    ],
    [
      `${name} ${where}: the device writes first`,
      text(born === cachedMemory.direct.born ? 'H3' : 'coherent', {
        ...use,
        init: '',
        cpu: `${alloc}\n\t${cached === true ? 'writel_relaxed' : 'writel'}(1, nic);\n\twait(nic);\n\t${sync('for_cpu')}u32 got = p[0];`,
        nic: 'dma_write(dma, 7);',
      }),
    ],
    [
      `${name} ${where}: what it is born with`,
      text(born, {
        ...use,
        cpu: 'submit(nic);\n\twait(nic);',
        nic: 'u32 x = dma_read(dma);',
        after: 'always (nic:x == 0)',
      }),
    ],
    [
      `${name} ${where}: leaves no mapping`,
      text(name === 'dma_pool_alloc' ? 'H11' : 'coherent', {
        ...use,
        cpu: `${free}\n\tdevice_release_driver(nic);`,
      }),
    ],
    // A table that is gone cannot be named again: that is a mistake of the scenario.
    ...(table ? [] : [[`${name} ${where}: freed twice`, text('H11', twice)] as const]),
    [
      `${name} ${where}: used after free`,
      text(device, { ...use, cpu: `${free}\n\tsubmit(nic);\n\twait(nic);`, nic }),
    ],
    [
      `${name} ${where}: CPU uses it after free`,
      text(cpu, { ...use, cpu: `${free}\n\tu32 x = p[0];` }),
    ],
  ];
}

type Scenarios = readonly (readonly [string, string])[];

/** A shmem object mapped write-combined, for device nic. */
const object: Part = {
  ...swapping,
  names: 'u32 *p;\nu32 *q;\ndma_addr_t dma;',
  init: 'bo = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);',
};
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
    text('H14', {
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

const msmObject: Part = {
  ...object,
  init: `bo = msm_gem_new(nic, PAGE_SIZE, .map_wc = true);
	vm = iommu_domain_alloc(nic);`,
  device: behind.device,
};
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

/** Memory of user space behind an IOMMU of which the driver owns a domain. */
const user: Part = {
  device: behind.device,
  settings: '.swap = zram;',
  names: 'u32 *p;\nu32 *q;\nstruct mutex lock;',
  init: `p = mmap_anonymous(PAGE_SIZE);
	p[0] = 1;
	vm = iommu_domain_alloc(nic);`,
};
const userMapped = `sgt = drm_prime_pages_to_sg(pages);
	drm_cflush_sg(sgt, DRM_CFLUSH_CLEAN);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ);`;

const userspace: Scenarios = [
  [
    'munmap_anonymous: the address is gone',
    text('H14', { ...user, cpu: 'munmap_anonymous(p);\n\tu32 x = p[0];' }),
  ],
  [
    'munmap_anonymous: frees what nobody pinned',
    text('H6 H8', {
      ...user,
      cpu: `pages = hmm_range_fault(p);
	${userMapped}
	munmap_anonymous(p);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'unpin_user_pages: frees what was unmapped before',
    text('H6 H8', {
      ...user,
      cpu: `pages = pin_user_pages_fast(p, 1);
	${userMapped}
	munmap_anonymous(p);
	unpin_user_pages(pages, 1);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'munmap_anonymous: who reads its sequence retries',
    text('coherent', {
      ...user,
      init: `${user.init ?? ''}\n\tmmu_interval_notifier_insert(p, nic, vm);`,
      cpu: `u64 seq = mmu_interval_read_begin(p);
	munmap_anonymous(p);
	int again = mmu_interval_read_retry(p, seq);`,
      after: 'always (driver:again != 0)',
    }),
  ],
  [
    'mmu_interval_notifier_insert: takes the pages from the device',
    text('H14', {
      ...user,
      init: `${user.init ?? ''}\n\tmmu_interval_notifier_insert(p, nic, vm);`,
      cpu: `pages = hmm_range_fault(p);
	${userMapped}
	munmap_anonymous(p);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'mmu_interval_notifier_remove: no longer',
    text('H6 H8', {
      ...user,
      init: `${user.init ?? ''}\n\tmmu_interval_notifier_insert(p, nic, vm);`,
      cpu: `pages = hmm_range_fault(p);
	${userMapped}
	mmu_interval_notifier_remove(p, nic);
	munmap_anonymous(p);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'swap_writepage: takes a page that nobody pinned',
    text('H6 H8', {
      ...user,
      cpu: `pages = hmm_range_fault(p);
	${userMapped}
	swap_writepage(p);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'migrate_pages: takes a page that nobody pinned',
    text('H6 H8', {
      ...user,
      cpu: `pages = hmm_range_fault(p);
	${userMapped}
	migrate_pages(p);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  ...['swap_writepage', 'migrate_pages'].flatMap(
    (take): Scenarios => [
      [
        `${take}: what user space stored is there again`,
        text('coherent', {
          ...user,
          cpu: `${take}(p);\n\tu32 got = p[0];\n\tp[0] = 2;\n\tu32 later = p[0];`,
          after: 'always (driver:got == 1 && driver:later == 2)',
        }),
      ],
      [
        `${take}: who reads its sequence retries`,
        text('coherent', {
          ...user,
          init: `${user.init ?? ''}\n\tmmu_interval_notifier_insert(p, nic, vm);`,
          cpu: `u64 seq = mmu_interval_read_begin(p);
	${take}(p);
	int again = mmu_interval_read_retry(p, seq);`,
          after: 'always (driver:again != 0)',
        }),
      ],
      [
        `${take}: a store under way comes along`,
        text('coherent', {
          ...user,
          cpu: `p[0] = 2;\n\t${take}(p);\n\tu32 got = p[0];`,
          after: 'always (driver:got == 2)',
        }),
      ],
      [
        `${take}: a store of another thread comes along, or comes after`,
        text('coherent', {
          ...user,
          cpu: `${take}(p);`,
          reader: 'p[0] = 2;\n\tu32 got = p[0];',
          after: 'always (reader:got == 2)',
        }),
      ],
      [
        `${take}: the notifier takes the pages from the device first`,
        text('H14', {
          ...user,
          init: `${user.init ?? ''}\n\tmmu_interval_notifier_insert(p, nic, vm);`,
          cpu: `pages = hmm_range_fault(p);
	${userMapped}
	${take}(p);
	writel(1, nic);`,
          nic: 'u32 x = dma_read(vm, 0x100000);',
        }),
      ],
    ],
  ),
  [
    'migrate_pages: the contents move',
    text('coherent', {
      ...user,
      cpu: 'migrate_pages(p);\n\tu32 got = p[0];',
      after: 'always (driver:got == 1)',
    }),
  ],
  [
    'put_user: the store is there',
    text('coherent', {
      ...user,
      cpu: 'put_user(5, p);\n\tu32 got = p[0];',
      after: 'always (driver:got == 5)',
    }),
  ],
  [
    'put_user: is newer than what was there',
    text('H2', {
      ...user,
      cpu: `pages = pin_user_pages_fast(p, 1);
	${userMapped}
	put_user(5, p);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
];

/** A dma-buf of an exporter that maps cacheable, imported by nic. */
const shared: Part = {
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

/** Maintenance under other names: a store, the call, a relaxed doorbell. */
const cleans: Scenarios = [
  'drm_cflush_pages(pg, DRM_CFLUSH_CLEAN);',
  'drm_cflush_sg(sgt, DRM_CFLUSH_CLEAN);',
  'drm_cflush_virt_range(p, 64, DRM_CFLUSH_CLEAN);',
  'arch_sync_dma_for_device(phys, 64, DMA_TO_DEVICE);',
  'arch_dma_prep_coherent(pg, PAGE_SIZE);',
  'dcache_clean_poc(p, p + 16);',
  'dcache_clean_inval_poc(p, p + 16);',
  'dcache_clean_poc_nosync(p, p + 16);\n\tarch_sync_dma_flush();',
].map((call) => [
  `${call.replaceAll('\n\t', ' ')} before a relaxed doorbell`,
  text('coherent', {
    ...plain,
    names: 'u32 *p;',
    init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	pg = virt_to_page(p);
	sgt = drm_prime_pages_to_sg(pg);
	phys = virt_to_phys(p);`,
    cpu: `p[0] = 1;\n\t${call}\n\twritel_relaxed(1, nic);`,
    nic: 'u32 x = dma_read(phys);',
  }),
]);

const invalidates: Scenarios = [
  'drm_cflush_pages(pg, DRM_CFLUSH_INVALIDATE);',
  'drm_cflush_sg(sgt, DRM_CFLUSH_INVALIDATE);',
  'drm_cflush_virt_range(p, 64, DRM_CFLUSH_INVALIDATE);',
  'arch_sync_dma_for_cpu(phys, PAGE_SIZE, DMA_FROM_DEVICE);',
  'dma_cache_inv(p, 64);',
  'dcache_inval_poc(p, p + 16);',
  'dcache_inval_poc_nosync(p, p + 16);\n\tarch_sync_dma_flush();',
].map((call) => [
  `${call.replaceAll('\n\t', ' ')} before another CPU reads`,
  text('coherent', {
    ...plain,
    names: 'u32 *p;\nstruct completion done;',
    init: `p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	pg = virt_to_page(p);
	sgt = drm_prime_pages_to_sg(pg);
	phys = virt_to_phys(p);
	dcache_clean_inval_poc(p, p + 16);`,
    cpu: `writel(1, nic);\n\twait(nic);\n\t${call}\n\tcomplete(&done);`,
    reader: 'wait_for_completion(&done);\n\tu32 got = p[0];',
    nic: 'dma_write(phys, 7);',
  }),
]);

const pools: Scenarios = [
  [
    'dma_pool_free: the block can be had again',
    text('coherent', {
      ...plain,
      names: 'u32 *p;\ndma_addr_t dma;\nu32 *q;\ndma_addr_t other;',
      init: 'pool = dma_pool_create(nic, PAGE_SIZE, PAGE_SIZE);',
      cpu: `p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	dma_pool_free(pool, p, dma);
	q = dma_pool_alloc(pool, GFP_KERNEL, &other);
	q[0] = 1;
	dma_pool_free(pool, q, other);`,
    }),
  ],
  [
    'dma_pool_destroy: leaves no mapping',
    text('coherent', {
      ...plain,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: `p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	dma_pool_free(pool, p, dma);
	dma_pool_destroy(pool);
	device_release_driver(nic);`,
    }),
  ],
  [
    'dma_pool_destroy: the address is gone',
    text('H14', {
      ...plain,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: `p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	dma_pool_free(pool, p, dma);
	dma_pool_destroy(pool);
	u32 x = p[0];`,
    }),
  ],
  [
    'dma_pool_destroy: a store under way is done before the page is freed',
    text('coherent', {
      ...plain,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: `p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	p[0] = 1;
	dma_pool_free(pool, p, dma);
	dma_pool_destroy(pool);`,
    }),
  ],
  [
    'dma_pool_destroy: the memory is gone',
    text('H6 H8', {
      ...plain,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: `p = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	dma_pool_free(pool, p, dma);
	dma_pool_destroy(pool);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
];

export function lifeScenarios(): Scenarios {
  return [
    ...[plain, behind].flatMap((on) => allocators.flatMap((each) => allocated(each, on))),
    ...shmem,
    ...unmappings,
    ...msm,
    ...userspace,
    ...dmaBuf,
    ...domains,
    ...cleans,
    ...invalidates,
    ...pools,
  ];
}
