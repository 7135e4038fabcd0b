/** A device with a write-back cache of its own (M11): who sees its writes, and when. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(cpu: string, device: string, cached = true): string {
  const text = `machine arm64 {
	device gpu { .coherent = false, .write_back_cache = ${cached} };
}
u32 *p;
dma_addr_t dma;
init {
	p = dma_alloc_coherent(gpu, PAGE_SIZE, &dma, GFP_KERNEL);
}
cpu driver {
	submit(gpu);
	wait(gpu);
	${cpu}
}
device gpu {
	${device}
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

const flush = 'panthor_gpu_flush_caches(gpu);';

describe('a write-back cache in a device', () => {
  it('keeps a write back until it is flushed', () => {
    expect(outcome('u32 got = p[0];', 'dma_write(dma, 2);')).toBe('H2');
    expect(outcome(`${flush} u32 got = p[0];`, 'dma_write(dma, 2);')).toBe('coherent');
    expect(outcome('u32 got = p[0];', 'dma_write(dma, 2);', false)).toBe('coherent');
  });

  it('gives the device what it wrote itself', () => {
    const both = 'dma_write(dma, 2); u32 own = dma_read(dma); dma_write(dma + 64, own + 1);';
    expect(outcome(`${flush} u32 got = p[16];`, both)).toBe('coherent');
  });

  it('writes back to a page that is gone', () => {
    const free = 'dma_free_coherent(gpu, PAGE_SIZE, p, dma);';
    expect(outcome(free, 'dma_write(dma, 2);')).toBe('H8');
    expect(outcome(`${flush} ${free}`, 'dma_write(dma, 2);')).toBe('coherent');
  });

  it('takes part in a later run of the device', () => {
    const again = 'submit(gpu); wait(gpu); u32 got = p[0];';
    const run = 'u32 x = dma_read(dma); dma_write(dma, x + 1);';
    expect(outcome(`${flush} ${again}`, run)).toBe('H2');
    expect(outcome(`submit(gpu); wait(gpu); ${flush} u32 got = p[0];`, run)).toBe('coherent');
  });
});

describe('a value that is still in such a cache', () => {
  it('is said to be on its way, with what brings it to memory', () => {
    const { program } = compile(
      `machine arm64 {
	device gpu { .coherent = false, .write_back_cache = true };
}
u32 *p;
dma_addr_t dma;
init {
	p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	dma = dma_map_single(gpu, p, PAGE_SIZE, DMA_FROM_DEVICE);
}
cpu driver {
	submit(gpu);
	wait(gpu);
	dma_unmap_single(gpu, dma, PAGE_SIZE, DMA_FROM_DEVICE);
	u32 got = p[0];
}
device gpu {
	dma_write(dma, 2);
}
`,
      'test.litmus',
    );
    if (program === null) throw new Error('does not compile');
    const [finding] = check(program).hazards;
    expect(finding?.message).toMatch(/on its way to memory/);
    expect(finding?.mends.join()).toMatch(/panthor_gpu_flush_caches/);
  });
});
