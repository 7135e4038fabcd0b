/**
 * From the leaves of a decision tree to few guarded cases: leaves that do the same to the variables
 * (set them to the same values, leave them alone, or copy one into another) become one, and tests
 * that no other leaf needs are dropped. Exact on every value the leaves were met with.
 * Leaves out: where the leaves come from (scenario.ts, network.ts).
 */
import type { Encoding } from './encode.js';
import type { Guards } from './guards.js';
import { and, type Cond, type Statement } from './model.js';

/** One step of a leaf: components with their new local ids, and hazards met. */
export interface LeafStep {
  readonly sets: ReadonlyMap<number, number>;
  readonly hazards: readonly number[];
}

export interface Leaf {
  /** Per component that was looked at, the values it may have here. */
  readonly guards: ReadonlyMap<number, ReadonlySet<number>>;
  readonly steps: readonly LeafStep[];
}

/** What a step may be said to do to a variable; all that is listed comes to the same. */
interface Effect {
  readonly keep: boolean;
  /** -1: none. */
  readonly value: number;
  readonly from: readonly number[];
}

interface Step {
  readonly effects: ReadonlyMap<number, Effect>;
  readonly hazards: readonly number[];
}

export interface Case {
  readonly guards: ReadonlyMap<number, ReadonlySet<number>>;
  readonly steps: readonly Step[];
  readonly members: readonly Leaf[];
}

function effectOf(
  encoding: Encoding,
  variable: number,
  before: readonly number[],
  after: number,
): Effect {
  const component = encoding.variables[variable]?.component ?? -1;
  const value = encoding.value(variable, after);
  const others = (encoding.of[component] ?? []).filter(
    (each) => each !== variable && encoding.sameDomain(each, variable),
  );
  const same = (v: number): boolean => before.every((id) => encoding.value(v, id) === value);
  return { keep: same(variable), value, from: others.filter(same) };
}

function stepOf(encoding: Encoding, leaf: Leaf, { sets, hazards }: LeafStep): Step {
  const effects = new Map<number, Effect>();
  for (const [component, after] of sets) {
    const all = Array.from({ length: encoding.count(component) }, (_, id) => id);
    const before = [...(leaf.guards.get(component) ?? all)];
    for (const variable of encoding.of[component] ?? []) {
      effects.set(variable, effectOf(encoding, variable, before, after));
    }
  }
  return { effects, hazards };
}

/** A variable that a step does not mention keeps its value; where that is known, it is also set. */
function untouched(encoding: Encoding, guards: Case['guards'], variable: number): Effect {
  const ids = guards.get(encoding.variables[variable]?.component ?? -1);
  const values = new Set([...(ids ?? [])].map((id) => encoding.value(variable, id)));
  const [value = -1] = values;
  return { keep: true, value: values.size === 1 ? value : -1, from: [] };
}

function mergedSteps(encoding: Encoding, a: Case, b: Case, i: number): Step | null {
  const [x, y] = [a.steps[i], b.steps[i]];
  if (x === undefined || y === undefined || x.hazards.join() !== y.hazards.join()) return null;
  const effects = new Map<number, Effect>();
  for (const variable of new Set([...x.effects.keys(), ...y.effects.keys()])) {
    const p = x.effects.get(variable) ?? untouched(encoding, a.guards, variable);
    const q = y.effects.get(variable) ?? untouched(encoding, b.guards, variable);
    const keep = p.keep && q.keep;
    const value = p.value === q.value ? p.value : -1;
    const from = p.from.filter((each) => q.from.includes(each));
    if (!keep && value < 0 && from.length === 0) return null;
    effects.set(variable, { keep, value, from });
  }
  const step = { effects, hazards: x.hazards };
  return inOrder(step) === null ? null : step;
}

function merged(encoding: Encoding, a: Case, b: Case, component: number): Case | null {
  if (a.steps.length !== b.steps.length) return null;
  const steps: Step[] = [];
  for (let i = 0; i < a.steps.length; i++) {
    const step = mergedSteps(encoding, a, b, i);
    if (step === null) return null;
    steps.push(step);
  }
  const ids = new Set([...(a.guards.get(component) ?? []), ...(b.guards.get(component) ?? [])]);
  const guards = new Map([...a.guards, [component, ids] as const]);
  return { guards, steps, members: [...a.members, ...b.members] };
}

