/** Scenarios about memory of user space; see functions.ts. */
import { behind, type Part, type Scenarios, text } from './part.js';

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

/** The driver's own callback. */
function ownCallback(body: string): Part {
  return {
    ...user,
    names: `${user.names ?? ''}
override bool invalidate(start) {
	${body}
	return true;
}`,
    init: `${user.init ?? ''}\n\tmmu_interval_notifier_insert(p, nic, vm);`,
  };
}
const unmaps = 'mmu_interval_set_seq(start);\n\tiommu_unmap(vm, 0x100000, PAGE_SIZE);';

const callbacks: Scenarios = [
  ...['munmap_anonymous', 'swap_writepage', 'migrate_pages'].flatMap(
    (take): Scenarios => [
      [
        `${take}: the driver's own callback runs before, and only it`,
        text('H6 H8', {
          ...ownCallback('mmu_interval_set_seq(start);'),
          cpu: `pages = hmm_range_fault(p);
	${userMapped}
	${take}(p);
	writel(1, nic);`,
          nic: 'u32 x = dma_read(vm, 0x100000);',
        }),
      ],
      [
        `${take}: when it is over, who reads the sequence goes on`,
        text('H14', {
          ...ownCallback(unmaps),
          cpu: `pages = hmm_range_fault(p);
	${userMapped}
	${take}(p);
	u64 seq = mmu_interval_read_begin(p);
	writel(1, nic);`,
          nic: 'u32 x = dma_read(vm, 0x100000);',
        }),
      ],
    ],
  ),
  [
    'migrate_pages: of pinned pages, the callback is over all the same',
    text('H14', {
      ...ownCallback(unmaps),
      cpu: `pages = pin_user_pages_fast(p, 1);
	${userMapped}
	migrate_pages(p);
	u64 seq = mmu_interval_read_begin(p);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'mmu_interval_set_seq: outside a callback',
    text('H11', { ...user, cpu: 'mmu_interval_set_seq(p);' }),
  ],
  [
    'mmu_notifier_invalidate_range_start: one callback after the other',
    text('coherent', {
      ...ownCallback('mmu_interval_set_seq(start);'),
      cpu: 'migrate_pages(p);',
      reader: 'migrate_pages(p);',
    }),
  ],
  [
    'invalidate: takes the pages from the device',
    text('H14', {
      ...user,
      init: `${user.init ?? ''}\n\tmmu_interval_notifier_insert(p, nic, vm);`,
      cpu: `pages = hmm_range_fault(p);
	${userMapped}
	u64 seq = mmu_interval_read_begin(p);
	invalidate(p);
	int again = mmu_interval_read_retry(p, seq);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(vm, 0x100000);',
      after: 'always (driver:again != 0)',
    }),
  ],
  [
    'dma_resv_wait_timeout: waits for the job',
    text('coherent', {
      ...user,
      device: '.coherent = false',
      init: `bo = drm_gem_object_init(nic, PAGE_SIZE, .map_wc = true);
	drm_gem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);
	dma_map_sgtable(nic, sgt, DMA_BIDIRECTIONAL);
	dma = sg_dma_address(sgt);`,
      cpu: `p = mmap(bo);
	writel(1, nic);
	dma_resv_add_fence(bo, nic);
	dma_resv_wait_timeout(bo);
	u32 got = p[0];`,
      nic: 'dma_write(dma, 7);',
      after: 'always (driver:got == 7)',
    }),
  ],
];

export function userScenarios(): Scenarios {
  return [...userspace, ...callbacks];
}
