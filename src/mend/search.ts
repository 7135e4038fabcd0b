/**
 * The search for the cheapest sets of edits that make a scenario coherent: best first by cost. A
 * set that still fails gives a counterexample; only edits that touch its run are added to it, and
 * a set in which its parent's counterexample still runs is refuted by that, without exploring.
 *
 * Why this misses nothing cheaper: let S mend and E be a part of S that does not. Some edit of S
 * beside E must take E's counterexample away, or S would have that run too. So S is reached by
 * adding such edits one by one. (It takes for granted that two edits which each leave a run alone
 * leave it alone together; the vocabulary has no such pairs, and test/mend-brute.test.ts compares
 * with trying every set.)
 */
import type { RunOptions } from '../verdict/runs.js';
import { type Counterexample, replays, touches } from './counterexample.js';
import { type Edit, excludes } from './edit.js';
import { type Outcome, refute } from './refute.js';
import type { Variant, Variants } from './variant.js';

export interface Limits {
  /** Edits in one set. */
  readonly maxEdits: number;
  readonly maxSeconds: number;
  /** Sets tried. */
  readonly maxSets: number;
}

export interface Answer {
  readonly edits: readonly Edit[];
  readonly cost: number;
}

export interface Found {
  readonly answers: readonly Answer[];
  /** `all`: nothing is left to try. `cost`: nothing as cheap is left. Else the limit. */
  readonly ended: 'all' | 'cost' | 'edits' | 'seconds' | 'sets' | 'interrupted';
  /** The cheapest set that could not be decided. */
  readonly undecidedCost: number | null;
}

export interface Counts {
  explored: number;
  replayed: number;
  senseless: number;
  undecided: number;
  counterexamples: number;
}

interface Node {
  readonly edits: readonly Edit[];
  readonly cost: number;
  /** The counterexample of the set it was made from. */
  readonly from: Counterexample;
}

/** What is known of a set that was explored. */
type Known = Outcome | { readonly kind: 'replayed' };

export class Searcher {
  readonly counts: Counts = {
    explored: 0,
    replayed: 0,
    senseless: 0,
    undecided: 0,
    counterexamples: 0,
  };
  /** By normalised program text: two sets of edits may come to the same. */
  private readonly byText = new Map<string, Known>();
  private readonly started: number;
  /** Counterexamples that refuted something lately, the last one first. */
  private recent: Counterexample[] = [];

  constructor(
    private readonly variants: Variants,
    private readonly base: Variant,
    private readonly first: Counterexample,
    private readonly limits: Limits,
    private readonly options: RunOptions,
  ) {
    this.started = options.now();
  }

