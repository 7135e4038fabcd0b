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
import { type Conflict, Conflicts, type Demand, demands, leastCost } from './conflicts.js';
import { type Counterexample, touches } from './counterexample.js';
import { type Edit, excludes } from './edit.js';
import { Queue } from './queue.js';
import { type Outcome, refute } from './refute.js';
import { keepTargets, type Targets, targetsOf } from './targets.js';
import { AS_WRITTEN, type Variant, type Variants } from './variant.js';

export interface Limits {
  /** Edits in one set. */
  readonly maxEdits: number;
  readonly maxSeconds: number;
  /** Sets tried. */
  readonly maxSets: number;
  /** Told of each set: its number, and what it costs at least. */
  readonly onSet: (sets: number, cost: number) => void;
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
  /** The last edit was added to take this run away; null: it is known to. */
  readonly via: { readonly conflict: Conflict; readonly edit: Edit } | null;
}

/** Sets yet to be made: those of one set with one edit more, cheapest first. */
interface Branch {
  readonly edits: readonly Edit[];
  readonly cost: number;
  readonly least: number;
  readonly demanded: readonly Demand[];
  /** The run to be taken away; null: any of the more may help. */
  readonly conflict: Conflict | null;
  readonly more: readonly Edit[];
  readonly next: number;
}

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
  /** Platforms that sets of edits failed on, the last one first: the next may fail there, too. */
  private readonly refuting: string[] = [];
  /** By normalised program text: two sets of edits may come to the same. */
  private readonly byText = new Map<string, Outcome>();
  /** Do two edits make sense together? By their numbers. */
  private readonly pairs = new Map<string, boolean>();
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

  limitHit(sets: number, cost: number): 'seconds' | 'sets' | 'interrupted' | null {
    this.limits.onSet(sets, cost);
    if (this.options.tick(sets, 0, 'mend')) return 'interrupted';
    if (sets > this.limits.maxSets) return 'sets';
    return this.options.now() - this.started > this.limits.maxSeconds ? 'seconds' : null;
  }

  judge(edits: readonly Edit[]): Outcome {
    if (!this.makesSense(edits)) {
      this.counts.senseless++;
      return { kind: 'senseless' };
    }
    return this.explored(edits);
  }

  /** What comes of one edit by itself: the run that goes wrong with it, or why there is none. */
  alone(edit: Edit): Outcome['kind'] | Counterexample {
    const outcome = this.judge(sorted([edit, ...edit.enablers]));
    return outcome.kind === 'hazard' ? outcome.run : outcome.kind;
  }

  /**
   * An edit that makes no sense alone needs another one beside it. Where none of the others gives
   * it one when the two stand alone, all together do not either: that is taken for granted.
   */
  private makesSense(edits: readonly Edit[]): boolean {
    if (edits.length < 3) return true;
    return edits.every((edit) => {
      if (edit.enablers.length > 0 || !this.conflicts.isSenseless(edit)) return true;
      return edits.some((other) => other !== edit && this.isPair(edit, other));
    });
  }

  private isPair(one: Edit, other: Edit): boolean {
    const key = one.id < other.id ? `${one.id},${other.id}` : `${other.id},${one.id}`;
    const known = this.pairs.get(key);
    if (known !== undefined) return known;
    const edits = [...new Set([one, other, ...other.enablers])].sort((a, b) => a.id - b.id);
    const makesSense = this.explored(edits).kind !== 'senseless';
    this.pairs.set(key, makesSense);
    return makesSense;
  }

  private explored(edits: readonly Edit[]): Outcome {
    const text = this.variants.textOf(edits);
    const known = text === null ? undefined : this.byText.get(text);
    if (known !== undefined) return known;
    const variant = text === null ? null : this.variants.make(edits, this.base);
    if (variant === null) {
      this.counts.senseless++;
      return { kind: 'senseless' };
    }
    const refuted = refute(variant, this.remaining(), this.mayHang, this.refuting);
    const strays = refuted.kind === 'coherent' && !this.keepsTargets(refuted.targets);
    const outcome: Outcome = strays ? { kind: 'senseless' } : refuted;
    this.note(outcome);
    this.byText.set(variant.text, outcome);
    return outcome;
  }

  /** The time that is left holds for one exploration too. */
  private remaining(): RunOptions {
    const { limits, now } = this.options;
    const maxSeconds = Math.max(0.01, limits.maxSeconds - (now() - this.started));
    return { ...this.options, limits: { ...limits, maxSeconds } };
  }

  /** Every access still reaches what it reached. */
  private keepsTargets(after: Targets): boolean {
    this.targets ??= targetsOf(this.base, this.base.platforms, this.options);
    return keepTargets(this.targets, after);
  }

  private refutedOn(platform: string): void {
    if (platform === AS_WRITTEN) return;
    this.deciding.add(platform);
    const others = this.refuting.filter((each) => each !== platform);
    this.refuting.splice(0, this.refuting.length, platform, ...others);
  }

  private note(outcome: Outcome): void {
    switch (outcome.kind) {
      case 'hazard':
        this.counts.explored++;
        this.counts.counterexamples++;
        this.refutedOn(outcome.run.variant.platform);
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
  private readonly queue = new Queue<Node | Branch>();
  private readonly pushed = new Set<string>();
  private readonly visited = new Set<string>();
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
    if (first.replayable) this.queue.push({ edits: [], cost: 0, least: 0, via: null });
    else this.spread([], first);
    let tried = 0;
    for (let entry = this.queue.pop(); entry !== undefined; entry = this.queue.pop()) {
      if (entry.least > this.best) return this.found('cost');
      const limit = this.searcher.limitHit(tried++, entry.least);
      if (limit !== null) return this.found(limit);
      if ('more' in entry) this.grow(entry);
      else this.visit(entry);
    }
    return this.found(this.cutShort && this.answers.length === 0 ? 'edits' : 'all');
  }

  private found(ended: Found['ended']): Found {
    return { answers: this.answers, ended, undecidedCost: this.undecidedCost };
  }

  private visit(node: Node): void {
    const { edits, cost } = node;
    const key = keyOf(edits);
    if (this.visited.has(key) || this.answers.some((answer) => within(answer.edits, edits))) return;
    if (!this.helps(node)) return;
    const demanded = this.demanded(edits);
    const least = cost + leastCost(demanded, []);
    // Conflicts learned since it was put into the queue: it waits for its turn.
    if (least > node.least) {
      if (least <= this.best) this.queue.push({ ...node, least, via: null });
      return;
    }
    this.visited.add(key);
    const refuting = this.searcher.conflicts.refuting(edits);
    if (refuting !== null) this.branch(edits, refuting, demanded);
    else this.judge(edits, cost);
  }

  /** Does the last edit take away what it was added for? */
  private helps({ edits, via }: Node): boolean {
    if (via === null) return true;
    const { conflict, edit } = via;
    const fate = conflict.fate(edit);
    if (fate === 'exists') this.searcher.counts.replayed++;
    // Where the set has more edits than the run needs, one of those may give it a sense.
    const isSenseless =
      fate === 'senseless' && edits.length === conflict.needs.length + 1 + edit.enablers.length;
    if (isSenseless) this.searcher.counts.senseless++;
    return fate !== 'exists' && !isSenseless;
  }

  private judge(edits: readonly Edit[], cost: number): void {
    const outcome = this.searcher.judge(edits);
    if (outcome.kind === 'coherent') {
      this.best = cost;
      this.answers.push({ edits, cost });
    } else if (outcome.kind === 'unknown') {
      this.undecidedCost ??= cost;
    } else if (outcome.kind === 'hazard') {
      const conflict = this.searcher.conflicts.learn(outcome.run, edits);
      if (conflict === null) this.spread(edits, outcome.run);
      else this.branch(edits, conflict, this.demanded(edits));
    }
  }

  /** The sets with one edit more that may take the run away. */
  private branch(
    edits: readonly Edit[],
    conflict: Conflict,
    demanded: readonly Demand[],
  ): void {
    if (edits.length >= this.searcher.limits.maxEdits) {
      this.cutShort ||= conflict.candidates.some((edit) => conflict.fate(edit) !== 'exists');
      return;
    }
    const more = conflict.needs.length === 0 ? [...conflict.kills] : conflict.candidates;
    const cost = costOf(edits);
    this.grow({ edits, cost, least: 0, demanded, conflict, more, next: 0 });
  }

  /** A run that cannot be followed speaks for this set alone: whatever touches it may help. */
  private spread(edits: readonly Edit[], run: Counterexample): void {
    const more = this.vocabulary
      .filter((edit) => touches(edit, run))
      .sort((a, b) => a.cost - b.cost);
    const demanded = this.demanded(edits);
    const cost = costOf(edits);
    this.grow({ edits, cost, least: 0, demanded, conflict: null, more, next: 0 });
  }

  /** Makes the sets of a branch whose turn it is, and leaves the dearer ones for later. */
  private grow(branch: Branch): void {
    const { edits, cost, demanded, conflict, more } = branch;
    const now = cost + (more[branch.next]?.cost ?? 0);
    let next = branch.next;
    for (let edit = more[next]; edit !== undefined; edit = more[next]) {
      const least = cost + edit.cost;
      if (least > Math.max(now, branch.least)) {
        if (least <= this.best) this.queue.push({ ...branch, least, next });
        return;
      }
      next++;
      if (conflict?.leaves(edit)) continue;
      this.push(edits, edit, demanded, conflict === null ? null : { conflict, edit });
    }
  }

  private demanded(edits: readonly Edit[]): readonly Demand[] {
    return demands(this.searcher.conflicts.open(edits), this.allowed);
  }

  private push(
    base: readonly Edit[],
    edit: Edit,
    demanded: readonly Demand[],
    via: Node['via'],
  ): void {
    const added = [edit, ...edit.enablers].filter((each) => !base.includes(each));
    if (added.some((each) => !this.allowed.has(each) || !fits(each, base))) return;
    if (base.length + added.length > this.searcher.limits.maxEdits) {
      this.cutShort = true;
      return;
    }
    const cost = costOf(base) + costOf(added);
    const least = cost + leastCost(demanded, added);
    if (least > this.best) return;
    const edits = sorted([...base, ...added]);
    const key = keyOf(edits);
    const way = via === null ? key : `${key} ${via.conflict.id} ${via.edit.id}`;
    if (this.visited.has(key) || this.pushed.has(key) || this.pushed.has(way)) return;
    this.pushed.add(way);
    this.queue.push({ edits, cost, least, via });
  }
}

function costOf(edits: readonly Edit[]): number {
  return edits.reduce((sum, { cost }) => sum + cost, 0);
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
