/** `civac check --matrix`: each scenario on every platform that could change its verdict. */
import { type MatrixRow, matters, tellsMore, verdictOnAll } from '../../matrix/cells.js';
import { matrixJson, matrixText } from '../../matrix/report.js';
import { DEFAULT_LIMITS } from '../../verdict/check.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import type { Input } from '../inputs.js';
import { runMatrix } from '../matrix.js';
import type { RowInput } from '../matrix-row.js';
import { openOutput, stderrColor } from '../output.js';
import { Progress } from '../progress.js';
import { shardRows } from '../shard.js';
import { watchSignals } from '../signals.js';
import { type CheckOptions, inputsOf, settingsOf } from './check.js';
import { tellDiagnostics } from './tell.js';

const JSON_VERSION = 1;

function refuseOptions(options: CheckOptions): void {
  for (const name of ['expect', 'advise', 'stats'] as const) {
    if (options[name] === true) throw new InputError(`--matrix does not go with --${name}`);
  }
  if (options.checkpoint !== undefined) {
    throw new InputError('--matrix does not go with --checkpoint');
  }
  if (options.maxPairs !== undefined && options.pairs !== true) {
    throw new InputError('--max-pairs goes with --pairs');
  }
  if (options.pairs === true && options.shard !== undefined) {
    throw new InputError('--pairs does not go with --shard: a pair is judged by both its settings');
  }
  const { format } = options;
  if (format !== undefined && format !== 'text' && format !== 'json') {
    throw new InputError(`--matrix is reported as text or json, not as ${format}`);
  }
}

/** Explored pairs of a scenario, unless --max-pairs says otherwise. */
const PAIRS_MAX = 100;

function rowsFor(given: readonly Input[], options: CheckOptions): readonly RowInput[] {
  if (options.shard !== undefined) return shardRows(given, options.shard);
  const pairs = options.maxPairs ?? PAIRS_MAX;
  return options.pairs === true ? given.map((input) => ({ ...input, pairs })) : given;
}

interface Tally {
  readonly rows: MatrixRow[];
  invalid: boolean;
  crashed: boolean;
  skipped: number;
}

function statusOf({ rows, invalid, crashed }: Tally): number {
  if (crashed) return exitCode.internal;
  if (invalid) return exitCode.input;
  const verdicts = rows.map(verdictOnAll);
  if (verdicts.includes('hazard')) return exitCode.found;
  return verdicts.includes('unknown') ? exitCode.unknown : exitCode.ok;
}

/** What all scenarios together come to; '' for a single one. */
function summary(rows: readonly MatrixRow[]): string {
  if (rows.length < 2) return '';
  const cells = rows.reduce((sum, row) => sum + 1 + row.others.length, 0);
  const settled = rows.filter((row) => row.others.every((cell) => matters(row, cell) === false));
  const same = `${settled.length} of them the same on every platform`;
  const pairs = rows.flatMap((row) => (row.pairs ?? []).map((pair) => tellsMore(row, pair)));
  const telling = pairs.filter((each) => each === true).length;
  const together = `; ${pairs.length} pairs of settings, ${telling} tell more than each alone`;
  const asked = rows.some((row) => row.pairs !== undefined);
  return `${rows.length} scenarios, ${cells} verdicts; ${same}${asked ? together : ''}\n`;
}

export async function runCheckMatrix(
  paths: readonly string[],
  options: CheckOptions,
): Promise<number> {
  refuseOptions(options);
  const { inputs: given, problems } = await inputsOf(paths, options);
  const inputs = rowsFor(given, options);
  const files = given.map((input) => input.file);
  const output = openOutput({ path: options.output, noColor: !options.color, inputs: files });
  const quiet = options.quiet === true;
  const silent = quiet && options.output === undefined;
  const json = options.json === true || options.format === 'json';
  const tally: Tally = { rows: [], invalid: problems.length > 0, crashed: false, skipped: 0 };
  for (const { file, message } of problems) process.stderr.write(`civac: ${file}: ${message}\n`);
  const signals = watchSignals();
  const progress = new Progress(inputs.length, quiet, {
    ...DEFAULT_LIMITS,
    ...settingsOf(options),
  });
  await runMatrix(inputs, {
    settings: settingsOf(options),
    interruption: signals,
    onProgress: (input, now) => progress.update(input.file, now),
    skipped: () => {
      tally.skipped += 1;
    },
    invalid: (outcome) => {
      tally.invalid = true;
      if ('diagnostics' in outcome) tellDiagnostics(outcome, stderrColor(!options.color));
    },
    crashed: () => {
      tally.crashed = true;
    },
    row: (row) => {
      progress.finished();
      tally.rows.push(row);
      if (!json && !silent) output.write(`${matrixText(row)}\n`);
    },
  });
  signals.release();
  if (!silent) output.write(json ? matrixJson(tally.rows, JSON_VERSION) : summary(tally.rows));
  output.close();
  if (!signals.happened) return statusOf(tally);
  const missed = tally.skipped > 0 ? `; ${tally.skipped} scenarios were not reached` : '';
  process.stderr.write(`civac: interrupted${missed}\n`);
  return exitCode.interrupted;
}
