/** Mappings that fail: the slots of the bounce pool (K9), what a list has cleaned (K5). */
import { describe, expect, it } from 'vitest';
import { outcomeOnBoth } from './corpus-scenarios.js';

function outcome(settings: string, device: string, rest: string): string {
  const nic = `device nic { .coherent = false, ${device} };`;
  const text = `machine arm64 { ${settings} ${nic} }\n${rest}`;
  return outcomeOnBoth(text);
}

/** H11 where the mapping fails: it unmaps what was never mapped. */
function fails(slots: number, sizes: readonly number[], device = '.iommu = none'): boolean {
  const names = sizes.map((_, i) => `u32 *p${i};\ndma_addr_t a${i};`).join('\n');
  const init = sizes.map((size, i) => `p${i} = kzalloc(${size}, GFP_KERNEL);`).join('\n');
  const map = sizes
    .map((size, i) => `a${i} = dma_map_single(nic, p${i}, ${size}, DMA_TO_DEVICE);`)
    .join('\n');
  const asks = sizes.map((_, i) => `u32 e${i} = dma_mapping_error(nic, a${i});`).join('\n');
  const last = `if (e${sizes.length - 1} != 0) dma_unmap_single(nic, 0x1000, 8, DMA_TO_DEVICE);`;
  const settings = `.swiotlb = force; .swiotlb_slots = ${slots};`;
  const cpu = `${map}\n${asks}\n${last}`;
  return outcome(settings, device, `${names}\ninit {${init}}\ncpu d {${cpu}}`) === 'H11';
}

describe('the pool of bounce buffers', () => {
  it('has slots of 2048 bytes, and each mapping takes whole ones', () => {
    expect(fails(2, [4096])).toBe(false);
    expect(fails(1, [4096])).toBe(true);
    expect(fails(1, [2048])).toBe(false);
    expect(fails(2, [1024, 1024])).toBe(false);
    expect(fails(2, [1024, 1024, 1024])).toBe(true);
    expect(fails(0, [64])).toBe(true);
  });

  it('gives no mapping more than 256 KiB', () => {
    expect(fails(1000, [256 * 1024])).toBe(false);
    expect(fails(1000, [256 * 1024 + 1])).toBe(true);
  });

  it('is not asked where nothing bounces', () => {
    expect(fails(0, [4096], '.iommu = smmu')).toBe(false);
  });

  it('gets its slots back with an unmap', () => {
    const text = `u32 *p; dma_addr_t a; dma_addr_t b;
init { p = kzalloc(4096, GFP_KERNEL); }
cpu d {
	a = dma_map_single(nic, p, 4096, DMA_TO_DEVICE);
	u32 first = dma_mapping_error(nic, a);
	dma_unmap_single(nic, a, 4096, DMA_TO_DEVICE);
	b = dma_map_single(nic, p, 4096, DMA_TO_DEVICE);
	u32 second = dma_mapping_error(nic, b);
}
always (d:first == 0 && d:second == 0)
`;
    expect(outcome('.swiotlb = force; .swiotlb_slots = 2;', '.iommu = none', text)).toBe(
      'coherent',
    );
  });
});

/** Which of three pages are clean after a map that failed: the device then reads them raw. */
function cleaned(device: string, condition: string, attrs = ''): string {
  const text = `init {
	bo = drm_gem_object_init(nic, 3 * PAGE_SIZE, .map_wc = true);
	drm_gem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);
	wc = mmap(bo);
}
cpu d {
	if (dma_map_sgtable(nic, sgt, DMA_FROM_DEVICE${attrs}) == 0)
		return;
	u32 a = wc[0];
	u32 b = wc[1024];
	u32 c = wc[2048];
}
${condition}
`;
  return outcome('', device, `u32 *wc;\n${text}`);
}

describe('a list that fails', () => {
  const some = '.mapping_may_fail = true';
  const iommu = '.iommu = smmu, .mapping_may_fail = true';

  it('has cleaned what stands before, entry by entry, with dma-direct', () => {
    expect(cleaned(some, 'forbidden (d:a == 0 && d:b == 0 && d:c != 0)')).toContain('assertion');
    expect(cleaned(some, 'forbidden (d:a != 0 && d:b != 0 && d:c != 0)')).toContain('assertion');
  });

  it('has cleaned all of it with dma-iommu, unless told not to', () => {
    expect(cleaned(iommu, '')).toBe('coherent');
    expect(cleaned(iommu, '', ', DMA_ATTR_SKIP_CPU_SYNC')).toBe('H2 H6');
  });

  it('invalidates nothing on its way back', () => {
    const text = `u32 *p;
init {
	pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 1);
	p = page_address(pg);
	sgt = sg_alloc_table(2);
	sg_set_page(sgt, 0, pg, 2048, 0);
	sg_set_page(sgt, 1, pg, 2048, 4096);
}
cpu d {
	p[0] = 7;
	if (dma_map_sg(nic, sgt, 2, DMA_FROM_DEVICE) == 0) {
		u32 x = p[0];
		u32 y = p[1024];
	}
}
`;
    expect(outcome('', some, text)).toBe('coherent');
    expect(outcome('', iommu, text)).toBe('coherent');
  });
});
