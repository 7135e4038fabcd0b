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
