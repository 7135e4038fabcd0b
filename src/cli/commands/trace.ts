/** `civac trace`: read a recording, report misuse and cost, and say the outcome in the status. */
import { groupDigits } from '../../base/text.js';
import { granuleDefault, pageSizeDefault, TraceAnalysis } from '../../trace/index.js';
import type { Finding, TraceResult } from '../../trace/model.js';
import { everyObserver } from '../../trace/observers.js';
import { needsInflate } from '../../trace/read/codec.js';
import { pageSizeOf } from '../../trace/read/page-size.js';
import { type ReadReport, TraceInputError } from '../../trace/read/report.js';
import { traceSteps } from '../../trace/read/steps.js';
import type { Exporter } from '../../trace/show/sink.js';
import { errorCode, InputError, reasonOf } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Output, openOutput } from '../output.js';
import { type Signals, watchSignals } from '../signals.js';
import { type ExportFormat, isExportFormat, traceExport } from '../trace-exports.js';
import { type FactOptions, type Facts, factsOf } from '../trace-facts.js';
import { fileSpool, type OpenSource, openTrace } from '../trace-source.js';
import { StdinSource, stdinIsFile } from '../trace-stdin.js';
import { tuneForTraces } from '../trace-tuning.js';

/** Formats that are written at the end, out of the result alone. */
const reportFormats = ['text', 'json', 'sarif'] as const;
type ReportFormat = (typeof reportFormats)[number];
export type TraceFormat = ReportFormat | ExportFormat;

export interface TraceCommandOptions extends FactOptions {
  readonly json?: boolean;
  readonly format?: TraceFormat;
  readonly output?: string;
  readonly quiet?: boolean;
  readonly all?: boolean;
  readonly granule?: number;
  readonly pageSize?: number;
  readonly color: boolean;
}

/** Sizes in bytes that the analysis goes by. */
interface Sizes {
  readonly granule: number;
  readonly pageSize: number;
}

function formatOf(options: TraceCommandOptions): TraceFormat {
  if (options.json && options.format !== undefined && options.format !== 'json') {
    throw new InputError(`--json and --format ${options.format} contradict each other`);
  }
  return options.json ? 'json' : (options.format ?? 'text');
}

function sizesOf(options: TraceCommandOptions, { sidecar }: Facts, source: OpenSource): Sizes {
  const stated = options.pageSize ?? sidecar?.pageSize ?? null;
  return {
    granule: options.granule ?? sidecar?.granule?.bytes ?? granuleDefault,
    pageSize: stated ?? pageSizeOf(source) ?? pageSizeDefault,
  };
}

