/**
 * One scenario from text to outcome. Everything in an outcome is plain data, because it may have
 * to travel from a worker thread.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { advise } from '../mend/advise.js';
import { type CheckOptions, check, ScenarioFault } from '../verdict/check.js';
import type { CheckResult } from '../verdict/result.js';
import type { Input } from './inputs.js';

/** The part of the options that can be sent to a worker. */
export type Settings = Omit<CheckOptions, 'onProgress' | 'interrupted'> & {
  /** Also say what each sync and barrier is worth. */
  readonly advise?: boolean;
};
export type Watch = Pick<CheckOptions, 'onProgress' | 'interrupted'>;

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
    const plain = check(program, { ...settings, ...watch });
    const result = settings.advise === true ? withAdvice(plain, input, settings, watch) : plain;
    return { kind: 'result', input, result, diagnostics };
  } catch (error) {
    if (error instanceof ScenarioFault) {
      return { kind: 'invalid', input, diagnostics: [runTimeFault(error)] };
    }
    return { kind: 'crash', input, error };
  }
}

/** What the syncs are worth, among the notes. */
function withAdvice(
  result: CheckResult,
  input: Input,
  settings: Settings,
  watch: Watch,
): CheckResult {
  const told = advise(input.text, input.file, { ...settings, ...watch });
  const notes = [...result.notes, ...told].sort((a, b) => a.line - b.line);
  return { ...result, notes };
}

/** A step that makes no sense is a mistake in the text, found later than the others. */
export function runTimeFault(fault: ScenarioFault): Diagnostic {
  return { severity: 'error', code: 'L070', message: fault.message, span: fault.at };
}

function nothingKnown(program: Program, reason: string): CheckResult {
  const stated = program.header.result;
  return {
    file: program.file,
    name: program.name,
    verdict: 'unknown',
    reason,
    portable: null,
    assumptions: {},
    hazards: [],
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

/** The outcome when the exploration was lost together with its worker. */
export function lostOutcome(input: Input, reason: string): Outcome {
  const { program, diagnostics } = compile(input.text, input.file);
  if (program === null) return { kind: 'invalid', input, diagnostics };
  return { kind: 'result', input, result: nothingKnown(program, reason), diagnostics };
}
