/** drm_gpuvm: splits, evictions and what dma and domains see of them. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(driver: string, reads: string): string {
  const text = `machine arm64 {
	device gpu { .coherent = false, .iommu = mmu };
}
init {
	bo = drm_gem_shmem_create(gpu, 3 * PAGE_SIZE, .map_wc = true);
	drm_gem_shmem_get_pages_sgt(bo);
	vm = iommu_domain_alloc(gpu);
	drm_gpuvm_sm_map(vm, 0x100000, 3 * PAGE_SIZE, bo, 0, IOMMU_READ);
}
cpu driver {
	u32 *p = drm_gem_shmem_vmap(bo);
	p[0] = 1;
	p[2048] = 3;
	${driver}
	submit(gpu);
	wait(gpu);
}
device gpu {
	${reads}
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return outcomeOf(check(program));
}

const first = 'u32 x = dma_read(vm, 0x100000);';
const second = 'u32 y = dma_read(vm, 0x101000);';
const third = 'u32 z = dma_read(vm, 0x102000);';
const cut = 'drm_gpuvm_sm_unmap(vm, 0x101000, PAGE_SIZE);';

describe('drm_gpuvm', () => {
  it('splits a mapping that an unmap cuts', () => {
    expect(outcome(cut, first)).toBe('coherent');
    expect(outcome(cut, third)).toBe('coherent');
    expect(outcome(cut, second)).toBe('H14');
  });

  it('maps other pages of an object over its own', () => {
    const moved = 'drm_gpuvm_sm_map(vm, 0x100000, PAGE_SIZE, bo, 2 * PAGE_SIZE, IOMMU_READ);';
    expect(outcome(moved, first)).toBe('coherent');
    expect(outcome(`${moved} p[2048] = 4; wmb();`, `${first} ${third}`)).toBe('coherent');
  });

  it('takes an evicted object out, and validates it back', () => {
    expect(outcome('drm_gpuvm_bo_evict(bo);', first)).toBe('H14');
    expect(outcome('drm_gpuvm_bo_evict(bo); drm_gpuvm_validate(vm);', first)).toBe('coherent');
    expect(outcome(`${cut} drm_gpuvm_bo_evict(bo); drm_gpuvm_validate(vm);`, second)).toBe('H14');
  });
});
