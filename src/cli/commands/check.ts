/** `civac check`: explore each scenario, report, and say the outcome in the exit status. */
import type { Diagnostic } from '../../diagnostics/diagnostic.js';
import type { InputProblem } from '../../report/json.js';
import { DEFAULT_LIMITS } from '../../verdict/check.js';
import type { CheckResult } from '../../verdict/result.js';
import { BrokenSoFar } from '../broken-so-far.js';
import { identityOf, type Outcome, type Settings } from '../check-one.js';
import { readCheckpoint } from '../checkpoint.js';
import { InputError, report } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Input, type Inputs, readInputs } from '../inputs.js';
import type { Shard } from '../options.js';
import { openOutput, stderrColor } from '../output.js';
import { Progress } from '../progress.js';
import { checkAll, type OnProgress } from '../runner.js';
import { watchSignals } from '../signals.js';
import { type Format, makeWriter } from '../writers.js';
import { tellDiagnostics } from './tell.js';

export interface CheckOptions {
  readonly expect?: boolean;
  readonly matrix?: boolean;
  readonly pairs?: boolean;
  readonly maxPairs?: number;
  readonly advise?: boolean;
  /** Settings of the machine to change, as reports name them. */
  readonly with?: readonly string[];
  readonly strictAlias?: boolean;
  readonly json?: boolean;
  readonly format?: Format;
  readonly output?: string;
  readonly quiet?: boolean;
  readonly brief?: boolean;
  readonly color: boolean;
  readonly stats?: boolean;
  readonly maxStates?: number;
  readonly maxSeconds?: number;
  readonly maxMemory?: number;
  readonly shard?: Shard;
  readonly checkpoint?: string;
  readonly order?: 'forward' | 'reverse';
  readonly engine?: 'fast' | 'reference';
  /** False after --no-projection. */
  readonly projection?: boolean;
  readonly symmetry?: boolean;
  readonly por?: boolean;
}

/** What all outcomes together come to. */
interface Tally {
  readonly results: CheckResult[];
  readonly errors: InputProblem[];
  skipped: number;
  crashed: boolean;
}

function formatOf(options: CheckOptions): Format {
  if (options.json && options.format !== undefined && options.format !== 'json') {
    throw new InputError(`--json and --format ${options.format} contradict each other`);
  }
  return options.json ? 'json' : (options.format ?? 'text');
}

