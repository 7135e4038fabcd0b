/**
 * Fills the rows of `check --matrix` with the worker threads of `check`, a row at a time: its cells
 * have much in common.
 */
import type { MatrixRow } from '../matrix/cells.js';
import type { Failure, Settings } from './check-one.js';
import { report } from './errors.js';
import type { Input } from './inputs.js';
import type { RowInput } from './matrix-row.js';
import { type Interruption, runAll } from './runner.js';
import { rowWork } from './work.js';
import type { WorkerProgress } from './worker.js';

export interface MatrixRun {
  readonly settings: Settings;
  readonly interruption: Interruption;
  readonly onProgress: (input: Input, progress: WorkerProgress) => void;
  /** A scenario with errors of its own has no row. */
  readonly invalid: (failure: Failure) => void;
  /** A scenario that was not reached before an interruption. */
  readonly skipped: () => void;
  /** A bug of ours. */
  readonly crashed: () => void;
  readonly row: (row: MatrixRow) => void;
}

/** Rows in the order of the inputs, each as soon as its last cell is known. */
export async function runMatrix(inputs: readonly RowInput[], run: MatrixRun): Promise<void> {
  const { settings, interruption, onProgress } = run;
  for await (const outcome of runAll(rowWork, inputs, settings, interruption, onProgress)) {
    if (outcome.kind === 'row') {
      for (const { file, error } of outcome.crashes) crash(file, error, run);
      run.row(outcome.row);
    } else if (outcome.kind === 'invalid') run.invalid(outcome);
    else if (outcome.kind === 'skipped') run.skipped();
    else crash(outcome.input.file, outcome.error, run);
  }
}

function crash(file: string, error: unknown, { crashed }: MatrixRun): void {
  crashed();
  report(error, ` while checking ${file}`);
}
