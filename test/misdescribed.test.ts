/** A device that is not what the kernel takes it for (M15): `.coherent` and `.snoops` differ. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(device: string): string {
  const text = `machine arm64 {
	device dev { ${device} };
}
u32 *p;
dma_addr_t dma;
init {
	p = kzalloc(64, GFP_KERNEL);
}
cpu driver {
	p[0] = 1;
	dma = dma_map_single(dev, p, 64, DMA_BIDIRECTIONAL);
	submit(dev);
	wait(dev);
	dma_unmap_single(dev, dma, 64, DMA_BIDIRECTIONAL);
	u32 got = p[0];
}
device dev {
	u32 x = dma_read(dma);
	dma_write(dma, x + 1);
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

describe('what the kernel believes and what a device does', () => {
  it.each([
    ['.coherent = true', 'coherent'],
    ['.coherent = false', 'coherent'],
    ['.coherent = true, .snoops = false', 'H1 H2 H3 H6'],
    // What the device stashed in the cache, the kernel's invalidate throws away.
    ['.coherent = false, .snoops = true', 'H3'],
    ['.snoops = true, .coherent = false', 'H3'],
    ['.snoops = false, .coherent = true', 'H1 H2 H3 H6'],
  ])('%s: %s', (device, expected) => {
    expect(outcome(device)).toBe(expected);
  });
});
