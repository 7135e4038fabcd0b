/**
 * The front door: a scenario's text in, the cheapest edits that make it coherent out. Every answer
 * has been explored completely by `check`, and is minimal among the sets of its level.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { check, DEFAULT_LIMITS, ScenarioFault, TABLES_FROM } from '../verdict/check.js';
import { hazards, type HazardId } from '../verdict/hazards.js';
import type { RunOptions } from '../verdict/runs.js';
import { type Costs, DEFAULT_COSTS } from './costs.js';
import type { Counterexample } from './counterexample.js';
import { unifiedDiff } from './diff.js';
import type { Edit, Level } from './edit.js';
import { headerPatches } from './header.js';
import type { Effort, Mend, MendEdit, MendResult } from './outcome.js';
import { hanging, refute } from './refute.js';
import { type Answer, countSets, type Found, Searcher } from './search.js';
import { lineStarts } from './source.js';
import { type Variant, Variants } from './variant.js';
import { useCaseOf, vocabularyOf } from './vocabulary.js';

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
const NONE: ReadonlySet<string> = new Set();
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
  private readonly started: number;
  private readonly costs: Costs;
  private readonly maxEdits: number;
  private readonly runOptions: RunOptions;
  private vocabulary: readonly Edit[] = [];
  private searcher: Searcher | null = null;

  constructor(
    private readonly text: string,
    private readonly file: string,
    private readonly program: Program,
    private readonly options: MendOptions,
  ) {
    this.started = now();
    this.costs = options.costs ?? DEFAULT_COSTS;
    this.maxEdits = options.maxEdits ?? MEND_LIMITS.maxEdits;
    this.variants = new Variants(file, text, headerPatches(text));
    this.runOptions = {
      order: 'forward',
      engine: 'fast',
      tablesFrom: TABLES_FROM,
      limits: {
        maxStates: options.maxStates ?? MEND_LIMITS.maxStates,
        maxSeconds: options.maxSeconds ?? MEND_LIMITS.maxSeconds,
        maxMemoryBytes: DEFAULT_LIMITS.maxMemoryBytes,
      },
      now: options.now ?? now,
      tick: () => options.interrupted?.() ?? false,
    };
  }

  run(): MendResult {
    const base = this.variants.make([]);
    if (base === null) return this.result('unknown', [], '', 'the header cannot be set aside', 0);
    const outcome = refute(base, this.runOptions, NONE);
    switch (outcome.kind) {
      case 'coherent':
        return this.result('coherent', [], '', '', 0);
      case 'unknown':
        return this.result('unknown', [], '', 'the scenario is too large to explore', 0);
      case 'senseless': {
        // A scenario that hangs is not ours to mend; else check() says where and why.
        const { verdict } = check(this.program);
        if (verdict === 'coherent') return this.result('coherent', [], '', '', 0);
        return this.result('unknown', [], '', 'a step of it makes no sense', 0);
      }
      case 'hazard':
        return this.search(base, outcome.run);
    }
  }

  private search(base: Variant, first: Counterexample): MendResult {
    const useCase = useCaseOf(this.program);
    this.vocabulary = vocabularyOf(this.text, this.program, this.costs);
    const limits = {
      maxEdits: this.maxEdits,
      maxSeconds: this.runOptions.limits.maxSeconds,
      maxSets: SETS_MAX,
      onSet: (sets: number, cost: number) =>
        this.options.onProgress?.({ sets, cost, seconds: now() - this.started }),
    };
    const searcher = new Searcher(
      this.variants,
      base,
      first,
      this.vocabulary,
      limits,
      this.runOptions,
      hanging(base, this.runOptions),
    );
    this.searcher = searcher;
    const runs = this.searches(searcher);
    const answers = distinct(runs.flatMap((run) => usualFirst(run.answers))).slice(
      0,
      this.options.all === true ? undefined : ANSWERS_MAX,
    );
    const described = answers.flatMap((answer) => this.described(answer, useCase) ?? []);
    // Two sets of edits may come to the same text.
    const mends = [...new Map(described.map((each) => [each.text, each])).values()];
    const cheapest = Math.min(...mends.map(({ cost }) => cost));
    const finding = describe(this.text, first);
    if (mends.length > 0) return this.result('mended', mends, finding, doubts(runs), cheapest);
    const why = this.whyNot(runs, first);
    const done = runs.every((run) => run.ended === 'all' && run.undecidedCost === null);
    return this.result(done ? 'none' : 'unknown', [], finding, why, Number.MAX_SAFE_INTEGER);
  }

  /** API-level answers in the first place; by hand where that is as cheap or cheaper. */
  private searches(searcher: Searcher): readonly Found[] {
    const { level } = this.options;
    const isApi = (edit: Edit): boolean => edit.level === 'api';
    const api = this.vocabulary.filter(isApi);
    if (level === 'api') return [searcher.run(api, Number.MAX_SAFE_INTEGER)];
    const all = searcher.run(this.vocabulary, Number.MAX_SAFE_INTEGER);
    const cheapest = all.answers[0]?.cost;
    if (level === 'raw' || cheapest === undefined) return [all];
    const own = all.answers.filter(({ edits }) => edits.every(isApi));
    if (own.length > 0) return [{ ...all, answers: own }, all];
    return [searcher.run(api, cheapest * API_FACTOR), all];
  }

  /** Null for an answer that `check` does not confirm, or that changed the use case. */
  private described({ edits, cost }: Answer, useCase: string): Mend | null {
    const text = this.variants.textOf(edits);
    const { program } = text === null ? { program: null } : compile(text, this.file);
    if (text === null || program === null || useCaseOf(program) !== useCase) return null;
    const { verdict, portable } = check(program, this.runOptions.limits);
    if (verdict !== 'coherent') return null;
    const told = edits.map((edit) => this.explained(edit, edits));
    const level = edits.some((edit) => edit.level === 'raw') ? 'raw' : 'api';
    const diff = unifiedDiff(this.text, text, this.file);
    return { level, cost, edits: told, text, diff, portable };
  }

  /** Leaves the edit out and looks at what comes back. */
  private explained(edit: Edit, edits: readonly Edit[]): MendEdit {
    const { kind, level, operation, title, line, cost } = edit;
    const base = { kind, level, operation, title, line, cost };
    const variant = this.variants.make(edits.filter((each) => each !== edit));
    const outcome = variant === null ? null : refute(variant, this.runOptions, NONE);
    if (outcome?.kind !== 'hazard') {
      return { ...base, hazard: '', reason: 'needed for the other edits to be possible' };
    }
    const { run } = outcome;
    return { ...base, hazard: run.id, reason: `without it: ${describe(this.text, run)}` };
  }

  private whyNot(runs: readonly Found[], first: Counterexample): string {
    const ended = runs.map((run) => run.ended).find((each) => each !== 'all');
    switch (ended) {
      case 'seconds':
        return `gave up after ${this.runOptions.limits.maxSeconds} seconds (--max-seconds)`;
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
    return `no edit of the vocabulary takes this away: ${describe(this.text, first)}`;
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
      ruledOut: this.ruledOut(bound, mends),
      seconds: now() - this.started,
    };
    return { file: this.file, verdict, mends, finding, why, effort };
  }

  private ruledOut(bound: number, mends: readonly Mend[]): number {
    const { level } = this.options;
    const allowed = this.vocabulary.filter((edit) => level !== 'api' || edit.level === 'api');
    const costs = allowed.map((edit) => edit.cost);
    const among = mends.filter(({ cost }) => cost <= bound).length;
    return Math.max(0, countSets(costs, bound, this.maxEdits) - among);
  }
}

