/**
 * Tabulates a network model. A group's behaviour becomes a decision tree: which component it read
 * first, by its value which one next, and at the leaf what the steps write. The trees are filled
 * where a closure needs them: per combination of control values, the set of values that every
 * other component may have there, which is an over-approximation of what is reachable.
 * Leaves out: relations between components that are no control; the search itself is exact.
 */
import type { Local, NetworkModel, Write } from './model.js';

/** A component's old local id → new local id, made on demand. */
export interface LocalMap {
  readonly component: number;
  image(id: number): number;
}

export interface TableStep {
  /** Component → its new local id. */
  readonly sets: readonly (readonly [number, number])[];
  readonly maps: readonly LocalMap[];
  readonly finding: string;
}

export type Tree =
  | { readonly kind: 'test'; readonly component: number; readonly next: Map<number, Tree> }
  | { readonly kind: 'steps'; readonly steps: readonly TableStep[] };

/** What holds at one combination of values of the control components. */
export interface ControlPoint {
  readonly index: number;
  /** Local ids of the control components, in their order. */
  readonly ids: readonly number[];
  /** Per component, the local ids it may have here; a control component just its own. */
  readonly sets: readonly Set<number>[];
  /** Control points that a step leads to, itself left out. */
  readonly next: Set<ControlPoint>;
}

export class Tables {
  readonly roots: (Tree | undefined)[];
  private readonly ids: Map<string, number>[];
  private readonly values: Local[][];

  constructor(readonly model: NetworkModel) {
    this.roots = Array.from({ length: model.groups });
    this.ids = model.components.map(() => new Map<string, number>());
    this.values = model.components.map(() => []);
  }

  id(component: number, value: Local): number {
    const ids = this.ids[component];
    const text = JSON.stringify(value);
    let found = ids?.get(text);
    if (found === undefined) {
      found = this.values[component]?.push(value) ?? 0;
      ids?.set(text, --found);
    }
    return found;
  }

  value(component: number, id: number): Local {
    const value = this.values[component]?.[id];
    if (value === undefined) throw new Error(`component ${component} has no value ${id}`);
    return value;
  }

  /** The tree below which `group` behaves as it does where components have these ids. */
  grow(group: number, idOf: (component: number) => number): void {
    const reads: number[] = [];
    const steps = this.model.steps(group, (component) => {
      if (!reads.includes(component)) reads.push(component);
      return this.value(component, idOf(component));
    });
    const leaf: Tree = { kind: 'steps', steps: steps.map((each) => this.tabled(each)) };
    let place: (tree: Tree) => void = (tree) => {
      this.roots[group] = tree;
    };
    let at = this.roots[group];
    for (const component of reads) {
      if (at === undefined) {
        at = { kind: 'test', component, next: new Map() };
        place(at);
      }
      if (at.kind !== 'test' || at.component !== component) {
        throw new Error(`group ${group} reads in an order of its own`);
      }
      const { next } = at;
      const id = idOf(component);
      place = (tree) => void next.set(id, tree);
      at = next.get(id);
    }
    place(leaf);
  }

  private tabled(step: { writes: readonly Write[]; finding: string }): TableStep {
    const sets: [number, number][] = [];
    const maps: LocalMap[] = [];
    for (const { component, to } of step.writes) {
      if (typeof to !== 'function') {
        sets.push([component, this.id(component, to)]);
        continue;
      }
      const known: (number | undefined)[] = [];
      const image = (id: number): number => {
        known[id] ??= this.id(component, to(this.value(component, id)));
        return known[id];
      };
      maps.push({ component, image });
    }
    return { sets, maps, finding: step.finding };
  }
}

/** The control points of a network, each with the local values possible there. */
export class Closure {
  readonly points: ControlPoint[] = [];
  private readonly byIds = new Map<string, ControlPoint>();
  private readonly open = new Set<ControlPoint>();

  constructor(
    readonly tables: Tables,
    readonly controls: readonly number[],
  ) {
    const { model } = tables;
    const initial = model.initial().map((value, component) => tables.id(component, value));
    const first = this.point(controls.map((component) => initial[component] ?? 0));
    initial.forEach((id, component) => void first.sets[component]?.add(id));
    for (const point of this.open) {
      this.open.delete(point);
      for (let group = 0; group < model.groups; group++) {
        this.walk(point, group, () => tables.roots[group], new Map());
      }
    }
  }

  /** More than the reachable states, and exactly those when components meet only in controls. */
  get bound(): number {
    return this.points.reduce(
      (sum, point) => sum + point.sets.reduce((product, set) => product * set.size, 1),
      0,
    );
  }

