/**
 * Explores whole sets of states at once. It works where control never comes back (threads without
 * loops) and where, while control stands still, components move one by one: then the states of a
 * control point are a bitmap over the product of the components' values, a step of a component
 * moves blocks of it, thirty-two states to a word, and one sweep over the control points in order
 * reaches everything. Exact: the bitmap has a bit for every state that the closure allows.
 * Leaves out: transitions (they are not taken one by one) and lengths of runs.
 */
import {
  emptyBitmap,
  type Bitmap,
  countBits,
  merge,
  type Pair,
  relate,
  spreadIn,
} from './bitmap.js';
import type { NetworkModel } from './model.js';
import {
  acyclicComponents,
  Closure,
  type ControlPoint,
  isAcyclic,
  Tables,
  type TableStep,
  type Tree,
} from './tabulate.js';

export interface SweepLimits {
  readonly maxSeconds: number;
  readonly maxMemoryBytes: number;
  /** Wall clock in seconds. */
  readonly now: () => number;
}

export type SweepResult =
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'swept';
      readonly stopped: 'seconds' | 'memory' | null;
      readonly states: number;
      readonly findings: ReadonlySet<string>;
      /** Bitmaps alive at the same time, at most. */
      readonly bytes: number;
    };

interface Case {
  readonly fixed: ReadonlyMap<number, number>;
  readonly step: TableStep;
}

/** Every step that a control point may take, with the values it was found under. */
function casesAt(closure: Closure, point: ControlPoint): Case[] {
  const cases: Case[] = [];
  const visit = (tree: Tree | undefined, fixed: ReadonlyMap<number, number>): void => {
    if (tree?.kind !== 'test') {
      cases.push(...(tree?.steps ?? []).map((step) => ({ fixed, step })));
      return;
    }
    const { component, next } = tree;
    const control = closure.controls.indexOf(component);
    if (control >= 0) {
      visit(next.get(point.ids[control] ?? 0), fixed);
      return;
    }
    for (const id of point.sets[component] ?? []) {
      visit(next.get(id), new Map([...fixed, [component, id]]));
    }
  };
  for (const root of closure.tables.roots) visit(root, new Map());
  return cases;
}

class Sweep {
  readonly findings = new Set<string>();
  readonly maps = new Map<ControlPoint, Bitmap>();
  readonly others: readonly number[];
  /** Components whose digits share a word. */
  readonly inWord: number;
  states = 0;
  bytes = 0;
  why = '';

  constructor(
    readonly closure: Closure,
    readonly limits: SweepLimits,
  ) {
    const { tables, controls, points } = closure;
    this.others = tables.model.components.map((_, i) => i).filter((i) => !controls.includes(i));
    let inWord = 0;
    let room = 32;
    for (const component of this.others) {
      room /= Math.max(...points.map((point) => point.sets[component]?.size ?? 1));
      if (room < 1) break;
      inWord++;
    }
    this.inWord = inWord;
  }

  /** Local ids of a component at a point; a digit is an index into them. */
  private ids(point: ControlPoint, component: number): readonly number[] {
    return [...(point.sets[component] ?? [])].sort((a, b) => a - b);
  }

  private bitmapAt(point: ControlPoint): Bitmap {
    let found = this.maps.get(point);
    if (found === undefined) {
      const sizes = this.others.map((component) => point.sets[component]?.size ?? 1);
      found = emptyBitmap(sizes, this.inWord);
      this.maps.set(point, found);
    }
    return found;
  }

  /** Why the sweep cannot do this network; '' when it can. */
  refusal(): string {
    const edges = new Map(this.closure.points.map((point) => [point, point.next] as const));
    if (!isAcyclic(edges)) return 'control comes back to where it was';
    const { model } = this.closure.tables;
    for (const point of this.closure.points) {
      for (const { fixed, step } of casesAt(this.closure, point)) {
        if (this.closure.target(point, step) !== point) continue;
        const written = [...step.sets.map(([each]) => each), ...step.maps.map((m) => m.component)];
        const touched = new Set([...fixed.keys(), ...written]);
        if (touched.size > 1) {
          const names = [...touched].map((each) => model.components[each]).join(', ');
          return `a step couples ${names} while control stands still`;
        }
      }
    }
    return '';
  }

