/** Scenarios for the helpers that drivers stand on: DRM's DMA helper, TTM, videobuf2, page_pool. */
import { coherent, handOver, scattered, videobuf2 } from './functions-videobuf2.js';
import { all, behind, plain, read, run, type Scenarios, write } from './part-drivers.js';

const dmaHelper = all([
  [
    'drm_gem_dma_create: zeroed before user space sees it',
    'coherent',
    {
      ...plain,
      init: 'bo = drm_gem_dma_create(nic, PAGE_SIZE);\n\tq = drm_gem_dma_mmap(bo);',
      cpu: 'u32 x = q[0];',
    },
  ],
  [
    'drm_gem_dma_create: kept by reclaim',
    'coherent',
    {
      device: '.coherent = false',
      settings: '.swap = zram;',
      init: 'bo = drm_gem_dma_create(nic, PAGE_SIZE);\n\tdma = drm_fb_dma_get_gem_addr(bo);',
      cpu: `shmem_writepage(bo);\n\t${run}`,
      nic: read,
    },
  ],
  [
    'drm_gem_object_put: ends what drm_gem_dma_create mapped',
    'H14',
    {
      ...behind,
      init: 'bo = drm_gem_dma_create(nic, PAGE_SIZE);\n\tdma = drm_fb_dma_get_gem_addr(bo);',
      cpu: `drm_gem_object_put(bo);\n\t${run}`,
      nic: read,
    },
  ],
]);

const pool =
  'pool = page_pool_create(nic, PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV, DMA_FROM_DEVICE, PAGE_SIZE);';
const received = `${pool}\n\tpg = page_pool_dev_alloc_pages(pool);\n\tp = page_address(pg);\n\tdma = page_pool_get_dma_addr(pg);`;
const forCpu = 'page_pool_dma_sync_for_cpu(pool, pg, 0, 64);';

