/**
 * Every kind of edit that mend may make, each on a scenario that needs it. Beside the bugs of
 * mend-vocabulary.test.ts, so that no kind rests on one upstream fix.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { mend } from '../src/mend/mend.js';
import { check } from '../src/verdict/check.js';
import { root } from './cli-run.js';

/** The titles of all edits of all answers. */
function titlesOf(text: string): readonly string[] {
  const outcome = mend(text, 'x.litmus', { all: true, level: 'raw' });
  if (outcome.kind !== 'result') throw new Error('does not compile');
  return outcome.result.mends.flatMap(({ edits }) => edits.map(({ title }) => title));
}

/** The titles of all answers that consist of one edit, each explored again. */
function singles(text: string): readonly string[] {
  const outcome = mend(text, 'x.litmus', { all: true, level: 'raw' });
  if (outcome.kind !== 'result') throw new Error('does not compile');
  return outcome.result.mends.flatMap(({ edits, text: after }) => {
    const { program } = compile(after, 'x.litmus');
    expect(program === null ? '' : check(program).verdict).toBe('coherent');
    return edits.length === 1 ? edits.map(({ title }) => title) : [];
  });
}

function scenario(init: string, cpu: string, device: string, machine = ''): string {
  const lines = (body: string): string => body.replace(/; /gu, ';\n\t');
  return `machine arm64 {
	device dev { .coherent = false${machine} };
}
u32 *p;
dma_addr_t dma;
init {
	${lines(init)}
}
cpu driver {
	${lines(cpu)}
}
device dev {
	${lines(device)}
}
`;
}

const page = 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);';
const byHand = `${page} phys = virt_to_phys(p); dcache_clean_inval_poc(p, p + 1024);`;
const job = 'submit(dev); wait(dev);';
const toDevice = (call: string): string => scenario(byHand, `p[0] = 1; ${call}`, read);
const read = 'u32 x = dma_read(phys);';
const write = 'dma_write(phys, 7);';
const bounced = 'u32 x = dma_read(dma);';
const mapped = (size: string, dir: string): string =>
  `${page} dma = dma_map_single(dev, p, ${size}, ${dir});`;
const twoPages = `first = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	second = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0); vm = iommu_paging_domain_alloc(dev);
	arch_sync_dma_for_device(page_to_phys(first), PAGE_SIZE, DMA_BIDIRECTIONAL);
	arch_sync_dma_for_device(page_to_phys(second), PAGE_SIZE, DMA_BIDIRECTIONAL);
	iommu_map(vm, 0x10000, page_to_phys(first), PAGE_SIZE, IOMMU_READ);`;
const remapped = (flush: string): string =>
  `${job} iommu_unmap_fast(vm, 0x10000, PAGE_SIZE); ${flush}__free_pages(first, 0);
	iommu_map(vm, 0x10000, page_to_phys(second), PAGE_SIZE, IOMMU_READ); ${job}`;
const again = 'iommu_map(vm, 0x10000, page_to_phys(second), PAGE_SIZE, IOMMU_READ);';
const smmu = ', .iommu = smmu';
const vmRead = 'u32 x = dma_read(vm, 0x10000);';

