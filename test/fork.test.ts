/** fork() and user memory that a device uses (K8): who keeps the pages, and who gets a copy. */
import { describe, expect, it } from 'vitest';
import { outcomeOnBoth } from './corpus-scenarios.js';

/** Parent memory `mem`, child memory `child`; the device writes 7 to the first word of `bus`. */
function outcome(driver: string, always = '1 == 1'): string {
  const job = driver.includes('submit') ? 'device nic { dma_write(bus, 7); }\n' : '';
  const text = `machine arm64 { device nic { .coherent = false }; }
u32 *mem;
u32 *child;
dma_addr_t bus;
init { mem = mmap_anonymous(PAGE_SIZE); }
cpu d {
	mem[0] = 1;
	${driver}
}
${job}${always === '1 == 1' ? '' : `always (${always})\n`}`;
  return outcomeOnBoth(text);
}

const map = 'bus = dma_map_page(nic, page, 0, PAGE_SIZE, DMA_FROM_DEVICE);';
const run = 'submit(nic); wait(nic); dma_unmap_page(nic, bus, PAGE_SIZE, DMA_FROM_DEVICE);';

describe('fork', () => {
  it('shows each side what it stored itself, and what stood there before', () => {
    const parentFirst = 'child = fork(mem); mem[0] = 2; u32 a = mem[0]; u32 b = child[0];';
    expect(outcome(parentFirst, 'd:a == 2 && d:b == 1')).toBe('coherent');
    const childFirst = 'child = fork(mem); child[0] = 2; u32 a = mem[0]; u32 b = child[0];';
    expect(outcome(childFirst, 'd:a == 1 && d:b == 2')).toBe('coherent');
    const both = 'child = fork(mem); child[0] = 2; mem[0] = 3; u32 a = mem[0]; u32 b = child[0];';
    expect(outcome(both, 'd:a == 3 && d:b == 2')).toBe('coherent');
    const none = 'child = fork(mem); u32 a = mem[0]; u32 b = child[0];';
    expect(outcome(none, 'd:a == 1 && d:b == 1')).toBe('coherent');
  });

  it('leaves got pages to the child when the parent stores, and pinned ones to the parent', () => {
    const got = (pin: string): string =>
      `page = ${pin}(mem, 1); ${map} child = fork(mem); mem[16] = 2; ${run}`;
    expect(outcome(got('get_user_pages_fast'))).toBe('H8');
    expect(outcome(`${got('pin_user_pages_fast')} u32 x = mem[0];`, 'd:x == 7')).toBe('coherent');
  });

  it('leaves got pages behind although the child has its copy already', () => {
    const driver = `page = get_user_pages_fast(mem, 1); ${map} child = fork(mem);
	child[0] = 5; mem[16] = 2; ${run} put_page(page);`;
    expect(outcome(driver)).toBe('H8');
  });

  it('copies before pages that are shared are pinned', () => {
    const driver = `child = fork(mem); page = pin_user_pages_fast(mem, 1); ${map} mem[16] = 2;
	${run} unpin_user_pages(page, 1); u32 x = mem[0]; u32 y = child[0];`;
    expect(outcome(driver, 'd:x == 7 && d:y == 1')).toBe('coherent');
  });

  it('shows the child what the device wrote where the parent got a copy', () => {
    const driver = `page = get_user_pages_fast(mem, 1); ${map} child = fork(mem); mem[16] = 2;
	${run} put_page(page); u32 x = mem[0];`;
    expect(outcome(driver, 'd:x == 1')).toBe('H8');
  });

  it('survives the end of either side', () => {
    expect(outcome('child = fork(mem); munmap_anonymous(child); mem[0] = 2;')).toBe('coherent');
    const parentGoes = 'child = fork(mem); munmap_anonymous(mem); u32 x = child[0];';
    expect(outcome(parentGoes, 'd:x == 1')).toBe('coherent');
    expect(outcome('child = fork(mem); munmap_anonymous(mem); mem[0] = 2;')).toBe('H14');
  });

  it('counts references apart from pins', () => {
    const put = 'page = pin_user_pages_fast(mem, 1); put_page(page);';
    expect(outcome(put)).toBe('H11');
    const twice = 'page = get_user_pages_fast(mem, 1); put_page(page); put_page(page);';
    expect(outcome(twice)).toBe('H11');
    expect(outcome(twice.replace('put_page(page); ', ''))).toBe('coherent');
  });
});
