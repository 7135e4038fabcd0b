/** Doorbells that `init` rings: each is a job, done once init is over. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { checkers, disagreements, trial } from './witness-harness.js';

const twice = `machine arm64 {
	device nic { .coherent = false };
}
u32 *p;
dma_addr_t bus;
init {
	p = dma_alloc_coherent(nic, PAGE_SIZE, &bus, GFP_KERNEL);
	submit(nic);
	submit(nic);
}
device nic {
	u32 x = dma_read(bus);
	dma_write(bus, x + 1);
}
always (nic:x == 1)
`;

/** Found by a random scenario: the device was started by whatever step came after init. */
const between = `machine arm64 {
	device nic { .coherent = false };
}
u32 *buf;
init {
	submit(nic);
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
	submit(nic);
	dma = dma_map_single(nic, buf, PAGE_SIZE, DMA_TO_DEVICE);
}
cpu driver {
	submit(nic);
}
device nic {
	u32 x = dma_read(dma);
}
`;

describe('doorbells of init', () => {
  it.each(['fast', 'reference'] as const)('are all answered: %s', (engine) => {
    const { program } = compile(twice, 'init.litmus');
    const result = program && check(program, { engine, tablesFrom: 0 });
    expect(result?.verdict).toBe('coherent');
    expect(result?.assertions.map(({ holds }) => holds)).toEqual([true]);
  });

  it('start the device in the step that ends init, for exports as well', () => {
    const made = trial(between);
    if (typeof made === 'string') throw new Error(made);
    const { walk } = checkers;
    expect(walk && disagreements([made], walk)).toEqual([]);
  });
});
