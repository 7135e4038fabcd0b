/**
 * Finds out what an input is and reads it into a sink. Leaves out where the bytes come from
 * (`src/cli`) and what the events mean (the tracker).
 */
import type { TraceSink } from '../events.js';
import type { Codecs } from './codec.js';
import { openDat, readDat } from './dat.js';
import { isDat } from './dat-file.js';
import { textStream } from './dat-text.js';
import { type ReadReport, ReportBuilder, TraceInputError } from './report.js';
import {
  type ByteSource,
  type ByteStream,
  memorySpool,
  PeekStream,
  type Spool,
  streamOf,
} from './source.js';
import { readText } from './text.js';
import { unpack } from './unpack.js';

export interface ReadOptions {
  /** Where to keep a trace.dat that is streamed; in memory, up to 1 GB, when absent. */
  readonly spool?: () => Spool;
  /** What unpacks gzip and zlib, and zstd faster than this folder. */
  readonly codecs?: Codecs;
}

const memorySpoolMax = 1 << 30;

/**
 * Reads a trace as `readTrace` does, in steps of some ten thousand events, so that a caller can
 * show progress or stop; ends with the report. `codecs` needs `inflate` where `needsInflate` says
 * so.
 */
export function* traceSteps(
  source: ByteSource,
  sink: TraceSink,
  options: ReadOptions = {},
): Generator<void, ReadReport> {
  const report = new ReportBuilder(source.name);
  const stream = unpack(new PeekStream(streamOf(source)), report, options.codecs ?? {});
  const start = stream.peek(16);
  refuseOthers(start, report);
  if (!isDat(start)) yield* readText(stream, sink, report);
  else if (source.length !== null && report.compression.length === 0) {
    yield* readAnywhere(source, sink, report, options);
  } else yield* readSpooled(stream, sink, report, options);
  return report.finish();
}

/** A trace.dat in a source that can be read anywhere. */
function* readAnywhere(
  source: ByteSource,
  sink: TraceSink,
  report: ReportBuilder,
  options: ReadOptions,
): Generator<void, void> {
  const file = openDat(source, report, options.codecs ?? {});
  if (file.buffers.length > 0) yield* readDat(file, sink);
  for (const text of file.texts) yield* readText(textStream(file, text), sink, report);
}

/** A trace.dat that comes as a stream is kept first: its parts point to each other. */
function* readSpooled(
  stream: ByteStream,
  sink: TraceSink,
  report: ReportBuilder,
  options: ReadOptions,
): Generator<void, void> {
  const spool = options.spool?.() ?? memorySpool(report.source, memorySpoolMax);
  try {
    const bytes = new Uint8Array(1 << 18);
    for (;;) {
      const got = stream.read(bytes);
      if (got === 0) break;
      spool.append(bytes.subarray(0, got));
      yield;
    }
    yield* readAnywhere(spool.source(), sink, report, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TraceInputError(`the trace.dat does not fit into memory`, 'give it as a plain file');
  } finally {
    spool.close();
  }
}

/** Inputs that users try and that are no traces of these kinds. */
function refuseOthers(magic: Uint8Array, report: ReportBuilder): void {
  const word = String.fromCharCode(...magic.subarray(0, 8));
  if (magic.length === 0) {
    const why = report.finish().problems[0]?.message;
    throw new TraceInputError(why ?? 'the input is empty');
  }
  if (word === 'PERFILE2' || word === '2ELIFREP') {
    throw new TraceInputError(
      'this is a perf.data file',
      'give its text: perf script --show-lost-events',
    );
  }
}
