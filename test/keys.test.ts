/**
 * Keys of states: equal exactly when the states are, whatever state they came from. What is
 * compared by hand (system/keys.ts) is every field that is read; a tuple has one number.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { KeyMaker, type Kind, KINDS } from '../src/system/keys.js';
import type { State } from '../src/system/state.js';
import { Tuples } from '../src/system/tuples.js';
import { some } from './environment-watch.js';

/** The names of the fields that a kind reads, in order. */
function namesOf<T extends object>({ fields }: Kind<T>, like: T): string[] {
  const names: string[] = [];
  const record = new Proxy(like, {
    get: (_, name) => {
      names.push(String(name));
      return 0;
    },
  });
  for (const field of fields) field(record);
  return names;
}

function single<T extends object>(kind: Kind<T>, like: T): readonly number[] {
  return namesOf(kind, like).map((name) =>
    kind.differ(
      like,
      new Proxy(like, { get: (of, at) => (at === name ? {} : Reflect.get(of, at)) }),
    ),
  );
}

const text = `machine arm64 { device nic { .coherent = false, .iommu = smmu }; }
u32 *buf;
dma_addr_t bus;
init { buf = kzalloc(128, GFP_KERNEL); }
cpu driver {
	buf[0] = 1;
	bus = dma_map_single(nic, buf, 128, DMA_BIDIRECTIONAL);
	submit(nic);
	wait(nic);
	dma_unmap_single(nic, bus, 128, DMA_BIDIRECTIONAL);
	u32 v = buf[16];
}
device nic { u32 v = dma_read(bus); dma_write(bus + 64, v); }
`;

function states(): readonly State[] {
  const { program, diagnostics } = compile(text, 'x.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return some(program, 400).states;
}

describe('keys of states', () => {
  const all = states();

  it('compares every field that is read', () => {
    const last = all.at(-1);
    const expected = (n: number) => Array.from({ length: n }, (_, i) => 1 << i);
    const [thread, word, frame] = [last?.threads[0], last?.words[0], last?.frames[0]];
    if (!last || !thread || !word || !frame) throw new Error('nothing to compare');
    expect(single(KINDS.KERNEL, last.kernel)).toEqual(expected(KINDS.KERNEL.fields.length));
    expect(single(KINDS.THREAD, thread)).toEqual(expected(KINDS.THREAD.fields.length));
    expect(single(KINDS.WORD, word)).toEqual(expected(KINDS.WORD.fields.length));
    expect(single(KINDS.FRAME, frame)).toEqual(expected(KINDS.FRAME.fields.length));
  });

  it('are equal exactly when states are, whatever they came from', () => {
    const keys = new KeyMaker();
    const byText = new Map<string, string>();
    const seen = new Set<string>();
    let before: State | undefined;
    for (const { key: _, ...state } of all) {
      const key = keys.key(state, before);
      // Nothing is known by identity of a copy.
      expect(keys.key(structuredClone(state))).toBe(key);
      const whole = JSON.stringify(state);
      expect(byText.get(whole) ?? key).toBe(key);
      if (!byText.has(whole)) expect(seen).not.toContain(key);
      byText.set(whole, key);
      seen.add(key);
      before = { ...state, key };
    }
    expect(seen.size).toBeGreaterThan(100);
  });
});

describe('tuples', () => {
  const ints = fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 5 }), {
    maxLength: 900,
  });

  it('have one number each, from 0', () => {
    fc.assert(
      fc.property(ints, (lists) => {
        const tuples = new Tuples();
        const known = new Map<string, number>();
        for (const list of lists) {
          const at = tuples.open();
          for (const int of list) tuples.push(int);
          const number = tuples.close(at);
          const name = list.join();
          expect(number).toBe(known.get(name) ?? known.size);
          known.set(name, number);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('may be begun inside others, and like others', () => {
    const tuples = new Tuples();
    const make = (list: readonly number[]): number => {
      const at = tuples.open();
      for (const int of list) tuples.push(int);
      return tuples.close(at);
    };
    const [first, other] = [make([1, 2, 3]), make([1, 5, 3])];
    const outer = tuples.open();
    tuples.push(7);
    const at = tuples.openLike(first);
    tuples.set(at, 1, 5);
    expect(tuples.close(at)).toBe(other);
    tuples.push(8);
    expect(tuples.close(outer)).toBe(make([7, 8]));
    const long = Array.from({ length: 20_000 }, (_, i) => i);
    expect(make(long)).toBe(make(long));
    expect(make(long.slice(1))).not.toBe(make(long));
  });
});
