/** `civac mend`: the cheapest edits that make a scenario coherent; `--write` applies one. */
import { readFileSync } from 'node:fs';
import { count } from '../../base/text.js';
import { type Costs, DEFAULT_COSTS, readCosts } from '../../mend/costs.js';
import type { Level } from '../../mend/edit.js';
import { MEND_LIMITS, type MendOutcome } from '../../mend/mend.js';
import type { MendResult } from '../../mend/outcome.js';
import { mendJson } from '../../report/mend-json.js';
import { mendText } from '../../report/mend-text.js';
import { InputError, reasonOf } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Input, oneInput, stdinName } from '../inputs.js';
import { mendInThread } from '../mend-thread.js';
import type { MendSettings } from '../mend-worker.js';
import { openOutput, stderrColor } from '../output.js';
import { Progress } from '../progress.js';
import { mayReplace, replaceFile } from '../replace-file.js';
import { type Signals, watchSignals } from '../signals.js';
import { tellDiagnostics } from './tell.js';

export interface MendCommandOptions {
  readonly level?: Level;
  readonly costs?: string;
  readonly write?: boolean;
  /** Number of the answer to apply, from 1. */
  readonly answer?: number;
  readonly all?: boolean;
  readonly forAllPlatforms?: boolean;
  readonly json?: boolean;
  readonly output?: string;
  readonly quiet?: boolean;
  readonly maxEdits?: number;
  readonly maxSeconds?: number;
  readonly maxStates?: number;
  readonly color: boolean;
}

function costsOf(path: string | undefined): Costs {
  if (path === undefined) return DEFAULT_COSTS;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
  const costs = readCosts(text);
  if ('problem' in costs) throw new InputError(`${path}: ${costs.problem}`);
  return costs;
}

function optionsOf(options: MendCommandOptions): MendSettings {
  const { level } = options;
  return {
    costs: costsOf(options.costs),
    all: options.all === true,
    ...(options.forAllPlatforms === true ? { forAllPlatforms: true } : {}),
    maxEdits: options.maxEdits ?? MEND_LIMITS.maxEdits,
    maxSeconds: options.maxSeconds ?? MEND_LIMITS.maxSeconds,
    maxStates: options.maxStates ?? MEND_LIMITS.maxStates,
    ...(level === undefined ? {} : { level }),
  };
}

function statusOf({ verdict }: MendResult): number {
  if (verdict === 'none' || verdict === 'partly') return exitCode.found;
  return verdict === 'unknown' ? exitCode.unknown : exitCode.ok;
}

/** Writes the chosen answer into the file it came from. */
function apply(input: Input, { mends }: MendResult, chosen: number): void {
  const answer = mends[chosen - 1];
  if (mends.length === 0) return;
  if (answer === undefined) {
    throw new InputError(`mend: there is no answer ${chosen}: choose 1 to ${mends.length}`);
  }
  replaceFile(input.file, answer.text);
  process.stderr.write(`civac: ${input.file}: mend ${chosen} written\n`);
}

function onlyInput(paths: readonly string[]): Input {
  if (paths.length > 1) throw new InputError('mend: one FILE at a time');
  return oneInput('mend', paths[0]);
}

/** Null when it was interrupted before it could say anything. */
async function search(
  input: Input,
  options: MendSettings,
  signals: Signals,
  quiet: boolean,
): Promise<MendOutcome | null> {
  const progress = new Progress(1, quiet);
  try {
    return await mendInThread(input, options, signals, ({ sets, cost, seconds }) => {
      const tried = count(sets, 'set');
      progress.say(`${input.file}: ${tried} of edits, up to cost ${cost}, ${seconds.toFixed(1)} s`);
    });
  } finally {
    progress.clear();
    signals.release();
  }
}

export async function runMend(
  paths: readonly string[],
  options: MendCommandOptions,
): Promise<number> {
  const input = onlyInput(paths);
  if (options.answer !== undefined && options.write !== true) {
    throw new InputError('mend: --answer goes with --write');
  }
  if (options.write && input.file === stdinName) {
    throw new InputError('mend: --write needs a file, not stdin');
  }
  if (options.write) mayReplace(input.file);
  const { output: path, quiet, color, json } = options;
  const signals = watchSignals();
  const outcome = await search(input, optionsOf(options), signals, quiet === true);
  if (outcome?.kind === 'invalid') {
    tellDiagnostics({ input, diagnostics: outcome.diagnostics }, stderrColor(!color));
    return exitCode.input;
  }
  if (outcome !== null) {
    const { result } = outcome;
    const output = openOutput({ path, noColor: !color, inputs: [input.file] });
    const text = json
      ? `${JSON.stringify(mendJson(result), null, 2)}\n`
      : mendText(result, { width: output.width, color: output.color });
    if (quiet !== true || path !== undefined) output.write(text);
    output.close();
  }
  // What an interruption cut short is shown, but never written into the user's file.
  if (signals.happened || outcome === null) {
    process.stderr.write('civac: interrupted\n');
    return exitCode.interrupted;
  }
  const { result } = outcome;
  if (options.write) apply(input, result, options.answer ?? 1);
  return statusOf(result);
}
