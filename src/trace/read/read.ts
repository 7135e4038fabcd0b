/**
 * The front door of the reader for callers that want all of it at once, with all that unpacks any
 * input. Leaves out how that is done (`steps.ts`), and where the bytes come from (`src/cli`).
 */
import type { TraceSink } from '../events.js';
import { inflate } from './inflate.js';
import type { ReadReport } from './report.js';
import type { ByteSource } from './source.js';
import { type ReadOptions, traceSteps } from './steps.js';

export type { Codecs, Unpack } from './codec.js';
export { type LostEvents, type ReadProblem, type ReadReport, TraceInputError } from './report.js';
export { type ByteSource, bytesSource, memorySpool, type Spool } from './source.js';
export type { ReadOptions } from './steps.js';

/**
 * Reads a trace.
 *
 * Source: a trace.dat or text, compressed or not. The sink's methods are called in the order of
 * time. Throws TraceInputError when the input is no trace at all; everything else that is wrong
 * with it stands in the report.
 */
export function readTrace(
  source: ByteSource,
  sink: TraceSink,
  options: ReadOptions = {},
): ReadReport {
  const codecs = { ...inflate, ...options.codecs };
  const steps = traceSteps(source, sink, { ...options, codecs });
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
