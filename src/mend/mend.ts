/**
 * The front door: a scenario's text in, the cheapest edits that make it coherent out. Every answer
 * has been explored completely by `check`, and is minimal among the sets of its level.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { check, DEFAULT_LIMITS, ScenarioFault, TABLES_FROM } from '../verdict/check.js';
import type { RunOptions } from '../verdict/runs.js';
import { countSets, distinct, doubts, soundFirst, usualFirst } from './answers.js';
import { type Costs, DEFAULT_COSTS } from './costs.js';
import type { Counterexample } from './counterexample.js';
import type { Edit, Level } from './edit.js';
import { headerPatches } from './header.js';
import type { Effort, Mend, MendResult } from './outcome.js';
import { cellsOf, holdsOn } from './platforms.js';
import { type Hanging, hanging, refute } from './refute.js';
import { type Answer, cheapestSets, type Found } from './search.js';
import { type Begun, Searcher } from './searcher.js';
import { Teller } from './told.js';
import { AS_WRITTEN, type Platform, type PlatformsOf, type Variant, Variants } from './variant.js';
import { vocabularyOf } from './vocabulary.js';
import { beyondEdits, describe, inVain, stubborn, triedOn } from './why.js';

export interface MendOptions {
  /** `api`: only what a driver may call. `raw`: everything alike. Absent: API first. */
  readonly level?: Level;
  readonly costs?: Costs;
  readonly maxEdits?: number;
  /** For the whole search. */
  readonly maxSeconds?: number;
  /** For one exploration. */
  readonly maxStates?: number;
  /** Every answer of the least cost; else the first eight. */
  readonly all?: boolean;
  /** The platforms that one answer has to hold on, beside the machine as written. */
  readonly platformsOf?: PlatformsOf;
  readonly interrupted?: () => boolean;
  readonly onProgress?: (progress: MendProgress) => void;
  /** The clock of the limit, in seconds; wall time when absent. */
  readonly now?: () => number;
}

/** How far a search is. */
export interface MendProgress {
  /** Sets of edits that were looked at. */
  readonly sets: number;
  /** What the sets looked at now cost. */
  readonly cost: number;
  readonly seconds: number;
}

export const MEND_LIMITS = { maxEdits: 4, maxSeconds: 120, maxStates: 200_000 } as const;
/** An API-level answer may cost so many times what one by hand does; dearer ones are not sought. */
const API_FACTOR = 4;
/** What one search for several platforms may take before the hardest is left out, of all time. */
const SHARE = 1 / 40;
/** Sets tried before giving up; a set costs about a millisecond. */
const SETS_MAX = 200_000;
/** Of answers that cost the same, unless all are asked for. */
const ANSWERS_MAX = 8;

export type MendOutcome =
  | { readonly kind: 'result'; readonly result: MendResult }
  | { readonly kind: 'invalid'; readonly diagnostics: readonly Diagnostic[] };

export function mend(text: string, file: string, options: MendOptions = {}): MendOutcome {
  const { program, diagnostics } = compile(text, file);
  if (program === null) return { kind: 'invalid', diagnostics };
  try {
    return { kind: 'result', result: new Mender(text, file, program, options).run() };
  } catch (error) {
    if (!(error instanceof ScenarioFault)) throw error;
    const { message, at } = error;
    const fault: Diagnostic = { severity: 'error', code: 'L070', message, span: at };
    return { kind: 'invalid', diagnostics: [fault] };
  }
}

function now(): number {
  return performance.now() / 1000;
}

class Mender {
  private readonly variants: Variants;
  private readonly teller: Teller;
  /** Platforms that no set of edits serves beside the others, and why. */
  private readonly leftOut = new Map<string, string>();
  /** Where a set of edits failed that does on the machine as written. */
  private readonly deciding = new Set<string>();
  /** Of the last search. */
  private answers: readonly Answer[] = [];
  /** Answers of the last search that are not told. */
  private notShown = 0;
  /** Of the last search the run that no edit takes away. */
  private stubborn: Counterexample | undefined;
  private readonly known = new Map<string, Platform>();
  /** The last search ended with its time. */
  private isLate = false;
  private readonly now: () => number;
  private readonly started: number;
  private readonly costs: Costs;
  private readonly maxEdits: number;
  private readonly runOptions: RunOptions;
  private vocabulary: readonly Edit[] = [];
  private searcher: Searcher | null = null;
  /** The scenario as it is. */
  private base: Variant | null = null;
  /** What it does on each platform without edits. */
  private readonly hanging = new Map<string, Hanging>();