  /** All cheapest sets out of the vocabulary, none dearer than `bound`. */
  run(vocabulary: readonly Edit[], bound: number): Found {
    const queue = new Queue();
    const explored = new Set<string>();
    const answers: Answer[] = [];
    let best = bound;
    let cutShort = false;
    let undecidedCost: number | null = null;
    const grow = (edits: readonly Edit[], cost: number, run: Counterexample): void => {
      if (edits.length >= this.limits.maxEdits) {
        cutShort = true;
        return;
      }
      for (const edit of vocabulary) {
        if (cost + edit.cost > best || !fits(edit, edits) || !touches(edit, run)) continue;
        queue.push({ edits: sorted([...edits, edit]), cost: cost + edit.cost, from: run });
      }
    };
    grow([], 0, this.first);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      if (node.cost > best) return { answers, ended: 'cost', undecidedCost };
      const limit = this.limitHit(explored.size);
      if (limit !== null) return { answers, ended: limit, undecidedCost };
      const key = keyOf(node.edits);
      if (explored.has(key) || answers.some((answer) => within(answer.edits, node.edits))) continue;
      const outcome = this.judge(node);
      if (outcome.kind === 'replayed') continue;
      explored.add(key);
      if (outcome.kind === 'coherent') {
        best = node.cost;
        answers.push({ edits: node.edits, cost: node.cost });
      } else if (outcome.kind === 'hazard') grow(node.edits, node.cost, outcome.run);
      else if (outcome.kind === 'unknown') undecidedCost ??= node.cost;
    }
    return { answers, ended: cutShort && answers.length === 0 ? 'edits' : 'all', undecidedCost };
  }

  private limitHit(sets: number): 'seconds' | 'sets' | 'interrupted' | null {
    if (this.options.tick(sets, 0, 'mend')) return 'interrupted';
    if (sets > this.limits.maxSets) return 'sets';
    return this.options.now() - this.started > this.limits.maxSeconds ? 'seconds' : null;
  }

  private judge(node: Node): Known {
    const text = this.variants.textOf(node.edits);
    const known = text === null ? undefined : this.byText.get(text);
    if (known !== undefined) return known;
    const variant = text === null ? null : this.variants.make(node.edits, this.base);
    if (variant === null) {
      this.counts.senseless++;
      return { kind: 'senseless' };
    }
    if (replays(variant, node.from)) {
      this.counts.replayed++;
      return { kind: 'replayed' };
    }
    const outcome = this.explore(variant);
    this.byText.set(variant.text, outcome);
    return outcome;
  }

  /** Tries the counterexamples at hand before looking for a new one. */
  private explore(variant: Variant): Outcome {
    const again = this.recent.find((run) => replays(variant, run));
    const outcome: Outcome =
      again === undefined ? refute(variant, this.options) : { kind: 'hazard', run: again };
    switch (outcome.kind) {
      case 'hazard':
        this.counts.explored++;
        if (again === undefined) this.counts.counterexamples++;
        this.recent = [outcome.run, ...this.recent.filter((run) => run !== outcome.run)];
        this.recent.length = Math.min(this.recent.length, RECENT_MAX);
        break;
      case 'unknown':
        this.counts.undecided++;
        break;
      case 'senseless':
        this.counts.senseless++;
        break;
      case 'coherent':
    }
    return outcome;
  }
}

/** More would cost more than the exploration they may spare. */
const RECENT_MAX = 2;

function fits(edit: Edit, edits: readonly Edit[]): boolean {
  return edits.every((other) => other.id !== edit.id && !excludes(edit, other));
}

function sorted(edits: readonly Edit[]): readonly Edit[] {
  return [...edits].sort((a, b) => a.id - b.id);
}

function keyOf(edits: readonly Edit[]): string {
  return edits.map((edit) => edit.id).join(',');
}

function within(small: readonly Edit[], large: readonly Edit[]): boolean {
  return small.every((edit) => large.includes(edit));
}

/** Cheapest first; of one cost, first come first. */
class Queue {
  private readonly byCost = new Map<number, Node[]>();
  private readonly costs: number[] = [];

  push(node: Node): void {
    const list = this.byCost.get(node.cost);
    if (list !== undefined) {
      list.push(node);
      return;
    }
    this.byCost.set(node.cost, [node]);
    const at = this.costs.findIndex((cost) => cost < node.cost);
    this.costs.splice(at < 0 ? this.costs.length : at, 0, node.cost);
  }

  pop(): Node | undefined {
    for (let cost = this.costs.at(-1); cost !== undefined; cost = this.costs.at(-1)) {
      const node = this.byCost.get(cost)?.shift();
      if (node !== undefined) return node;
      this.byCost.delete(cost);
      this.costs.pop();
    }
    return undefined;
  }
}

/** How many sets of at most `maxEdits` edits cost less than `bound`, or as much. */
export function countSets(costs: readonly number[], bound: number, maxEdits: number): number {
  const ways = Array.from({ length: maxEdits + 1 }, () => new Map<number, number>());
  ways[0]?.set(0, 1);
  for (const cost of costs) {
    for (let size = maxEdits - 1; size >= 0; size--) {
      for (const [sum, count] of ways[size] ?? []) {
        if (sum + cost > bound) continue;
        const target = ways[size + 1];
        target?.set(sum + cost, (target.get(sum + cost) ?? 0) + count);
      }
    }
  }
  return ways.slice(1).reduce((all, by) => all + [...by.values()].reduce((a, b) => a + b, 0), 0);
}
