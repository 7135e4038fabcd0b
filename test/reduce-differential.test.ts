/**
 * Reduced explorations against unreduced ones: the whole corpus and seeded random scenarios;
 * everything a result says must be equal but the numbers of states. CIVAC_REDUCTIONS sets how many
 * random ones (default 100), CIVAC_SEED the first seed.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { type CheckOptions, check, ScenarioFault } from '../src/verdict/check.js';
import { scenarios } from './corpus-scenarios.js';
import { everyScenario } from './mutation/everything.js';
import { Random, randomPrograms } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_REDUCTIONS ?? 100);
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();

interface Told {
  readonly text: string;
  /** Lines were told apart. */
  readonly reduced: boolean;
  readonly verdict: string;
  readonly how: string;
}

/** What a result says, without how it was come by. */
function told(program: Program, options: CheckOptions, brief = false): Told {
  try {
    const { reduction = [], ...result } = check(program, options);
    const hazards = result.hazards.map((each) => {
      const { id, needs, certain, cause, at } = each;
      return JSON.stringify(brief ? { id, needs, certain, cause, at } : each, null, 1);
    });
    // Findings at one place come in the order they were met in.
    hazards.sort();
    const said = { ...result, hazards, seconds: 0, states: 0, transitions: 0 };
    const aliases = result.aliases.map((each) => JSON.stringify(each)).sort();
    const text = JSON.stringify({ ...said, aliases }, null, 1);
    const reduced = reduction.some((line) => line.includes('projections'));
    return { text, reduced, verdict: result.verdict, how: reduction.join('; ') };
  } catch (error) {
    if (error instanceof ScenarioFault) {
      const text = `${error.at.line}: ${error.message}`;
      return { text, reduced: false, verdict: 'fault', how: '' };
    }
    throw error;
  }
}

const WAYS: readonly CheckOptions[] = [{ symmetry: false }, { symmetry: true }];

/** Loops over lines, which are alike but for what some statements do to one of them. */
function loops(random: Random, lines: number): string {
  const body = (from: readonly string[]): string => {
    const each = random.pick(from);
    const one = String(random.below(lines));
    if (random.below(3) === 0) return `\t{ ${each.replaceAll('#', one)} }`;
    return `\tfor (int i = 0; i < ${lines}; i++) { ${each.replaceAll('#', 'i')} }`;
  };
  const list = (n: number, from: readonly string[]): string =>
    Array.from({ length: n }, () => body(from)).join('\n');
  const cpu = [
    'buf[16 * #] = 1;',
    'buf[16 * #] = # + 1;',
    'u32 v = buf[16 * #];',
    'u32 v = wc[16 * #];',
    'wc[16 * #] = 2;',
    'dcache_clean_inval_poc(buf + 16 * #, buf + 16 * # + 16);',
    'dcache_clean_poc(buf + 16 * #, buf + 16 * # + 4);',
  ];
  const device = ['u32 r = dma_read(bus + 64 * #);', 'dma_write(bus + 64 * #, 9);'];
  const bell = random.pick(['submit(nic);', 'submit(nic);\n\twait(nic);']);
  return `machine arm64 { device nic { .coherent = ${random.below(4) === 0} }; }
u32 *buf;
u32 *wc;
dma_addr_t bus;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	buf = page_address(page);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	bus = dma_map_single(nic, buf, 256, DMA_BIDIRECTIONAL);
}
cpu one {
${list(1 + random.below(2), cpu)}
	${bell}
${list(1 + random.below(2), cpu)}
}
device nic {
${list(1 + random.below(2), device)}
}
`;
}

