/** Scenarios about cache maintenance by name, and DMA pools; see functions.ts. */
import { plain, type Scenarios, text } from './part.js';

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
    'dma_pool_create: blocks of 16 bytes at least, which cross no boundary',
    text('coherent', {
      ...plain,
      names: 'dma_addr_t one;\ndma_addr_t two;\ndma_addr_t three;',
      init: `small = dma_pool_create(nic, 8, 8);
	pool = dma_pool_create(nic, 48, 16, 64);`,
      cpu: `u32 *p = dma_pool_alloc(pool, GFP_KERNEL, &one);
	u32 *q = dma_pool_alloc(pool, GFP_KERNEL, &two);
	u64 far = two - one;
	dma_pool_free(pool, q, two);
	u32 *r = dma_pool_alloc(pool, GFP_KERNEL, &two);
	u32 *a = dma_pool_alloc(small, GFP_KERNEL, &one);
	u32 *b = dma_pool_alloc(small, GFP_KERNEL, &three);
	u64 near = three - one;`,
      after: 'always (driver:far == 64 && driver:near == 16)',
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
    text('H8 H14', {
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

export function cacheScenarios(): Scenarios {
  return [...cleans, ...invalidates, ...pools];
}