  constructor(
    private readonly text: string,
    private readonly file: string,
    private readonly program: Program,
    private readonly options: MendOptions,
  ) {
    this.now = options.now ?? now;
    this.started = this.now();
    this.costs = options.costs ?? DEFAULT_COSTS;
    this.maxEdits = options.maxEdits ?? MEND_LIMITS.maxEdits;
    this.variants = this.makeVariants();
    this.runOptions = {
      order: 'forward',
      engine: 'fast',
      tablesFrom: TABLES_FROM,
      por: true,
      limits: {
        maxStates: options.maxStates ?? MEND_LIMITS.maxStates,
        maxSeconds: options.maxSeconds ?? MEND_LIMITS.maxSeconds,
        maxMemoryBytes: DEFAULT_LIMITS.maxMemoryBytes,
      },
      now: this.now,
      tick: () => options.interrupted?.() ?? false,
    };
    const { variants, runOptions } = this;
    const isForMany = options.platformsOf !== undefined;
    this.teller = new Teller(program, variants, runOptions, isForMany);
  }

  private makeVariants(): Variants {
    const except = (label: string): boolean => this.leftOut.has(label);
    const of = this.options.platformsOf ?? ((): readonly Platform[] => []);
    const platforms = { of, except, known: this.known };
    return new Variants(this.file, this.text, headerPatches(this.text), platforms);
  }

  run(): MendResult {
    const { platformsOf } = this.options;
    if (platformsOf === undefined) return this.once(this.secondsLeft());
    const outside = platformsOf(this.program).filter((each) => each.isOutside === true);
    this.leaveOut(outside, 'outside the architecture');
    const inside = this.served();
    const open = !['coherent', 'mended', 'partly'].includes(inside.verdict);
    for (const { label } of outside) this.leftOut.delete(label);
    if (outside.length === 0 || open) return this.withPlatforms(inside);
    // Answers for fewer platforms that hold on all of them are the cheapest for all, too.
    const mends = this.described();
    const fine = inside.verdict === 'coherent' && holdsOn(outside, this.text, this.file);
    if (fine || mends.length > 0) return this.withPlatforms({ ...inside, mends });
    return this.alsoOutside(inside, outside);
  }

  /** What was found for the platforms of the architecture does not hold beyond: another search. */
  private alsoOutside(inside: MendResult, outside: readonly Platform[]): MendResult {
    const full = this.once(this.share(1 / 2));
    if (full.verdict === 'mended') return this.withPlatforms(full);
    this.leaveOut(outside, full.why);
    return this.withPlatforms(inside);
  }

  private leaveOut(platforms: readonly Platform[], why: string): void {
    for (const { label } of platforms) this.leftOut.set(label, why);
  }

  private secondsLeft(): number {
    return this.runOptions.limits.maxSeconds - (this.now() - this.started);
  }

  /** Of the time that is left, what one search for several platforms may take. */
  private share(shares = 1): number {
    return Math.min(this.secondsLeft(), this.runOptions.limits.maxSeconds * SHARE * shares);
  }

  /** Leaves out one platform after the other, until the others have an answer in common. */
  private served(): MendResult {
    for (let shares = 1; ; ) {
      const share = this.share(shares);
      this.isLate = false;
      const result = this.once(share);
      const { verdict } = result;
      const isOpen = verdict === 'unknown' && this.searcher !== null && this.secondsLeft() > 0;
      if (this.options.interrupted?.() === true || (verdict !== 'none' && !isOpen)) return result;
      const platform = isOpen ? this.hardest() : this.blockedBy();
      if (platform !== AS_WRITTEN) {
        const late = `no answer for it and the others within ${share.toFixed(0)} seconds`;
        this.leftOut.set(platform, this.isLate ? `${late}, a share of --max-seconds` : result.why);
      } else if (!this.isLate) return result;
      // No other platform makes it hard: it takes longer, and what was learned is kept.
      else shares *= 2;
    }
  }

