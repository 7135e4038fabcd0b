/**
 * Exports against the explorer that they come from: by a plain walk over the model, and by Spin
 * and Rumur where they are installed. CIVAC_WITNESSES sets how many random scenarios (default 12),
 * CIVAC_SEED the first seed, CIVAC_WITNESS_CORPUS=1 adds every scenario of the corpus.
 */
import { describe, expect, it } from 'vitest';
import type { Agent } from '../src/export/model.js';
import { scenarios } from './corpus-scenarios.js';
import { everyScenario } from './mutation/everything.js';
import { randomScenario } from './scenario-mutations.js';
import {
  type Checker,
  checkers,
  expectAgreement,
  shrunk,
  type Trial,
  trial,
} from './witness-harness.js';
import { missingTools } from './witness-tools.js';
import { walk } from './witness-walk.js';

const count = Number(process.env.CIVAC_WITNESSES ?? 12);
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const wholeCorpus = process.env.CIVAC_WITNESS_CORPUS === '1';
/** Scenarios in one source: a compilation costs a second before it has read one. */
const BATCH = 30;
const corpus = scenarios();
const pool = everyScenario();
const missing = missingTools();
const skipped = missing.length === 0 ? '' : ` (not installed: ${missing.join(', ')})`;

function trialsOf(texts: Iterable<string>, wanted: number): readonly Trial[] {
  const found: Trial[] = [];
  for (const text of texts) {
    const made = trial(text);
    if (typeof made !== 'string') found.push(made);
    if (found.length === wanted) break;
  }
  return found;
}

function* randomTexts(): Iterable<string> {
  for (let seed = firstSeed; ; seed++) yield randomScenario(seed, pool);
}

function inBatches(trials: readonly Trial[], work: (batch: readonly Trial[]) => void): void {
  for (let i = 0; i < trials.length; i += BATCH) work(trials.slice(i, i + BATCH));
}

/** An agent that lacks a rule: what a wrong export looks like. */
function withoutDrops(agent: Agent): Agent {
  return {
    ...agent,
    options: agent.options.filter(({ comment }) => !/clean, dropped/.test(comment)),
  };
}

/**
 * Found by random scenarios. Pages of tables, whose clean copies neither come nor go; an entry that
 * is written back over an older one, which the walker may have cached before. Runs that are over
 * with stores still in a buffer: what is left when one leaves, no run comes to.
 */
const found = [
  `machine arm64 {
	.swiotlb = force;
	device nic { .coherent = false };
}
u32 *buf;
u32 *wc;
dma_addr_t bus;
spinlock_t lock;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	buf = page_address(page);
	dcache_clean_inval_poc(buf, buf + 64);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	bus = dma_map_single(nic, buf, 256, DMA_BIDIRECTIONAL);
}
cpu one {
	submit(nic);
	wait(nic);
	u32 a2 = smp_load_acquire(&buf[0]);
	dma_sync_single_for_cpu(nic, bus, 256, DMA_BIDIRECTIONAL);
}
device nic {
	dma_write(bus + 0, 40);
	dma_write(bus + 4, 41, .relaxed = true);
}
`,
  `machine arm64 {
	device gpu { .coherent = true, .iommu = smmu, .coherent_walk = true };
}
init {
	bo = drm_gem_object_init(gpu, PAGE_SIZE);
	vm = iommu_domain_alloc(gpu);
	sgt = drm_prime_pages_to_sg(bo);
	iommu_map_sgtable(vm, 0x101000, sgt, IOMMU_READ | IOMMU_WRITE);
}
device gpu {
	dma_write(vm, 0x100000, 7);
}
`,
  `machine arm64 {
	device gpu { .coherent = false, .iommu = smmu, .coherent_walk = true, .walk_snoops = false };
}
init {
	bo = drm_gem_object_init(gpu, PAGE_SIZE);
	vm = iommu_domain_alloc(gpu);
	drm_gem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);
}
cpu driver {
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE);
	iommu_unmap(vm, 0x100000, PAGE_SIZE);
}
device gpu {
	dma_write(vm, 0x100000, 7);
}
`,
];

const random = trialsOf(randomTexts(), count);
const chosen = corpus.filter((_, i) => wholeCorpus || i % 20 === 0).map(({ text }) => text);
chosen.push(...found);
const known = trialsOf(chosen, chosen.length);

describe('an export', () => {
  it('has the states, steps and findings of the scenario', { timeout: 600_000 }, () => {
    expectAgreement([...known, ...random], 'a walk over the export', (models) =>
      models.map((model) => walk(model)),
    );
    // Some scenarios of the corpus are too large to be exported here.
    expect(known.length).toBeGreaterThan(0.8 * chosen.length);
  });

  for (const name of ['Spin', 'Rumur']) {
    const checker = checkers[name];
    const title = `is to ${name} what it is here${skipped}`;
    it.skipIf(missing.length > 0)(title, { timeout: 7_200_000 }, () => {
      if (checker === undefined) throw new Error(`no ${name}`);
      inBatches([...known, ...random], (batch) => void expectAgreement(batch, name, checker));
    });
  }

  it('is found out when it is wrong, with what is needed of the scenario', () => {
    const text = corpus.find(({ name }) => name === 'basics/ring-no-dma-rmb')?.text ?? '';
    const forgetful: Checker = (models) =>
      models.map((model) => walk({ ...model, agents: model.agents.map(withoutDrops) }));
    const told = (): void => {
      expectAgreement(trialsOf([text], 1), 'a checker that drops no clean line', forgetful);
    };
    expect(told).toThrow(/disagree: .*states/);
    expect(told).toThrow(/\n(.*\n){2,8}.*$/);
  });

  it('is not blamed on one scenario where only many together come out wrong', () => {
    const some = trialsOf([corpus[0]?.text ?? ''], 1).map(
      (each): Trial => ({ ...each, reference: { ...each.reference, states: 1 } }),
    );
    const check = checkers.walk;
    if (check === undefined) throw new Error('no walk');
    expect(() => expectAgreement(some, 'a walk', check)).toThrow(/not on this scenario alone/);
  });

  it('is shrunk by blocks, lines and settings', () => {
    const text =
      'machine m {\n\tdevice d { .a = 1, .b = 2 };\n}\ncpu x {\n\tif (c) {\n\t\ts;\n\t}\n}';
    expect(shrunk(text, (less) => less.includes('s;'))).toBe('\t\ts;');
    expect(shrunk(text, (less) => /device.*\.b/.test(less))).toBe('\tdevice d { .b = 2 };');
  });
});
