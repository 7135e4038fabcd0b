/** What worker threads are given to do, and what the pool has to know of it. */
import type { MatrixCell } from '../matrix/cells.js';
import type { Finding } from '../verdict/result.js';
import { checkOne, lostOutcome, type Outcome, type Settings } from './check-one.js';
import type { Input } from './inputs.js';
import { lostRow, type RowInput, type RowOutcome, type RowWatch, rowOne } from './matrix-row.js';

export type WorkName = 'check' | 'row';

/** What a worker has told of its work so far. */
export interface Known {
  readonly cells: MatrixCell[];
  readonly broken: Finding[];
}

export interface Work<I extends Input, O> {
  /** By this name a worker thread knows what to do. */
  readonly name: WorkName;
  perform(input: I, settings: Settings, watch: RowWatch): O;
  /** The answer when the worker is lost: never more than is known. */
  lost(input: I, reason: string, known: Known): O;
  crashed(input: I, error: unknown): O;
  skipped(input: I): O;
}

export const checkWork: Work<Input, Outcome> = {
  name: 'check',
  perform: checkOne,
  lost: (input, reason, { broken }) => lostOutcome(input, reason, broken),
  crashed: (input, error) => ({ kind: 'crash', input, error }),
  skipped: (input) => ({ kind: 'skipped', input }),
};

export const rowWork: Work<RowInput, RowOutcome> = {
  name: 'row',
  perform: rowOne,
  lost: (input, reason, { cells }) => lostRow(input, reason, cells),
  crashed: (input, error) => ({ kind: 'crash', input, error }),
  skipped: (input) => ({ kind: 'skipped', input }),
};
