/** Bounce buffers (K9): their slots are memory of their own, and live as long as the mapping. */
import { describe, expect, it } from 'vitest';
import { outcomeOnBoth } from './corpus-scenarios.js';

function outcome(init: string, cpu: string, device: string): string {
  const text = `machine arm64 {
	.swiotlb = force;
	device nic { .coherent = false };
}
u32 *p;
dma_addr_t addr;
init {
	${init}
}
cpu driver {
	${cpu}
}
device nic {
	${device}
}
`;
  return outcomeOnBoth(text);
}

const vb2 = `buf = vb2_dma_sg_alloc(nic, PAGE_SIZE, DMA_BIDIRECTIONAL);
	addr = vb2_dma_sg_cookie(buf);
	p = vb2_dma_sg_mmap(buf);`;

const flags = 'PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV';
const pool = `pool = page_pool_create(nic, ${flags}, DMA_BIDIRECTIONAL, PAGE_SIZE);
	page = page_pool_dev_alloc_pages(pool);
	addr = page_pool_get_dma_addr(page);
	p = page_address(page);`;

const run = 'submit(nic);\n\twait(nic);';
const read = 'u32 x = dma_read(addr);';
const write = 'dma_write(addr, 7);';

describe('an object that is mapped by the call that makes it', () => {
  it('is not its own bounce buffer: videobuf2', () => {
    expect(outcome(vb2, `p[0] = 5; vb2_dma_sg_prepare(buf); ${run}`, read)).toBe('coherent');
    // The slot holds the copy made at the mapping, which nobody has cleaned.
    expect(outcome(vb2, `p[0] = 5; ${run}`, read)).toBe('H2 H6');
    const took = `vb2_dma_sg_prepare(buf); ${run} vb2_dma_sg_finish(buf); u32 x = p[0];`;
    expect(outcome(vb2, took, write)).toBe('coherent');
    expect(outcome(vb2, took.replace('vb2_dma_sg_finish(buf);', ''), write)).toBe('H1');
  });

  it('is not its own bounce buffer: page_pool', () => {
    const sync = 'page_pool_dma_sync_for_cpu(pool, page, 0, 64);';
    expect(outcome(pool, `${run} ${sync} u32 x = p[0];`, write)).toBe('coherent');
    expect(outcome(pool, `${run} u32 x = p[0];`, write)).toBe('H1');
    const unsynced = pool.replace(' | PP_FLAG_DMA_SYNC_DEV', '');
    expect(outcome(unsynced, `${run} ${sync} u32 x = p[0];`, write)).toBe('H3');
  });

  it('gives the slot back with its memory', () => {
    expect(outcome(vb2, `vb2_dma_sg_put(buf); ${run}`, write)).toBe('H8');
    const gone = 'page_pool_put_full_page(pool, page, true); page_pool_destroy(pool);';
    expect(outcome(pool, `${gone} ${run}`, write)).toBe('H8');
  });
});