describe('reductions', () => {
  it('leave what is said of every corpus scenario as it is', { timeout: 600_000 }, () => {
    let reduced = 0;
    for (const { name, program } of corpus) {
      const plain = told(program, { projection: false });
      for (const way of WAYS) {
        const other = told(program, { ...way, reduceAll: true });
        expect(other.text, `${name} ${JSON.stringify(way)}`).toBe(plain.text);
        if (other.reduced) reduced++;
      }
    }
    expect(reduced).toBeGreaterThan(40);
  });

  it(`agree on ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    const seen = new Map<string, number>();
    for (const { seed, text, program } of randomPrograms(firstSeed, count, everyScenario())) {
      const limits = { maxStates: 20_000 };
      const plain = told(program, { ...limits, projection: false });
      if (/gave up|"portable": null/.test(plain.text)) continue;
      for (const way of WAYS) {
        const other = told(program, { ...limits, ...way, reduceAll: true });
        expect(other.text, `seed ${seed} ${JSON.stringify(way)}\n${text}`).toBe(plain.text);
        if (other.reduced) seen.set(other.verdict, (seen.get(other.verdict) ?? 0) + 1);
      }
    }
    // A few dozen need not have all kinds.
    for (const verdict of count < 100 ? [] : ['coherent', 'hazard']) {
      expect(seen.get(verdict) ?? 0, [...seen].join('; ')).toBeGreaterThan(count / 100);
    }
  });

  /** The command's word is first met once its line, the one of the flag, is control. */
  const ring = `machine arm64 { device nvme { .coherent = false }; }
u32 *cq;
u32 *a;
u32 *b;
dma_addr_t cq_dma;
dma_addr_t a_dma;
dma_addr_t b_dma;
init {
	cq = dma_alloc_coherent(nvme, PAGE_SIZE, &cq_dma, GFP_KERNEL);
	a = dma_alloc_coherent(nvme, PAGE_SIZE, &a_dma, GFP_KERNEL);
	b = dma_alloc_coherent(nvme, PAGE_SIZE, &b_dma, GFP_KERNEL);
}
cpu blk {
	a[0] = 1;
	b[0] = 1;
	writel(1, nvme);
	while ((READ_ONCE(cq[3]) & 1) == 0)
		;
	u32 command = cq[2];
}
device nvme {
	u32 x = dma_read(a_dma);
	u32 y = dma_read(b_dma);
	dma_write(cq_dma + 8, 42);
	dma_write(cq_dma + 12, 1);
}
`;

  it('show all words of a line that decides', () => {
    const { program } = compile(ring, 'ring.litmus');
    if (program === null) throw new Error('no program');
    const reduced = told(program, { reduceAll: true });
    expect(reduced.reduced).toBe(true);
    expect(reduced.verdict).toBe('hazard');
    expect(reduced.text).toBe(told(program, { projection: false }).text);
  });

  /** Decided on the projection of its own words, which knows nothing of the others. */
  const asserted = `machine arm64 { device nic { .coherent = true, .iommu = smmu }; }
u32 *p;
dma_addr_t dma;
init {
	p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);
}
cpu driver {
	p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_KERNEL);
	p[0] = 1;
	dma_wmb();
	writel_relaxed(1, nic);
	wait(nic);
	p = dma_alloc_coherent(nic, PAGE_SIZE, &dma, GFP_DMA);
	u32 got = p[0];
	dma_free_coherent(nic, PAGE_SIZE, p, dma);
}
device nic {
	u32 x = dma_read(dma);
	dma_write(dma, x + 1);
}
always (driver:got == 2)
`;

  it('show the run to a broken assertion as the whole scenario has it', () => {
    const { program } = compile(asserted, 'asserted.litmus');
    if (program === null) throw new Error('no program');
    const plain = told(program, { projection: false });
    expect(plain.text).toContain('the dirty copy is updated');
    for (const way of WAYS) {
      expect(told(program, { ...way, reduceAll: true }).text).toBe(plain.text);
    }
  });

  it('see lines that are alike as one', { timeout: 3_600_000 }, () => {
    let merged = 0;
    for (let seed = firstSeed; seed < firstSeed + count / 2; seed++) {
      const text = loops(new Random(seed), 3);
      const { program } = compile(text, 'loops.litmus');
      if (program === null) throw new Error(text);
      const limits = { maxStates: 20_000 };
      const plain = told(program, { ...limits, projection: false });
      if (/gave up|"portable": null/.test(plain.text)) continue;
      const other = told(program, { ...limits, reduceAll: true });
      expect(other.text, `seed ${seed}\n${text}`).toBe(plain.text);
      // Of more lines, where more are alike, one projection each; no runs: they differ in lines.
      const more = compile(loops(new Random(seed), 6), 'loops.litmus').program;
      if (more === null) throw new Error(text);
      const each = told(more, { reduceAll: true, symmetry: false }, true);
      const one = told(more, { reduceAll: true }, true);
      expect(one.text, `seed ${seed}\n${more.text}`).toBe(each.text);
      const [, groups, projections] = /(\d+) groups, (\d+) proj/.exec(one.how) ?? [];
      if (Number(projections) < Number(groups)) merged++;
    }
    expect(merged).toBeGreaterThan(count / 20);
  });
});
