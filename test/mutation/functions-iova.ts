/** Scenarios for dma_iova_*, dmam_alloc_*, TTM's swapping and user memory in videobuf2. */
import { handOver } from './functions-videobuf2.js';
import { all, behind, names as known, plain, run, type Scenarios, write } from './part-drivers.js';

const names = `${known}\nstruct dma_iova_state state;\nstruct completion done;`;
const pages = 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);\n\tq = kzalloc(PAGE_SIZE, GFP_KERNEL);';
const take = 'dma_iova_try_alloc(nic, &state, 0, 2 * PAGE_SIZE);\n\tdma = dma_iova_addr(&state);';
const first = (dir: string): string =>
  `dma_iova_link(nic, &state, virt_to_phys(p), 0, PAGE_SIZE, ${dir}, 0);`;
const second = (dir: string): string =>
  `dma_iova_link(nic, &state, virt_to_phys(q), PAGE_SIZE, PAGE_SIZE, ${dir}, 0);`;
const both = (dir: string): string => `${first(dir)}\n\t${second(dir)}`;
const taken = `${pages}\n\t${take}`;
const destroy = 'dma_iova_destroy(nic, &state, 2 * PAGE_SIZE, DMA_FROM_DEVICE, 0);';
const unlink = 'dma_iova_unlink(nic, &state, 0, 2 * PAGE_SIZE, DMA_FROM_DEVICE, 0);';
const cached = { ...behind, names, device: `${behind.device}, .coherent_walk = true` };
const faults = { ...cached, device: `${cached.device}, .caches_faults = true` };
const relaxed = 'writel_relaxed(1, nic);';
const reads = 'u32 x = dma_read(dma);';
const small = `q = kzalloc(32, GFP_KERNEL);
	dma_iova_try_alloc(nic, &state, virt_to_phys(q), 32);
	dma = dma_iova_addr(&state);
	dma_iova_link(nic, &state, virt_to_phys(q), 0, 32, DMA_FROM_DEVICE, 0);`;

/** What a device finds that runs once `end` was called, and the pages are somebody else's. */
function after(end: string, settings = ''): Scenarios[number][] {
  const name = end.replace(/\(.*/u, '');
  const init = `${taken}\n\t${both('DMA_FROM_DEVICE')}`;
  const nic = 'dma_write(dma + PAGE_SIZE, 7);';
  const cpu = `u32 before = q[0];\n\twritel(1, nic);\n\twait(nic);\n\t${end}\n\tcomplete(&done);`;
  const reader = 'wait_for_completion(&done);\n\tu32 x = q[0];';
  const how = settings === '' ? '' : ` with ${settings}`;
  const late = { ...behind, names, settings, init, cpu: `${end}\n\tkfree(p);\n\t${run}` };
  const lazily = settings !== '' && name === 'dma_iova_destroy';
  return [
    ...all([
      [
        `${name}: before another CPU reads${how}`,
        'coherent',
        { ...behind, names, settings, init, cpu, reader, nic },
      ],
      [
        `${name}: the device is out${how}`,
        lazily ? 'H8 H14' : 'H14',
        { ...late, nic: 'dma_write(dma, 7);' },
      ],
    ]),
  ];
}

const iova = all([
  [
    'dma_iova_link: done before a relaxed doorbell',
    'coherent',
    {
      ...behind,
      names,
      init: taken,
      cpu: `p[0] = 5;\n\t${first('DMA_TO_DEVICE')}\n\twritel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    },
  ],
  [
    'dma_iova_link: with the rights of the direction',
    'H14',
    { ...behind, names, init: `${taken}\n\t${first('DMA_TO_DEVICE')}`, cpu: run, nic: write },
  ],
  [
    'dma_iova_link: a small area through a bounce buffer',
    'coherent',
    {
      ...behind,
      names,
      init: small,
      cpu: `${run}\n\tdma_iova_destroy(nic, &state, 32, DMA_FROM_DEVICE, 0);\n\tu32 x = q[0];`,
      nic: write,
    },
  ],
  [
    'dma_iova_link: not without a range',
    'H11',
    { ...behind, names, init: pages, cpu: first('DMA_TO_DEVICE') },
    'dma_iova_link without a range: dma_iova_try_alloc has to be first',
  ],
  [
    'dma_iova_link: not more than there is',
    'H11',
    {
      ...behind,
      names,
      init: taken,
      cpu: second('DMA_TO_DEVICE').replace(', PAGE_SIZE, DMA', ', 2 * PAGE_SIZE, DMA'),
    },
    'dma_iova_link of more than was allocated',
  ],
  [
    'dma_iova_link: later pieces begin with a page',
    'H11',
    {
      ...behind,
      names,
      init: taken,
      cpu: second('DMA_TO_DEVICE').replace('(q), PAGE_SIZE, PAGE_SIZE', '(q) + 64, PAGE_SIZE, 64'),
    },
    'dma_iova_link: only the first piece may begin inside a page',
  ],
  [
    'dma_iova_sync: before a relaxed doorbell',
    'coherent',
    {
      ...faults,
      init: taken,
      cpu: `${first('DMA_TO_DEVICE')}\n\tdma_iova_sync(nic, &state, 0, PAGE_SIZE);\n\t${relaxed}`,
      nic: 'u32 x = dma_read(dma);',
    },
  ],
  [
    'dma_iova_sync: left out',
    'H14',
    {
      ...faults,
      init: taken,
      cpu: `p[0] = 5;\n\t${first('DMA_TO_DEVICE')}\n\twritel(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    },
  ],
  [
    'dma_iova_try_alloc: once',
    'H11',
    { ...behind, names, init: taken, cpu: take },
    'dma_iova_try_alloc of a state that is in use: its range is never freed',
  ],
  [
    'dma_iova_destroy: all of it',
    'H11',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: destroy.replace('2 * PAGE_SIZE', 'PAGE_SIZE'),
    },
    'frees a range of which a part is still linked',
  ],
  [
    'dma_iova_destroy: of what is linked',
    'H11',
    { ...behind, names, init: `${taken}\n\t${first('DMA_FROM_DEVICE')}`, cpu: destroy },
    'unlinks 8192 bytes of which 4096 are linked',
  ],
  [
    'dma_iova_destroy: then the state may have another range',
    'coherent',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: `${destroy}\n\t${take}`,
    },
  ],
  [
    'dma_iova_unlink: once',
    'H11',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: `${unlink}\n\t${unlink}`,
    },
    'unlinks 8192 bytes of which 0 are linked',
  ],
  [
    'dma_iova_free: of what was unlinked, and the state may have another range',
    'coherent',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: `${unlink}\n\tdma_iova_free(nic, &state);\n\t${take}`,
    },
  ],
  [
    'dma_iova_free: not of what is linked',
    'H11',
    {
      ...behind,
      names,
      init: `${taken}\n\t${both('DMA_FROM_DEVICE')}`,
      cpu: 'dma_iova_free(nic, &state);',
    },
    'frees a range of which a part is still linked',
  ],
]);

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
      'H14',
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
      'H14',
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

/** What only a second use tells, or one behind an IOMMU. */
const again2 = all([
  [
    'dma_iova_link: copies in, too',
    'coherent',
    {
      ...behind,
      names,
      init: '',
      cpu: `${small.replace('dma = ', 'q[0] = 5;\n\tdma = ').replace('FROM_DEVICE', 'BIDIRECTIONAL')}
	writel(1, nic);`,
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
    'coherent',
    { ...plain, init: own, cpu: 'device_release_driver(nic);\n\tdevice_release_driver(nic);' },
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
