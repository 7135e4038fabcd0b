/** munmap step by step (M18): what a CPU may still reach, and who finds the mapping. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(body: string, before = 'p[0] = 1;'): string {
  const text = `machine arm64 {
	device gpu { .coherent = false };
}
u32 *p;
init {
	bo = drm_gem_object_init(gpu, PAGE_SIZE);
	drm_gem_get_pages(bo);
	p = mmap(bo);
	${before}
}
cpu process {
	${body}
}
always (process:err != 99)
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

const access = 'u32 err = put_user(5, p);';

describe('munmap step by step', () => {
  it('leaves the translation in the TLB until it is flushed', () => {
    const free = `unlink_file_vma(p); drm_gem_object_put(bo); ${access}`;
    expect(outcome(`unmap_vmas(p); ${free}`)).toBe('H8');
    expect(outcome(`unmap_vmas(p); tlb_flush_mmu(p); ${free}`)).toBe('coherent');
  });

  it('has nothing in the TLB that was never used', () => {
    const free = `unlink_file_vma(p); drm_gem_object_put(bo); ${access}`;
    expect(outcome(`unmap_vmas(p); ${free}`, '')).toBe('coherent');
  });

  it('is found by a zap as long as the rmap has the mapping', () => {
    const zap = `drm_vma_node_unmap(bo); drm_gem_object_put(bo); ${access}`;
    expect(outcome(`unmap_vmas(p); ${zap}`)).toBe('coherent');
    expect(outcome(`unmap_vmas(p); unlink_file_vma(p); ${zap}`)).toBe('H8');
  });

  it('faults without a finding in put_user, with one in a plain store', () => {
    const gone = 'unmap_vmas(p); tlb_finish_mmu(p);';
    expect(outcome(`${gone} u32 err = 99 + 1 - (put_user(5, p) != 14);`)).toBe('coherent');
    expect(outcome(`${gone} u32 err = 0; p[0] = 5;`)).toBe('H14');
  });
});
