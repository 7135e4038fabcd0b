/**
 * Scenarios about clients of an object, processors of another shareability domain and their caches;
 * see functions.ts.
 */
import { object, type Part, plain, type Scenarios, text } from './part.js';

const m7: Part = {
  ...plain,
  device: '.coherent = false, .remoteproc = true',
  names: 'u32 *p;\ndma_addr_t dma;',
  init: 'p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);',
};

const processors: Scenarios = [
  [
    'dma_write: a clean line of the device has what it wrote',
    text('coherent', {
      ...m7,
      device: '.coherent = false, .read_cache = true',
      cpu: 'writel(1, nic);',
      nic: 'u32 x = dma_read(dma);\n\tdma_write(dma, x + 1);\n\tu32 y = dma_read(dma);',
    }),
  ],
  [
    'SCB_InvalidateDCache_by_Addr: what is dirty there is lost',
    text('H3', {
      ...m7,
      cpu: 'writel(1, nic);\n\twait(nic);\n\tu32 got = p[0];',
      nic: 'dma_write(dma, 2);\n\tSCB_InvalidateDCache_by_Addr(dma, 64);',
    }),
  ],
  [
    'SCB_CleanInvalidateDCache_by_Addr: the answer is in memory, the question read from there',
    text('coherent', {
      ...m7,
      cpu: `p[0] = 5;
	writel(1, nic);
	wait(nic);
	u32 got = p[16];
	mb();
	p[0] = 6;
	writel(1, nic);
	wait(nic);
	u32 again = p[16];`,
      nic: `SCB_CleanInvalidateDCache_by_Addr(dma, 64);
	u32 x = dma_read(dma);
	dma_write(dma + 64, x + 1);
	SCB_CleanInvalidateDCache_by_Addr(dma + 64, 64);`,
    }),
  ],
];

const client: Part = {
  ...object,
  init: `bo = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);
	drm_gem_shmem_get_pages_sgt(bo);
	drm_gem_handle_create(1, bo);
	p = mmap(bo);`,
};

const clients: Scenarios = [
  [
    'drm_gem_handle_create: an old mapping reaches what is not its client’s',
    text('H6 H9', {
      ...client,
      cpu: `drm_gem_handle_delete(1, bo);
	drm_gem_handle_create(2, bo);
	q = mmap(bo);
	q[0] = 3;
	u32 x = p[0];`,
    }),
  ],
  [
    'drm_gem_handle_create: what the client left is no ideal value any more',
    text('H6', {
      ...client,
      cpu: `p[0] = 7;
	munmap(p);
	drm_gem_handle_delete(1, bo);
	drm_gem_handle_create(2, bo);
	q = mmap(bo);
	u32 x = q[0];`,
    }),
  ],
  [
    'drm_gem_handle_create: comes behind the delete',
    text('H2', {
      ...object,
      init: `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	dcache_clean_poc(page_address(pg), page_address(pg) + 1024);
	drm_gem_handle_create(1, pg);
	p = mmap(pg);
	q = mmap(pg, pgprot_writecombine(PAGE_KERNEL));`,
      cpu: 'p[0] = 7;\n\tdrm_gem_handle_delete(1, pg);',
      reader: 'drm_gem_handle_create(1, pg);\n\tu32 x = q[0];',
    }),
  ],
  [
    'drm_gem_handle_delete: waits for what the client stored',
    text('H6', {
      ...client,
      cpu: `p[0] = 7;
	drm_gem_handle_delete(1, bo);
	drm_gem_handle_create(2, bo);
	q = mmap(bo);
	u32 x = q[0];`,
      after: 'always (driver:x != 7)',
    }),
  ],
  [
    'drm_gem_handle_delete: of a handle that is not there',
    text(
      'H11',
      { ...client, cpu: 'drm_gem_handle_delete(2, bo);' },
      'drm_gem_handle_delete of a handle that the client does not have',
    ),
  ],
];

export const ownerScenarios: Scenarios = [...processors, ...clients];
