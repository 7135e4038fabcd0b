/**
 * The export is a witness only if it can contradict: with one row of the machine's tables made
 * wrong, some scenario of the corpus must come out differently by the export's own rules.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RuleRow } from '../src/machine/cache-rules.js';
import { scenarios } from './corpus-scenarios.js';
import { checkers, disagreements, trial } from './witness-harness.js';

type Rows = readonly RuleRow[];
type Break = (state: string, event: string, rows: Rows) => Rows;

const broken = vi.hoisted((): { rows: Break | null; order: boolean; walks: boolean } => ({
  rows: null,
  order: false,
  walks: false,
}));

vi.mock(import('../src/machine/cache-rules.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    rowsFor: (state, event) => {
      const rows = real.rowsFor(state, event);
      return broken.rows?.(state, event, rows) ?? rows;
    },
  };
});

vi.mock(import('../src/machine/store-buffer.js'), async (original) => {
  const real = await original();
  const free: typeof real.mayDrain = (buffer, index) => buffer[index]?.kind !== 'barrier';
  return {
    ...real,
    mayDrain: (buffer, index, fifo) => (broken.order ? free : real.mayDrain)(buffer, index, fifo),
  };
});

vi.mock(import('../src/kernel/iotlb.js'), async (original) => {
  const real = await original();
  const forget: typeof real.ptesChanged = () => {};
  return {
    ...real,
    ptesChanged: (...what) => (broken.walks ? forget : real.ptesChanged)(...what),
  };
});

const corpus = scenarios().filter(({ name }) => name.startsWith('basics/'));

/** The first scenario of which the export says other than the explorer. */
function contradicted(among = corpus, maxStates = 500): string | undefined {
  const walk = checkers.walk;
  if (walk === undefined) throw new Error('no walk');
  return among.find(({ text }) => {
    try {
      const made = trial(text, maxStates);
      return typeof made !== 'string' && disagreements([made], walk).length > 0;
    } catch (error) {
      // The rules come to a state that the explorer, so broken, never met.
      return error instanceof Error && /disagree|never met/.test(error.message);
    }
  })?.name;
}

/** Rows of a pair of state and event, changed. */
function at(wanted: string, change: (rows: Rows) => Rows): Break {
  return (state, event, rows) => (`${state}/${event}` === wanted ? change(rows) : rows);
}

const breaks: Readonly<Record<string, Break>> = {
  'M3: dirty lines are never kept': at('dirty/evict', (rows) => rows.slice(1)),
  'M3: clean lines stay for ever': at('clean/evict', () => []),
  'M4: a fetched line is dirty': at('absent/speculate', (rows) =>
    rows.map((row) => ({ ...row, next: 'dirty' as const })),
  ),
  'M5: a store leaves the line clean': at('clean/store WB', (rows) =>
    rows.map((row) => ({ ...row, next: 'clean' as const })),
  ),
  'M6: a non-cacheable store drops the copy': at('clean/store NC', (rows) =>
    rows.map((row) => ({
      ...row,
      next: 'absent' as const,
      effects: ['dram<-value', 'drop'] as const,
    })),
  ),
  'M9: clean leaves the line dirty': at('dirty/clean', (rows) =>
    rows.map((row) => ({ ...row, next: 'dirty' as const })),
  ),
  'M9: invalidate always writes back': at('dirty/invalidate', (rows) => rows.slice(1)),
  'M9: clean+invalidate keeps the line': at('clean/clean+invalidate', (rows) =>
    rows.map((row) => ({ ...row, next: 'clean' as const, effects: [] })),
  ),
};

describe('the rules of an export', () => {
  afterEach(() => {
    broken.rows = null;
    broken.order = false;
    broken.walks = false;
  });

  it('agree with the machine as it is', () => {
    expect(corpus.length).toBeGreaterThan(20);
    expect(contradicted(corpus.slice(0, 20))).toBeUndefined();
  });

  for (const [name, rows] of Object.entries(breaks)) {
    it(`contradict a machine in which ${name}`, () => {
      broken.rows = rows;
      expect(contradicted()).toBeDefined();
    });
  }

  it('contradict a machine whose store buffers keep no order (M7)', () => {
    broken.order = true;
    expect(contradicted()).toBeDefined();
  });

  it('contradict a machine whose walk caches keep nothing that changed (M12)', () => {
    const tables = corpus.filter(({ text }) => text.includes('.coherent_walk'));
    expect(contradicted(tables, 3000)).toBeUndefined();
    broken.walks = true;
    expect(contradicted(tables, 3000)).toBeDefined();
  });
});
