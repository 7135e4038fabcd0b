/**
 * Which evictions and fills are left out (docs/reductions.md, "Environment steps"): the decision
 * line by line; what its proof takes for granted, watched on real scenarios; and that an unsound
 * decision shows.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Parts } from '../src/fast/parts.js';
import { type LineAccess, lineCode, Touched } from '../src/kernel/touched.js';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import type { LineEvent } from '../src/machine/cache-rules.js';
import { absentLine, dirtyLine, type Line } from '../src/machine/line.js';
import { Environment, neededRows } from '../src/system/environment.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf, scenario, scenarios } from './corpus-scenarios.js';
import { some, Watch } from './environment-watch.js';

const all = new Set(['eviction', 'speculation', 'reorder']);
const absent = absentLine([1]);
const fresh: Line = { ...absent, state: 'clean', copy: [1] };
const stale: Line = { ...absent, state: 'clean', copy: [2] };
const dirty = dirtyLine([1], [2]);

function access(event: LineEvent, value = 7): LineAccess {
  return { event, word: 0, value, own: false };
}

/** `clean evict absent`, in words. */
function needed(line: Line, event: LineEvent, liberties: ReadonlySet<string> = all): string {
  const rows = [...neededRows(line, [access(event)], liberties)];
  return rows.map((row) => `${row.event} to ${row.next}`).join(', ');
}

describe('what a line may do by itself', () => {
  it('is a fill only before memory is written behind the cache', () => {
    expect(needed(absent, 'device write')).toBe('speculate to clean');
    expect(needed(absent, 'store NC')).toBe('speculate to clean');
    const same: readonly LineEvent[] = ['load WB', 'store WB', 'load NC', 'clean', 'invalidate'];
    for (const event of [...same, 'device read'] as const) expect(needed(absent, event)).toBe('');
    // What is written is what stood there.
    expect(neededRows(absent, [access('device write', 1)], all).size).toBe(0);
    expect(needed(absent, 'device write', new Set(['eviction']))).toBe('');
  });

  it('is a drop where the copy is not what memory holds', () => {
    expect(needed(stale, 'load WB')).toBe('evict to absent');
    expect(needed(stale, 'store WB')).toBe('');
    expect(needed(fresh, 'load WB')).toBe('');
    expect(needed(fresh, 'device write')).toBe('');
    expect(needed(stale, 'load WB', new Set(['speculation']))).toBe('');
    const two: Line = { ...stale, dram: [1, 1], copy: [2, 2] };
    expect(needed(two, 'store WB')).toBe('evict to absent');
  });

  it('is the first step of a way whose last one is needed', () => {
    // Dropped, fetched anew: then the device leaves 1 in the cache, neither 2 nor what it writes.
    expect(needed(stale, 'device write')).toBe('evict to absent');
    expect(needed(stale, 'device write', new Set(['eviction']))).toBe('');
  });

  it('is a write-back before all but what reads the line through the cache', () => {
    expect(needed(dirty, 'load WB')).toBe('');
    for (const event of ['device read', 'device write', 'load NC', 'clean', 'invalidate'] as const)
      expect(needed(dirty, event)).toBe('evict to clean, evict to absent');
  });

  it('is anything where an access has a choice', () => {
    expect(needed(fresh, 'snooping read')).toBe('evict to absent');
    expect(needed(fresh, 'snooping read', new Set([...all, 'snoop']))).toBe('evict to absent');
    const may = new Set([...all, 'may-hit']);
    expect(needed(stale, 'load NC')).toBe('');
    expect(needed(stale, 'load NC', may)).toBe('evict to absent');
  });

  it('is nothing where no step has to do with the line', () => {
    const environment = new Environment(all, () => {});
    const other = new Touched();
    other.access(lineCode(0, 1), access('device write'));
    expect(environment.needed(absent, 0, 0, [other])).toEqual(new Set());
    expect(environment.needed(absent, 0, 1, [other])).not.toEqual(new Set());
    other.store(lineCode(0, 0));
    expect(environment.needed(fresh, 0, 0, [other])).toEqual(new Set());
    expect(environment.needed(dirty, 0, 0, [other])).toBe('all');
    other.look(lineCode(0, 0));
    expect(environment.needed(fresh, 0, 0, [other])).toBe('all');
  });

  it('is decided by single rows only where a step has one event', () => {
    const touched = new Touched();
    touched.begin();
    touched.access(lineCode(0, 0), access('load WB'));
    touched.begin();
    touched.access(lineCode(0, 0), access('load NC'));
    expect(touched.lines.size).toBe(0);
    touched.access(lineCode(0, 1), access('load WB'));
    expect([...touched.lines].sort()).toEqual([lineCode(0, 0), lineCode(0, 1)]);
  });
});