  point(ids: readonly number[]): ControlPoint {
    const key = ids.join();
    let found = this.byIds.get(key);
    if (found === undefined) {
      const sets = this.tables.model.components.map(() => new Set<number>());
      this.controls.forEach((component, i) => void sets[component]?.add(ids[i] ?? 0));
      found = { index: this.points.length, ids, sets, next: new Set() };
      this.points.push(found);
      this.byIds.set(key, found);
      this.open.add(found);
    }
    return found;
  }

  private walk(
    point: ControlPoint,
    group: number,
    get: () => Tree | undefined,
    fixed: ReadonlyMap<number, number>,
  ): void {
    if (get() === undefined) {
      this.tables.grow(group, (component) => fixed.get(component) ?? first(point, component));
    }
    const tree = get();
    if (tree?.kind !== 'test') {
      for (const step of tree?.steps ?? []) this.take(point, step, fixed);
      return;
    }
    const { component, next } = tree;
    const known = fixed.get(component);
    for (const id of known === undefined ? [...(point.sets[component] ?? [])] : [known]) {
      this.walk(point, group, () => next.get(id), new Map([...fixed, [component, id]]));
    }
  }

  private take(point: ControlPoint, step: TableStep, fixed: ReadonlyMap<number, number>): void {
    const target = this.target(point, step);
    const olds = (component: number): readonly number[] => {
      const known = fixed.get(component);
      return known === undefined ? [...(point.sets[component] ?? [])] : [known];
    };
    let grown = false;
    const add = (component: number, id: number): void => {
      const set = target.sets[component];
      if (set === undefined || set.has(id)) return;
      set.add(id);
      grown = true;
    };
    for (const [component, id] of step.sets) {
      if (!this.controls.includes(component)) add(component, id);
    }
    for (const { component, image } of step.maps) {
      for (const id of olds(component)) add(component, image(id));
    }
    if (target !== point) {
      point.next.add(target);
      const written = [...step.sets.map(([each]) => each), ...step.maps.map((m) => m.component)];
      target.sets.forEach((_, component) => {
        if (this.controls.includes(component) || written.includes(component)) return;
        for (const id of olds(component)) add(component, id);
      });
    }
    if (grown) this.open.add(target);
  }

  /** The control point a step leads to. */
  target(point: ControlPoint, step: TableStep): ControlPoint {
    const sets = new Map(step.sets);
    if (!this.controls.some((component) => sets.has(component))) {
      if (step.maps.some((map) => this.controls.includes(map.component))) {
        throw new Error('a control component is written by a function of its value');
      }
      return point;
    }
    return this.point(
      this.controls.map((component, i) => sets.get(component) ?? point.ids[i] ?? 0),
    );
  }
}

function first(point: ControlPoint, component: number): number {
  for (const id of point.sets[component] ?? []) return id;
  throw new Error(`component ${component} has no value here`);
}

/** Components whose own value never comes back: threads without loops, flags that only rise. */
export function acyclicComponents(model: NetworkModel): readonly number[] {
  const tables = new Tables(model);
  const edges = model.components.map(() => new Map<number, Set<number>>());
  const link = (component: number, from: number, to: number): void => {
    const map = edges[component];
    if (map !== undefined && from !== to) map.set(from, (map.get(from) ?? new Set()).add(to));
  };
  const [all] = new Closure(tables, []).points;
  const visit = (tree: Tree | undefined, fixed: ReadonlyMap<number, number>): void => {
    if (tree?.kind === 'test') {
      for (const [id, next] of tree.next) visit(next, new Map([...fixed, [tree.component, id]]));
      return;
    }
    for (const step of tree?.steps ?? []) {
      const olds = (component: number): Iterable<number> =>
        fixed.has(component) ? [fixed.get(component) ?? 0] : (all?.sets[component] ?? []);
      for (const [component, to] of step.sets) {
        for (const from of olds(component)) link(component, from, to);
      }
      for (const { component, image } of step.maps) {
        for (const from of olds(component)) link(component, from, image(from));
      }
    }
  };
  for (const root of tables.roots) visit(root, new Map());
  return model.components.flatMap((_, i) => (isAcyclic(edges[i] ?? new Map()) ? [i] : []));
}

/** True when no walk along the edges comes back to where it was. */
export function isAcyclic<T>(edges: ReadonlyMap<T, ReadonlySet<T>>): boolean {
  const incoming = new Map<T, number>();
  for (const targets of edges.values()) {
    for (const to of targets) incoming.set(to, (incoming.get(to) ?? 0) + 1);
  }
  const all = new Set([...edges.keys(), ...incoming.keys()]);
  const free = [...all].filter((each) => !incoming.has(each));
  let seen = 0;
  for (const each of free) {
    seen++;
    for (const to of edges.get(each) ?? []) {
      const left = (incoming.get(to) ?? 1) - 1;
      incoming.set(to, left);
      if (left === 0) free.push(to);
    }
  }
  return seen === all.size;
}
