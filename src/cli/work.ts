/** What worker threads are given to do, and what the pool has to know of it. */
import type { MatrixCell } from '../matrix/cells.js';
import { checkOne, lostOutcome, type Outcome, type Settings } from './check-one.js';
import type { Input } from './inputs.js';
import { lostRow, type RowInput, type RowOutcome, type RowWatch, rowOne } from './matrix-row.js';

export type WorkName = 'check' | 'row';

export interface Work<I extends Input, O> {
  /** By this name a worker thread knows what to do. */
  readonly name: WorkName;
  perform(input: I, settings: Settings, watch: RowWatch): O;
  /** The answer when the worker is lost: never more than is known. */
  lost(input: I, reason: string, known: readonly MatrixCell[]): O;
  crashed(input: I, error: unknown): O;
  skipped(input: I): O;
}

export const checkWork: Work<Input, Outcome> = {
  name: 'check',
  perform: checkOne,
  lost: lostOutcome,
  crashed: (input, error) => ({ kind: 'crash', input, error }),
  skipped: (input) => ({ kind: 'skipped', input }),
};

export const rowWork: Work<RowInput, RowOutcome> = {
  name: 'row',
  perform: rowOne,
  lost: lostRow,
  crashed: (input, error) => ({ kind: 'crash', input, error }),
  skipped: (input) => ({ kind: 'skipped', input }),
};
