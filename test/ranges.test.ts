/**
 * Calls that go over a range line by line: which words they name, what they find, and that a few
 * lines stand for all of them. CIVAC_REDUCTIONS and CIVAC_SEED as in reduce-differential.test.ts.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Layout } from '../src/kernel/layout.js';
import { type Spread, TooManyLines, wordsFor } from '../src/kernel/ranges.js';
import { compile } from '../src/litmus/index.js';
import { check, type CheckOptions } from '../src/verdict/check.js';
import { Random } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_REDUCTIONS ?? 100);
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);

const plain = { cuts: [], named: [], lineSize: 64, pageSize: 4096, everyLine: false };

describe('words of a range', () => {
  it('are one for every line, or a few that stand for all', () => {
    const spans = [{ from: 0, to: 256 }];
    expect(wordsFor({ ...plain, spans, everyLine: true })).toEqual([0, 64, 128, 192]);
    expect(wordsFor({ ...plain, spans })).toEqual([0, 192]);
    expect(wordsFor({ ...plain, spans, cuts: [128] })).toEqual([0, 64, 128, 192]);
    expect(wordsFor({ ...plain, spans, named: [68] })).toEqual([0, 128, 192]);
  });

  it('tell parts of a line apart that some call treats differently', () => {
    const spans = [{ from: 16, to: 128 }];
    expect(wordsFor({ ...plain, spans, cuts: [80] })).toEqual([16, 64, 80]);
    expect(wordsFor({ ...plain, spans, cuts: [80], named: [96] })).toEqual([16, 64]);
    expect(wordsFor({ ...plain, spans: [{ from: 2, to: 7 }] })).toEqual([]);
  });

  it('stay few however long the range is', () => {
    const spans = [{ from: 0, to: 2 ** 32 }];
    expect(wordsFor({ ...plain, spans })).toHaveLength(6);
    expect(() => wordsFor({ ...plain, spans, everyLine: true })).toThrow(TooManyLines);
  });

  it('are among those of every line, and every line has one that is like it', () => {
    const bytes = fc.nat({ max: 3 * 4096 });
    const some = fc.record({
      spans: fc.array(
        fc.tuple(bytes, bytes).map(([from, size]) => ({ from, to: from + size })),
        { minLength: 1, maxLength: 3 },
      ),
      cuts: fc.array(bytes, { maxLength: 4 }),
      named: fc.array(bytes, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(some, (given) => {
        const spread: Spread = { ...plain, ...given };
        const all = wordsFor({ ...spread, everyLine: true });
        const few = wordsFor(spread);
        for (const word of few) expect(all).toContain(word);
        for (const word of all) {
          const like = few.filter((each) => !separated(spread, word, each));
          expect(like.length, `${word} of ${all}; ${few}`).toBeGreaterThan(0);
        }
      }),
    );
  });
});

/** A cut, the end of a span or a named word stands between two words' lines, or in one of them. */
function separated({ spans, cuts, named, lineSize }: Spread, a: number, b: number): boolean {
  if (a === b) return false;
  const [low, high] = a < b ? [a, b] : [b, a];
  const from = Math.floor(low / lineSize) * lineSize;
  const to = (Math.floor(high / lineSize) + 1) * lineSize;
  const edges = [...cuts, ...spans.flatMap((span) => [span.from, span.to])];
  return (
    edges.some((byte) => from < byte && byte < to) ||
    named.some((byte) => from <= byte && byte < to)
  );
}

/** What does not depend on how many lines were explored. */
function told(text: string, options: CheckOptions): string {
  const { program, diagnostics } = compile(text, 'range.litmus');
  if (program === null) throw new Error(`${diagnostics[0]?.message}\n${text}`);
  const { verdict, reason, hazards, portable, notes, aliases } = check(program, options);
  const found = hazards.map(({ id, needs, certain, cause, at }) => ({
    id,
    needs: needs.map((set) => [...set].sort().join('+')).sort(),
    certain,
    cause,
    at: `${at.agent}:${at.line}:${at.column}`,
  }));
  return JSON.stringify({ verdict, reason, found, portable, notes, aliases }, null, 1);
}

function scenario(cpu: string, device: string, size = 4096): string {
  return `machine arm64 { device nic { .coherent = false }; }
u32 *buf;
dma_addr_t bus;
init {
	buf = kzalloc(${size}, GFP_KERNEL);
	bus = dma_map_single(nic, buf, ${size}, DMA_BIDIRECTIONAL);
}
cpu driver {
${cpu}
}
device nic {
${device}
}
`;
}

