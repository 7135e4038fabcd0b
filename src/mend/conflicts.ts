/**
 * Conflicts: what a counterexample says about all sets of edits at once. A run that exists with
 * the edits `needs` is gone only where one more edit takes it away: so every set that has the
 * former and none of the latter is refuted, without exploring it. Which edits take a run away is
 * found out by following it, when it is asked for, and kept.
 */
import { type Counterexample, touches } from './counterexample.js';
import { type Edit, excludes } from './edit.js';
import { type Fate, follow } from './follow.js';
import type { Variant, Variants } from './variant.js';

/** A run that some sets of edits have. */
export class Conflict {
  private readonly fates = new Map<Edit, Fate>();
  private killers: ReadonlySet<Edit> | null = null;

  constructor(
    readonly id: number,
    readonly run: Counterexample,
    /** Closed: with every edit that one of them needs. Empty: the scenario as it is has the run. */
    readonly needs: readonly Edit[],
    /** Edits that could take it away, cheapest first. */
    readonly candidates: readonly Edit[],
    private readonly variant: (edits: readonly Edit[]) => Variant | null,
  ) {}

  /** What becomes of the run when the edit is added to those it needs. */
  fate(edit: Edit): Fate {
    const known = this.fates.get(edit);
    if (known !== undefined) return known;
    const fate = this.followed(edit);
    this.fates.set(edit, fate);
    return fate;
  }

  /** Known to leave the run alone. */
  leaves(edit: Edit): boolean {
    return this.fates.get(edit) === 'exists';
  }

  private followed(edit: Edit): Fate {
    if (!touches(edit, this.run)) return 'exists';
    const variant = this.variant([...this.needs, edit, ...edit.enablers]);
    return variant === null ? 'exists' : follow(variant, this.run);
  }

  /** Every edit that takes the run away; asks for all of them. */
  get kills(): ReadonlySet<Edit> {
    this.killers ??= new Set(this.candidates.filter((edit) => this.fate(edit) !== 'exists'));
    return this.killers;
  }

  /** Does the set still have the run? */
  refutes(edits: readonly Edit[]): boolean {
    if (!this.needs.every((edit) => edits.includes(edit))) return false;
    const more = edits.filter((edit) => !this.needs.includes(edit));
    return more.every((edit) => this.fate(edit) === 'exists');
  }
}

export class Conflicts {
  /** Of the scenario as it is, the strictest first; which edits take them away is known. */
  private readonly plain: Conflict[] = [];
  /** Of sets of edits. */
  private readonly others: Conflict[] = [];
  private count = 0;
  /** Runs that were learned from, or cannot be. */
  private readonly known = new Set<Counterexample>();
  private readonly variantsByKey = new Map<string, Variant | null>();

  constructor(
    private readonly variants: Variants,
    private readonly base: Variant,
    private readonly vocabulary: readonly Edit[],
  ) {}

  /**
   * Learns from a run of the scenario with these edits: finds out which of them it needs. Null
   * when the run cannot be followed.
   */
  learn(run: Counterexample, edits: readonly Edit[]): Conflict | null {
    if (!run.replayable || this.known.has(run)) return null;
    this.known.add(run);
    if (edits.length > 0 && this.fateIn(edits, run) !== 'exists') return null;
    const conflict = this.conflict(run, this.needed(run, edits));
    // Two of them together may leave a run that each alone takes away: then it needs them all.
    if (conflict.refutes(edits)) return this.keep(conflict);
    return this.keep(this.conflict(run, edits));
  }

  private keep(conflict: Conflict): Conflict {
    if (conflict.needs.length > 0) {
      this.others.push(conflict);
    } else {
      this.plain.push(conflict);
      this.plain.sort((a, b) => a.kills.size - b.kills.size);
    }
    return conflict;
  }

