/**
 * Explores a scenario by sets of states. What a state has beside its lines is its control point;
 * the states of a control point are one bitmap over the values of its lines (line-sets.ts). A
 * decision tree of `Tables` takes a whole set at once: a test of a line splits it, every other test
 * goes one way. Where a leaf is missing, the reference engine is asked for one state of the set.
 * Each state is taken up exactly once, whatever the order, so states, transitions and findings are
 * exact. Leaves out: runs and the graph (explore.ts goes on from there), reductions.
 */
import type { Will } from '../explore/model.js';
import { countBits } from './bitmap.js';
import {
  type Bits,
  firstOf,
  intersect,
  isEmpty,
  type LineChange,
  Mover,
  type Space,
  Spaces,
} from './line-sets.js';
import type { Tables } from './tables.js';
import type { Ids, Leaf, Node, Table, TabledStep } from './tree.js';

/** A control point, and what is known of its states. */
export interface Point {
  /** Numbers of values by component; 0 for lines. */
  readonly ids: Int32Array;
  space: Space;
  all: Bits;
  /** Not taken up yet, and taken up but for the groups that are not of lines. */
  fresh: Bits;
  open: Bits;
  /** As many steps of control from the first as known when it was taken up. */
  level: number;
  isQueued: boolean;
  states: number;
  /** Times it was taken up. */
  taken: number;
  /** A state in which everything has run to its end; null: none was met. */
  end: Int32Array | null;
}

export interface Target {
  readonly point: Point;
  readonly changes: readonly LineChange[];
}

/** Stops the exploration; what it was until then is of no use. */
export class GivesUp extends Error {}

/** A bitmap of more combinations is mostly empty. */
const BITS_MAX = 2 ** 22;
/** Between two looks at the limits, answers of the reference engine. */
const ASKED_EVERY = 32;
/** What a control point takes beside its bitmaps, about. */
const POINT_BYTES = 1024;

const TAKES_NONE: readonly LineChange[] = [];

export class BySets {
  states = 0;
  transitions = 0;
  readonly findings = new Set<string>();
  readonly points: Point[] = [];
  /** Points by a hash of their ids. */
  private readonly byHash = new Map<number, Point[]>();
  readonly spaces = new Spaces();
  readonly mover = new Mover();
  private readonly levels: Point[][] = [];
  /** By component: which line it is; -1 for control. */
  readonly dimensions: number[] = [];
  private readonly lines: number[] = [];
  private readonly scratch: Bits[] = [];
  private targets = new Map<TabledStep, Target>();
  /** Kinds of steps that were met. */
  readonly wills = new Set<Will>();
  private asked = 0;
  /** Words of bitmaps. */
  private words = 0;

  constructor(
    readonly tables: Tables,
    initial: Ids,
    private readonly name: (finding: TabledStep['findings'][number]) => string,
    /** Looks at the limits; throws GivesUp. */
    private readonly check: () => void,
  ) {
    this.meetLines();
    const point = this.pointOf(initial, 0);
    const values = this.lines.map((component) => [initial[component] ?? 0]);
    this.fit(point, this.spaces.of(values));
    point.fresh[0] = 1;
    point.all[0] = 1;
    this.counted(point, 1);
  }

  get bytes(): number {
    return 4 * this.words + POINT_BYTES * this.points.length + this.spaces.keptBytes();
  }

  /** Lines turn up when pages do. */
  private meetLines(): void {
    const { names } = this.tables.parts;
    for (let at = this.dimensions.length; at < names.length; at++) {
      const isLine = names[at]?.startsWith('line ') === true;
      this.dimensions.push(isLine ? this.lines.push(at) - 1 : -1);
    }
  }

  /** Throws GivesUp, and what the reference engine throws. */
  run(): void {
    // What leads on is of a later level each time, so that no earlier one comes back.
    for (let level = 0; level < this.levels.length; level++) {
      const queue = this.levels[level] ?? [];
      for (let point = queue.pop(); point !== undefined; point = queue.pop()) {
        if (!point.isQueued || point.level !== level) continue;
        this.check();
        this.take(point);
      }
    }
  }

  /** Takes up a point's fresh states, and what comes of them at the point itself. */
  private take(point: Point): void {
    point.isQueued = false;
    point.taken++;
    this.tables.takeUp();
    this.targets = new Map();
    const groups = [...this.tables.tables];
    const own = groups.filter(({ group }) => group?.kind === 'cache');
    const others = groups.filter(({ group }) => group?.kind !== 'cache');
    for (;;) {
      const { space, fresh, open } = point;
      if (!isEmpty(fresh)) {
        point.fresh = space.empty();
        this.end(point, space, fresh);
        for (let i = 0; i < open.length; i++) open[i] = open[i]! | fresh[i]!;
        this.apply(point, own, space, fresh);
      } else if (!isEmpty(open)) {
        point.open = space.empty();
        this.apply(point, others, space, open);
      } else return;
    }
  }

