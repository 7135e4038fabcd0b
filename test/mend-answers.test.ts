/**
 * Which answers mend offers, and in which order: all that cost the least, at the end of init too;
 * what throws data away after the others; nothing that only a platform's text hides.
 */
import { describe, expect, it } from 'vitest';
import { settingsFor } from '../src/compare/settings.js';
import { compile } from '../src/litmus/index.js';
import { soundFirst } from '../src/mend/answers.js';
import { type Costs, DEFAULT_COSTS } from '../src/mend/costs.js';
import { mend } from '../src/mend/mend.js';
import type { MendResult } from '../src/mend/outcome.js';
import { vocabularyOf } from '../src/mend/vocabulary.js';
import { mendText } from '../src/report/mend-text.js';
import { randomScenario } from './mend-generator.js';

function mended(text: string, costs: Partial<Costs> = {}): MendResult {
  const outcome = mend(text, 'a.litmus', { all: true, costs: { ...DEFAULT_COSTS, ...costs } });
  if (outcome.kind !== 'result') throw new Error('does not compile');
  return outcome.result;
}

function programOf(text: string): NonNullable<ReturnType<typeof compile>['program']> {
  const { program } = compile(text, 'a.litmus');
  if (program === null) throw new Error('does not compile');
  return program;
}

const fresh = `machine arm64 {
	device dev { .coherent = false };
}
u32 *p;

init {
	p = kzalloc(64, GFP_KERNEL);
	phys = virt_to_phys(p);
}
cpu driver {
	submit(dev);
	wait(dev);
	dcache_inval_poc(p, p + 16);
	u32 x = p[0];
}
device dev {
	dma_write(phys, 7);
}
`;

describe('answers of one cost', () => {
  it('are offered at the end of init, too', () => {
    const result = mended(randomScenario(1_000_126));
    const titles = result.mends.flatMap(({ edits }) => edits.map(({ title }) => title));
    expect(titles.filter((title) => /^move .* \(init\)$/u.test(title))).toHaveLength(1);
  });

  it('come last where a call throws away what was written, and say so', () => {
    // Mapping it with the DMA API instead would be cheaper.
    const result = mended(fresh, { change: 1000 });
    const raw = result.mends.filter(({ level }) => level === 'raw');
    const lossy = raw.map(({ discards }) => discards.length > 0);
    expect(lossy).toContain(true);
    const again = soundFirst([...raw].reverse(), true).map(({ discards }) => discards.length > 0);
    expect(again).toEqual(lossy);
    expect(lossy).toEqual([...lossy].sort());
    expect(lossy[0]).toBe(false);
    const bare = raw.find(({ discards }) => discards.length > 0);
    expect(bare?.discards).toEqual(['dcache_inval_poc']);
    const text = mendText(result, { width: 100, color: false });
    expect(text).toMatch(/dcache_inval_poc\(\) throws away what was written/u);
    expect(result.notShown).toBe(0);
    expect(text).not.toContain('--all');
    const more = mendText({ ...result, notShown: 3 }, { width: 100, color: false });
    expect(more).toContain(`3 more answers behind the first ${result.mends.length}: --all`);
  });
});

describe('the vocabulary', () => {
  it('has no option that user space, firmware or the device tree decides', () => {
    const text = fresh.replace('submit(dev);', 'u32 *q = mmap(page);\n\tsubmit(dev);');
    const withPage = text.replace('phys =', 'page = alloc_pages(GFP_KERNEL, 0);\n\tphys =');
    const titles = vocabularyOf(withPage, programOf(withPage), DEFAULT_COSTS);
    expect(titles.length).toBeGreaterThan(0);
    expect(titles.filter(({ title }) => title.includes('.private'))).toEqual([]);
  });
});

describe('a platform whose device snoops', () => {
  it('maps with IOMMU_CACHE whatever other rights there are', () => {
    const text = `machine arm64 {
	device gpu { .coherent = false, .iommu = smmu };
}
init {
	bo = drm_gem_object_init(gpu, PAGE_SIZE);
	drm_gem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);
	vm = iommu_domain_alloc(gpu);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_PRIV);
}
device gpu {
	u32 x = dma_read(vm, 0x100000);
}
`;
    const all = settingsFor(programOf(text));
    const snoops = all.find(({ label }) => label === 'gpu .coherent = true');
    const there = snoops?.change(text) ?? '';
    expect(there).toContain('IOMMU_READ | IOMMU_PRIV | IOMMU_CACHE)');
    expect(compile(there, 'a.litmus').program).not.toBeNull();
  });
});
