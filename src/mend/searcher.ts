/**
 * What the searches for one scenario share: which sets of edits were explored, what their runs
 * taught, and how many there were of each kind.
 * Leaves out: the order in which sets are tried (search.ts).
 */
import type { RunOptions } from '../verdict/runs.js';
import { Conflicts } from './conflicts.js';
import type { Counterexample } from './counterexample.js';
import type { Edit } from './edit.js';
import { type Outcome, refute } from './refute.js';
import { keepTargets, type Targets, targetsOf } from './targets.js';
import { AS_WRITTEN, type Variant, type Variants } from './variant.js';

export interface Limits {
  /** Edits in one set. */
  readonly maxEdits: number;
  /** Sets tried. */
  readonly maxSets: number;
  /** Told of each set: its number, and what it costs at least. */
  readonly onSet: (sets: number, cost: number) => void;
}

/** What a search is for, where several follow one another. */
export interface Begun {
  readonly first: Counterexample;
  /** What `hanging` says of the scenario as it is, on these platforms. */
  readonly mayHang: ReadonlySet<string>;
  readonly isServed: (platform: string) => boolean;
  readonly maxSeconds: number;
}

export interface Counts {
  explored: number;
  replayed: number;
  senseless: number;
  undecided: number;
  counterexamples: number;
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
  /** Platforms where sets of edits fail that do on the machine as written, and how many. */
  readonly failed = new Map<string, number>();
  private begun: Begun;
  /** Platforms that sets of edits failed on, the last one first: the next may fail there, too. */
  private readonly refuting: string[] = [];
  /** By normalised program text: two sets of edits may come to the same. */
  private readonly byText = new Map<string, Outcome>();
  /** Do two edits make sense together? By their numbers. */
  private readonly pairs = new Map<string, boolean>();
  private started: number;
  /** What the accesses reach in the scenario as it is. */
  private targets: Targets | null = null;

  constructor(
    private readonly variants: Variants,
    private readonly base: Variant,
    vocabulary: readonly Edit[],
    readonly limits: Limits,
    private readonly options: RunOptions,
    begun: Begun,
  ) {
    this.conflicts = new Conflicts(variants, base, vocabulary);
    this.begun = begun;
    this.started = options.now();
    this.begin(begun);
  }

  /**
   * A search for more or fewer platforms than the last one: what was learned on those that are
   * still served holds as before.
   */
  begin(begun: Begun): void {
    this.begun = begun;
    this.started = this.options.now();
    this.failed.clear();
    this.pairs.clear();
    this.targets = null;
    const isServed = (label: string): boolean => label === AS_WRITTEN || begun.isServed(label);
    this.conflicts.keepOnly(isServed);
    for (const [text, outcome] of this.byText) {
      const stays = outcome.kind === 'hazard' && isServed(outcome.run.variant.platform);
      if (!stays) this.byText.delete(text);
    }
    this.conflicts.learn(begun.first, []);
    this.counts.counterexamples++;
  }

  /** The finding that the search began with. */
  get first(): Counterexample {
    return this.begun.first;
  }

  limitHit(sets: number, cost: number): 'seconds' | 'sets' | 'interrupted' | null {
    this.limits.onSet(sets, cost);
    if (this.options.tick(sets, 0, 'mend')) return 'interrupted';
    if (sets > this.limits.maxSets) return 'sets';
    return this.options.now() - this.started > this.begun.maxSeconds ? 'seconds' : null;
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
    const refuted = refute(variant, this.remaining(), this.begun.mayHang, this.refuting);
    const strays = refuted.kind === 'coherent' && !this.keepsTargets(refuted.targets);
    const outcome: Outcome = strays ? { kind: 'senseless' } : refuted;
    this.note(outcome);
    this.byText.set(variant.text, outcome);
    return outcome;
  }

  /** The time that is left holds for one exploration too. */
  private remaining(): RunOptions {
    const { limits, now } = this.options;
    const maxSeconds = Math.max(0.01, this.begun.maxSeconds - (now() - this.started));
    return { ...this.options, limits: { ...limits, maxSeconds } };
  }

  /** Every access still reaches what it reached. */
  private keepsTargets(after: Targets): boolean {
    this.targets ??= targetsOf(this.base, this.base.platforms, this.options);
    return keepTargets(this.targets, after);
  }

  private refutedOn(platform: string): void {
    if (platform === AS_WRITTEN) return;
    this.failed.set(platform, (this.failed.get(platform) ?? 0) + 1);
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

export function sorted(edits: readonly Edit[]): readonly Edit[] {
  return [...edits].sort((a, b) => a.id - b.id);
}
