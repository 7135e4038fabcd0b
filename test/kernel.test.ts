/**
 * What each call of the kernel layer asks of the cache, against the tables of kernel-semantics.md
 * §1-§3 (which the recordings of real kernels confirm): operation × direction × device.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { allOperations } from '../src/kernel/index.js';
import { Layout, NewCell } from '../src/kernel/layout.js';
import { System } from '../src/system/system.js';
import { Facts } from '../src/verdict/recorder.js';

/** Runs a scenario's only thread without any liberty and lists the maintenance it issues. */
function maintenance(body: string, device = '.coherent = false'): string[] {
  const text = `machine arm64 {
	device dev { ${device} };
	.linear_map_removable = true;
}
u32 *p;
u32 *q;
dma_addr_t dma;
init {
	p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	q = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
cpu driver {
	p[0] = 1;
	p[16] = 1;
	p[32] = 1;
	wmb();
	${body}
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  const layout = new Layout(4096, 64);
  for (;;) {
    try {
      return walk(new System(program, layout, new Set(), new Facts()), layout);
    } catch (error) {
      if (!(error instanceof NewCell)) throw error;
      layout.add(error.buffer, error.byte, error.size);
    }
  }
}

/** Follows the first step of every state; maintenance shows when it enters the store buffer. */
function walk(system: System, layout: Layout): string[] {
  const seen: string[] = [];
  let state = system.initial()[0];
  while (state !== undefined && !system.complete(state)) {
    const before = state.threads.flatMap((thread) => thread.entries);
    const next = system.successors(state)[0]?.next;
    if (next === undefined) throw new Error('stuck');
    for (const entry of next.threads.flatMap((thread) => thread.entries)) {
      if (entry.kind !== 'maintain' || before.includes(entry)) continue;
      const frame = next.frames[entry.frame];
      const page = layout.pages(frame?.buffer ?? -1)[0];
      seen.push(`${entry.op}@${(page?.lines[entry.line]?.line ?? 0) * 64}`);
    }
    state = next;
  }
  return seen;
}

const SIZE = 'PAGE_SIZE';
const clean = ['clean@0', 'clean@64', 'clean@128'];
const inval = ['invalidate@0', 'invalidate@64', 'invalidate@128'];
const directions = ['DMA_TO_DEVICE', 'DMA_FROM_DEVICE', 'DMA_BIDIRECTIONAL'] as const;

describe('streaming DMA API, non-coherent device', () => {
  for (const device of ['.coherent = false', '.coherent = false, .iommu = smmu']) {
    for (const dir of directions) {
      const map = `dma = dma_map_single(dev, p, ${SIZE}, ${dir});`;
      const forCpu = dir === 'DMA_TO_DEVICE' ? [] : inval;

      it(`${dir} (${device}): map cleans`, () => {
        expect(maintenance(map, device)).toEqual(clean);
      });
      it(`${dir} (${device}): unmap and for_cpu invalidate unless TO_DEVICE`, () => {
        const unmap = `dma_unmap_single(dev, dma, ${SIZE}, ${dir});`;
        expect(maintenance(`${map} ${unmap}`, device)).toEqual([...clean, ...forCpu]);
        const sync = `dma_sync_single_for_cpu(dev, dma, ${SIZE}, ${dir});`;
        expect(maintenance(`${map} ${sync}`, device)).toEqual([...clean, ...forCpu]);
      });
      it(`${dir} (${device}): for_device cleans`, () => {
        const sync = `dma_sync_single_for_device(dev, dma, ${SIZE}, ${dir});`;
        expect(maintenance(`${map} ${sync}`, device)).toEqual([...clean, ...clean]);
      });
      it(`${dir} (${device}): SKIP_CPU_SYNC does nothing in map and unmap`, () => {
        const attrs = 'DMA_ATTR_SKIP_CPU_SYNC';
        expect(
          maintenance(
            `dma = dma_map_single_attrs(dev, p, ${SIZE}, ${dir}, ${attrs});
	dma_unmap_single_attrs(dev, dma, ${SIZE}, ${dir}, ${attrs});`,
            device,
          ),
        ).toEqual([]);
      });
      it(`${dir} (${device}): sg tables as single buffers`, () => {
        const body = `pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0); u32 *a = page_address(pg);
	a[0] = 1;
	wmb();
	t = drm_prime_pages_to_sg(pg);
	dma_map_sgtable(dev, t, ${dir}); dma_sync_sgtable_for_device(dev, t, ${dir});
	dma_sync_sgtable_for_cpu(dev, t, ${dir}); dma_unmap_sgtable(dev, t, ${dir});`;
        const back = dir === 'DMA_TO_DEVICE' ? [] : ['invalidate@0', 'invalidate@0'];
        expect(maintenance(body, device)).toEqual(['clean@0', 'clean@0', ...back]);
      });
    }
  }

  it('syncs exactly the lines a range touches', () => {
    const map = `dma = dma_map_single(dev, p, ${SIZE}, DMA_BIDIRECTIONAL);`;
    const part = `${map} dma_sync_single_range_for_device(dev, dma, 64, 64, DMA_BIDIRECTIONAL);`;
    expect(maintenance(part)).toEqual([...clean, 'clean@64']);
    const one = `${map} dma_sync_single_for_cpu(dev, dma + 128, 64, DMA_BIDIRECTIONAL);`;
    expect(maintenance(one)).toEqual([...clean, 'invalidate@128']);
  });

  it('invalidate becomes clean+invalidate on a line the range cuts (cache.S)', () => {
    expect(maintenance('dcache_inval_poc(p + 1, p + 24);')).toEqual([
      'clean+invalidate@0',
      'clean+invalidate@64',
    ]);
    expect(maintenance('dcache_inval_poc(p, p + 17);')).toEqual([
      'invalidate@0',
      'clean+invalidate@64',
    ]);
  });
});

describe('coherent device', () => {
  for (const dir of directions) {
    it(`${dir}: no cache maintenance at all`, () => {
      expect(
        maintenance(
          `dma = dma_map_single(dev, p, ${SIZE}, ${dir});
	dma_sync_single_for_device(dev, dma, ${SIZE}, ${dir});
	dma_sync_single_for_cpu(dev, dma, ${SIZE}, ${dir});
	dma_unmap_single(dev, dma, ${SIZE}, ${dir});`,
          '.coherent = true',
        ),
      ).toEqual([]);
    });
  }
});

describe('allocations', () => {
  const alloc = `u32 *c = dma_alloc_coherent(dev, ${SIZE}, &dma, GFP_KERNEL); u32 x = c[0];`;
  it('dma_alloc_coherent cleans the linear map once, frees without maintenance', () => {
    expect(maintenance(`${alloc} dma_free_coherent(dev, ${SIZE}, c, dma);`)).toEqual(['clean@0']);
    expect(maintenance(alloc, '.coherent = false, .iommu = smmu')).toEqual(['clean@0']);
    expect(maintenance(alloc, '.coherent = true')).toEqual([]);
  });
  it('get_pages_sgt of the shmem helper cleans once, BIDIRECTIONAL; freeing invalidates', () => {
    const body = `bo = drm_gem_shmem_create(dev, ${SIZE}, .map_wc = true);
	u32 *m = mmap(bo); u32 x = m[0];
	s = drm_gem_shmem_get_pages_sgt(bo); s = drm_gem_shmem_get_pages_sgt(bo);
	drm_gem_object_put(bo);`;
    expect(maintenance(body)).toEqual(['clean@0', 'invalidate@0']);
  });
});

describe('the registry', () => {
  it('describes every operation, each with the source of the fact', () => {
    for (const operation of allOperations()) {
      expect(operation.doc.length, operation.name).toBeGreaterThan(8);
      expect(operation.source.length, operation.name).toBeGreaterThan(5);
      expect(operation.rules.length, operation.name).toBeGreaterThan(0);
    }
  });
  it('on arm64 drm_clflush does nothing, and says so (M17)', () => {
    expect(maintenance('drm_clflush_virt_range(p, PAGE_SIZE);')).toEqual([]);
  });
});