  /** The platform that most sets of the last search failed on. */
  private hardest(): string {
    const [most] = [...(this.searcher?.failed ?? [])].sort(([, a], [, b]) => b - a);
    return most?.[0] ?? AS_WRITTEN;
  }

  /** The platform that is hardest to serve; the machine as written when that is. */
  private blockedBy(): string {
    if (this.stubborn !== undefined) return this.stubborn.variant.platform;
    const hardest = this.searcher?.conflicts.open([]).find(({ run }) => {
      return run.variant.platform !== AS_WRITTEN;
    });
    return hardest?.run.variant.platform ?? AS_WRITTEN;
  }

  /** The verdict for all platforms together. */
  private withPlatforms(result: MendResult): MendResult {
    if (this.options.platformsOf === undefined) return result;
    const platforms = cellsOf(this.variants, this.runOptions, this.leftOut, this.deciding);
    const [left] = this.leftOut;
    if (left === undefined || result.verdict === 'unknown') return { ...result, platforms };
    const why = `${left[0]}: ${left[1]}`;
    const verdict = result.verdict === 'mended' ? 'partly' : 'none';
    return { ...result, platforms, verdict, why: result.why === '' ? why : result.why };
  }

  private once(maxSeconds: number): MendResult {
    const base = this.base ?? this.variants.make([]);
    if (base === null) return this.result('unknown', [], '', 'the header cannot be set aside', 0);
    this.base = base;
    const hangs = this.hangs(base);
    const outcome = refute(base, this.runOptions, hangs);
    switch (outcome.kind) {
      case 'coherent':
        return this.result('coherent', [], '', '', 0);
      case 'unknown':
        return this.result('unknown', [], '', this.tooLarge(), 0);
      case 'senseless': {
        // A scenario that hangs is not ours to mend; else check() says where and why.
        const { verdict } = check(this.program);
        if (verdict === 'coherent') return this.result('coherent', [], '', '', 0);
        return this.result('unknown', [], '', 'a step of it makes no sense', 0);
      }
      case 'hazard':
        return this.search(base, outcome.run, hangs, maxSeconds);
    }
  }

  private hangs(base: Variant): ReadonlySet<string> {
    for (const label of [AS_WRITTEN, ...base.platforms]) {
      if (this.hanging.has(label)) continue;
      this.hanging.set(label, hanging(base, label, this.runOptions, [...this.hanging.values()]));
    }
    return new Set([...this.hanging.values()].flatMap(({ names }) => names));
  }

  private tooLarge(): string {
    const isInterrupted = this.options.interrupted?.() === true;
    return isInterrupted ? 'interrupted' : 'the scenario is too large to explore';
  }

  private search(
    base: Variant,
    first: Counterexample,
    hangs: ReadonlySet<string>,
    maxSeconds: number,
  ): MendResult {
    this.stubborn = undefined;
    const isServed = (label: string): boolean => !this.leftOut.has(label);
    const searcher = this.begin(base, { first, mayHang: hangs, isServed, maxSeconds });
    const runs = this.searches(searcher);
    this.isLate = runs.some(({ ended }) => ended === 'seconds');
    for (const platform of searcher.failed.keys()) this.deciding.add(platform);
    const answers = distinct(runs.flatMap((run) => usualFirst(run.answers)));
    this.answers = this.options.all === true ? answers : answers.slice(0, ANSWERS_MAX);
    const mends = soundFirst(this.described(), this.options.level === 'raw');
    const texts = new Set(answers.map(({ edits }) => this.variants.textOf(edits)));
    this.notShown = mends.length === 0 ? 0 : texts.size - mends.length;
    const cheapest = Math.min(...mends.map(({ cost }) => cost));
    const finding = describe(this.text, first);
    if (mends.length > 0) return this.result('mended', mends, finding, doubts(runs), cheapest);
    const counts = { ...searcher.counts };
    this.stubborn = stubborn(searcher.conflicts.ofScenario, this.allowed(), (edit) => {
      return searcher.alone(edit) === 'senseless';
    });
    const why = this.whyNot(runs, searcher);
    // What was explored for the explanation is no part of the search.
    Object.assign(searcher.counts, counts);
    const done = runs.every((run) => run.ended === 'all' && run.undecidedCost === null);
    return this.result(done ? 'none' : 'unknown', [], finding, why, Number.MAX_SAFE_INTEGER);
  }