  /** Takes states out of a set in which everything has run to its end. */
  private end(point: Point, space: Space, set: Bits): void {
    const over = space.empty();
    this.walk(this.tables.ends, point, space, set, (leaf, states) => {
      if (leaf.steps.length === 0) return;
      point.end ??= this.sample(point, space, states).slice();
      for (let i = 0; i < over.length; i++) over[i] = over[i]! | states[i]!;
    });
    for (let i = 0; i < set.length; i++) set[i] = set[i]! & ~over[i]!;
  }

  private apply(point: Point, groups: readonly Table[], space: Space, set: Bits): void {
    if (isEmpty(set)) return;
    for (const table of groups) {
      this.walk(table, point, space, set, (leaf, states) => {
        if (leaf.steps.length > 0) this.step(point, leaf, space, states);
      });
    }
  }

  private step(point: Point, leaf: Leaf, space: Space, states: Bits): void {
    const count = countBits(states);
    for (const step of leaf.steps) {
      this.transitions += count;
      this.wills.add(step.will);
      for (const finding of step.findings) this.findings.add(this.name(finding));
      let target = this.targets.get(step);
      if (target === undefined) {
        target = this.targetOf(point, step);
        this.targets.set(step, target);
      }
      this.add(target, point, space, states);
    }
  }

  /** Where a step leads, and which lines it changes. */
  targetOf(point: Point, { components, ids }: TabledStep): Target {
    const { length } = this.tables.parts.names;
    if (this.dimensions.length < length) this.meetLines();
    let next: Int32Array | null = null;
    const changes: LineChange[] = [];
    components.forEach((component, i) => {
      const id = ids[i] ?? 0;
      const dimension = this.dimensions[component] ?? -1;
      if (dimension >= 0) changes.push([dimension, id]);
      else if ((point.ids[component] ?? 0) !== id) {
        next ??= grown(point.ids, length);
        next[component] = id;
      }
    });
    const to = next === null ? point : this.pointOf(next, point.level + 1);
    return { point: to, changes: changes.length === 0 ? TAKES_NONE : changes };
  }

  private add({ point, changes }: Target, from: Point, space: Space, states: Bits): void {
    this.makeRoom(point, space, states, changes);
    const moved = point.space.empty();
    this.mover.move(states, space, moved, point.space, changes);
    let count = 0;
    const { all, fresh } = point;
    for (let i = 0; i < moved.length; i++) {
      const added = moved[i]! & ~all[i]!;
      if (added === 0) continue;
      all[i] = all[i]! | added;
      fresh[i] = fresh[i]! | added;
      count += ones(added);
    }
    if (count > 0) this.counted(point, count, from);
  }

  private counted(point: Point, count: number, from?: Point): void {
    this.states += count;
    point.states += count;
    if (point === from) return;
    // Behind all that is known to lead to it, so that it is taken up once if possible.
    const least = from === undefined ? 0 : from.level + 1;
    if (point.isQueued && point.level >= least) return;
    point.level = Math.max(point.level, least);
    point.isQueued = true;
    while (this.levels.length <= point.level) this.levels.push([]);
    this.levels[point.level]?.push(point);
  }

  /** The point is to tell all values that these states have after a step. */
  private makeRoom(point: Point, space: Space, states: Bits, changes: readonly LineChange[]): void {
    if (point.space === space && changes.length === 0) return;
    const count = Math.max(this.lines.length, space.values.length);
    const needed: (readonly number[])[] = [];
    for (let d = 0; d < count; d++) {
      const to = changes.find(([each]) => each === d)?.[1];
      const own = point.space.valuesOf(d);
      const ids = to === undefined ? space.valuesOf(d) : [to];
      if (point.states > 0 && ids.every((id) => own.includes(id))) needed.push(ids);
      else needed.push(to === undefined ? space.valuesIn(states, d) : ids);
    }
    // A point of which nothing is known tells just these.
    const next =
      point.states === 0 ? this.spaces.of(needed) : this.spaces.widened(point.space, needed);
    if (next !== point.space) this.fit(point, next);
  }

  private fit(point: Point, space: Space): void {
    if (space.bits > BITS_MAX)
      throw new GivesUp('the lines of a control point have too many values');
    const moved = (set: Bits): Bits => {
      const into = space.empty();
      if (point.states > 0) this.mover.move(set, point.space, into, space, TAKES_NONE);
      return into;
    };
    const { all, fresh, open } = point;
    this.words += 3 * (space.words - point.space.words);
    point.all = moved(all);
    point.fresh = moved(fresh);
    point.open = moved(open);
    point.space = space;
  }

