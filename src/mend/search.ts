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
import { type Conflict, type Demand, demands, leastCost } from './conflicts.js';
import { type Counterexample, touches } from './counterexample.js';
import { type Edit, excludes } from './edit.js';
import { Queue } from './queue.js';
import { type Searcher, sorted } from './searcher.js';

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

/** All cheapest sets out of the vocabulary, none dearer than `bound`. */
export function cheapestSets(
  searcher: Searcher,
  vocabulary: readonly Edit[],
  bound: number = Number.MAX_SAFE_INTEGER,
): Found {
  return new Search(searcher, vocabulary, bound).run();
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
  private branch(edits: readonly Edit[], conflict: Conflict, demanded: readonly Demand[]): void {
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

function keyOf(edits: readonly Edit[]): string {
  return edits.map((edit) => edit.id).join(',');
}

function within(small: readonly Edit[], large: readonly Edit[]): boolean {
  return small.every((edit) => large.includes(edit));
}
