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

describe('the linear map in the TLB', () => {
  const scene = (steps: string): string => {
    const text = `machine arm64 {
	.linear_map_removable = true;
	device nic { .coherent = false };
}
u32 *p;
u32 *wc;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);
	p = page_address(page);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	${steps}
}
cpu driver {
	submit(nic);
	wait(nic);
	set_direct_map_default_noflush(page);
	u32 got = p[0];
}
device nic {
	dma_write(phys, 7);
}
`;
    const { program, diagnostics } = compile(text, 'test.litmus');
    if (program === null) throw new Error(JSON.stringify(diagnostics));
    return outcomeOf(check(program));
  };
  const invalidate = 'dcache_clean_inval_poc(wc, wc + 1024);';
  const remove = 'set_direct_map_invalid_noflush(page);';
  const flush = 'flush_tlb_kernel_range(p, p + 1024);';

  it('has to be flushed before the lines are dropped', () => {
    expect(scene(`${remove} ${flush} ${invalidate}`)).toBe('coherent');
    expect(scene(`${remove} flush_tlb_all(); ${invalidate}`)).toBe('coherent');
    expect(scene(`${remove} ${invalidate} ${flush}`)).toBe('H1');
    expect(scene(`${remove} vm_unmap_aliases(); ${invalidate}`)).toBe('H1');
  });

  /** Another CPU reads by the linear map after the page left it, before the device writes. */
  const stray = (steps: string): string => scene(`${remove} ${steps} u32 x = p[0];`);

  it('lets accesses through until it is flushed, and these fetch lines', () => {
    expect(stray(invalidate)).toBe('H1 H14');
    expect(stray(`flush_tlb_kernel_range(p, p + 1024); ${invalidate}`)).toBe('H14');
  });

  it('is flushed by set_memory_valid itself', () => {
    expect(scene(`set_memory_valid(p, 1, 0); ${invalidate}`)).toBe('coherent');
  });
});

describe('a vmap in the TLB', () => {
  const late = (flush: string, prot = 'PAGE_KERNEL'): string => {
    const text = `u32 *p;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	p = vmap(page, ${prot});
}
cpu driver {
	vunmap(p);
	${flush}
	__free_pages(page);
	p[0] = 1;
}
`;
    const { program, diagnostics } = compile(text, 'test.litmus');
    if (program === null) throw new Error(JSON.stringify(diagnostics));
    return outcomeOf(check(program));
  };

  it('lets stores through until it is flushed, whatever its attribute', () => {
    expect(late('')).toBe('H8 H14');
    expect(late('', 'pgprot_writecombine(PAGE_KERNEL)')).toBe('H8 H14');
    expect(late('vm_unmap_aliases();')).toBe('H14');
    expect(late('flush_tlb_all();', 'pgprot_writecombine(PAGE_KERNEL)')).toBe('H14');
  });
});

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