/** Of answers that cost the same, first what a driver would do. */
function usualFirst(answers: readonly Answer[]): readonly Answer[] {
  const usual = ({ edits }: Answer): number => edits.filter((edit) => edit.isUsual).length;
  return [...answers].sort((a, b) => usual(b) - usual(a) || a.edits.length - b.edits.length);
}

/** Each set of edits once. */
function distinct(answers: readonly Answer[]): readonly Answer[] {
  const seen = new Set<string>();
  return answers.filter(({ edits }) => {
    const key = edits.map((edit) => edit.id).join(',');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function doubts(runs: readonly Found[]): string {
  const open = runs.some(
    ({ answers, undecidedCost }) =>
      undecidedCost !== null && undecidedCost <= (answers[0]?.cost ?? undecidedCost),
  );
  if (open) return 'not proved minimal: some cheaper sets of edits were too large to explore';
  const stopped = runs.some(({ ended }) => ['seconds', 'sets', 'interrupted'].includes(ended));
  return stopped ? 'not proved minimal: the search hit a limit' : '';
}

/** `H1 stale copy read at line 18 (app): …`, in lines of the user's file. */
export function describe(text: string, run: Counterexample): string {
  const { id, sighting, variant } = run;
  const name = isHazard(id) ? `${id} ${hazards[id].name}` : 'an assertion that fails';
  const { finding } = sighting;
  if (finding === null) return name;
  const origin = variant.origins[finding.site] ?? '';
  const thread = variant.sites.threads[finding.agent]?.name ?? '?';
  const { message } = finding.detail();
  if (!origin.startsWith('o')) return `${name} in the new text (${thread}): ${message}`;
  const offset = Number.parseInt(origin.slice(1), 10);
  const line = lineStarts(text).filter((start) => start <= offset).length;
  return `${name} at line ${line} (${thread}): ${message}`;
}

function isHazard(id: string): id is HazardId {
  return Object.hasOwn(hazards, id);
}