function recycled(call: string): Scenarios {
  const again = 'pg2 = page_pool_dev_alloc_pages(pool);';
  const next = `${again}\n\twritel_relaxed(1, nic);\n\twait(nic);\n\tpage_pool_dma_sync_for_cpu(pool, pg2, 0, 64);\n\tu32 x = p[0];`;
  const name = call.replace(/\(.*/u, '');
  return all([
    [
      `${name}: cleans before the device has the page again`,
      'coherent',
      { ...plain, init: received, cpu: `p[0] = 9;\n\t${call}\n\t${next}`, nic: write },
    ],
    [
      `${name}: once for each page`,
      'H11',
      { ...plain, init: received, cpu: `${call}\n\t${call}` },
      'a page goes back to a page_pool that it did not come from',
    ],
  ]);
}

const pagePool = [
  ...recycled('page_pool_put_page(pool, pg, 64, true);'),
  ...recycled('page_pool_put_full_page(pool, pg, true);'),
  ...recycled('page_pool_recycle_direct(pool, pg);'),
  ...all([
    [
      'page_pool_dev_alloc_pages: cleaned before the doorbell',
      'coherent',
      {
        ...plain,
        init: pool,
        cpu: `pg = page_pool_dev_alloc_pages(pool);\n\tp = page_address(pg);\n\tdma = page_pool_get_dma_addr(pg);\n\twritel_relaxed(1, nic);\n\twait(nic);\n\t${forCpu}\n\tu32 x = p[0];`,
        nic: write,
      },
    ],
    [
      'page_pool_dev_alloc_pages: each recycled page once',
      'coherent',
      {
        ...plain,
        init: received,
        cpu: `page_pool_recycle_direct(pool, pg);\n\tpg = page_pool_dev_alloc_pages(pool);\n\tpg2 = page_pool_dev_alloc_pages(pool);\n\tq = page_address(pg2);\n\tp = page_address(pg);\n\tp[0] = 1;\n\tq[0] = 2;\n\tu32 x = p[0];`,
        after: 'always (driver:x == 1)',
      },
    ],
    [
      'page_pool_dev_alloc_pages: maps behind the IOMMU',
      'coherent',
      { ...behind, init: received, cpu: `${run}\n\t${forCpu}\n\tu32 x = p[0];`, nic: write },
    ],
    [
      'page_pool_dma_sync_for_cpu: done before another CPU reads',
      'coherent',
      handOver(received, '', forCpu),
    ],
    [
      'page_pool_destroy: a page that is out is unmapped',
      'H14',
      { ...behind, init: received, cpu: `page_pool_destroy(pool);\n\t${run}`, nic: write },
    ],
    [
      'page_pool_destroy: a cached page is freed',
      'H8',
      {
        ...plain,
        init: received,
        cpu: `page_pool_recycle_direct(pool, pg);\n\tpage_pool_destroy(pool);\n\t${run}`,
        nic: write,
      },
    ],
    [
      'page_pool_create: refuses to sync what it does not map',
      'H11',
      {
        ...plain,
        init: 'pool = page_pool_create(nic, PP_FLAG_DMA_SYNC_DEV, DMA_FROM_DEVICE);',
        cpu: 'mb();',
      },
      'page_pool_create refuses this: -EINVAL',
    ],
  ]),
];

const made =
  'bo = ttm_sg_tt_init(nic, PAGE_SIZE, ttm_write_combined);\n\tttm_tt_populate(bo);\n\tdma = ttm_tt_dma_address(bo);\n\tp = mmap(bo);';

const ttm = all([
  [
    'ttm_tt_populate: cleaned before the doorbell',
    'coherent',
    {
      ...plain,
      init: 'bo = ttm_sg_tt_init(nic, PAGE_SIZE, ttm_cached);',
      cpu: 'ttm_tt_populate(bo);\n\tdma = ttm_tt_dma_address(bo);\n\twritel_relaxed(1, nic);',
      nic: read,
    },
  ],
  [
    'ttm_tt_populate: maps behind the IOMMU',
    'coherent',
    { ...behind, init: made, cpu: run, nic: read },
  ],
  [
    'ttm_tt_populate: kept by reclaim',
    'coherent',
    {
      device: '.coherent = false',
      settings: '.swap = zram;',
      init: made,
      cpu: `shmem_writepage(bo);\n\t${run}`,
      nic: read,
    },
  ],
  [
    'ttm_tt_populate: once',
    'coherent',
    {
      ...plain,
      init: made,
      cpu: `p[0] = 5;\n\tttm_tt_populate(bo);\n\twritel(1, nic);`,
      nic: read,
    },
  ],
  [
    'ttm_tt_unpopulate: the device is out',
    'H14',
    { ...behind, init: made, cpu: `ttm_tt_unpopulate(bo);\n\t${run}`, nic: read },
  ],
  [
    'ttm_tt_unpopulate: user mappings are gone',
    'H14',
    { ...plain, init: made, cpu: 'p[0] = 1;\n\tttm_tt_unpopulate(bo);\n\tu32 x = p[0];' },
  ],
  [
    'ttm_tt_unpopulate: the pages are gone',
    'H8 H6',
    { ...plain, init: made, cpu: `ttm_tt_unpopulate(bo);\n\t${run}`, nic: read },
  ],
  [
    'ttm_tt_populate: x86 changes the linear map',
    'coherent',
    {
      machine: 'x86',
      device: '.snoops = false',
      settings: '',
      init: made,
      cpu: `q = page_address(bo);\n\tu32 before = q[0];\n\t${run}\n\tu32 x = p[0];`,
      nic: write,
    },
  ],
  [
    'ttm_bo_vunmap: the address is gone',
    'H14',
    { ...plain, init: made, cpu: 'q = ttm_bo_vmap(bo);\n\tttm_bo_vunmap(bo, q);\n\tu32 x = q[0];' },
  ],
  [
    'ttm_bo_vunmap: once',
    'H11',
    {
      ...plain,
      init: made,
      cpu: 'q = ttm_bo_vmap(bo);\n\tttm_bo_vunmap(bo, q);\n\tttm_bo_vunmap(bo, q);',
    },
    'ttm_bo_vunmap of a mapping that is gone',
  ],
  [
    'ttm_bo_vmap: populates',
    'coherent',
    {
      ...plain,
      init: 'bo = ttm_sg_tt_init(nic, PAGE_SIZE, ttm_uncached);',
      cpu: 'q = ttm_bo_vmap(bo);\n\tq[0] = 5;\n\tdma = ttm_tt_dma_address(bo);\n\twritel(1, nic);',
      nic: read,
    },
  ],
]);

const addresses = all([
  [
    'phys_to_virt: shows the page',
    'coherent',
    {
      ...plain,
      init: 'pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);\n\tp = phys_to_virt(page_to_phys(pg));',
      cpu: 'p[0] = 5;\n\tdcache_clean_poc(p, p + 16);\n\tdma = (dma_addr_t)page_to_phys(pg);\n\twritel(1, nic);',
      nic: read,
    },
  ],
]);

const release = 'device_release_driver(nic);';

const leftovers = all([
  ...(
    [
      ['drm_gem_object_put', 'bo = drm_gem_dma_create(nic, PAGE_SIZE);', 'drm_gem_object_put(bo);'],
      ['vb2_dc_put', coherent, 'vb2_dc_put(buf);'],
      ['vb2_dma_sg_put', scattered, 'vb2_dma_sg_put(buf);'],
      ['ttm_tt_unpopulate', made, 'ttm_tt_unpopulate(bo);'],
      ['page_pool_destroy', received, 'page_pool_destroy(pool);'],
    ] as const
  ).map(
    ([name, init, end]) =>
      [
        `${name}: leaves no mapping of a helper`,
        'coherent',
        { ...plain, init, cpu: `${end}\n\t${release}` },
      ] as const,
  ),
  ...(
    [
      [
        'drm_gem_object_put',
        'bo = drm_gem_dma_create(nic, PAGE_SIZE);\n\tq = drm_gem_dma_vmap(bo);',
        'drm_gem_object_put(bo);',
      ],
      ['vb2_dc_put', `${coherent}\n\tq = vb2_dc_vaddr(buf);`, 'vb2_dc_put(buf);'],
      ['vb2_dma_sg_put', `${scattered}\n\tq = vb2_dma_sg_vaddr(buf);`, 'vb2_dma_sg_put(buf);'],
    ] as const
  ).map(
    ([name, init, end]) =>
      [
        `${name}: the kernel's address is gone`,
        'H14',
        { ...plain, init, cpu: `${end}\n\tu32 x = q[0];` },
      ] as const,
  ),
  [
    'drm_gem_dma_create: maps behind the IOMMU',
    'coherent',
    {
      ...behind,
      init: 'bo = drm_gem_dma_create(nic, PAGE_SIZE);\n\tdma = drm_fb_dma_get_gem_addr(bo);',
      cpu: run,
      nic: read,
    },
  ],
  [
    'vb2_dma_sg_alloc: maps behind the IOMMU',
    'coherent',
    { ...behind, init: `${scattered}\n\tvb2_dma_sg_prepare(buf);`, cpu: run, nic: read },
  ],
  [
    'ttm_bo_vmap: populates once',
    'coherent',
    {
      ...plain,
      init: 'bo = ttm_sg_tt_init(nic, PAGE_SIZE, ttm_cached);',
      cpu: 'q = ttm_bo_vmap(bo);\n\tttm_tt_populate(bo);',
    },
  ],
  [
    'dma_pool_alloc: from the atomic pool, zeroed',
    'coherent',
    {
      ...plain,
      init: 'dp = dma_pool_create(nic, 64, 64);\n\tp = dma_pool_alloc(dp, GFP_ATOMIC, &dma);',
      cpu: 'writel(1, nic);',
      nic: read,
    },
  ],
]);

export const driverScenarios: Scenarios = [
  ...dmaHelper,
  ...videobuf2,
  ...pagePool,
  ...ttm,
  ...addresses,
  ...leftovers,
];
