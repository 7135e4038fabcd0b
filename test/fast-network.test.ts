/**
 * The packed engine on networks of components: against plain exploration of random networks, with
 * every visited set and by sets, and against the known counts of wcbuf.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wcbuf } from '../bench/wcbuf/model.js';
import { homeOf, quotientOf } from '../src/fast/expand.js';
import type { Local, NetworkModel } from '../src/fast/model.js';
import { pack } from '../src/fast/pack.js';
import { search } from '../src/fast/search.js';
import { sweep } from '../src/fast/sweep.js';

const limits = {
  maxStates: 2 ** 30,
  maxSeconds: 60,
  maxMemoryBytes: 2 ** 30,
  now: () => 0,
};

interface Counted {
  readonly states: number;
  readonly transitions: number;
  readonly found: ReadonlyMap<string, number>;
}

/** Breadth-first exploration as plain as it can be. */
function plain(model: NetworkModel): Counted {
  const queue: { values: readonly Local[]; depth: number }[] = [
    { values: model.initial(), depth: 0 },
  ];
  const seen = new Set([JSON.stringify(model.initial())]);
  const found = new Map<string, number>();
  let transitions = 0;
  for (const { values, depth } of queue) {
    for (let group = 0; group < model.groups; group++) {
      for (const step of model.steps(group, (component) => values[component] ?? 0)) {
        transitions++;
        const next = values.slice();
        for (const { component, to } of step.writes) {
          next[component] = typeof to === 'function' ? to(values[component] ?? 0) : to;
        }
        if (step.finding !== '' && !found.has(step.finding)) found.set(step.finding, depth + 1);
        const key = JSON.stringify(next);
        if (seen.has(key)) continue;
        seen.add(key);
        queue.push({ values: next, depth: depth + 1 });
      }
    }
  }
  return { states: seen.size, transitions, found };
}

interface Rule {
  readonly control: number;
  /** Control moves on in this step. */
  readonly leaves: boolean;
  readonly component: number;
  readonly from: number;
  readonly to: number;
  readonly second: number;
  /** What happens to the second component: nothing, a value, or its successor. */
  readonly effect: number;
  readonly finding: boolean;
}

const COMPONENTS = 4;
const VALUES = 3;

/** Component 0 counts up; rules move the others, some of them by a function of their value. */
function network(rules: readonly Rule[]): NetworkModel {
  return {
    components: Array.from({ length: COMPONENTS }, (_, i) => `c${i}`),
    initial: () => Array.from({ length: COMPONENTS }, () => 0),
    groups: rules.length,
    steps(group, read) {
      const rule = rules[group];
      if (rule === undefined || read(0) !== rule.control) return [];
      const { component, second, effect } = rule;
      if (read(component) !== rule.from) return [];
      const writes = [{ component, to: rule.to }];
      const more = [
        [],
        [{ component: second, to: 1 }],
        [{ component: second, to: (old: Local) => (Number(old) + 1) % VALUES }],
      ];
      const others = second === component ? [] : (more[effect] ?? []);
      const step = rule.leaves ? [{ component: 0, to: rule.control + 1 }] : [];
      const finding = rule.finding ? `rule ${group}` : '';
      return [{ writes: [...writes, ...others, ...step], finding }];
    },
  };
}

const rules = fc.array(
  fc.record({
    control: fc.nat(2),
    leaves: fc.boolean(),
    component: fc.integer({ min: 1, max: COMPONENTS - 1 }),
    from: fc.nat(VALUES - 1),
    to: fc.nat(VALUES - 1),
    second: fc.integer({ min: 1, max: COMPONENTS - 1 }),
    effect: fc.nat(2),
    finding: fc.boolean(),
  }),
  { maxLength: 14 },
);