function setText(ids: ReadonlySet<number>): string {
  return [...ids].sort((a, b) => a - b).join();
}

/** All tests but the one of a component. */
function signature(each: Case, component: number): string {
  return [...each.guards]
    .filter(([c]) => c !== component)
    .sort(([a], [b]) => a - b)
    .map(([c, ids]) => `${c}:${setText(ids)}`)
    .join(';');
}

function mergeAlong(
  encoding: Encoding,
  cases: readonly Case[],
  component: number,
): readonly Case[] {
  const buckets = new Map<string, Case[]>();
  for (const each of cases) {
    const key = each.guards.has(component)
      ? signature(each, component)
      : `without ${signature(each, component)}`;
    const bucket = buckets.get(key) ?? [];
    buckets.set(key, bucket);
    const at = each.guards.has(component)
      ? bucket.findIndex((other) => merged(encoding, other, each, component) !== null)
      : -1;
    const found = bucket[at];
    const both = found === undefined ? null : merged(encoding, found, each, component);
    if (both === null) bucket.push(each);
    else bucket[at] = both;
  }
  return [...buckets.values()].flat();
}

/** Drops tests that tell a case from no leaf of another case. */
function withoutTests(each: Case, leaves: readonly Leaf[]): Case {
  const mine = new Set(each.members);
  const others = leaves.filter((leaf) => !mine.has(leaf));
  const guards = new Map(each.guards);
  for (const component of each.guards.keys()) {
    const needed = others.some((leaf) =>
      [...guards].every(([c, ids]) => c === component || overlap(leaf.guards.get(c) ?? null, ids)),
    );
    if (!needed) guards.delete(component);
  }
  return { ...each, guards };
}

function overlap(a: ReadonlySet<number> | null, b: ReadonlySet<number>): boolean {
  return a === null || [...a].some((id) => b.has(id));
}

/** The cases of a group of steps; those that do nothing are left out. */
export function casesOf(encoding: Encoding, leaves: readonly Leaf[]): readonly Case[] {
  let cases: readonly Case[] = leaves
    .filter((leaf) => leaf.steps.length > 0)
    .map((leaf) => ({
      guards: leaf.guards,
      steps: leaf.steps.map((step) => stepOf(encoding, leaf, step)),
      members: [leaf],
    }));
  const components = [...new Set(leaves.flatMap((leaf) => [...leaf.guards.keys()]))];
  for (let before = -1; before !== cases.length; ) {
    before = cases.length;
    // What was looked at last tells least: merge along that first.
    for (const component of [...components].reverse()) {
      cases = mergeAlong(encoding, cases, component);
    }
    cases = cases.map((each) => withoutTests(each, leaves));
  }
  return cases;
}

export function guardOf(guards: Guards, each: Case, first: (component: number) => number): Cond {
  const tests = [...each.guards].sort(([a], [b]) => first(a) - first(b));
  return and(tests.map(([component, ids]) => guards.among(component, ids)));
}

/** Assignments in an order that reads every variable before it is written; null: there is none. */
function inOrder(step: Step): readonly Statement[] | null {
  const sets: Statement[] = [];
  const copies: { variable: number; from: number }[] = [];
  for (const [variable, { keep, value, from }] of step.effects) {
    const [source] = from;
    if (keep) continue;
    if (value >= 0) sets.push({ kind: 'set', variable, value });
    else if (source !== undefined) copies.push({ variable, from: source });
  }
  const ordered: Statement[] = [];
  while (copies.length > 0) {
    const at = copies.findIndex(({ variable }) => copies.every(({ from }) => from !== variable));
    const [next] = at < 0 ? [] : copies.splice(at, 1);
    if (next === undefined) return null;
    ordered.push({ kind: 'copy', ...next });
  }
  return [...ordered, ...sets];
}

export function bodyOf(step: Step): readonly Statement[] {
  const assignments = inOrder(step);
  if (assignments === null) throw new Error('assignments in a circle');
  const hazards = step.hazards.map((hazard): Statement => ({ kind: 'hazard', hazard }));
  return [...hazards, ...assignments];
}
