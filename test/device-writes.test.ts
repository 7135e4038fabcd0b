/** Writes of devices that arrive later (M10): Relaxed Ordering, interrupts that overtake. */
import { describe, expect, it } from 'vitest';
import { outcomeOnBoth } from './corpus-scenarios.js';

function outcome(nicIs: string, init: string, cpu: string, nic: string, more = ''): string {
  const text = `machine arm64 {
	device nic { ${nicIs} };
}
u32 *p;
dma_addr_t bus;
init {
	${init}
}
cpu driver {
	${cpu}
}
device nic {
	${nic}
}
${more}`;
  return outcomeOnBoth(text);
}

const ring = 'p = dma_alloc_coherent(nic, PAGE_SIZE, &bus, GFP_KERNEL);';
const late = '.unordered_interrupt = true';
const poll = 'while (READ_ONCE(p[0]) == 0) ; dma_rmb(); u32 x = p[16];';

describe("a device's writes", () => {
  it('keep their order where only the interrupt overtakes them', () => {
    expect(outcome(late, ring, poll, 'dma_write(bus + 64, 7); dma_write(bus, 1);')).toBe(
      'coherent',
    );
  });

  it('are overtaken by relaxed ones, but not in one word', () => {
    const relaxed = 'dma_write(bus, 1, .relaxed = true);';
    expect(outcome('', ring, poll, `dma_write(bus + 64, 7); ${relaxed}`)).toBe('H13');
    const twice = `dma_write(bus, 3); ${relaxed}`;
    expect(outcome('', ring, 'submit(nic); wait(nic); u32 x = p[0];', twice)).toBe('coherent');
  });

  it('are in memory when the completion is seen, relaxed or not', () => {
    const wait = 'submit(nic); wait(nic); u32 x = p[0]; u32 y = p[16];';
    const both = 'dma_write(bus, 1, .relaxed = true); dma_write(bus + 64, 2, .relaxed = true);';
    expect(outcome('', ring, wait, both)).toBe('coherent');
    expect(outcome(late, ring, wait, both)).toBe('H2');
    expect(outcome(late, ring, wait.replace('wait(nic);', 'wait(nic); readl(nic);'), both)).toBe(
      'coherent',
    );
  });

  it('come before its own reads', () => {
    const nic = 'dma_write(bus, 1); u32 x = dma_read(bus); u32 y = dma_read(bus + 64);';
    expect(outcome(late, ring, 'submit(nic);', nic, 'always (nic:x == 1)')).toBe('coherent');
  });

  it('snoop when they arrive, where the device does', () => {
    const init = 'p = kzalloc(64, GFP_KERNEL); bus = dma_map_single(nic, p, 64, DMA_FROM_DEVICE);';
    const cpu = 'submit(nic); u32 old = p[0]; wait(nic); u32 x = p[0];';
    const nic = 'dma_write(bus, 1, .relaxed = true);';
    expect(outcome('.coherent = true', init, cpu, nic)).toBe('coherent');
    expect(outcome('.coherent = true, .snoops = false', init, cpu, nic)).toBe('H1 H3');
  });

  it('arrive in a page that was freed, where nobody read back before', () => {
    const init = 'p = kzalloc(64, GFP_KERNEL); bus = (dma_addr_t)virt_to_phys(p);';
    const cpu = 'submit(nic); wait(nic); kfree(p);';
    expect(outcome(late, init, cpu, 'dma_write(bus, 1);')).toBe('H8');
    expect(outcome('', init, cpu, 'dma_write(bus, 1);')).toBe('coherent');
  });
});
