/** Carve-outs, the contiguous allocator, set_memory_*() of arm64, the order of drm/msm's LRU. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function result(settings: string, body: string) {
  const text = `machine arm64 {
	${settings}
}
u32 *p;
dma_addr_t bus;
${body}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return check(program);
}

const device = 'device dsp { .coherent = false };';

describe('a carve-out', () => {
  const using = (options: string): string => `init {
	of_reserved_mem_device_init(dsp${options});
	p = dma_alloc_coherent(dsp, PAGE_SIZE, &bus, GFP_KERNEL);
}
cpu driver {
	p[0] = 1;
	submit(dsp);
	wait(dsp);
}
device dsp {
	u32 x = dma_read(bus);
}`;

  it('needs no maintenance and has no alias', () => {
    const { maintenance, aliases, verdict } = result(device, using(''));
    expect([verdict, maintenance.length, aliases.length]).toEqual(['coherent', 0, 0]);
  });

  it('is none where the linear map covers it', () => {
    const { maintenance, notes } = result(device, using(', .mapped = true'));
    expect(maintenance.map(({ op }) => op)).toEqual(['clean']);
    expect(notes.map(({ message }) => message)).toContain(
      'memremap() refuses memory that is in the linear map: no carve-out',
    );
  });
});

describe('the contiguous allocator', () => {
  it('gives memory below the limit of ZONE_DMA, and takes it back once', () => {
    const body = `init {
	page = dma_alloc_from_contiguous(dsp, 1, 0);
}
cpu driver {
	u32 high = page_to_phys(page) >= 0x100000000;
	dma_release_from_contiguous(dsp, page, 1);
	%s
}
forbidden (driver:high == 1)`;
    const settings = `.memory_above_4g = true; ${device}`;
    expect(outcomeOf(result(settings, body.replace('%s', '')))).toBe('coherent');
    const twice = body.replace('%s', 'dma_release_from_contiguous(dsp, page, 1);');
    expect(outcomeOf(result(settings, twice))).toBe('H11');
  });
});

describe("arm64's set_memory_*()", () => {
  it('change nothing in the linear map but its validity', () => {
    const body = (call: string): string => `init {
	p = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
cpu driver {
	${call}
	p[0] = 1;
}`;
    expect(outcomeOf(result('', body('set_memory_ro(p, 1);')))).toBe('coherent');
    expect(outcomeOf(result('', body('set_memory_valid(p, 1, 0);')))).toBe('H14');
    const back = 'set_memory_valid(p, 1, 0); set_memory_valid(p, 1, 1);';
    expect(outcomeOf(result('', body(back)))).toBe('coherent');
  });
});

describe("the order in which drm/msm's shrinker takes objects", () => {
  const scan = (before: string, read: string): string =>
    outcomeOf(
      result(
        '.swap = zram; device gpu { .coherent = false, .iommu = mmu };',
        `init {
	a = msm_gem_new(gpu, PAGE_SIZE, .map_wc = true);
	b = msm_gem_new(gpu, PAGE_SIZE, .map_wc = true);
	vm = iommu_domain_alloc(gpu);
	msm_gem_pin_pages_locked(a);
	msm_gem_pin_pages_locked(b);
	iommu_map_sgtable(vm, 0x100000, drm_prime_pages_to_sg(a), IOMMU_READ);
	iommu_map_sgtable(vm, 0x200000, drm_prime_pages_to_sg(b), IOMMU_READ);
	msm_gem_unpin_pages_locked(a);
	msm_gem_unpin_pages_locked(b);
}
cpu driver {
	u32 *first = mmap(a);
	u32 *second = mmap(b);
	first[0] = 1;
	second[0] = 2;
	${before}
	msm_gem_shrinker_scan(.nr_to_scan = 1);
	submit(gpu);
	wait(gpu);
}
device gpu {
	u32 x = dma_read(vm, ${read});
}`,
      ),
    );

  it('is that of their use', () => {
    const again = 'msm_gem_pin_pages_locked(a); msm_gem_unpin_pages_locked(a);';
    expect([scan(again, '0x100000'), scan(again, '0x200000')]).toEqual(['coherent', 'H14']);
  });

  it('is what is not needed first', () => {
    const idle = 'msm_gem_madvise(b, MADV_DONTNEED);';
    expect([scan(idle, '0x100000'), scan(idle, '0x200000')]).toEqual(['coherent', 'H14']);
  });
});
