/**
 * The front door of the reader: finds out what an input is and reads it into a sink. Leaves out
 * where the bytes come from (`src/cli`) and what the events mean (the tracker).
 */
import type { TraceSink } from '../events.js';
import { ReportBuilder, TraceInputError, type ReadReport } from './report.js';
import { type ByteSource, PeekStream, streamOf } from './source.js';
import { readText } from './text.js';
import { unpack } from './unpack.js';

export { TraceInputError, type LostEvents, type ReadProblem, type ReadReport } from './report.js';
export { type ByteSource, bytesSource, memorySpool, type Spool } from './source.js';

/**
 * Reads a trace.
 *
 * Source: a trace.dat or text, compressed or not. The sink's methods are called in the order of
 * time. Throws TraceInputError when the input is no trace at all; everything else that is wrong
 * with it stands in the report.
 */
export function readTrace(source: ByteSource, sink: TraceSink): ReadReport {
  const steps = traceSteps(source, sink);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * The same in steps of some ten thousand events, so that a caller can show progress or stop; ends
 * with the report.
 */
export function* traceSteps(source: ByteSource, sink: TraceSink): Generator<void, ReadReport> {
  const report = new ReportBuilder(source.name);
  const stream = unpack(new PeekStream(streamOf(source)), report);
  refuseOthers(stream.peek(16), report);
  yield* readText(stream, sink, report);
  return report.finish();
}

/** Inputs that users try and that are no traces of these kinds. */
function refuseOthers(magic: Uint8Array, report: ReportBuilder): void {
  const word = String.fromCharCode(...magic.subarray(0, 8));
  if (magic.length === 0) {
    const why = report.finish().problems[0]?.message;
    throw new TraceInputError(why ?? 'the input is empty');
  }
  if (word === 'PERFILE2' || word === '2ELIFREP') {
    throw new TraceInputError('this is a perf.data file', 'convert it: perf script -F +ip');
  }
}
