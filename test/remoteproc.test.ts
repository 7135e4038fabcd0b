/** A processor in a shareability domain of its own (M2, M11): its cache is nobody's business. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(cpu: string, firmware: string, machine = '', device = ''): string {
  const text = `machine arm64 {
	${machine}
	device m7 { .coherent = false, .remoteproc = true${device} };
}
u32 *p;
dma_addr_t bus;
init {
	p = dma_alloc_coherent(m7, PAGE_SIZE, &bus, GFP_KERNEL);
}
cpu driver {
	${cpu}
}
device m7 {
	${firmware}
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

const invalidate = 'SCB_InvalidateDCache_by_Addr(bus, 64);';
const clean = 'SCB_CleanDCache_by_Addr(bus, 64);';
const run = 'submit(m7); wait(m7);';

describe('a processor in another shareability domain', () => {
  it('may have fetched a line before it reads it', () => {
    const cpu = `p[0] = 5; ${run}`;
    expect(outcome(cpu, 'u32 x = dma_read(bus);')).toBe('H1');
    expect(outcome(cpu, `${invalidate} u32 x = dma_read(bus);`)).toBe('coherent');
    expect(outcome(cpu, 'SCB_InvalidateDCache_by_Addr(bus + 64, 64); u32 x = dma_read(bus);')).toBe(
      'H1',
    );
  });

  it('fetches nothing that is not mapped for it', () => {
    const page = (map: string): string =>
      outcome(
        `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	u32 *q = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	dcache_clean_poc(page_address(page), page_address(page) + 1024);
	${map}
	q[0] = 5; phys = page_to_phys(page); submit(m7); wait(m7);`,
        'u32 x = dma_read(phys);',
      );
    expect(page('')).toBe('coherent');
    expect(page('map = dma_map_page(m7, page, 0, PAGE_SIZE, DMA_TO_DEVICE);')).toBe('H1');
  });

  it('keeps what it wrote until it cleans, and loses it where it invalidates', () => {
    const cpu = `${run} u32 got = p[0];`;
    expect(outcome(cpu, 'dma_write(bus, 2);')).toBe('H2');
    expect(outcome(cpu, `dma_write(bus, 2); ${clean}`)).toBe('coherent');
    expect(outcome(cpu, `dma_write(bus, 2); ${invalidate}`)).toBe('H3');
    expect(outcome(cpu, 'dma_write(bus, 2); SCB_CleanInvalidateDCache_by_Addr(bus, 64);')).toBe(
      'coherent',
    );
    expect(outcome(cpu, 'dma_write(bus, 2); SCB_CleanDCache_by_Addr(bus + 64, 64);')).toBe('H2');
  });

  it('writes back the words beside those it wrote', () => {
    const cpu = 'submit(m7); p[0] = 5; wait(m7); u32 got = p[0];';
    expect(outcome(cpu, `dma_write(bus + 4, 7); ${clean}`)).toBe('H2 H10');
    expect(outcome(cpu, 'dma_write(bus + 64, 7); SCB_CleanDCache_by_Addr(bus + 64, 64);')).toBe(
      'coherent',
    );
  });

  it('reads memory again after a clean and invalidate', () => {
    const twice = `p[0] = 5; ${run} p[0] = 6; ${run}`;
    const drop = 'SCB_CleanInvalidateDCache_by_Addr(bus, 64);';
    expect(outcome(twice, `${drop} u32 x = dma_read(bus);`)).toBe('coherent');
  });
});
