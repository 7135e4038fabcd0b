/**
 * The search for the cheapest sets of edits that make a scenario coherent: best first by cost, and
 * by what the conflicts known so far ask for beyond it. A set is explored only when it meets every
 * conflict; where it still fails, its run becomes the next conflict.
 *
 * Why this misses nothing cheaper: let S mend, and E be a part of S that does not. Some edit of S
 * beside E must take E's counterexample away, or S would have that run too. So S is reached by
 * adding such edits one by one. (It takes for granted that two edits which each leave a run alone
 * leave it alone together; test/mend-random.test.ts compares with trying every set.)
 */
import type { RunOptions } from '../verdict/runs.js';
import { Conflicts, leastCost } from './conflicts.js';
import { type Counterexample, replays, touches } from './counterexample.js';
import { type Edit, excludes } from './edit.js';
import { type Outcome, refute } from './refute.js';
import { keepTargets, type Targets, targetsOf } from './targets.js';
import { AS_WRITTEN, type Variant, type Variants } from './variant.js';

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
  /** The cost, and what is known to be needed beyond it. */
  readonly least: number;
  /** The counterexample of the set it was made from, unless a conflict stands for it. */
  readonly from: Counterexample | null;
}

/** What is known of a set that was looked at. */
type Known = Outcome | { readonly kind: 'replayed' };

export class Searcher {
  readonly counts: Counts = {
    explored: 0,
    replayed: 0,
    senseless: 0,
    undecided: 0,
    counterexamples: 0,
  };
  readonly conflicts: Conflicts;
  /** Platforms where a set of edits fails that does on the machine as written. */
  readonly deciding = new Set<string>();
  /** By normalised program text: two sets of edits may come to the same. */
  private readonly byText = new Map<string, Known>();
  private readonly started: number;
  /** What the accesses reach in the scenario as it is. */
  private targets: Targets | null = null;

  constructor(
    private readonly variants: Variants,
    private readonly base: Variant,
    readonly first: Counterexample,
    vocabulary: readonly Edit[],
    readonly limits: Limits,
    private readonly options: RunOptions,
    private readonly mayHang: ReadonlySet<string>,
  ) {
    this.started = options.now();
    this.conflicts = new Conflicts(variants, base, vocabulary);
    this.conflicts.learn(first, []);
    this.counts.counterexamples = 1;
  }

  /** All cheapest sets out of the vocabulary, none dearer than `bound`. */
  run(vocabulary: readonly Edit[], bound: number): Found {
    return new Search(this, vocabulary, bound).run();
  }

  limitHit(sets: number): 'seconds' | 'sets' | 'interrupted' | null {
    if (this.options.tick(sets, 0, 'mend')) return 'interrupted';
    if (sets > this.limits.maxSets) return 'sets';
    return this.options.now() - this.started > this.limits.maxSeconds ? 'seconds' : null;
  }

  judge(node: Node): Known {
    const text = this.variants.textOf(node.edits);
    const known = text === null ? undefined : this.byText.get(text);
    if (known !== undefined) return known;
    const variant = text === null ? null : this.variants.make(node.edits, this.base);
    if (variant === null) {
      this.counts.senseless++;
      return { kind: 'senseless' };
    }
    if (node.from !== null && replays(variant, node.from)) {
      this.counts.replayed++;
      return { kind: 'replayed' };
    }
    const refuted = refute(variant, this.options, this.mayHang);
    const strays = refuted.kind === 'coherent' && !this.keepsTargets(variant);
    const outcome: Outcome = strays ? { kind: 'senseless' } : refuted;
    this.note(outcome);
    this.byText.set(variant.text, outcome);
    return outcome;
  }

  /** What comes of one edit by itself. */
  alone(edit: Edit): Outcome['kind'] | Counterexample {
    const edits = sorted([edit, ...edit.enablers]);
    const known = this.judge({ edits, cost: 0, least: 0, from: null });
    if (known.kind === 'hazard') return known.run;
    return known.kind === 'replayed' ? 'hazard' : known.kind;
  }

  /** Every access still reaches what it reached. */
  private keepsTargets(variant: Variant): boolean {
    const { platforms } = this.base;
    this.targets ??= targetsOf(this.base, platforms, this.options);
    return keepTargets(this.targets, targetsOf(variant, platforms, this.options));
  }