  /** Leaves out one edit after the other, as long as the run stays. */
  private needed(run: Counterexample, edits: readonly Edit[]): readonly Edit[] {
    let needs = edits;
    for (const edit of edits) {
      const fewer = needs.filter((each) => each !== edit && !each.enablers.includes(edit));
      if (fewer.length === needs.length) continue;
      const isClosed = fewer.every((each) => each.enablers.every((other) => fewer.includes(other)));
      if (isClosed && this.fateIn(fewer, run) === 'exists') needs = fewer;
    }
    return needs;
  }

  private conflict(run: Counterexample, needs: readonly Edit[]): Conflict {
    const candidates = this.vocabulary
      .filter((edit) => !needs.some((each) => each === edit || excludes(each, edit)))
      .filter((edit) => touches(edit, run))
      .sort((a, b) => a.cost - b.cost);
    return new Conflict(this.count++, run, needs, candidates, (edits) => this.variant(edits));
  }

  private fateIn(edits: readonly Edit[], run: Counterexample): Fate {
    const variant = edits.length === 0 ? this.base : this.variant(edits);
    return variant === null ? 'gone' : follow(variant, run);
  }

  private variant(edits: readonly Edit[]): Variant | null {
    const unique = [...new Set(edits)].sort((a, b) => a.id - b.id);
    const key = unique.map((edit) => edit.id).join(',');
    const known = this.variantsByKey.get(key);
    if (known !== undefined) return known;
    const made = this.variants.make(unique, this.base);
    // Sets of three and more seldom come back.
    if (unique.length <= 2) this.variantsByKey.set(key, made);
    return made;
  }

  /** Forgets the runs on platforms that no answer has to hold on any more. */
  keepOnly(isServed: (platform: string) => boolean): void {
    for (const list of [this.plain, this.others]) {
      const kept = list.filter(({ run }) => isServed(run.variant.platform));
      list.splice(0, list.length, ...kept);
    }
  }

  /** Runs of the scenario as it is, in the order they were met. */
  get ofScenario(): readonly Conflict[] {
    return this.plain;
  }

  /** The edit alone makes a run impossible, as no kernel could do what it asks for. */
  isSenseless(edit: Edit): boolean {
    return this.plain.some((conflict) => conflict.fate(edit) === 'senseless');
  }

  /** A conflict that refutes the set; of those of the scenario as it is the strictest. */
  refuting(edits: readonly Edit[]): Conflict | null {
    const [plain] = this.open(edits);
    return plain ?? this.others.find((conflict) => conflict.refutes(edits)) ?? null;
  }

  /** The conflicts of the scenario as it is that a set has not met; the strictest first. */
  open(edits: readonly Edit[]): readonly Conflict[] {
    return this.plain.filter(({ kills }) => !edits.some((edit) => kills.has(edit)));
  }
}

/** What one conflict asks for at least, where no other one asks for the same edits. */
export interface Demand {
  readonly conflict: Conflict;
  readonly least: number;
}

/** Of these conflicts some that have no edit in common: each asks for one of its own. */
export function demands(open: readonly Conflict[], allowed: ReadonlySet<Edit>): readonly Demand[] {
  const used = new Set<Edit>();
  const found: Demand[] = [];
  for (const conflict of open) {
    const kills = [...conflict.kills].filter((edit) => allowed.has(edit));
    if (kills.some((edit) => used.has(edit))) continue;
    // Infinite where nothing is allowed that helps.
    const least = kills.reduce((sum, { cost }) => Math.min(sum, cost), Number.POSITIVE_INFINITY);
    found.push({ conflict, least });
    for (const edit of kills) used.add(edit);
  }
  return found;
}

/** At least so much has to be added to a set that has these edits more. */
export function leastCost(demanded: readonly Demand[], added: readonly Edit[]): number {
  let sum = 0;
  for (const { conflict, least } of demanded) {
    if (!added.some((edit) => conflict.kills.has(edit))) sum += least;
  }
  return sum;
}
