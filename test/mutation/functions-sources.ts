/** Scenarios for where memory comes from: vmalloc, pools, udmabuf, fork; see functions.ts. */
import { behind, plain, type Scenarios, text } from './part.js';

/** Memory of the call is the kernel's until the free; then a late device write is H8. */
function freed(name: string, alloc: string, free: string): readonly [string, string] {
  return [
    `${name}: the pages are somebody else's`,
    text('H8', {
      ...plain,
      names: 'u32 *p;\nphys_addr_t phys;',
      init: `p = ${alloc};\n\tphys = page_to_phys(${
        alloc.startsWith('v') ? 'vmalloc_to_page(p)' : 'virt_to_page(p)'
      });`,
      cpu: `${free};\n\twritel(1, nic);`,
      nic: 'dma_write(phys, 7);',
    }),
  ];
}

function zeroed(alloc: string): readonly [string, string] {
  return [
    `${alloc}: nothing of the last owner is in it`,
    text('coherent', {
      ...plain,
      names: 'u32 *p;',
      cpu: `p = ${alloc};\n\tu32 x = p[0];`,
      after: 'always (driver:x == 0)',
    }),
  ];
}

/** Memory of a process that forks; the device may write to the first page of it. */
const user = { ...plain, names: 'u32 *mem;\nu32 *child;\ndma_addr_t dma;' };
const init = 'mem = mmap_anonymous(PAGE_SIZE);\n\tmem[0] = 1;';
const map = 'dma = dma_map_page(nic, page, 0, PAGE_SIZE, DMA_FROM_DEVICE);';
const write = { nic: 'dma_write(dma, 7);' };
const swap = { ...user, settings: '.swap = zram;', ...write };
const forked: Scenarios = [
  [
    'fork: the child sees what stood there',
    text('coherent', {
      ...user,
      init,
      cpu: 'child = fork(mem);\n\tmem[0] = 2;\n\tu32 x = child[0];\n\tu32 y = mem[0];',
      after: 'always (driver:x == 1 && driver:y == 2)',
    }),
  ],
  [
    'fork: pinned pages are copied for the child',
    text('coherent', {
      ...user,
      init: `${init}\n\tpage = pin_user_pages_fast(mem, 1);`,
      cpu: 'child = fork(mem);\n\tmem[0] = 2;\n\tu32 x = child[0];\n\tu32 y = mem[0];',
      after: 'always (driver:x == 1 && driver:y == 2)',
    }),
  ],
  [
    'get_user_pages_fast: the pages are there, and stay',
    text('coherent', {
      ...swap,
      init: 'mem = mmap_anonymous(PAGE_SIZE);',
      cpu: `page = get_user_pages_fast(mem, 1);
	${map}
	swap_writepage(mem);
	writel(1, nic);
	wait(nic);
	dma_unmap_page(nic, dma, PAGE_SIZE, DMA_FROM_DEVICE);
	u32 x = mem[0];`,
      after: 'always (driver:x == 7)',
    }),
  ],
  [
    'get_user_pages_fast: not across a fork',
    text('H8', {
      ...user,
      ...write,
      init,
      cpu: `page = get_user_pages_fast(mem, 1);
	${map}
	child = fork(mem);
	mem[0] = 2;
	writel(1, nic);`,
    }),
  ],
  [
    'put_page: the pages may go',
    text('H8', {
      ...swap,
      init,
      cpu: `page = get_user_pages_fast(mem, 1);
	${map}
	put_page(page);
	swap_writepage(mem);
	writel(1, nic);`,
    }),
  ],
  [
    'put_page: the last reference of memory that is unmapped',
    text('H8', {
      ...user,
      ...write,
      init,
      cpu: `page = get_user_pages_fast(mem, 1);
	${map}
	munmap_anonymous(mem);
	put_page(page);
	writel(1, nic);`,
    }),
  ],
  [
    'put_page: a pin after it counts as one',
    text('coherent', {
      ...user,
      ...write,
      init,
      cpu: `page = get_user_pages_fast(mem, 1);
	put_page(page);
	page = pin_user_pages_fast(mem, 1);
	${map}
	child = fork(mem);
	mem[0] = 2;
	writel(1, nic);`,
    }),
  ],
  [
    'fork: whoever asks is told that pages were taken',
    text('coherent', {
      ...user,
      init: `${init}
	vm = iommu_domain_alloc(nic);
	mmu_interval_notifier_insert(mem, nic, vm);`,
      cpu: `u32 seq = mmu_interval_read_begin(mem);
	child = fork(mem);
	u32 again = mmu_interval_read_retry(mem, seq);`,
      after: 'always (driver:again == 1)',
    }),
  ],
  [
    'put_page: of pages that were pinned',
    text('H11', { ...user, init, cpu: 'page = pin_user_pages_fast(mem, 1);\n\tput_page(page);' }),
  ],
];

