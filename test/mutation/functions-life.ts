/** Scenarios about memory of the DMA API: born, used, freed; see functions.ts. */
import { behind, type Part, plain, type Scenarios, text } from './part.js';

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
  // What vunmap leaves in a TLB leads there still.
  direct: { born: 'coherent', device: 'H6 H8', cpu: 'H8 H14' },
  behind: { born: 'coherent', device: 'H14', cpu: 'H8 H14' },
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
      behind: { born: 'assertion H6', device: 'H14', cpu: 'H8 H14' },
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

export function lifeScenarios(): Scenarios {
  return [...[plain, behind].flatMap((on) => allocators.flatMap((each) => allocated(each, on)))];
}
