/**
 * `check`: explores a scenario and says what can go wrong in it, or that nothing can. The full
 * machine decides the verdict; smaller machines tell what each finding needs.
 */
import { type Layout, MixedSize } from '../kernel/layout.js';
import { ScenarioError } from '../kernel/args.js';
import type { Span } from '../diagnostics/diagnostic.js';
import type { Program } from '../litmus/program.js';
import { assumptionsOf } from './assumptions.js';
import type { Ahead } from './ahead.js';
import type { Checkpoints } from './checkpoint.js';
import { contractPass } from './contract-pass.js';
import { judgeAssertions } from './assertions.js';
import { assertionFinding, brokenContracts, findingOf } from './found.js';
import { nameFindings } from './needs.js';
import { aliasFacts, maintenanceOf, notesOf } from './report-facts.js';
import { forEveryImporter } from './importers.js';
import type { CheckResult, Finding, Liberty, Verdict } from './result.js';
import { explored, type Reduced, TooManyWords, withEveryWord } from './reduced.js';
import type { Engine, Likely, Run, RunOptions, RunSource } from './runs.js';

export interface CheckOptions {
  readonly maxStates?: number;
  readonly maxSeconds?: number;
  readonly maxMemoryBytes?: number;
  /** The order in which steps are tried: results must not depend on it. */
  readonly order?: 'forward' | 'reverse';
  /** Which explorer; `fast` unless said otherwise. The results are the same. */
  readonly engine?: Engine;
  /**
   * One exploration: the verdict, without findings, what they need, and whether it is portable.
   */
  readonly verdictOnly?: boolean;
  /** Mismatched accesses are findings also where nothing goes wrong (H5). */
  readonly strictAlias?: boolean;
  /** States from which `fast` makes tables; 0: always. */
  readonly tablesFrom?: number;
  /** The scenario on another platform: tells how to begin, never what comes out. */
  readonly like?: Likely;
  /** States from which `fast` tries sets of states; Infinity: never. */
  readonly setsFrom?: number;
  readonly checkpoints?: Checkpoints;
  /** Other threads to explore in, or why there are none; absent: nothing to say of it. */
  readonly ahead?: Ahead | string;
  /** One line at a time with those of control; true unless said otherwise. */
  readonly projection?: boolean;
  /** Lines that nothing tells apart as one; true unless said otherwise. */
  readonly symmetry?: boolean;
  /** Evictions and fills only where a step could tell; true unless said otherwise. */
  readonly por?: boolean;
  /** Reduces scenarios that are small, too. */
  readonly reduceAll?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Hears of broken contracts (H11) as soon as they are known, where exploring takes longer. */
  readonly onBroken?: (findings: readonly Finding[]) => void;
  /** True stops the exploration; the verdict is then `unknown`. */
  readonly interrupted?: () => boolean;
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  /** The liberties of the exploration under way. */
  readonly run: string;
}

export const DEFAULT_LIMITS = {
  maxStates: 5_000_000,
  maxSeconds: 600,
  maxMemoryBytes: 4 * 2 ** 30,
} as const;

/** Making tables costs about as much as exploring so many states without; measured. */
export const TABLES_FROM = 500;

/** From so many states on the pass for broken contracts costs little beside them; measured. */
export const CONTRACTS_FROM = 500;

/** An exploration of so many states takes long enough that sets of states may pay; measured. */
export const SETS_FROM = 20_000;

/** The scenario compiles but asks for something no kernel could do; like a syntax error. */
export class ScenarioFault extends Error {
  constructor(
    message: string,
    readonly at: Span,
  ) {
    super(message);
  }
}

function withStrictAlias(program: Program, strict: boolean): Program {
  if (!strict || program.machine.strictAlias) return program;
  return { ...program, machine: { ...program.machine, strictAlias: true } };
}

/** Checks one scenario. Throws ScenarioFault when a step makes no sense. */
export function check(program: Program, options: CheckOptions = {}): CheckResult {
  return forEveryImporter(program, (each) => {
    const { value, how } = reduced(each, options, libertiesOf(each), (runs, started) =>
      judge(runs, started, options.verdictOnly === true),
    );
    return { ...value, reduction: [...how, ...(value.reduction ?? []), ...threadLines(options)] };
  });
}

