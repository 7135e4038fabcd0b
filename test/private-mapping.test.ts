/** MAP_PRIVATE: shared until the first store, then a copy of its own. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

const program = `device gpu {
	u32 x = dma_read(bus);
	dma_write(bus, 9);
}
`;

function result(driver: string, make = 'system_heap_allocate(PAGE_SIZE)') {
  const text = `machine arm64 {
	device gpu { .coherent = false };
}
dma_addr_t bus;
init {
	buf = ${make};
}
cpu user {
	${driver}
}
${driver.includes('submit(gpu)') ? program : ''}`;
  const compiled = compile(text, 'test.litmus');
  if (compiled.program === null) throw new Error(compiled.diagnostics[0]?.message);
  return check(compiled.program);
}

const importer = `at = dma_buf_attach(buf, gpu);
	sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	bus = sg_dma_address(sgt);
	u32 *shared = mmap(buf);
	u32 *mine = mmap(buf, .private = true);`;
const start = 'ioctl(buf, DMA_BUF_IOCTL_SYNC, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);';
const end = 'ioctl(buf, DMA_BUF_IOCTL_SYNC, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);';
const job = `${end} submit(gpu); wait(gpu); ${start}`;

describe('a private mapping', () => {
  it('shows what the device wrote before the first store', () => {
    expect(outcomeOf(result(`${importer} ${start} ${job} u32 y = mine[0];`))).toBe('coherent');
  });

  it('is stale like any cached one without a sync', () => {
    const read = 'submit(gpu); wait(gpu); u32 y = mine[0];';
    expect(outcomeOf(result(`${importer} u32 x = mine[0]; ${read}`))).toBe('H1');
    // The copy is made of what was read.
    const written = 'submit(gpu); wait(gpu); mine[0] = 1;';
    expect(outcomeOf(result(`${importer} u32 x = mine[0]; ${written}`))).toBe('H1');
  });

  it('is apart afterwards: neither side sees the other', () => {
    const body = `${importer} ${start} mine[0] = 5; ${job}
	u32 own = mine[0];
	u32 others = shared[0];`;
    const text = result(`${body}`);
    expect(outcomeOf(text)).toBe('coherent');
    expect(text.notes.map(({ message }) => message)).toContain(
      'MAP_PRIVATE: a copy of its own from here on, which no device sees',
    );
  });

  it('keeps the words that were not stored to', () => {
    const body = `${importer} shared[1] = 3; mine[0] = 5; u32 kept = mine[1]; shared[1] = 4;
	u32 still = mine[1];`;

    expect(outcomeOf(result(body))).toBe('coherent');
  });

  it('is refused for GEM objects', () => {
    const call = 'u32 *p = mmap(buf, .private = true);';
    const shmem = result(call, 'drm_gem_shmem_create(gpu, PAGE_SIZE)');
    expect([outcomeOf(shmem), shmem.notes.length]).toEqual(['coherent', 1]);
    const plain = result(call, 'drm_gem_object_init(gpu, PAGE_SIZE)');
    expect(outcomeOf(plain)).toBe('H11');
  });
});
