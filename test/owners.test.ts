/** Protection domains (M14): what clients of an object see of each other's data. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

interface Parts {
  readonly machine?: string;
  readonly init?: string;
  readonly first?: string;
  readonly leaves?: string;
  readonly between?: string;
  readonly next: string;
  readonly gpu?: string;
}

/** Client 1 uses an object and leaves it, then something else happens. */
function outcome({
  machine = '',
  init = '',
  first,
  leaves,
  between = '',
  next,
  gpu,
}: Parts): string {
  const text = `machine arm64 {
	${machine}
	device gpu { .coherent = false, .iommu = smmu };
}
u32 *p;
init {
	bo = drm_gem_shmem_create(gpu, PAGE_SIZE, .map_wc = true);
	sgt = drm_gem_shmem_get_pages_sgt(bo);
	vm = iommu_domain_alloc(gpu);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE);
	drm_gem_handle_create(1, bo);
	${init}
	p = mmap(bo);
}
cpu driver {
	${first ?? 'p[0] = 7;'}
	${leaves ?? 'munmap(p); drm_gem_handle_delete(1, bo);'}
	${between}
	${next}
}
device gpu {
	${gpu ?? ''}
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

const reads = 'u32 *q = mmap(bo); u32 x = q[0];';
const client = (n: number): string => `drm_gem_handle_create(${n}, bo);`;

describe('an object that changes hands', () => {
  it('is a leak to another client, not to the same one', () => {
    expect(outcome({ next: client(1) + reads })).toBe('coherent');
    expect(outcome({ next: client(2) + reads })).toBe('H6');
  });

  it('is a leak to the other client’s device jobs', () => {
    const job = 'submit(gpu); wait(gpu);';
    const gpu = 'u32 x = dma_read(vm, 0x100000);';
    expect(outcome({ next: client(1) + job, gpu })).toBe('coherent');
    expect(outcome({ next: client(2) + job, gpu })).toBe('H6');
  });

  it('is shared by those who have handles at one time, also when they come back', () => {
    expect(outcome({ init: client(2), next: client(2) + reads })).toBe('coherent');
    const both = 'munmap(p); drm_gem_handle_delete(1, bo); drm_gem_handle_delete(2, bo);';
    expect(outcome({ init: client(2), leaves: both, next: client(1) + reads })).toBe('coherent');
    expect(outcome({ init: client(2), leaves: both, next: client(3) + reads })).toBe('H6');
  });

  it('holds what the kernel stored since', () => {
    const between =
      'u32 *k = drm_gem_shmem_vmap(bo); k[0] = 9; drm_gem_shmem_vunmap(bo, k); wmb();';
    expect(outcome({ between, next: client(2) + reads })).toBe('coherent');
    const other = between.replace('k[0]', 'k[1]');
    expect(outcome({ between: other, next: client(2) + reads })).toBe('H6');
  });

  it('is no longer the first client’s, even where that one kept its mapping (H9)', () => {
    const leaves = 'drm_gem_handle_delete(1, bo);';
    const next = `${client(2)} u32 *q = mmap(bo); q[0] = 3;`;
    expect(outcome({ first: '', leaves, next: `${next} u32 y = p[0];` })).toBe('H6 H9');
    expect(outcome({ first: '', leaves, next: `${next} u32 y = q[0];` })).toBe('coherent');
  });

  it('is no longer there for the first client’s jobs (H9), whatever its tables are', () => {
    const job = `${client(2)} u32 *q = mmap(bo); q[0] = 3; submit(gpu); wait(gpu);`;
    const gpu = 'u32 x = dma_read(his, 0x200000);';
    const made = (options: string): string => `his = iommu_domain_alloc(gpu${options});
	iommu_map_sgtable(his, 0x200000, sgt, IOMMU_READ);`;
    const run = (options: string, next = job): string =>
      outcome({ init: made(options), first: '', next, gpu });
    expect(run('')).toBe('coherent');
    expect(run(', .client = 1')).toBe('H6 H9');
    expect(run(', .client = 2')).toBe('coherent');
    expect(run(', .client = 1', job.replace(client(2), client(1)))).toBe('coherent');
    const ttbr0 = `high = iommu_domain_alloc(gpu, .ttbr1 = true);
	his = msm_iommu_pagetable_create(high, .client = 1);
	msm_iommu_pagetable_map(his, 0x200000, sgt, IOMMU_READ);`;
    const switched = 'cp_smmu_table_update(his);\n\tu32 x = dma_read(0x200000);';
    expect(outcome({ init: ttbr0, first: '', next: job, gpu: switched })).toBe('H6 H9');
  });

  it('keeps its secrets on the swap device', () => {
    const between = `iommu_unmap(vm, 0x100000, PAGE_SIZE);
	dma_unmap_sgtable(gpu, sgt, DMA_BIDIRECTIONAL);
	drm_gem_shmem_put_pages(bo);
	shmem_writepage(bo);`;
    const next = (n: number): string => `${client(n)} drm_gem_shmem_get_pages(bo); ${reads}`;
    const machine = '.swap = gpu;';
    expect(outcome({ machine, between, next: next(1) })).toBe('coherent');
    expect(outcome({ machine, between, next: next(2) })).toBe('H6');
  });

  it('knows a handle that is not there', () => {
    expect(outcome({ leaves: 'drm_gem_handle_delete(2, bo);', next: '' })).toBe('H11');
  });
});