  private note(outcome: Outcome): void {
    switch (outcome.kind) {
      case 'hazard':
        this.counts.explored++;
        this.counts.counterexamples++;
        if (outcome.run.variant.platform !== AS_WRITTEN) {
          this.deciding.add(outcome.run.variant.platform);
        }
        break;
      case 'unknown':
        this.counts.undecided++;
        break;
      case 'senseless':
        this.counts.senseless++;
        break;
      case 'coherent':
    }
  }
}

/** One search: its own vocabulary and bound, over conflicts that all searches share. */
class Search {
  private readonly queue = new Queue();
  private readonly pushed = new Set<string>();
  private readonly allowed: ReadonlySet<Edit>;
  private readonly answers: Answer[] = [];
  private best: number;
  private cutShort = false;
  private undecidedCost: number | null = null;

  constructor(
    private readonly searcher: Searcher,
    private readonly vocabulary: readonly Edit[],
    bound: number,
  ) {
    this.allowed = new Set(vocabulary);
    this.best = bound;
  }

  run(): Found {
    const { first } = this.searcher;
    if (first.replayable) this.push([], null);
    else this.spread([], first, null);
    let tried = 0;
    for (let node = this.queue.pop(); node !== undefined; node = this.queue.pop()) {
      if (node.least > this.best) return this.found('cost');
      const limit = this.searcher.limitHit(tried++);
      if (limit !== null) return this.found(limit);
      this.visit(node);
    }
    return this.found(this.cutShort && this.answers.length === 0 ? 'edits' : 'all');
  }

  private found(ended: Found['ended']): Found {
    return { answers: this.answers, ended, undecidedCost: this.undecidedCost };
  }

  private visit(node: Node): void {
    const { edits, cost } = node;
    if (this.answers.some((answer) => within(answer.edits, edits))) return;
    const open = this.searcher.conflicts.open(edits);
    const least = cost + leastCost(open, this.allowed);
    // Conflicts learned since it was put into the queue: it waits for its turn.
    if (least > node.least) {
      if (least <= this.best) this.queue.push({ ...node, least });
      return;
    }
    if (open[0] !== undefined) {
      for (const edit of open[0].kills) this.push(edits, edit);
      return;
    }
    const outcome = this.searcher.judge(node);
    if (outcome.kind === 'coherent') {
      this.best = cost;
      this.answers.push({ edits, cost });
    } else if (outcome.kind === 'unknown') {
      this.undecidedCost ??= cost;
    } else if (outcome.kind === 'hazard') {
      if (this.searcher.conflicts.learn(outcome.run, edits)) this.queue.push(node);
      else this.spread(edits, outcome.run, outcome.run);
    }
  }

  /** A run that speaks for this set and its supersets alone: whatever touches it may help. */
  private spread(edits: readonly Edit[], run: Counterexample, from: Counterexample | null): void {
    for (const edit of this.vocabulary) {
      if (touches(edit, run)) this.push(edits, edit, from);
    }
  }

  private push(base: readonly Edit[], edit: Edit | null, from: Counterexample | null = null): void {
    const more = edit === null ? [] : [edit, ...edit.enablers];
    const added = more.filter((each) => !base.includes(each));
    if (added.some((each) => !this.allowed.has(each) || !fits(each, base))) return;
    const edits = sorted([...base, ...added]);
    if (edits.length > this.searcher.limits.maxEdits) {
      this.cutShort = true;
      return;
    }
    const cost = edits.reduce((sum, each) => sum + each.cost, 0);
    const least = cost + leastCost(this.searcher.conflicts.open(edits), this.allowed);
    if (least > this.best) return;
    // What one parent's run refutes may be reached from another parent all the same.
    const key = `${keyOf(edits)}${from === null ? '' : ` ${from.variant.text.length}`}`;
    if (this.pushed.has(keyOf(edits)) || this.pushed.has(key)) return;
    this.pushed.add(key);
    this.queue.push({ edits, cost, least, from });
  }
}

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
    const list = this.byCost.get(node.least);
    if (list !== undefined) {
      list.push(node);
      return;
    }
    this.byCost.set(node.least, [node]);
    const at = this.costs.findIndex((cost) => cost < node.least);
    this.costs.splice(at < 0 ? this.costs.length : at, 0, node.least);
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
