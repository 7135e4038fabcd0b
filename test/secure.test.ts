/** Memory of the secure world (M16), and registers that instruction fetches may read (M4). */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(text: string): string {
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

function secure(cpu: string, device = ''): string {
  return outcome(`machine arm64 {
	device dev { .coherent = false };
}
phys_addr_t phys;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);
	tzc400_configure_region(page);
}
cpu driver {
	${cpu}
}
device dev {
	${device}
}
`);
}

/** A page is given away and back, with `before` and `between`. */
function given(before: string, between: string, after: string): string {
  return outcome(`machine arm64 {
	.linear_map_removable = true;
	device dev { .coherent = false };
}
u32 *p;
u32 *wc;
phys_addr_t phys;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);
	p = page_address(page);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
}
cpu driver {
	${before}
	qcom_scm_assign_mem(phys, PAGE_SIZE, QCOM_SCM_VMID_CP_PIXEL);
	${between}
	qcom_scm_assign_mem(phys, PAGE_SIZE, QCOM_SCM_VMID_HLOS);
	${after}
}
device dev {
	${/submit/u.test(between + after) ? 'u32 x = dma_read(phys);' : ''}
}
`);
}

const hidden = `set_direct_map_invalid_noflush(page); flush_tlb_all();
	dcache_clean_inval_poc(wc, wc + 1024);`;

describe('memory that is given to another world', () => {
  it('must not be dirty in a cache, mapped cacheable, or in a TLB', () => {
    expect(given(hidden, '', '')).toBe('coherent');
    expect(given('', '', '')).toBe('H14');
    expect(given('drm_cflush_pages(page, DRM_CFLUSH_BOTH);', '', '')).toBe('H14');
    expect(given(hidden.replace('flush_tlb_all();', ''), '', '')).toBe('H14');
  });

  it('is out of reach of CPUs and devices until it comes back', () => {
    expect(given(hidden, 'u32 x = wc[0];', '')).toBe('H14');
    expect(given(hidden, 'submit(dev); wait(dev);', '')).toBe('H14');
    expect(given(hidden, '', 'u32 x = wc[0]; submit(dev); wait(dev);')).toBe('coherent');
  });
});

function registers(option: string): string {
  return outcome(`machine arm64 {
	device gic { .coherent = false };
}
u32 *iar;
phys_addr_t intack;
init {
	intack = platform_get_resource(gic);
	iar = ioremap(intack, PAGE_SIZE${option});
}
cpu handler {
	u32 none = gic_read_iar(iar);
	submit(gic);
	wait(gic);
	u32 irq = gic_read_iar(iar);
}
device gic {
	dma_write(intack, 34);
}
always (handler:none == 1023)
`);
}

describe('secure memory', () => {
  it('faults whoever reaches it', () => {
    expect(secure('u32 *p = vmap(page, PAGE_KERNEL); u32 x = p[0];')).toBe('H14');
    expect(secure('submit(dev);', 'dma_write(phys, 2);')).toBe('H14');
    expect(secure('memblock_mark_nomap(page); paging_init();')).toBe('coherent');
    expect(secure('paging_init();')).toBe('H14');
  });
});

describe('a register that is read once', () => {
  it('is read by an instruction fetch only where nothing forbids it', () => {
    expect(registers('')).toBe('coherent');
    expect(registers(', .executable = true')).toBe('H3');
  });
});

describe('instruction fetches', () => {
  const kept = (prot: string, after = ''): string =>
    outcome(`machine arm64 {
	.linear_map_removable = true;
}
u32 *p;
u32 *code;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	p = page_address(page);
	code = vmap(page, ${prot});
}
cpu driver {
	set_direct_map_invalid_noflush(page);
	flush_tlb_all();
	dcache_clean_inval_poc(code, code + 1024);
	${after}
	qcom_scm_assign_mem(page_to_phys(page), PAGE_SIZE, QCOM_SCM_VMID_CP_PIXEL);
}
`);
  const executable = 'pgprot_writecombine(PAGE_KERNEL_EXEC)';

  it('go by any mapping that is not execute-never, and by what vunmap left of one', () => {
    expect(kept('pgprot_writecombine(PAGE_KERNEL)')).toBe('coherent');
    expect(kept(executable)).toBe('H14');
    expect(kept(executable, 'vunmap(code);')).toBe('H14');
    expect(kept(executable, 'vunmap(code); vm_unmap_aliases();')).toBe('coherent');
    expect(kept('PAGE_KERNEL_EXEC', 'vunmap(code); vm_unmap_aliases();')).toBe('coherent');
  });

  it('read a register also by another mapping than the driver’s', () => {
    const scene = (other: string): string =>
      outcome(`machine arm64 {
	device gic { .coherent = false };
}
u32 *iar;
phys_addr_t intack;
init {
	intack = platform_get_resource(gic);
	iar = ioremap(intack, PAGE_SIZE);
	u32 *second = ioremap(intack, PAGE_SIZE${other});
}
cpu handler {
	wait(gic);
	u32 irq = gic_read_iar(iar);
}
device gic {
	dma_write(intack, 34);
}
`);
    expect(scene('')).toBe('coherent');
    expect(scene(', .executable = true')).toBe('H3');
  });
});