export const sourceScenarios: Scenarios = [
  freed('vfree', 'vmalloc(PAGE_SIZE)', 'vfree(p)'),
  freed('free_pages', '__get_free_pages(GFP_KERNEL, 0)', 'free_pages(p, 0)'),
  zeroed('vzalloc(PAGE_SIZE)'),
  zeroed('__get_free_pages(GFP_KERNEL | __GFP_ZERO, 0)'),
  [
    'vfree: the address is gone',
    text('H14 H8', {
      ...plain,
      names: 'u32 *p;',
      init: 'p = vmalloc(PAGE_SIZE);',
      cpu: 'vfree(p);\n\tp[0] = 1;',
    }),
  ],
  [
    'vfree: twice',
    text('H11', {
      ...plain,
      names: 'u32 *p;',
      init: 'p = vmalloc(PAGE_SIZE);',
      cpu: 'vfree(p);\n\tvfree(p);',
    }),
  ],
  [
    'vfree: of what kmalloc gave',
    text('H11', {
      ...plain,
      names: 'u32 *p;',
      init: 'p = kmalloc(64, GFP_KERNEL);',
      cpu: 'vfree(p);',
    }),
  ],
  [
    'free_pages: twice',
    text('H11', {
      ...plain,
      names: 'u32 *p;',
      init: 'p = __get_free_pages(GFP_KERNEL, 0);',
      cpu: 'free_pages(p, 0);\n\tfree_pages(p, 0);',
    }),
  ],
  [
    'free_pages: of what kmalloc gave',
    text('H11', {
      ...plain,
      names: 'u32 *p;',
      init: 'p = kmalloc(64, GFP_KERNEL);',
      cpu: 'free_pages(p, 0);',
    }),
  ],
  [
    'drm_gem_shmem_unpin: without a pin',
    text('H11', {
      ...plain,
      init: 'bo = drm_gem_shmem_create(nic, PAGE_SIZE);',
      cpu: 'drm_gem_shmem_unpin(bo);',
    }),
  ],
  [
    'dma_pool_zalloc: a block used before',
    text('coherent', {
      ...behind,
      names: 'u32 *p;\ndma_addr_t dma;\ndma_addr_t old;',
      init: `pool = dma_pool_create(nic, 64, 64);
	u32 *first = dma_pool_alloc(pool, GFP_KERNEL, &old);
	first[1] = 5;
	dma_pool_free(pool, first, old);`,
      cpu: 'p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);\n\tp[0] = 1;\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(dma);\n\tu32 y = dma_read(dma + 4);',
      after: 'always (nic:x == 1 && nic:y == 0)',
    }),
  ],
  [
    'dma_pool_zalloc: the first block takes a page, which is cleaned',
    text('coherent', {
      ...behind,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: 'p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);\n\tp[0] = 1;\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(dma);',
      after: 'always (nic:x == 1)',
    }),
  ],
  [
    'dma_pool_zalloc: two blocks are not one',
    text('coherent', {
      ...plain,
      names: 'u32 *p;\nu32 *q;\ndma_addr_t dma;\ndma_addr_t next;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: `p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);
	p[0] = 1;
	q = dma_pool_zalloc(pool, GFP_KERNEL, &next);
	q[0] = 2;
	u32 x = p[0];`,
      after: 'always (driver:x == 1)',
    }),
  ],
  [
    'dma_pool_zalloc: the rest of its page is zeroed as dma_pool_alloc has it',
    text('coherent', {
      ...plain,
      names: 'u32 *p;\nu32 *q;\ndma_addr_t dma;\ndma_addr_t next;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: `p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);
	q = dma_pool_alloc(pool, GFP_KERNEL, &next);
	u32 x = q[0];`,
      after: 'always (driver:x == 0)',
    }),
  ],
  [
    'dma_pool_zalloc: its page is mapped for the device',
    text('H11', {
      ...plain,
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'pool = dma_pool_create(nic, 64, 64);',
      cpu: 'p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);\n\tdevice_release_driver(nic);',
    }),
  ],
  [
    'udmabuf_create: zeroes in the cache, which the map cleans',
    text('coherent', {
      ...behind,
      names: 'dma_addr_t dma;',
      cpu: `buf = udmabuf_create(nic, PAGE_SIZE);
	at = dma_buf_attach(buf, nic);
	sgt = dma_buf_map_attachment(at, DMA_TO_DEVICE);
	dma = sg_dma_address(sgt);
	writel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
      after: 'always (nic:x == 0)',
    }),
  ],
  [
    'udmabuf_create: its pages are zeroed in the cache, where user space sees them',
    text('coherent', {
      ...plain,
      names: 'u32 *p;',
      cpu: 'buf = udmabuf_create(nic, PAGE_SIZE);\n\tp = mmap(buf);\n\tu32 x = p[0];',
      after: 'always (driver:x == 0)',
    }),
  ],
  ...forked,
];
