/** The rule tables of the machine: complete, and true to what the rules say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheRules, type LineEvent, type LineState, rowsFor } from '../src/machine/cache-rules.js';
import { absentLine, applyRow, dirtyLine, hasBit, type Line } from '../src/machine/line.js';
import { type Entry, mayDrain, tidy } from '../src/machine/store-buffer.js';

const states: readonly LineState[] = ['absent', 'clean', 'dirty'];
const events = [...new Set(cacheRules.map((row) => row.event))];
const own: readonly LineEvent[] = ['evict', 'speculate'];

function lineOf(state: LineState, dram: number[], copy: number[]): Line {
  return {
    state,
    dram,
    copy: state === 'absent' ? [] : copy,
    written: state === 'dirty' ? (1 << dram.length) - 1 : 0,
    stopped: 0,
  };
}

const lines = fc.record({
  state: fc.constantFrom(...states),
  dram: fc.array(fc.nat(9), { minLength: 2, maxLength: 2 }),
  copy: fc.array(fc.nat(9), { minLength: 2, maxLength: 2 }),
});

describe('lines of many words', () => {
  it('remember which of 48 words were written', () => {
    const words = Array.from({ length: 48 }, () => 0);
    const store = rowsFor('absent', 'store WB').find((row) => row.liberty === undefined);
    if (store === undefined) throw new Error('no row');
    for (const word of [0, 15, 31, 32, 47]) {
      const { line } = applyRow(absentLine(words), store, word, 7);
      const written = words.flatMap((_, i) => (hasBit(line.written, i) ? [i] : []));
      expect(written).toEqual([word]);
    }
    const all = dirtyLine(words, words).written;
    expect(words.every((_, i) => hasBit(all, i))).toBe(true);
    expect(hasBit(all, 48)).toBe(false);
  });
});

describe('cache rules', () => {
  it('answer every event of an agent in every state without any liberty', () => {
    for (const state of states) {
      for (const event of events.filter((each) => !own.includes(each))) {
        const plain = rowsFor(state, event).filter((row) => row.liberty === undefined);
        expect(plain.length, `${state} ${event}`).toBe(1);
      }
    }
  });

  it('let the cache act on its own only under a liberty', () => {
    for (const row of cacheRules.filter((each) => own.includes(each.event))) {
      expect(row.liberty, row.text).toBeDefined();
    }
    expect(rowsFor('absent', 'evict')).toEqual([]);
    expect(rowsFor('dirty', 'speculate')).toEqual([]);
  });

  it('name a rule and say what happens, each row in other words per state and event', () => {
    for (const row of cacheRules) {
      expect(row.rule).toMatch(/^M\d+$/);
      expect(row.text.length).toBeGreaterThan(5);
    }
  });

  it('keep a copy exactly while a line is present', () => {
    fc.assert(
      fc.property(lines, fc.nat(), fc.nat(9), ({ state, dram, copy }, pick, value) => {
        const usable = cacheRules.filter((row) => row.state === state);
        const row = usable[pick % usable.length];
        if (row === undefined) return;
        const { line } = applyRow(lineOf(state, dram, copy), row, 1, value);
        expect(line.state).toBe(row.next);
        expect(line.copy.length).toBe(row.next === 'absent' ? 0 : 2);
        expect(line.written === 0).toBe(row.next !== 'dirty');
        expect(line.dram.length).toBe(2);
      }),
    );
  });

  it('write a dirty line back whole, words the CPU never wrote included (M2)', () => {
    const row = rowsFor('dirty', 'clean')[0];
    if (row === undefined) throw new Error('no row');
    const stale: Line = { state: 'dirty', dram: [1, 7], copy: [2, 0], written: 1, stopped: 0 };
    const outcome = applyRow(stale, row);
    expect(outcome.line.dram).toEqual([2, 0]);
    expect(outcome.wroteBack).toBe(true);
  });

  it('pass the cache by for non-cacheable and non-snooping accesses (M5, M6, M10)', () => {
    for (const event of ['load NC', 'device read'] as const) {
      const row = rowsFor('dirty', event)[0];
      if (row === undefined) throw new Error('no row');
      const outcome = applyRow(lineOf('dirty', [1, 1], [2, 2]), row, 0);
      expect(outcome.value).toBe(1);
      expect(outcome.from).toBe('dram');
    }
    const snoop = rowsFor('dirty', 'snooping read')[0];
    if (snoop === undefined) throw new Error('no row');
    expect(applyRow(lineOf('dirty', [1, 1], [2, 2]), snoop, 0).value).toBe(2);
  });

  it('throw a dirty copy away on invalidate, or write it back first by choice (M9)', () => {
    const rows = rowsFor('dirty', 'invalidate');
    expect(rows.map((row) => row.liberty)).toEqual([undefined, 'eviction']);
    const [drop, writeBack] = rows.map((row) => applyRow(lineOf('dirty', [1, 1], [2, 2]), row));
    expect(drop?.line.dram).toEqual([1, 1]);
    expect(drop?.dropped).toBe(true);
    expect(writeBack?.line.dram).toEqual([2, 2]);
  });
});

function store(attribute: 'WB' | 'NC' | 'DEV', line: number): Entry {
  return {
    kind: 'store',
    attribute,
    frame: 0,
    line,
    word: 0,
    cell: 0,
    value: 1,
    own: false,
    at: 0,
  };
}
function maintain(line: number): Entry {
  return { kind: 'maintain', op: 'clean', frame: 0, line, cell: 0, from: 0, to: 64, at: 0 };
}
const bell: Entry = { kind: 'doorbell', device: 0, clock: [], at: 0 };
function barrier(scope: 'st' | 'ish' | 'ish-full'): Entry {
  return { kind: 'barrier', scope, at: 0 };
}

describe('store buffer', () => {
  it.each<[string, Entry[], boolean]>([
    ['another line overtakes', [store('NC', 0), store('NC', 1)], true],
    ['the same line does not', [store('NC', 0), store('NC', 0)], false],
    ['other attributes of one line have no order (M5)', [store('NC', 0), store('WB', 0)], true],
    ['a doorbell overtakes data without a barrier', [store('NC', 0), bell], true],
    ['dma_wmb holds the doorbell back', [store('NC', 0), barrier('st'), bell], false],
    ['smp_wmb does not hold a doorbell back', [store('NC', 0), barrier('ish'), bell], true],
    [
      'smp_wmb holds a later WB store back',
      [store('NC', 0), barrier('ish'), store('WB', 1)],
      false,
    ],
    ['a dmb does not wait for maintenance (M9)', [maintain(0), barrier('st'), bell], true],
    ['a WB store waits for maintenance of its line', [maintain(0), store('WB', 0)], false],
    ['maintenance waits for a WB store of its line', [store('WB', 0), maintain(0)], false],
    ['maintenance overtakes an NC store without a dmb', [store('NC', 0), maintain(0)], true],
    [
      'a dmb orders an NC store before maintenance',
      [store('NC', 0), barrier('st'), maintain(0)],
      false,
    ],
    ['Device stores keep their order', [store('DEV', 0), bell], false],
  ])('%s', (_, buffer, expected) => {
    expect(mayDrain(buffer, buffer.length - 1, false)).toBe(expected);
    expect(mayDrain(buffer, buffer.length - 1, true)).toBe(false);
  });

  it('drains first in, first out, when reordering is off', () => {
    const buffer = [store('NC', 0), store('WB', 1), bell];
    expect(buffer.map((_, i) => mayDrain(buffer, i, true))).toEqual([true, false, false]);
  });

  it('forgets barriers that have no store before them', () => {
    expect(tidy([barrier('st'), maintain(0), barrier('st')])).toEqual([maintain(0)]);
    expect(tidy([store('NC', 0), barrier('st'), barrier('st'), bell])).toHaveLength(3);
  });
});
