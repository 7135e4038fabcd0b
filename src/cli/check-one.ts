/**
 * One scenario from text to outcome. Everything in an outcome is plain data, because it may have
 * to travel from a worker thread.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { type Advice, advise } from '../mend/advise.js';
import { type CheckOptions, check, ScenarioFault, SETS_FROM } from '../verdict/check.js';
import type { CheckResult, Finding, Note } from '../verdict/result.js';
import { fileCheckpoints, type Identity } from './checkpoint.js';
import { fromOrder, Helpers, type HelpersWanted } from './helpers.js';
import type { Input } from './inputs.js';

/** The part of the options that can be sent to a worker. */
export type Settings = Omit<
  CheckOptions,
  'onProgress' | 'onBroken' | 'interrupted' | 'checkpoints'
> & {
  /** Keeps long explorations there. */
  readonly checkpoint?: string;
  /** Also say what syncs and barriers are worth. */
  readonly advise?: Advice;
  /** Threads that may explore ahead of the check; or why there are none. */
  readonly helpers?: number | string;
  /** For tests: they are asked from so many states on, and waited for until they begin. */
  readonly eagerHelpers?: number;
  /** For tests: the same for threads that join in an exploration. */
  readonly eagerTeam?: number;
};
export type Watch = Pick<CheckOptions, 'onProgress' | 'onBroken' | 'interrupted'> & {
  /** Has threads started that explore ahead for one input. */
  readonly startHelpers?: (wanted: HelpersWanted) => void;
};

/** Why there is no answer. */
export type Failure =
  | { readonly kind: 'invalid'; readonly input: Input; readonly diagnostics: readonly Diagnostic[] }
  /** A bug of ours. */
  | { readonly kind: 'crash'; readonly input: Input; readonly error: unknown }
  /** Not reached before the interruption. */
  | { readonly kind: 'skipped'; readonly input: Input };

export type Outcome =
  | {
      readonly kind: 'result';
      readonly input: Input;
      readonly result: CheckResult;
      readonly diagnostics: readonly Diagnostic[];
    }
  | Failure;

export function checkOne(input: Input, settings: Settings, watch: Watch): Outcome {
  try {
    const { program, diagnostics } = compile(input.text, input.file);
    if (program === null) return { kind: 'invalid', input, diagnostics };
    const { advise: advice } = settings;
    const plain = checkAhead(program, input, settings, watch);
    const result = advice === undefined ? plain : withAdvice(plain, input, settings, watch);
    return { kind: 'result', input, result, diagnostics };
  } catch (error) {
    if (error instanceof ScenarioFault) {
      return { kind: 'invalid', input, diagnostics: [runTimeFault(error)] };
    }
    return { kind: 'crash', input, error };
  }
}

/** The check, with other threads where there are some. */
function checkAhead(program: Program, input: Input, settings: Settings, watch: Watch): CheckResult {
  const { helpers, eagerHelpers, eagerTeam, ...own } = settings;
  const setsFrom = fromOrder('CIVAC_SETS_FROM', SETS_FROM);
  const options = { setsFrom, ...own, ...watch, ...kept(input, settings) };
  const { startHelpers } = watch;
  if (helpers === undefined || startHelpers === undefined) return check(program, options);
  if (typeof helpers === 'string') return check(program, { ...options, ahead: helpers });
  const ahead = new Helpers(helpers, startHelpers, eagerHelpers, eagerTeam);
  try {
    return check(program, { ...options, ahead });
  } finally {
    ahead.close();
  }
}

function kept(input: Input, settings: Settings): Pick<CheckOptions, 'checkpoints'> {
  const { checkpoint } = settings;
  if (checkpoint === undefined) return {};
  return { checkpoints: fileCheckpoints(checkpoint, identityOf(input, settings)) };
}

/** What a checkpoint of this input must agree with; limits may differ. */
export function identityOf({ text }: Input, { order, strictAlias }: Settings): Identity {
  return { text, order: order ?? 'forward', strictAlias: strictAlias === true };
}

/** Advice that nobody asked for is for small scenarios: in states, so that it never varies. */
const UNASKED_STATES = 1000;

/** What the syncs are worth, among the notes. */
function withAdvice(
  result: CheckResult,
  input: Input,
  { advise: advice = 'all', ...settings }: Settings,
  watch: Watch,
): CheckResult {
  const asked = advice === 'all';
  if (!asked && (result.verdict === 'unknown' || result.states > UNASKED_STATES)) return result;
  const limits = asked ? settings : { ...settings, maxStates: 4 * UNASKED_STATES };
  const told = advise(input.text, input.file, { ...limits, ...watch }, advice);
  // That a call does nothing on this machine is said already.
  const isNoop = ({ operation, line }: Note): boolean =>
    result.notes.some((n) => n.kind === 'no-op' && n.operation === operation && n.line === line);
  // Where something goes wrong, a sync that changes nothing is more likely late than needless.
  const isNews = (note: Note): boolean =>
    !isNoop(note) && (note.kind !== 'redundant' || result.verdict === 'coherent');
  const news = asked ? told : told.filter(isNews);
  const notes = [...result.notes, ...news].sort((a, b) => a.line - b.line);
  return { ...result, notes };
}

/** A step that makes no sense is a mistake in the text, found later than the others. */
export function runTimeFault(fault: ScenarioFault): Diagnostic {
  return { severity: 'error', code: 'L070', message: fault.message, span: fault.at };
}

/** For every importer a pass of its own tells the same. */
function isLike({ at, message }: Finding): (other: Finding) => boolean {
  const same = (other: Finding) => other.at.line === at.line && other.at.column === at.column;
  return (other) => same(other) && other.message === message;
}

function nothingMore(
  program: Program,
  reason: string,
  broken: readonly Finding[],
): CheckResult {
  const stated = program.header.result;
  return {
    file: program.file,
    name: program.name,
    verdict: broken.length > 0 ? 'hazard' : 'unknown',
    reason,
    portable: null,
    assumptions: {},
    hazards: broken.filter((each, i) => broken.findIndex(isLike(each)) === i),
    aliases: [],
    notes: [],
    maintenance: [],
    assertions: [],
    expected: stated === null || stated === 'coherent' ? stated : stated.join(' '),
    asExpected: stated === null ? null : false,
    states: 0,
    transitions: 0,
    seconds: 0,
  };
}

/** The outcome when the exploration was lost with its worker: the broken contracts it told of. */
export function lostOutcome(
  input: Input,
  reason: string,
  broken: readonly Finding[] = [],
): Outcome {
  const { program, diagnostics } = compile(input.text, input.file);
  if (program === null) return { kind: 'invalid', input, diagnostics };
  return { kind: 'result', input, result: nothingMore(program, reason, broken), diagnostics };
}