export function settingsOf(options: CheckOptions): Settings {
  const { maxStates, maxSeconds, maxMemory, order, engine, checkpoint } = options;
  const { projection, symmetry, por, strictAlias } = options;
  return {
    ...(options.advise === true ? { advise: 'all' as const } : {}),
    ...(strictAlias === undefined ? {} : { strictAlias }),
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(maxMemory === undefined ? {} : { maxMemoryBytes: maxMemory * 2 ** 20 }),
    ...(order === undefined ? {} : { order }),
    ...(engine === undefined ? {} : { engine }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(projection === undefined ? {} : { projection }),
    ...(symmetry === undefined ? {} : { symmetry }),
    ...(por === undefined ? {} : { por }),
  };
}

/** One scenario, which somebody looks at closely: what it maintains in vain is said unasked. */
function withWaste(settings: Settings, isOne: boolean): Settings {
  return isOne && settings.advise === undefined ? { ...settings, advise: 'waste' } : settings;
}

function problemOf(file: string, diagnostic: Diagnostic): InputProblem {
  const { code, message, span, expected, suggestion } = diagnostic;
  const more = [
    expected === undefined ? '' : `; expected ${expected}`,
    suggestion === undefined ? '' : `; did you mean '${suggestion}'?`,
  ];
  return { file, line: span.line, column: span.column, code, message: message + more.join('') };
}

function count(outcome: Outcome, tally: Tally): void {
  switch (outcome.kind) {
    case 'result':
      tally.results.push(outcome.result);
      break;
    case 'invalid': {
      const errors = outcome.diagnostics.filter((d) => d.severity === 'error');
      tally.errors.push(...errors.map((d) => problemOf(outcome.input.file, d)));
      break;
    }
    case 'crash':
      tally.crashed = true;
      report(outcome.error, ` while checking ${outcome.input.file}`);
      break;
    case 'skipped':
      tally.skipped += 1;
      break;
  }
}

function statusOf(tally: Tally, expect: boolean): number {
  if (tally.crashed) return exitCode.internal;
  if (tally.errors.length > 0) return exitCode.input;
  if (expect) {
    // A limit leaves the hazard set open, whatever was found before it.
    return tally.results.every((r) => r.asExpected === true && r.reason === null)
      ? exitCode.ok
      : exitCode.found;
  }
  if (tally.results.some((r) => r.verdict === 'hazard' || r.hazards.length > 0)) {
    return exitCode.found;
  }
  return tally.results.some((r) => r.verdict === 'unknown') ? exitCode.unknown : exitCode.ok;
}

function tellProblems({ problems }: Inputs, tally: Tally): void {
  for (const { file, message } of problems) {
    process.stderr.write(`civac: ${file}: ${message}\n`);
    tally.errors.push({ file, line: 0, column: 0, code: '', message });
  }
}

/** Before any work: a checkpoint that is no use is an error of the command line. */
function tryCheckpoint(inputs: readonly Input[], options: CheckOptions): void {
  const { checkpoint: file, engine } = options;
  if (file === undefined) return;
  const [input, ...more] = inputs;
  if (input === undefined || more.length > 0) {
    throw new InputError('--checkpoint is for one scenario at a time');
  }
  if (engine === 'reference') throw new InputError('--checkpoint needs --engine fast');
  readCheckpoint(file, identityOf(input, settingsOf(options)));
}

/** What the paths stand for, on the machine as written or another. */
export async function inputsOf(paths: readonly string[], options: CheckOptions): Promise<Inputs> {
  const read = readInputs(paths);
  if (options.with === undefined) return read;
  if (options.expect === true) {
    throw new InputError(
      'check: what a file expects is about its own machine; --with changes that',
    );
  }
  const { withSettings } = await import('../with.js');
  return { ...read, inputs: withSettings(read.inputs, options.with) };
}

async function partOf(inputs: readonly Input[], shard?: Shard): Promise<readonly Input[]> {
  if (shard === undefined) return inputs;
  const { shardFiles } = await import('../shard.js');
  return shardFiles(inputs, shard);
}

export async function runCheck(paths: readonly string[], options: CheckOptions): Promise<number> {
  if (paths.length === 0) throw new InputError("check: name a FILE or folder, or '-' for stdin");
  if (options.matrix === true) {
    const { runCheckMatrix } = await import('./check-matrix.js');
    return runCheckMatrix(paths, options);
  }
  if (options.pairs === true || options.maxPairs !== undefined) {
    throw new InputError('--pairs and --max-pairs go with --matrix');
  }
  const format = formatOf(options);
  const all = await inputsOf(paths, options);
  const given = all.inputs.map((input) => input.file);
  const output = openOutput({ path: options.output, noColor: !options.color, inputs: given });
  const inputs = await partOf(all.inputs, options.shard);
  tryCheckpoint(inputs, options);
  const files = inputs.map((input) => input.file);
  const expect = options.expect === true;
  const quiet = options.quiet === true;
  const writer = makeWriter(format, {
    // Quiet means the terminal; a file that was asked for is still written.
    output: quiet && options.output === undefined ? { ...output, write: () => {} } : output,
    files,
    brief: options.brief === true || expect,
    expect,
    stats: options.stats === true,
    lists: quiet ? () => {} : (text) => void process.stderr.write(text),
  });
  const tally: Tally = { results: [], errors: [], skipped: 0, crashed: false };
  tellProblems(all, tally);
  const signals = watchSignals();
  const progress = new Progress(files.length, quiet, { ...DEFAULT_LIMITS, ...settingsOf(options) });
  const broken = new BrokenSoFar(quiet);
  const onProgress: OnProgress = (input, now, known) => {
    progress.update(input.file, now);
    broken.tell(input.file, now.seconds, known.broken, () => progress.clear());
  };
  const shown = !expect && !quiet && options.brief !== true;
  const settings = withWaste(settingsOf(options), shown && inputs.length === 1);
  for await (const outcome of checkAll(inputs, settings, signals, onProgress)) {
    progress.finished();
    if ('diagnostics' in outcome) tellDiagnostics(outcome, stderrColor(!options.color));
    count(outcome, tally);
    if (outcome.kind === 'result') writer.add(outcome.result, outcome.input.text);
  }
  signals.release();
  await writer.finish(tally.errors);
  output.close();
  if (!signals.happened) return statusOf(tally, expect);
  const missed = tally.skipped > 0 ? `; ${tally.skipped} scenarios were not reached` : '';
  process.stderr.write(`civac: interrupted${missed}\n`);
  return exitCode.interrupted;
}