  private begin(base: Variant, begun: Begun): Searcher {
    if (this.searcher !== null) {
      this.searcher.begin(begun);
      return this.searcher;
    }
    this.vocabulary = vocabularyOf(this.text, this.program, this.costs);
    const limits = {
      maxEdits: this.maxEdits,
      maxSets: SETS_MAX,
      onSet: (sets: number, cost: number) =>
        this.options.onProgress?.({ sets, cost, seconds: this.now() - this.started }),
    };
    const { variants, vocabulary, runOptions } = this;
    this.searcher = new Searcher(variants, base, vocabulary, limits, runOptions, begun);
    return this.searcher;
  }

  /** API-level answers in the first place; by hand where that is as cheap or cheaper. */
  private searches(searcher: Searcher): readonly Found[] {
    const { level } = this.options;
    const isApi = (edit: Edit): boolean => edit.level === 'api';
    const api = this.vocabulary.filter(isApi);
    if (level === 'api') return [cheapestSets(searcher, api)];
    const all = cheapestSets(searcher, this.vocabulary);
    const cheapest = all.answers[0]?.cost;
    if (level === 'raw' || cheapest === undefined) return [all];
    const own = all.answers.filter(({ edits }) => edits.every(isApi));
    if (own.length > 0) return [{ ...all, answers: own }, all];
    return [cheapestSets(searcher, api, cheapest * API_FACTOR), all];
  }

  private described(): readonly Mend[] {
    const discards = this.hanging.get(AS_WRITTEN)?.discards ?? new Map<string, string>();
    return this.answers.flatMap((answer) => this.teller.told(answer, discards) ?? []);
  }

  /** Edits that the level admits. */
  private allowed(): readonly Edit[] {
    const { level } = this.options;
    return this.vocabulary.filter((edit) => level !== 'api' || edit.level === 'api');
  }

  private whyNot(runs: readonly Found[], searcher: Searcher): string {
    const ended = runs.map((run) => run.ended).find((each) => each !== 'all');
    switch (ended) {
      case 'seconds':
        return `gave up after ${Math.round(this.now() - this.started)} seconds (--max-seconds)`;
      case 'sets':
        return `gave up after ${SETS_MAX} sets of edits`;
      case 'edits':
        return `no set of up to ${this.maxEdits} edits mends it (--max-edits)`;
      case 'interrupted':
        return 'interrupted';
      default:
    }
    if (runs.some((run) => run.undecidedCost !== null)) {
      return 'some sets of edits were too large to explore (--max-states)';
    }
    const run = this.stubborn ?? searcher.first;
    const told = [describe(this.text, run)];
    const allowed = this.allowed();
    if (this.stubborn !== undefined) told.push(triedOn(run, allowed), beyondEdits(run));
    else {
      const { ofScenario: all } = searcher.conflicts;
      told.push(inVain(all, allowed, this.text, (edit) => searcher.alone(edit)));
    }
    return told.filter((each) => each !== '').join('. ');
  }

  private result(
    verdict: MendResult['verdict'],
    mends: readonly Mend[],
    finding: string,
    why: string,
    bound: number,
  ): MendResult {
    const counts = this.searcher?.counts;
    const effort: Effort = {
      vocabulary: this.vocabulary.length,
      explored: counts?.explored ?? 0,
      replayed: counts?.replayed ?? 0,
      senseless: counts?.senseless ?? 0,
      undecided: counts?.undecided ?? 0,
      counterexamples: counts?.counterexamples ?? 0,
      ruledOut: why === '' || verdict === 'none' ? this.ruledOut(bound, mends) : this.refuted(),
      seconds: this.now() - this.started,
    };
    const { file, notShown } = this;
    return { file, verdict, mends, notShown, finding, why, platforms: [], effort };
  }

  /** Where a limit came first, no more than what was looked at is ruled out. */
  private refuted(): number {
    const { explored = 0, replayed = 0, senseless = 0 } = this.searcher?.counts ?? {};
    return explored + replayed + senseless;
  }

  private ruledOut(bound: number, mends: readonly Mend[]): number {
    const costs = this.allowed().map((edit) => edit.cost);
    const among = mends.filter(({ cost }) => cost <= bound).length;
    return Math.max(0, countSets(costs, bound, this.maxEdits) - among);
  }
}