/** For --stats: why there is but one thread, or what went wrong with the others. */
function threadLines({ ahead }: CheckOptions): readonly string[] {
  if (ahead === undefined) return [];
  if (typeof ahead === 'string') return [`one thread: ${ahead}`];
  return ahead.trouble === null ? [] : [`made here instead: ${ahead.trouble}`];
}

/** Has a scenario's explorations judged in another way than `check` does. Throws ScenarioFault. */
export function onLayout<T>(
  program: Program,
  options: CheckOptions,
  liberties: readonly Liberty[],
  work: (runs: RunSource, started: number) => T,
): T {
  return reduced(program, options, liberties, work).value;
}

function reduced<T>(
  given: Program,
  options: CheckOptions,
  liberties: readonly Liberty[],
  work: (runs: RunSource, started: number) => T,
): Reduced<T> {
  const started = now();
  const program = withStrictAlias(given, options.strictAlias === true);
  const { projection = true, symmetry = true, reduceAll: always = false } = options;
  try {
    return explored(
      program,
      optionsOf(program, options, started),
      { projection, symmetry, always },
      liberties,
      (runs) => work(runs, started),
    );
  } catch (error) {
    throw faultOf(program, error);
  } finally {
    if (typeof options.ahead === 'object') options.ahead.drop();
  }
}

/**
 * Does the work again, with one more word each time, until it meets none that is not tracked yet.
 * Throws ScenarioFault as `check` does.
 */
export function withWords<T>(program: Program, work: (layout: Layout) => T): T {
  try {
    return withEveryWord(program, work);
  } catch (error) {
    throw faultOf(program, error);
  }
}

function faultOf(program: Program, error: unknown): unknown {
  if (error instanceof TooManyWords) {
    return new ScenarioFault(`more than ${error.most} words are named`, program.init.at);
  }
  const all = [program.init, ...program.threads].flatMap((thread) => thread.code);
  if (error instanceof MixedSize) {
    const { byte, size, other, site } = error;
    return new ScenarioFault(
      `byte ${byte} is accessed as ${size} bytes and as ${other.size}: use one size`,
      all[site]?.at ?? program.init.at,
    );
  }
  if (!(error instanceof ScenarioError)) return error;
  return new ScenarioFault(error.message, all[error.site]?.at ?? program.init.at);
}

function now(): number {
  return performance.now() / 1000;
}

/** The pass is made by the first who wants to know of it. */
function contractsOf(program: Program): () => Run | null {
  let made: Run | null | undefined;
  return () => {
    if (made === undefined) made = contractPass(program);
    return made;
  };
}

function optionsOf(program: Program, options: CheckOptions, started: number): RunOptions {
  let told = started;
  const contracts = contractsOf(program);
  let open = options.onBroken !== undefined;
  const tellBroken = (): void => {
    open = false;
    const run = contracts();
    if (run !== null && run.sightings.size > 0) options.onBroken?.(brokenContracts(run));
  };
  return {
    contracts,
    order: options.order ?? 'forward',
    engine: options.engine ?? 'fast',
    tablesFrom: options.tablesFrom ?? TABLES_FROM,
    like: options.like,
    checkpoints: options.checkpoints,
    setsFrom: options.setsFrom ?? SETS_FROM,
    por: options.por ?? true,
    ahead: typeof options.ahead === 'object' ? options.ahead : undefined,
    limits: {
      maxStates: options.maxStates ?? DEFAULT_LIMITS.maxStates,
      maxSeconds: options.maxSeconds ?? DEFAULT_LIMITS.maxSeconds,
      maxMemoryBytes: options.maxMemoryBytes ?? DEFAULT_LIMITS.maxMemoryBytes,
    },
    now,
    tick: (states, transitions, run) => {
      if (open && states >= CONTRACTS_FROM) tellBroken();
      const time = now();
      if (time - told > 0.25) {
        told = time;
        options.onProgress?.({ states, transitions, seconds: time - started, run });
      }
      return options.interrupted?.() ?? false;
    },
  };
}

