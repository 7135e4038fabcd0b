/** The SYNC ioctls of DRM drivers, and the user mappings of the DMA API's cached memory. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function result(init: string, driver: string, device = '') {
  const text = `machine arm64 {
	device gpu { .coherent = false };
}
u32 *p;
dma_addr_t bus;
init {
	${init}
}
cpu user {
	${driver}
}
${device === '' ? '' : `device gpu { ${device} }`}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return check(program);
}

const object = (options = ''): string => `bo = drm_gem_shmem_create(gpu, PAGE_SIZE${options});
	sgt = drm_gem_shmem_get_pages_sgt(bo);`;
const flush = 'DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH';

function maintained(init: string, driver: string): readonly string[] {
  return result(init, driver)
    .maintenance.filter(({ operation }) => !operation.startsWith('drm_gem_shmem'))
    .map(({ op, lines }) => `${op} ${lines}`);
}

describe('a SYNC ioctl', () => {
  it('cleans, or cleans and then invalidates, the lines of its range', () => {
    expect(maintained(object(), `panthor_gem_sync(bo, ${flush}, 64, 128);`)).toEqual(['clean 2']);
    const both = `panfrost_gem_sync(bo, PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE, 0, 64);`;
    expect(maintained(object(), both)).toEqual(['clean 1', 'invalidate 1']);
  });

  it('does nothing for a write-combined object', () => {
    const wc = object(', .map_wc = true');
    expect(maintained(wc, `panthor_gem_sync(bo, ${flush}, 0, 64);`)).toEqual([]);
  });

  it('goes by the access with etnaviv', () => {
    const ops = ['ETNA_PREP_READ', 'ETNA_PREP_WRITE', 'ETNA_PREP_READ | ETNA_PREP_WRITE'];
    expect(ops.map((each) => maintained(object(), `etnaviv_gem_cpu_prep(bo, ${each});`))).toEqual([
      ['invalidate 64'],
      [],
      ['invalidate 64'],
    ]);
    expect(maintained(object(), 'etnaviv_gem_cpu_fini(bo, ETNA_PREP_READ);')).toEqual(['clean 64']);
  });
});

describe('a user mapping of cached DMA memory', () => {
  const device = 'dma_write(bus, 7);';
  const job = `u32 before = p[0];
	submit(gpu);
	wait(gpu);`;

  it('of dma_alloc_pages is cached', () => {
    const init = `page = dma_alloc_pages(gpu, PAGE_SIZE, &bus, DMA_FROM_DEVICE, GFP_KERNEL);
	dma_sync_single_for_device(gpu, bus, PAGE_SIZE, DMA_FROM_DEVICE);
	p = dma_mmap_pages(gpu, PAGE_SIZE, page);`;
    const sync = 'dma_sync_single_for_cpu(gpu, bus, PAGE_SIZE, DMA_FROM_DEVICE);';
    expect(outcomeOf(result(init, `${job} u32 x = p[0];`, device))).toBe('H1');
    expect(outcomeOf(result(init, `${job} ${sync} u32 x = p[0];`, device))).toBe('coherent');
  });

  it('of dma_alloc_noncontiguous is cached', () => {
    const init = `sgt = dma_alloc_noncontiguous(gpu, PAGE_SIZE, DMA_FROM_DEVICE, GFP_KERNEL);
	bus = sg_dma_address(sgt);
	dma_sync_sgtable_for_device(gpu, sgt, DMA_FROM_DEVICE);
	p = dma_mmap_noncontiguous(gpu, PAGE_SIZE, sgt);`;
    const sync = 'dma_sync_sgtable_for_cpu(gpu, sgt, DMA_FROM_DEVICE);';
    expect(outcomeOf(result(init, `${job} u32 x = p[0];`, device))).toBe('H1');
    expect(outcomeOf(result(init, `${job} ${sync} u32 x = p[0];`, device))).toBe('coherent');
  });
});

describe('the fences of a dma-buf', () => {
  const settings = 'machine arm64 { device gpu { .coherent = true }; }';
  const answer = (fence: string, flag: string): string => {
    const text = `${settings}
init {
	buf = system_heap_allocate(PAGE_SIZE);
	at = dma_buf_attach(buf, gpu);
	sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	bus = sg_dma_address(sgt);
}
cpu user {
	u32 *p = mmap(buf);
	submit(gpu);
	${fence}
	ioctl(buf, DMA_BUF_IOCTL_SYNC, ${flag} | DMA_BUF_SYNC_READ);
	u32 answer = READ_ONCE(p[0]);
}
device gpu { dma_write(bus, 9); }
forbidden (user:answer == 0)
`;
    const { program, diagnostics } = compile(text, 'test.litmus');
    if (program === null) throw new Error(diagnostics[0]?.message);
    return outcomeOf(check(program));
  };

  it('are waited for when CPU access begins, if somebody noted them', () => {
    const noted = 'dma_resv_add_fence(buf, gpu);';
    expect(answer(noted, 'DMA_BUF_SYNC_START')).toBe('coherent');
    expect(answer('', 'DMA_BUF_SYNC_START')).toBe('assertion');
    expect(answer(noted, 'DMA_BUF_SYNC_END')).toBe('assertion');
  });
});

describe('DMA_ATTR_PRIVILEGED', () => {
  const written = (attrs: string): string => {
    const text = `machine arm64 { device gpu { .coherent = true, .iommu = smmu }; }
u32 *p;
dma_addr_t bus;
init {
	p = dma_alloc_attrs(gpu, PAGE_SIZE, &bus, GFP_KERNEL, ${attrs});
	vm = iommu_get_domain_for_dev(gpu);
}
cpu driver {
	p[0] = 1;
	submit(gpu);
	wait(gpu);
	u32 seen = p[0];
}
device gpu { dma_write_unpriv(vm, bus, 9); }
forbidden (driver:seen == 9)
`;
    const { program, diagnostics } = compile(text, 'test.litmus');
    if (program === null) throw new Error(diagnostics[0]?.message);
    return outcomeOf(check(program));
  };

  it("keeps a user's command stream out", () => {
    expect(written('DMA_ATTR_PRIVILEGED')).toBe('coherent');
    expect(written('DMA_ATTR_WRITE_COMBINE')).toBe('assertion');
  });
});