/** What it is, the scenario, and how the title of an answer begins. */
const cases: readonly (readonly [string, string, string])[] = [
  ['insert a clean', toDevice(job), 'insert `dcache_clean_poc('],
  ['insert a clean that invalidates', toDevice(job), 'insert `dcache_clean_inval_poc('],
  [
    'insert an invalidate',
    scenario(byHand, `${job} u32 x = p[0];`, write),
    'insert `dcache_inval_poc(',
  ],
  [
    'insert a sync of the DMA API',
    scenario(mapped('64', 'DMA_TO_DEVICE'), `p[0] = 1; ${job}`, bounced),
    'insert `dma_sync_single_for_device(dev, dma, 64,',
  ],
  [
    'change an operation',
    toDevice(`dcache_inval_poc(p, p + 1024); ${job}`),
    '`dcache_clean_poc` for `dcache_inval_poc`',
  ],
  [
    'change a direction',
    scenario(
      mapped('64', 'DMA_BIDIRECTIONAL'),
      `${job} dma_sync_single_for_cpu(dev, dma, 64, DMA_TO_DEVICE); u32 x = p[0];`,
      'dma_write(dma, 7);',
    ),
    '`DMA_FROM_DEVICE` for `DMA_TO_DEVICE` in `dma_sync_single_for_cpu`',
  ],
  [
    'change a size to what is used',
    scenario(
      mapped('2048', 'DMA_FROM_DEVICE'),
      `${job} dma_sync_single_for_cpu(dev, dma, 64, DMA_FROM_DEVICE); u32 x = p[32];`,
      'dma_write(dma + 128, 7);',
    ),
    '`192` for `64` in `dma_sync_single_for_cpu`',
  ],
  [
    'change a range of pointers',
    toDevice(`p[32] = 2; dcache_clean_poc(p, p + 16); ${job}`).replace(
      read,
      `${read}\n\tu32 y = dma_read(phys + 128);`,
    ),
    '`p + 48` for `p + 16` in `dcache_clean_poc`',
  ],
  [
    'change an attribute',
    scenario(
      page,
      `p[0] = 1; dma = dma_map_single_attrs(dev, p, 64, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	${job}`,
      bounced,
    ),
    '`0` for `DMA_ATTR_SKIP_CPU_SYNC` in `dma_map_single_attrs`',
  ],
  [
    'move a call',
    toDevice(`submit(dev); dcache_clean_poc(p, p + 1024); wait(dev);`),
    'move `dcache_clean_poc(p, p + 1024);`',
  ],
  [
    'remove a call',
    scenario(byHand, `p[0] = 1; dcache_inval_poc(p, p + 1024); u32 x = p[0];`, ''),
    'remove `dcache_inval_poc(p, p + 1024);`',
  ],
  [
    'widen the scope of an invalidation',
    scenario(
      `${twoPages} iommu_attach_device(vm, other);`,
      remapped('arm_smmu_tlb_inv_context(vm, other); '),
      vmRead,
      smmu,
    ).replace(
      '\tdevice dev',
      '\tdevice other { .coherent = false, .iommu = smmu2 };\n\tdevice dev',
    ),
    '`iommu_flush_iotlb_all(vm)` for `arm_smmu_tlb_inv_context(vm, other)`',
  ],
  [
    'insert an invalidation of translations',
    scenario(
      `${twoPages} iommu_map(vm, 0x20000, page_to_phys(first), PAGE_SIZE, IOMMU_READ);`,
      remapped('iommu_unmap_fast(vm, 0x20000, PAGE_SIZE); '),
      `${vmRead} u32 y = dma_read(vm, 0x20000);`,
      smmu,
    ).replace(again, `${again}\n\t${again.replace('0x10000', '0x20000')}`),
    'insert `iommu_iotlb_sync(vm);`',
  ],
];

const importer = readFileSync(join(root, 'litmus/basics/dma-buf-bounced-importer.litmus'), 'utf8')
  .replace(/^\tdma_buf_begin_cpu_access.*\n/mu, '')
  .replace(/^\/\/.*\n/gmu, '');

/** On a known scenario: its file, and an edit of some answer. */
const known: readonly (readonly [string, string, string])[] = [
  ['insert a pin', 'thread/e-evict-mapped.broken', 'insert `drm_gem_get_pages(bo);`'],
  ['insert a barrier', 'bugs/b110-ath11k-dest-ring-order.bug', 'insert `dma_rmb();`'],
  ['set IOMMU_CACHE', 'thread/c-cache-bit-per-context.broken', '| IOMMU_CACHE` for'],
  ['mean another device', 'bugs/b30-udmabuf-pseudo-device.bug', '`vdec` for `udmabuf`'],
  ['set a flag of an allocation', 'bugs/b74-iommu-bounce-padding.bug', '`GFP_KERNEL | __GFP_ZERO`'],
  ['remove an alias sooner', 'thread/q2-clean-without-alias.broken', 'set_direct_map_invalid'],
  [
    'clean an entry of a page table',
    'basics/own-tables-not-cleaned',
    'insert `dcache_clean_poc(pmd',
  ],
  ['take the page that is meant', 'nearmiss/wrong-page-of-vmap.hazard', '`vmalloc_to_page` for'],
];

describe('mend can', () => {
  it.each(known)('%s', (_, file, title) => {
    const text = readFileSync(join(root, 'litmus', `${file}.litmus`), 'utf8');
    expect(titlesOf(text)).toContainEqual(expect.stringContaining(title));
  });

  it('begin a CPU access of user space', () => {
    const title = 'insert `ioctl(buf, DMA_BUF_IOCTL_SYNC, DMA_BUF_SYNC_START';
    expect(titlesOf(importer)).toContainEqual(expect.stringContaining(title));
  });

  it.each(cases)('%s', (_, text, title) => {
    expect(singles(text)).toContainEqual(expect.stringContaining(title));
  });
});
