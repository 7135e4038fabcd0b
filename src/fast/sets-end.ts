/**
 * Whether every state of an exploration by sets can still come to its end by steps that have to
 * happen some time: then no thread waits for ever, and nobody need look for it in a graph. From the
 * ends backwards, a set at a time.
 * Leaves out: who waits, and where (verdict/lost-wakeup.ts asks the graph).
 */
import type { Will } from '../explore/model.js';
import type { BySets, Point } from './by-sets.js';
import type { Bits } from './line-sets.js';
import type { TabledStep } from './tree.js';

class Backwards {
  /** Per point, the states that come to an end; null: all. */
  private readonly good = new Map<Point, Bits | null>();
  private readonly points: readonly Point[];

  constructor(
    private readonly sets: BySets,
    private readonly never: readonly Will[],
  ) {
    this.points = [...sets.points].sort((a, b) => b.level - a.level);
    for (const point of this.points) this.good.set(point, point.space.empty());
    for (const point of this.points) if (point.end !== null) this.begin(point);
  }

  private begin(point: Point): void {
    const { sets } = this;
    const good = point.space.empty();
    sets.walk(sets.tables.ends, point, point.space, point.all, (leaf, states) => {
      if (leaf.steps.length > 0) add(good, states);
    });
    this.put(point, good);
  }

  private put(point: Point, good: Bits): void {
    const { all } = point;
    this.good.set(point, good.some((word, i) => word !== all[i]) ? good : null);
  }

  /** True when all do; else as many as can have been found. */
  run(): boolean {
    for (;;) {
      const open = this.points.filter((point) => this.good.get(point) !== null);
      if (open.length === 0) return true;
      let changed = false;
      for (const point of open) if (this.look(point)) changed = true;
      if (!changed) return false;
    }
  }

  /** True when more of a point's states come to an end than was known. */
  private look(point: Point): boolean {
    const { sets, never } = this;
    const good = this.good.get(point);
    if (!good) return false;
    const before = good.slice();
    for (const table of sets.tables.tables) {
      const rest = point.all.map((word, i) => word & ~good[i]!);
      sets.walk(table, point, point.space, rest, (leaf, states) => {
        for (const step of leaf.steps) {
          if (!never.includes(step.will)) this.follow(point, good, step, states);
        }
      });
    }
    this.put(point, good);
    return good.some((word, i) => word !== before[i]);
  }

  private follow(from: Point, good: Bits, step: TabledStep, states: Bits): void {
    const { sets } = this;
    const { point, changes } = sets.targetOf(from, step);
    const goal = this.good.get(point);
    if (goal === null) add(good, states);
    else if (goal) sets.mover.reaching(states, from.space, good, goal, point.space, changes);
  }
}

function add(into: Bits, set: Bits): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i]! | set[i]!;
}

/** `policies`: each says which kinds of steps need not happen. */
export function allEnd(sets: BySets, policies: readonly (readonly Will[])[]): boolean {
  // Policies that say the same of the steps there are need one look.
  const told = new Map(
    policies.map((never) => [never.filter((w) => sets.wills.has(w)).join(), never]),
  );
  return [...told.values()].every((never) => new Backwards(sets, never).run());
}