  private pointOf(ids: Ids, level: number): Point {
    const { dimensions } = this;
    let hash = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = (dimensions[i] ?? -1) < 0 ? (ids[i] ?? 0) : 0;
      // Nothing of zeros: there are more of them the more lines are known.
      if (id === 0) continue;
      hash = Math.imul(hash ^ Math.imul(id + 7919 * i, 0x9e3779b1), 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    const bucket = this.byHash.get(hash) ?? [];
    const known = bucket.find((each) => this.isSame(each.ids, ids));
    if (known !== undefined) return known;
    const own = Int32Array.from(ids, (id, i) => ((dimensions[i] ?? -1) < 0 ? id : 0));
    const space = this.spaces.of([]);
    const [all, fresh, open] = [space.empty(), space.empty(), space.empty()];
    this.words += 3 * space.words;
    const counts = { level, isQueued: false, states: 0, taken: 0 };
    const point: Point = { ids: own, space, all, fresh, open, ...counts, end: null };
    bucket.push(point);
    this.byHash.set(hash, bucket);
    this.points.push(point);
    return point;
  }

  private isSame(a: Int32Array, b: Ids): boolean {
    const count = Math.max(a.length, b.length);
    for (let i = 0; i < count; i++) {
      if ((a[i] ?? 0) !== (b[i] ?? 0) && (this.dimensions[i] ?? -1) < 0) return false;
    }
    return true;
  }

  private sampled = new Int32Array(0);

  /** Some state of a set that is not empty; good until the next call. */
  sample(point: Point, space: Space, states: Bits): Int32Array {
    const { length } = this.tables.parts.names;
    if (this.sampled.length < length) this.sampled = new Int32Array(length);
    this.sampled.fill(0);
    this.sampled.set(point.ids);
    const first = firstOf(states);
    space.values.forEach((_, d) => {
      this.sampled[this.lines[d] ?? 0] = space.valueIn(first, d);
    });
    return this.sampled;
  }

  private ask(table: Table, point: Point, space: Space, states: Bits): void {
    if (this.asked++ % ASKED_EVERY === 0) this.check();
    this.tables.leafOf(table, this.sample(point, space, states));
  }

  /** Takes a set of states of a point to the leaves of a tree. */
  walk(
    table: Table,
    point: Point,
    space: Space,
    states: Bits,
    use: (leaf: Leaf, states: Bits) => void,
  ): void {
    if (isEmpty(states)) return;
    if (table.root === undefined) this.ask(table, point, space, states);
    if (table.root === undefined) throw new Error('no answer');
    this.descend(table, table.root, point, space, states, 0, use);
  }

  private descend(
    table: Table,
    from: Node,
    point: Point,
    space: Space,
    states: Bits,
    depth: number,
    use: (leaf: Leaf, states: Bits) => void,
  ): void {
    let node = from;
    while (node.look !== null) {
      const { look } = node;
      const dimension = this.dimensions[look.component] ?? -1;
      const branchAt = (id: number): number => this.tables.branchOf(look, id);
      const splits = dimension < 0 ? null : space.splitBy(look, dimension, branchAt);
      if (splits === null || splits.length === 1) {
        const branch = splits?.[0]?.branch ?? branchAt(point.ids[look.component] ?? 0);
        node = this.child(table, node, branch, point, space, states);
        continue;
      }
      const part = this.scratchAt(depth, states.length);
      for (const { branch, mask } of splits) {
        if (!intersect(part, states, mask)) continue;
        const child = this.child(table, node, branch, point, space, part);
        this.descend(table, child, point, space, part, depth + 1, use);
      }
      return;
    }
    // What another thread recorded with it counts now.
    if (node.facts !== '') this.ask(table, point, space, states);
    use(node, states);
  }

  private child(
    table: Table,
    node: Exclude<Node, Leaf>,
    branch: number,
    point: Point,
    space: Space,
    states: Bits,
  ): Node {
    if (node.next[branch] === undefined) this.ask(table, point, space, states);
    const child = node.next[branch];
    if (child === undefined) throw new Error('an answer does not stand where it belongs');
    return child;
  }

  private scratchAt(depth: number, words: number): Bits {
    let found = this.scratch[depth];
    if (found?.length !== words) {
      found = new Int32Array(words);
      this.scratch[depth] = found;
    }
    return found;
  }
}

function grown(ids: Int32Array, length: number): Int32Array {
  const next = new Int32Array(Math.max(length, ids.length));
  next.set(ids);
  return next;
}

function ones(word: number): number {
  let w = word - ((word >>> 1) & 0x55555555);
  w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
  return Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
