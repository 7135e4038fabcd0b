/** Contracts of the DMA API (H11) that few drivers break: stack, user memory, RAM, overlaps. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';

/** What H11 says, in order of the source. */
function told(names: string, cpu: string): readonly string[] {
  const head = 'machine arm64 { device nic { .coherent = false }; device peer { }; }';
  const { program, diagnostics } = compile(`${head}\n${names}\ncpu d {\n${cpu}\n}\n`, 'a.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return check(program).hazards.flatMap(({ id, message }) => (id === 'H11' ? [message] : []));
}

describe('dma_map_single', () => {
  it('is told of the stack, also page by page', () => {
    const single = 'u32 *p = alloca(64); dma = dma_map_single(nic, p, 64, DMA_TO_DEVICE);';
    expect(told('dma_addr_t dma;', single)).toEqual(['device driver maps memory from stack']);
    const page = `u32 *p = alloca(64);
	dma = dma_map_page(nic, vmalloc_to_page(p), 0, 64, DMA_TO_DEVICE);`;
    expect(told('dma_addr_t dma;', page)).toEqual(['device driver maps memory from stack']);
  });

  it('is told of an address of user space', () => {
    const cpu = 'u32 *p = mmap_anonymous(PAGE_SIZE);\np[0] = 1;\n';
    const map = 'dma = dma_map_single(nic, p, 64, DMA_TO_DEVICE);';
    expect(told('dma_addr_t dma;', `${cpu}${map}`)).toEqual([
      'device driver maps memory from invalid area',
    ]);
  });
});

describe('dma_map_resource', () => {
  const map = (phys: string): string =>
    `dma = dma_map_resource(nic, ${phys}, PAGE_SIZE, DMA_BIDIRECTIONAL);`;

  it('is told of RAM, and of nothing else', () => {
    const ram = `pg = alloc_pages(GFP_KERNEL, 0);\n${map('page_to_phys(pg)')}`;
    expect(told('dma_addr_t dma;', ram)).toEqual(['dma_map_resource called for RAM address']);
    expect(told('dma_addr_t dma;', map('pci_resource_start(peer, 0)'))).toEqual([]);
    expect(told('dma_addr_t dma;', map('0x10000000'))).toEqual([]);
  });
});

describe('overlapping mappings', () => {
  /** Mappings of one page, none of them synced, so that only their number is told. */
  const mappings = (count: number): readonly string[] => {
    const names = Array.from({ length: count }, (_, i) => `dma_addr_t d${i};`).join('\n');
    const args = 'nic, pg, 0, PAGE_SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC';
    const maps = Array.from({ length: count }, (_, i) => `d${i} = dma_map_page_attrs(${args});`);
    return told(names, `pg = alloc_pages(GFP_KERNEL, 0);\n${maps.join('\n')}`);
  };

  it('are eight at most', () => {
    expect(mappings(8)).toEqual([]);
    expect(mappings(9)).toEqual(['exceeded 7 overlapping mappings of cacheline']);
  });
});
