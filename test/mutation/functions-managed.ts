/**
 * Scenarios for dmam_alloc_*, TTM's swapping, user memory in videobuf2, and for what only a second
 * use of dma_iova_* tells.
 */
import {
  names,
  first,
  both,
  taken,
  destroy,
  unlink,
  cached,
  faults,
  relaxed,
  reads,
  small,
  iova,
  after,
} from './functions-iova.js';
import { handOver } from './functions-videobuf2.js';
import { all, behind, plain, run, type Scenarios, write } from './part-drivers.js';

/** Freed by hand and by the driver core, as dma_free_coherent() does. */
function managed(call: string): Scenarios {
  const init = `p = ${call};`;
  const name = call.replace(/\(.*/u, '');
  const gone = 'device_release_driver(nic);';
  const late = { init, cpu: `${gone}\n\t${run}`, nic: 'u32 x = dma_read(dma);' };
  return all([
    [
      `${name}: zeroed through the remap`,
      'H6 H13',
      {
        ...plain,
        init: '',
        cpu: `${init}\n\twritel_relaxed(1, nic);`,
        nic: 'u32 x = dma_read(dma);',
      },
    ],
    [
      `${name}: not cached`,
      'coherent',
      { ...plain, init, cpu: 'p[0] = 5;\n\twritel(1, nic);', nic: 'u32 x = dma_read(dma);' },
    ],
    [`${name}: the driver goes, the device is out`, 'H14', { ...behind, ...late }],
    [`${name}: the driver goes, the pages are gone`, 'H6 H8', { ...plain, ...late }],
    [
      `${name}: the driver goes, the kernel's mapping too`,
      'H8 H14',
      { ...plain, init, cpu: `${gone}\n\tp[0] = 5;` },
    ],
    [
      `${name}: kept by reclaim`,
      'coherent',
      {
        ...plain,
        settings: '.swap = zram;',
        init,
        cpu: `pg = virt_to_page(p);\n\t${run}`,
        nic: 'u32 x = dma_read(dma);',
      },
    ],
  ]);
}

const free = 'dmam_free_coherent(nic, PAGE_SIZE, p, dma);';
const own = 'p = dmam_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);';
const devres = [
  ...managed('dmam_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL)'),
  ...managed('dmam_alloc_attrs(nic, PAGE_SIZE, &dma, GFP_KERNEL, 0)'),
  ...all([
    [
      'dmam_free_coherent: the device is out',
      'H14',
      { ...behind, init: own, cpu: `${free}\n\t${run}`, nic: write },
    ],
    [
      'dmam_free_coherent: the pages are gone',
      'H8',
      { ...plain, init: own, cpu: `${free}\n\t${run}`, nic: write },
    ],
    [
      "dmam_free_coherent: the kernel's mapping too",
      'H8 H14',
      { ...plain, init: own, cpu: `${free}\n\tp[0] = 5;` },
    ],
    [
      'dmam_free_coherent: once',
      'H11',
      { ...plain, init: own, cpu: `${free}\n\t${free}` },
      'device driver tries to free DMA memory it has not allocated',
    ],
    [
      'dmam_free_coherent: of that size',
      'H11',
      { ...plain, init: own, cpu: free.replace('PAGE_SIZE', '64') },
      'device driver frees DMA memory with different size',
    ],
    [
      'dmam_free_coherent: at that address',
      'H11',
      { ...plain, init: own, cpu: free.replace('dma);', 'dma + 64);') },
      'device driver frees DMA memory with different CPU address',
    ],
  ]),
];

const bo = 'bo = ttm_sg_tt_init(nic, PAGE_SIZE, ttm_cached);\n\tttm_tt_populate(bo);';
const shown = `${bo}\n\tp = mmap(bo);`;
const swap = 'ttm_bo_swapout(bo);';
const again = 'ttm_tt_populate(bo);\n\tp = mmap(bo);';
const coherent = { ...plain, names, device: '.coherent = true' };
const ttm = all([
  [
    'ttm_bo_swapout: the contents come back',
    'coherent',
    { ...plain, names, init: shown, cpu: `p[0] = 5;\n\t${swap}\n\t${again}\n\tu32 x = p[0];` },
  ],
  [
    'ttm_bo_swapout: a fault brings the contents back',
    'coherent',
    { ...plain, names, init: shown, cpu: `p[0] = 5;\n\t${swap}\n\tu32 x = p[0];` },
  ],
  [
    'ttm_bo_swapout: the device is out',
    'H14',
    {
      ...behind,
      names,
      init: `${bo}\n\tdma = ttm_tt_dma_address(bo);`,
      cpu: `${swap}\n\t${run}`,
      nic: write,
    },
  ],
  [
    'ttm_bo_swapout: the pages are gone',
    'H8',
    {
      ...plain,
      names,
      init: `${bo}\n\tdma = ttm_tt_dma_address(bo);`,
      cpu: `${swap}\n\t${run}`,
      nic: write,
    },
  ],
  [
    'ttm_bo_swapout: waits for the jobs',
    'coherent',
    {
      ...coherent,
      init: `${shown}\n\tdma = ttm_tt_dma_address(bo);`,
      cpu: `submit(nic);\n\tdma_resv_add_fence(bo, nic);\n\t${swap}\n\t${again}\n\tu32 x = p[0];`,
      nic: write,
    },
  ],
  [
    'ttm_bo_swapout: twice',
    'coherent',
    {
      ...plain,
      names,
      init: shown,
      cpu: `p[0] = 5;\n\t${swap}\n\t${swap}\n\t${again}\n\tu32 x = p[0];`,
    },
  ],
  [
    'ttm_tt_populate: copies back once',
    'coherent',
    {
      ...plain,
      names,
      init: shown,
      cpu: `p[0] = 5;\n\t${swap}\n\t${again}\n\tp[0] = 6;\n\t${swap}\n\t${again}\n\tu32 x = p[0];`,
    },
  ],
]);

const memory = 'p = mmap_anonymous(PAGE_SIZE);';
function userptr(prefix: 'vb2_dc' | 'vb2_dma_sg'): Scenarios {
  const get = `buf = ${prefix}_get_userptr(nic, p, PAGE_SIZE, DMA_FROM_DEVICE);
	dma = ${prefix}_cookie(buf);`;
  const put = `${prefix}_put_userptr(buf);`;
  const held = {
    settings: '.swap = zram;',
    names,
    init: `${memory}\n\t${get}\n\t${prefix}_prepare(buf);`,
  };
  return all([
    [
      `${prefix}_get_userptr: pinned`,
      'coherent',
      { ...plain, ...held, cpu: `swap_writepage(p);\n\t${run}`, nic: write },
    ],
    [
      `${prefix}_put_userptr: unpinned`,
      'H8',
      { ...plain, ...held, cpu: `${put}\n\tswap_writepage(p);\n\t${run}`, nic: write },
    ],
    [
      `${prefix}_put_userptr: the device is out`,
      'H14',
      { ...behind, ...held, cpu: `${put}\n\t${run}`, nic: write },
    ],
    [
      `${prefix}_put_userptr: pinned pages outlive the mapping`,
      'H8',
      { ...plain, ...held, cpu: `munmap_anonymous(p);\n\t${put}\n\t${run}`, nic: write },
    ],
    [
      `${prefix}_put_userptr: then mapped anew`,
      'coherent',
      handOver(
        `${memory}\n\t${get}`,
        `${put}\n\t${get}\n\t${prefix}_prepare(buf);`,
        `${prefix}_finish(buf);`,
      ),
    ],
  ]);
}

const filled = small.replace('dma = ', 'q[0] = 5;\n\tdma = ');

/** What only a second use tells, or one behind an IOMMU. */
const again2 = all([
  [
    'dma_iova_link: copies in, too',
    'coherent',
    {
      ...behind,
      names,
      init: '',
      cpu: `${filled.replace('FROM_DEVICE', 'BIDIRECTIONAL')}\n\twritel(1, nic);`,
      nic: reads,
    },
  ],
  [
    'dma_iova_destroy: the first page before another CPU reads',
    'coherent',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: `u32 before = p[0];\n\t${run}\n\t${destroy}\n\tcomplete(&done);`,
      reader: 'wait_for_completion(&done);\n\tu32 x = p[0];',
      nic: write,
    },
  ],
  [
    'dma_iova_sync: is a dsb',
    'coherent',
    {
      ...faults,
      init: `${taken}
	${first('DMA_TO_DEVICE')}
	pg = virt_to_page(p);
	q = vmap(pg, pgprot_writecombine(PAGE_KERNEL));`,
      cpu: `q[0] = 5;\n\tdma_iova_sync(nic, &state, 0, PAGE_SIZE);\n\t${relaxed}`,
      nic: reads,
    },
  ],
  ...['coherent', 'attrs'].map((kind) => {
    const last = kind === 'attrs' ? ', 0' : '';
    const init = `p = dmam_alloc_${kind}(nic, PAGE_SIZE, &dma, GFP_KERNEL${last});`;
    const part = { ...behind, init, cpu: 'p[0] = 5;\n\twritel(1, nic);', nic: reads };
    return [`dmam_alloc_${kind}: translated`, 'coherent', part] as const;
  }),
  [
    'device_release_driver: what was managed is no longer mapped',
    'H11',
    {
      ...plain,
      init: own,
      cpu: 'device_release_driver(nic);\n\tdma_unmap_single(nic, dma, 64, DMA_TO_DEVICE);',
    },
    'device driver tries to free DMA memory it has not allocated',
  ],
  [
    'dma_iova_destroy: the slots are gone',
    'H8 H14',
    {
      ...behind,
      names,
      settings: '.iommu_strict = false;',
      init: small,
      cpu: `dma_iova_destroy(nic, &state, 32, DMA_FROM_DEVICE, 0);\n\t${run}`,
      nic: write,
    },
  ],
  [
    'dma_iova_link: a store comes before the new tables are found',
    'H14',
    {
      ...cached,
      init: `${taken}
	pg = virt_to_page(p);
	arch_dma_prep_coherent(pg, PAGE_SIZE);
	q = vmap(pg, pgprot_writecombine(PAGE_KERNEL));
	q[0] = 5;
	wmb();`,
      cpu: `q[0] = 1;
	dma_iova_link(nic, &state, virt_to_phys(p), 0, PAGE_SIZE, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);`,
      nic: reads,
      after: 'forbidden (nic:x == 5)',
    },
  ],
  [
    'ttm_bo_swapout: the pages go after the jobs',
    'coherent',
    {
      ...coherent,
      init: `${shown}\n\tdma = ttm_tt_dma_address(bo);`,
      cpu: `submit(nic);\n\tdma_resv_add_fence(bo, nic);\n\t${swap}\n\tttm_tt_unpopulate(bo);`,
      nic: write,
    },
  ],
  ...(['vb2_dc', 'vb2_dma_sg'] as const).map((prefix) => {
    const get = `buf = ${prefix}_get_userptr(nic, p, PAGE_SIZE, DMA_FROM_DEVICE);`;
    const put = `${prefix}_put_userptr(buf);`;
    const anew = `${get}\n\tdma = ${prefix}_cookie(buf);\n\t${prefix}_prepare(buf);`;
    const init = `${memory}\n\t${get}`;
    const part = { ...behind, names, init, cpu: `${put}\n\t${anew}\n\t${run}`, nic: write };
    return [`${prefix}_put_userptr: the next has an address of its own`, 'coherent', part] as const;
  }),
]);

export const iovaScenarios: Scenarios = [
  ...again2,
  ...iova,
  ...after(unlink),
  ...after(destroy),
  ...after(unlink, '.iommu_strict = false;'),
  ...after(destroy, '.iommu_strict = false;'),
  ...devres,
  ...ttm,
  ...userptr('vb2_dc'),
  ...userptr('vb2_dma_sg'),
];