/** The liberties that can matter on this machine. */
export function libertiesOf(program: Program): readonly Liberty[] {
  const coherent = program.machine.devices.some((device) => device.snoops);
  const { unexpectedHit } = program.machine;
  return [
    'eviction',
    'reorder',
    'speculation',
    ...(coherent ? (['stash', 'snoop'] as const) : []),
    ...(unexpectedHit === 'arch' ? (['arch-hit'] as const) : []),
    ...(unexpectedHit === 'may-hit' ? (['may-hit'] as const) : []),
  ];
}

function judge(runs: RunSource, started: number, verdictOnly: boolean): CheckResult {
  const { program } = runs;
  const full = runs.run(libertiesOf(program), verdictOnly ? [] : [portableLiberties(program)]);
  const isCut = full.exploration.stopped !== null;
  const beside = isCut ? (runs.options.contracts?.() ?? null) : null;
  const named = verdictOnly ? [] : nameFindings(runs, full, beside);
  const judged = judgeAssertions(program, full);
  const found = [
    ...named.map((each) => findingOf(runs, each, named)),
    ...judged.flatMap((each, i) => assertionFinding(runs, full, each, i)),
  ].sort(byPlace);
  const { stopped } = runs;
  const unnamed = full.sightings.size + (beside?.sightings.size ?? 0);
  const wrong = found.length > 0 || (verdictOnly && unnamed > 0);
  const verdict: Verdict = wrong ? 'hazard' : stopped === null ? 'coherent' : 'unknown';
  const expected = expectedText(program);
  return {
    file: program.file,
    name: program.name,
    verdict,
    reason: stopped === null ? null : reasonText(stopped, runs.options),
    portable: verdictOnly ? null : isPortable(runs, verdict),
    assumptions: assumptionsOf(program),
    hazards: found,
    aliases: aliasFacts(runs, full),
    notes: notesOf(runs, full, program),
    maintenance: maintenanceOf(runs, full),
    assertions: judged.map((each) => each.result),
    expected,
    asExpected: expected === null ? null : stopped === null && matches(program, found),
    reduction: effortLines(runs),
    states: full.exploration.states,
    transitions: full.exploration.transitions,
    seconds: now() - started,
  };
}

function effortLines({ effort, options }: RunSource): readonly string[] {
  return effort.lines(options.engine, options.tablesFrom, options.por === true);
}

/**
 * Coherent also where uncached accesses may hit, as far as the architecture allows it: Arm says
 * when (M6 `arch`), x86 and RISC-V promise nothing. Null while the verdict is unknown.
 */
function isPortable(runs: RunSource, verdict: Verdict): boolean | null {
  if (verdict === 'unknown') return null;
  if (verdict === 'hazard' && runs.program.machine.unexpectedHit !== 'may-hit') return false;
  const { sightings, exploration } = runs.run(portableLiberties(runs.program));
  if (sightings.size > 0) return false;
  return exploration.stopped === null ? true : null;
}

function portableLiberties(program: Program): readonly Liberty[] {
  const plain = libertiesOf(program).filter((each) => !each.endsWith('-hit'));
  return [...plain, program.machine.profile === 'arm64' ? 'arch-hit' : 'may-hit'];
}

function byPlace(a: Finding, b: Finding): number {
  return a.at.line - b.at.line || a.at.column - b.at.column || Number(b.cause) - Number(a.cause);
}

export function reasonText(stopped: string, options: RunOptions): string {
  const { maxStates, maxSeconds, maxMemoryBytes } = options.limits;
  switch (stopped) {
    case 'states':
      return `gave up after ${maxStates} states (--max-states)`;
    case 'seconds':
      return `gave up after ${maxSeconds} seconds (--max-seconds)`;
    case 'memory':
      return `gave up at ${Math.round(maxMemoryBytes / 2 ** 20)} MiB of memory (--max-memory)`;
    default:
      return 'interrupted';
  }
}

function expectedText(program: Program): string | null {
  const { result } = program.header;
  if (result === null) return null;
  return result === 'coherent' ? 'coherent' : result.join(' ');
}

/** Same verdict and the same set of ids. */
function matches(program: Program, found: readonly Finding[]): boolean {
  const { result } = program.header;
  const wanted = new Set<string>(result === null || result === 'coherent' ? [] : result);
  const got = new Set<string>(found.map((each) => each.id));
  return wanted.size === got.size && [...wanted].every((id) => got.has(id));
}