/** The fill comes before the flush, and the copy is there when the page is mapped again. */
const vmapped = `machine arm64 {
	.linear_map_removable = true;
	device nic { .coherent = false };
}
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);
	u32 *va = vmap(page, PAGE_KERNEL);
	set_direct_map_invalid_noflush(page);
	dcache_clean_inval_poc(va, va + 16);
	vunmap(va);
	flush_tlb_all();
}
cpu driver {
	submit(nic);
	wait(nic);
	u32 *again = vmap(page, PAGE_KERNEL);
	u32 got = again[0];
}
device nic {
	dma_write(phys, 7);
}
`;

describe('what the proof takes for granted', () => {
  const close = [
    'basics/page-freed-then-reused',
    'basics/walk-cache-table-freed',
    'basics/swap-out-by-zram',
    'bugs/b70-swiotlb-ath9k.attempt',
    'bugs/b130-thunderclap.fix',
  ];
  const chosen = scenarios().filter(({ name }, i) => i % 9 === 0 || close.includes(name));

  it('holds in the states of some scenarios', { timeout: 600_000 }, () => {
    const wrong: string[] = [];
    let groups = 0;
    for (const { program } of chosen) {
      const { layout, states } = some(program, 120);
      const [initial] = states;
      if (initial === undefined) throw new Error('no state');
      const watch = new Watch(program, layout, new Parts(initial));
      for (const state of states) watch.state(state);
      wrong.push(...new Set(watch.wrong));
      groups += watch.groups;
    }
    expect(wrong).toEqual([]);
    expect(groups).toBeGreaterThan(10_000);
  });
});

const sound = Object.getOwnPropertyDescriptor(Environment.prototype, 'needed')
  ?.value as Environment['needed'];

/** The scenario's verdict when `needed` is not told all that was noted. */
function verdictWith(program: Program, change: (touched: Touched) => object): string {
  vi.spyOn(Environment.prototype, 'needed').mockImplementation(function (
    this: Environment,
    line,
    frame,
    at,
    touched,
  ) {
    const told = touched.map((each) => Object.assign(new Touched(), each, change(each)));
    return sound.call(this, line, frame, at, told);
  });
  return outcomeOf(check(program));
}

describe('a decision that is not told everything', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const cases = [
    ['what steps do to lines', 'basics/from-device-inval-only-before', { accesses: new Map() }],
    ['mappings that go', 'basics/from-device-alias-removed-too-late', { frames: new Set() }],
    ['other looks at a line', 'bugs/b09-libdragon-pi-dma.bug', { lines: new Set() }],
  ] as const;

  it.each(cases)('misses findings: %s', (_, name, without) => {
    const { program } = scenario(name);
    const right = outcomeOf(check(program, { por: false }));
    expect(verdictWith(program, () => ({}))).toBe(right);
    expect(verdictWith(program, () => without)).not.toBe(right);
  });

  it('misses what a mapping let in that is gone: a vmap', () => {
    const { program } = compile(vmapped, 'vmap.litmus');
    if (program === null) throw new Error(vmapped);
    expect(outcomeOf(check(program, { por: false }))).toBe('H1');
    expect(outcomeOf(check(program))).toBe('H1');
    expect(verdictWith(program, () => ({ frames: new Set() }))).toBe('coherent');
  });

  it('misses loops that wait for ever, unless they are looked at with all steps', () => {
    const { program } = scenario('basics/poll-cached-while');
    const { hazards, reduction = [] } = check(program);
    expect(hazards.map(({ id }) => id)).toEqual(['H12']);
    expect(reduction.join()).toContain('threads may wait for ever');
  });
});
