/**
 * Conflicts: what a counterexample says about all sets of edits at once. A run that exists with
 * the edits `needs` is gone only where one of the edits `kills` is made too: so every set that
 * has the former and none of the latter is refuted, without looking at it.
 */
import { type Counterexample, replays, touches } from './counterexample.js';
import { type Edit, excludes } from './edit.js';
import type { Variant, Variants } from './variant.js';

export interface Conflict {
  /** No edit, or one: the run exists in the scenario as it is, or because of that edit. */
  readonly needs: Edit | null;
  readonly kills: ReadonlySet<Edit>;
  readonly run: Counterexample;
}

export class Conflicts {
  readonly all: Conflict[] = [];
  /** Runs that were learned from, or cannot be. */
  private readonly known = new Set<Counterexample>();
  private readonly pairs = new Map<string, Variant | null>();

  constructor(
    private readonly variants: Variants,
    private readonly base: Variant,
    private readonly vocabulary: readonly Edit[],
  ) {}

  /**
   * Learns from a run of the scenario with these edits. False when what it learned does not
   * refute this very set: the run takes two of the edits or more, or cannot be followed, or one
   * of them takes it away and another brings it back.
   */
  learn(run: Counterexample, edits: readonly Edit[]): boolean {
    if (!run.replayable || this.known.has(run)) return false;
    this.known.add(run);
    if (edits.length === 0 || replays(this.base, run)) {
      const { kills } = this.add(run, null);
      if (!edits.some((edit) => kills.has(edit))) return true;
    }
    const needed = edits.find((edit) => {
      const variant = this.variant([edit, ...edit.enablers]);
      return variant !== null && replays(variant, run);
    });
    if (needed === undefined || edits.length < 2) return false;
    const { kills } = this.add(run, needed);
    return !edits.some((edit) => kills.has(edit));
  }

  private add(run: Counterexample, needs: Edit | null): Conflict {
    const own = needs === null ? [] : [needs, ...needs.enablers];
    const kills = new Set<Edit>();
    for (const edit of this.vocabulary) {
      if (own.includes(edit) || own.some((each) => excludes(each, edit))) continue;
      if (!touches(edit, run)) continue;
      const variant = this.variant([...own, edit, ...edit.enablers]);
      if (variant !== null && !replays(variant, run)) kills.add(edit);
    }
    const conflict = { needs, kills, run };
    this.all.push(conflict);
    return conflict;
  }

  private variant(edits: readonly Edit[]): Variant | null {
    const unique = [...new Set(edits)].sort((a, b) => a.id - b.id);
    const key = unique.map((edit) => edit.id).join(',');
    const known = this.pairs.get(key);
    if (known !== undefined) return known;
    const made = this.variants.make(unique, this.base);
    this.pairs.set(key, made);
    return made;
  }

  /** The conflicts that a set has not met; of one place the strictest first. */
  open(edits: readonly Edit[]): readonly Conflict[] {
    return this.all
      .filter(({ needs, kills }) => {
        if (needs !== null && !edits.includes(needs)) return false;
        return !edits.some((edit) => kills.has(edit));
      })
      .sort((a, b) => a.kills.size - b.kills.size);
  }
}

/** At least so much has to be added to meet these conflicts: one edit for each disjoint one. */
export function leastCost(open: readonly Conflict[], allowed: ReadonlySet<Edit>): number {
  const used = new Set<Edit>();
  let sum = 0;
  for (const { kills } of open) {
    let least = Number.POSITIVE_INFINITY;
    let disjoint = true;
    for (const edit of kills) {
      if (!allowed.has(edit)) continue;
      if (used.has(edit)) disjoint = false;
      least = Math.min(least, edit.cost);
    }
    // An edit that nothing else is asked of: nobody else's edit can do it.
    if (least === Number.POSITIVE_INFINITY) return least;
    if (!disjoint) continue;
    sum += least;
    for (const edit of kills) used.add(edit);
  }
  return sum;
}