  run(): 'seconds' | 'memory' | null {
    const { limits, closure } = this;
    const started = limits.now();
    const [start] = closure.points;
    if (start !== undefined) this.bitmapAt(start).words[0] = 1;
    for (const point of inOrder(closure.points)) {
      const map = this.maps.get(point);
      if (map === undefined) continue;
      const cases = casesAt(closure, point);
      this.close(point, map, cases);
      this.states += countBits(map.words);
      for (const each of cases) this.leave(point, map, each);
      let words = 0;
      for (const each of this.maps.values()) words += each.words.length;
      this.bytes = Math.max(this.bytes, 4 * words);
      this.maps.delete(point);
      if (this.bytes > limits.maxMemoryBytes) return 'memory';
      if (limits.now() - started > limits.maxSeconds) return 'seconds';
    }
    return null;
  }

  /** Everything components can do by themselves here; each on its own, since none reads another. */
  private close(point: ControlPoint, map: Bitmap, cases: readonly Case[]): void {
    this.others.forEach((component, dimension) => {
      const ids = this.ids(point, component);
      const reach = ids.map((_, i) => new Set([i]));
      const edges: Pair[] = [];
      for (const { fixed, step } of cases) {
        const from = fixed.get(component);
        if (from === undefined || this.closure.target(point, step) !== point) continue;
        const set = step.sets.find(([each]) => each === component)?.[1];
        const image = step.maps.find((each) => each.component === component)?.image(from);
        edges.push([ids.indexOf(from), ids.indexOf(set ?? image ?? from)]);
      }
      for (let changed = true; changed; ) {
        changed = false;
        for (const targets of reach) {
          const before = targets.size;
          for (const [from, to] of edges) if (targets.has(from)) targets.add(to);
          if (targets.size > before) changed = true;
        }
      }
      const pairs = reach.flatMap((targets, from) =>
        [...targets].filter((to) => to !== from).map((to): Pair => [from, to]),
      );
      spreadIn(map, dimension, pairs);
    });
  }

  private leave(point: ControlPoint, map: Bitmap, { fixed, step }: Case): void {
    const target = this.closure.target(point, step);
    if (target === point && step.finding === '') return;
    const sets = new Map(step.sets);
    const relations = this.others.map((component) => {
      const to = this.ids(target, component);
      const only = fixed.get(component);
      const image = step.maps.find((each) => each.component === component);
      return this.ids(point, component).flatMap((id, digit): Pair[] => {
        if (only !== undefined && id !== only) return [];
        const next = sets.get(component) ?? image?.image(id) ?? id;
        return [[digit, to.indexOf(next)]];
      });
    });
    const sizes = this.others.map((component) => target.sets[component]?.size ?? 1);
    const moved = relate(map, relations, sizes);
    if (step.finding !== '' && moved.words.some((word) => word !== 0)) {
      this.findings.add(step.finding);
    }
    if (target !== point) merge(this.bitmapAt(target), moved);
  }
}

/** Each point after all that lead to it. */
function inOrder(points: readonly ControlPoint[]): readonly ControlPoint[] {
  const waiting = new Map(points.map((point) => [point, 0]));
  for (const point of points) {
    for (const next of point.next) waiting.set(next, (waiting.get(next) ?? 0) + 1);
  }
  const order = points.filter((point) => waiting.get(point) === 0);
  for (const point of order) {
    for (const next of point.next) {
      const left = (waiting.get(next) ?? 1) - 1;
      waiting.set(next, left);
      if (left === 0) order.push(next);
    }
  }
  return order;
}

/** Explores a network by sets, or says why it cannot be. */
export function sweep(model: NetworkModel, limits: SweepLimits): SweepResult {
  const closure = new Closure(new Tables(model), acyclicComponents(model));
  const run = new Sweep(closure, limits);
  const why = run.refusal();
  if (why !== '') return { kind: 'refused', why };
  const stopped = run.run();
  const { states, findings, bytes } = run;
  return { kind: 'swept', stopped, states, findings, bytes };
}