describe('range accesses', () => {
  const fill = 'dma_write_range(bus, 7, 4096);';
  const ring = 'submit(nic);\n\twait(nic);';

  it('find the stale lines of a whole buffer, and only those', () => {
    const text = (size: number): string =>
      scenario(
        `${ring}
	dma_sync_single_for_cpu(nic, bus, ${size}, DMA_FROM_DEVICE);
	memchr_inv(buf, 7, 4096);`,
        fill,
      );
    expect(told(text(4096), {})).toContain('"verdict": "coherent"');
    expect(told(text(4095), {})).toContain('"verdict": "coherent"');
    expect(told(text(2048), {})).toContain('"H1"');
    expect(told(text(4032), {})).toContain('"H1"');
  });

  it('reach beyond what there is', () => {
    expect(told(scenario('memchr_inv(buf, 0, 8192);', ''), {})).toContain('"H14"');
    const far = 'dma_read_range(bus, 8192);';
    expect(told(scenario(ring, far), {})).toMatch(/"H9"|"H14"/);
  });

  it('have early reads: a flag and its payload need dma_rmb', () => {
    const text = (barrier: string): string => `machine arm64 { device nic { .coherent = false }; }
u32 *ring;
dma_addr_t bus;
init { ring = dma_alloc_coherent(nic, 4096, &bus, GFP_KERNEL); }
cpu driver {
	while (READ_ONCE(ring[0]) == 0)
		;
	${barrier}
	memchr_inv(ring + 16, 7, 1024);
}
device nic {
	dma_write_range(bus + 64, 7, 1024);
	dma_write(bus, 1);
}
`;
    expect(told(text('dma_rmb();'), {})).toContain('"coherent"');
    expect(told(text(''), {})).toContain('"H13"');
  });

  it('leave a layout that another one takes over with all of it', () => {
    const first = new Layout(4096, 64);
    first.cut(0, 100);
    first.cut(0, 128, 'maintained');
    const copy = new Layout(4096, 64);
    copy.restore(JSON.parse(JSON.stringify(first.saved)));
    expect(copy.saved).toEqual(first.saved);
    expect(copy.mappedCuts(0)).toEqual([100]);
    copy.cut(0, 128);
    expect(copy.mappedCuts(0)).toEqual([100, 128]);
  });

  it('check a buffer of 4 GiB', () => {
    const text = `machine arm64 { device gpu { .coherent = false, .iommu = smmu }; }
init {
	bo = drm_gem_shmem_create(gpu, 0x100000000, .map_wc = true);
	sgt = drm_gem_shmem_get_pages_sgt(bo);
	vm = iommu_domain_alloc(gpu);
	iommu_map_sgtable(vm, 0x1000000, sgt, IOMMU_READ | IOMMU_WRITE);
}
cpu user {
	u32 *p = mmap(bo);
	memset(p, 1, 0x100000000);
	submit(gpu);
	wait(gpu);
	memchr_inv(p, 7, 0x100000000);
}
device gpu {
	dma_read_range(vm, 0x1000000, 0x100000000);
	dma_write_range(vm, 0x1000000, 7, 0x100000000);
}
`;
    expect(told(text, {})).toContain('"verdict": "coherent"');
    const clean = '\tsgt = drm_gem_shmem_get_pages_sgt(bo);\n';
    const [, map = ''] = /(\tiommu_map_sgtable.*\n)/.exec(text) ?? [];
    const broken = text.replace(clean, '').replace(map, '').replace('\tsubmit', `${clean}${map}$&`);
    expect(told(broken, {})).toContain('"H3"');
  });
});

function drawn(random: Random, lines: number): string {
  const size = 64 * lines;
  const from = (): number => random.pick([0, 0, 0, 64, 128, 100]);
  const some = (at: number): number => Math.min(size - at, random.pick([size, size, 64, 128, 90]));
  const range = (of: (at: number, bytes: number) => string): string => {
    const at = from();
    return of(at, some(at));
  };
  const cpu = (): string =>
    random.pick([
      () => range((at, n) => `memset(buf + ${at >> 2}, ${1 + random.below(3)}, ${n});`),
      () => range((at, n) => `memchr_inv(buf + ${at >> 2}, 7, ${n});`),
      () => range((at, n) => `memchr_inv(buf + ${at >> 2}, 7, ${n});`),
      () => range((at, n) => `dma_sync_single_for_cpu(nic, bus + ${at}, ${n}, DMA_FROM_DEVICE);`),
      () => range((at, n) => `dma_sync_single_for_device(nic, bus + ${at}, ${n}, DMA_TO_DEVICE);`),
      () => range((at, n) => `dcache_clean_poc(buf + ${at >> 2}, buf + ${(at + n) >> 2});`),
      () => `buf[${random.pick([0, 16, 17])}] = ${10 + random.below(5)};`,
      () => `u32 v${random.below(1e6)} = buf[${random.pick([0, 16, 17])}];`,
      () => 'submit(nic);',
      () => 'submit(nic);\n\twait(nic);',
      () => 'dma_wmb();',
    ])();
  const device = (): string =>
    random.pick([
      () =>
        range((at, n) => `dma_write_range(bus + ${at & ~3}, ${5 + random.below(3)}, ${n & ~3});`),
      () => range((at, n) => `dma_read_range(bus + ${at & ~3}, ${n & ~3});`),
      () => `dma_write(bus + ${random.pick([0, 64])}, 9);`,
    ])();
  const list = (n: number, make: () => string): string =>
    Array.from({ length: n }, () => `\t${make()}`).join('\n');
  return scenario(list(2 + random.below(3), cpu), list(1 + random.below(2), device), size);
}

describe('a few lines for all', () => {
  it(`say the same as every line, in ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    const verdicts = new Set<string>();
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const text = drawn(new Random(seed), 6);
      const every = told(text, { symmetry: false, reduceAll: true });
      const few = told(text, { reduceAll: true });
      expect(few, `seed ${seed}\n${text}`).toBe(every);
      verdicts.add(/"verdict": "(\w+)"/.exec(few)?.[1] ?? '');
    }
    expect([...verdicts].sort()).toEqual(['coherent', 'hazard']);
  });

  it('say the same as all lines together', { timeout: 3_600_000 }, () => {
    for (let seed = firstSeed; seed < firstSeed + count / 5; seed++) {
      const text = drawn(new Random(seed), 3);
      const together = told(text, { projection: false, maxStates: 100_000 });
      if (together.includes('gave up')) continue;
      expect(told(text, { reduceAll: true }), `seed ${seed}\n${text}`).toBe(together);
    }
  });
});