describe('the packed engine', () => {
  it('explores random networks as plain exploration does, with every visited set', () => {
    fc.assert(
      fc.property(rules, fc.constantFrom('dense', 'narrow', 'wide', 'wasm'), (list, set) => {
        const model = network(list);
        const wanted = plain(model);
        const { states, transitions, found, stopped } = search(pack(model), limits, set);
        expect({ states, transitions, found, stopped }).toEqual({ ...wanted, stopped: null });
      }),
      { seed: 7, numRuns: 400 },
    );
  });

  it('explores random networks by sets, or says why not', () => {
    let swept = 0;
    fc.assert(
      fc.property(rules, (list) => {
        const model = network(list);
        const wanted = plain(model);
        const result = sweep(model, limits);
        if (result.kind === 'refused') {
          expect(result.why).not.toBe('');
          return;
        }
        swept++;
        expect(result.states).toBe(wanted.states);
        expect([...result.findings].sort()).toEqual([...wanted.found.keys()].sort());
      }),
      { seed: 8, numRuns: 400 },
    );
    expect(swept).toBeGreaterThan(40);
  });

  it('keeps what components have to do with each other, by sets too', () => {
    // At control 0 component 1 is 0 or 1; leaving it, component 2 becomes 1 or 2 accordingly.
    const model: NetworkModel = {
      ...network([]),
      groups: 3,
      steps(group, read) {
        // Component 2 goes back to where it was, in the end.
        if (group === 2) {
          const back = {
            writes: [
              { component: 2, to: 0 },
              { component: 0, to: 2 },
            ],
            finding: '',
          };
          return read(0) === 1 ? [back] : [];
        }
        if (read(0) !== 0) return [];
        const value = Number(read(1));
        // There and back, or the component would count as control.
        if (group === 0) return [{ writes: [{ component: 1, to: 1 - value }], finding: '' }];
        if (read(2) !== 0) return [];
        const writes = [
          { component: 0, to: 1 },
          { component: 2, to: value + 1 },
        ];
        return [{ writes, finding: '' }];
      },
    };
    expect(plain(model).states).toBe(6);
    expect(search(pack(model), limits).states).toBe(6);
    expect(sweep(model, limits)).toMatchObject({ states: 6 });
  });

  it.each([
    [1, 40, 78],
    [2, 214, 660],
    [3, 1058, 4486],
    [4, 5050, 27380],
  ])('counts wcbuf with %i lines: %i states', (lines, states, transitions) => {
    const model = wcbuf(lines, true);
    for (const set of ['dense', 'narrow', 'wide', 'wasm'] as const) {
      expect(search(pack(model), limits, set)).toMatchObject({ states, transitions });
    }
    expect(sweep(model, limits)).toMatchObject({ kind: 'swept', states, stopped: null });
  });

  it('finds in wcbuf without the fix what plain exploration finds, at the same depth', () => {
    const model = wcbuf(3, false);
    const { found, states, transitions } = plain(model);
    expect(found.size).toBe(6);
    expect(search(pack(model), limits)).toMatchObject({ found, states, transitions });
  });

  it('grows its sets without losing a state', () => {
    const packed = { ...pack(wcbuf(6, true)), bound: 1 };
    for (const set of ['narrow', 'wide', 'wasm'] as const) {
      expect(search(packed, limits, set)).toMatchObject({ states: 110458, stopped: null });
    }
  });

  it('says so when it stops at a limit', () => {
    const packed = pack(wcbuf(6, true));
    expect(search(packed, { ...limits, maxStates: 1000 }).stopped).toBe('states');
    expect(search(packed, { ...limits, maxMemoryBytes: 1000 }).stopped).toBe('memory');
    let time = 0;
    const now = () => time++;
    expect(search(packed, { ...limits, maxSeconds: 3, now }).stopped).toBe('seconds');
  });

  it('undoes its hash: for a rest, every quotient has a slot of its own', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(2 ** 20), fc.integer({ min: 12, max: 29 }), (q, rest, bits) => {
        const mask = 2 ** bits - 1;
        expect(quotientOf(homeOf(q & mask, rest, bits, mask), rest, bits)).toBe(q & mask);
      }),
    );
  });
});