function open(path: string): OpenSource | StdinSource {
  try {
    return path === '-' && !stdinIsFile() ? new StdinSource() : openTrace(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

/** One line on stderr, only on a terminal and only after a second. */
class Ticker {
  // Not performance.now(), which loads a good part of Node first.
  private readonly started = Date.now();
  private told = 0;
  private readonly on: boolean;

  constructor(quiet: boolean) {
    this.on = process.stderr.isTTY === true && !quiet;
  }

  tick(events: number): void {
    if (!this.on) return;
    const now = Date.now();
    if (now - this.started < 1000 || now - this.told < 200) return;
    this.told = now;
    process.stderr.write(`\r\u001b[K${groupDigits(events)} events`);
  }

  clear(): void {
    if (this.told > 0) process.stderr.write('\r\u001b[K');
  }
}

interface Reading {
  readonly report: ReadReport;
  readonly analysis: TraceAnalysis;
  readonly interrupted: boolean;
}

async function read(
  source: OpenSource | StdinSource,
  analysis: TraceAnalysis,
  signals: Signals,
  ticker: Ticker,
): Promise<Reading> {
  const codecs = needsInflate(source) ? (await import('../../trace/read/inflate.js')).inflate : {};
  const steps = traceSteps(source, analysis.sink, { spool: fileSpool, codecs });
  let turns = 0;
  const stdin = source instanceof StdinSource ? source : null;
  signals.onInterrupt(() => stdin?.end());
  // A file that never ends, such as trace_pipe, makes us wait: Ctrl-C then ends civac at once.
  if (stdin === null && source.length === null) signals.release();
  for (;;) {
    await stdin?.ready();
    const { done, value } =
      signals.happened && stdin === null
        ? steps.return(analysis.partReport(source.name))
        : steps.next();
    if (done === true) return { report: value, analysis, interrupted: signals.happened };
    ticker.tick(analysis.events);
    turns += 1;
    // Signals only arrive between two turns of the event loop.
    if (turns % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function render(
  format: ReportFormat,
  result: TraceResult,
  output: Output,
  all: boolean,
): Promise<string> {
  if (format === 'json') {
    return (await import('../../trace/show/json.js')).traceJsonText(result);
  }
  if (format === 'sarif') {
    return (await import('../../trace/show/sarif.js')).traceSarifText(result);
  }
  const { traceText } = await import('../../trace/show/text.js');
  return traceText(result, { width: output.width, color: output.color, all });
}

/** Nothing that can be judged is in it: that is not the same as nothing wrong. */
function empty(result: TraceResult): boolean {
  return result.devices.length === 0;
}

/** What depends on an unknown coherence may be nothing at all: it is shown, but fails no script. */
function isFound({ severity, certainty }: Finding): boolean {
  return severity !== 'note' && certainty !== 'needs-coherence';
}

function statusOf(result: TraceResult): number {
  if (result.findings.some(isFound)) return exitCode.found;
  return empty(result) ? exitCode.unknown : exitCode.ok;
}

function inputError(error: unknown, path: string): unknown {
  if (error instanceof TraceInputError) {
    const hint = error.suggestion === '' ? '' : `; ${error.suggestion}`;
    return new InputError(`${path}: ${error.message}${hint}`);
  }
  return errorCode(error) === '' ? error : new InputError(`${path}: ${reasonOf(error)}`);
}

async function analyse(
  path: string,
  options: TraceCommandOptions,
  facts: Facts,
  exporters: readonly Exporter[],
  signals: Signals,
): Promise<Reading> {
  const ticker = new Ticker(options.quiet === true);
  const source = open(path);
  try {
    const analysis = new TraceAnalysis({
      ...sizesOf(options, facts, source),
      coherence: facts.book,
      observer: everyObserver(exporters.map((exporter) => exporter.observer)),
    });
    return await read(source, analysis, signals, ticker);
  } catch (error) {
    throw inputError(error, path);
  } finally {
    ticker.clear();
    source.close();
  }
}

/** Where the result goes, and what has to watch the trace for it. */
interface Target {
  readonly exporters: readonly Exporter[];
  write(result: TraceResult): Promise<void>;
}

async function exportTarget(
  format: ExportFormat,
  path: string,
  options: TraceCommandOptions,
  { sidecar }: Facts,
): Promise<Target> {
  const exported = traceExport(format, { input: path, output: options.output, sidecar });
  const exporter = await exported.begin();
  return {
    exporters: [exporter],
    async write(result) {
      exporter.finish(result);
      exported.close();
      if (options.quiet || process.stderr.isTTY !== true || exported.files.length === 0) return;
      process.stderr.write(`civac: ${exported.files.join(' and ')} written\n`);
    },
  };
}

function reportTarget(format: ReportFormat, path: string, options: TraceCommandOptions): Target {
  const output = openOutput({
    path: options.output,
    noColor: !options.color,
    inputs: path === '-' ? [] : [path],
  });
  const quiet = options.quiet === true && options.output === undefined;
  return {
    exporters: [],
    async write(result) {
      if (!quiet) output.write(await render(format, result, output, options.all === true));
      output.close();
    },
  };
}

export async function runTrace(
  path: string | undefined,
  options: TraceCommandOptions,
): Promise<number> {
  if (path === undefined) throw new InputError("trace: name a FILE, or '-' for stdin");
  const format = formatOf(options);
  tuneForTraces();
  const facts = factsOf(path, options);
  const target = isExportFormat(format)
    ? await exportTarget(format, path, options, facts)
    : reportTarget(format, path, options);
  const signals = watchSignals();
  const reading = await analyse(path, options, facts, target.exporters, signals);
  const result = reading.analysis.finish(reading.report);
  signals.release();
  await target.write(result);
  if (empty(result) && options.quiet !== true) {
    process.stderr.write(
      'civac: no dma events in this trace: nothing could be judged. Linux 6.12 and later have ' +
        "them; 'civac record' asks for them\n",
    );
  }
  if (!reading.interrupted) return statusOf(result);
  process.stderr.write('civac: interrupted; the report is on what was read until then\n');
  return exitCode.interrupted;
}
