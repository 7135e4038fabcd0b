/**
 * The formats of `civac trace` that are written while the trace is read: a page, a Perfetto trace,
 * Parquet tables. Says where they go and who they are from. Leaves out what is in them
 * (src/trace/show).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { version } from '../base/version.js';
import type { RunFacts } from '../trace/show/parquet.js';
import type { ByteSink, Exporter } from '../trace/show/sink.js';
import type { Sidecar } from '../trace/sidecar.js';
import { InputError, reasonOf } from './errors.js';
import { type OutputFile, openFile } from './output.js';

export const exportFormats = ['html', 'parquet', 'perfetto'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export function isExportFormat(format: string): format is ExportFormat {
  return exportFormats.some((one) => one === format);
}

export interface ExportOptions {
  /** The trace, '-' for stdin. */
  readonly input: string;
  /** Where to; undefined for stdout. */
  readonly output: string | undefined;
  readonly sidecar: Sidecar | null;
}

/** Files of an export. A trace that is read twice is exported twice, over the first time. */
export interface TraceExport {
  /** Opens the files anew and begins. */
  begin(): Promise<Exporter>;
  close(): void;
  /** Where it went, for the person at the terminal. */
  readonly files: readonly string[];
}

/** `run.parquet` and `run` stand for `run.findings.parquet` and `run.mappings.parquet`. */
export function parquetNames(output: string): { findings: string; mappings: string } {
  const base = output.replace(/\.parquet$/, '');
  return { findings: `${base}.findings.parquet`, mappings: `${base}.mappings.parquet` };
}

function standardOutput(format: ExportFormat): OutputFile {
  if (format !== 'html' && process.stdout.isTTY === true) {
    throw new InputError(`trace: --format ${format} is no text; name a file with -o`);
  }
  return {
    // Copied, as the bytes are overwritten afterwards and a pipe may take them later.
    write: (data) => void process.stdout.write(Buffer.from(data)),
    close: () => {},
  };
}

/** SHA-256 of a file; null for what cannot be read twice. */
async function hashOf(path: string): Promise<string | null> {
  if (path === '-') return null;
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(1 << 20);
  let fd: number | null = null;
  try {
    fd = openSync(path, 'r');
    for (;;) {
      const got = readSync(fd, chunk, 0, chunk.length, null);
      if (got === 0) return hash.digest('hex');
      hash.update(chunk.subarray(0, got));
    }
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** The same trace and version make the same run, so that a second export replaces the first. */
async function runFacts({ input, sidecar }: ExportOptions): Promise<RunFacts> {
  // Not at the top: it takes as long to load as many a trace to read.
  const { createHash } = await import('node:crypto');
  const sourceSha256 = await hashOf(input);
  const identity = sourceSha256 ?? `${input} ${process.pid} ${Date.now()}`;
  const runId = createHash('sha256').update(`${identity} civac ${version}`).digest('hex');
  const drivers = new Map(sidecar?.devices.map(({ name, driver }) => [name, driver]));
  return {
    runId: runId.slice(0, 16),
    toolVersion: version,
    sourceSha256,
    driverOf: (device) => drivers.get(device) ?? null,
  };
}

export function traceExport(format: ExportFormat, options: ExportOptions): TraceExport {
  const { input, output } = options;
  if (format === 'parquet' && output === undefined) {
    throw new InputError('trace: --format parquet writes two files; name them with -o');
  }
  const inputs = input === '-' ? [] : [input];
  const names = parquetNames(output ?? '');
  const files = format === 'parquet' ? Object.values(names) : output === undefined ? [] : [output];
  let open: OutputFile[] = [];
  const openOne = (path: string | undefined): OutputFile => {
    const file = path === undefined ? standardOutput(format) : openFile(path, inputs);
    open.push(file);
    return file;
  };
  const close = () => {
    for (const file of open) file.close();
    open = [];
  };
  return {
    files,
    close,
    async begin() {
      close();
      if (format !== 'parquet') return singleExporter(format, openOne(output));
      const { parquetExporter } = await import('../trace/show/parquet.js');
      const sinks = { mappings: openOne(names.mappings), findings: openOne(names.findings) };
      return parquetExporter(sinks, await runFacts(options));
    },
  };
}

async function singleExporter(format: 'html' | 'perfetto', sink: ByteSink): Promise<Exporter> {
  if (format === 'html') return (await import('../trace/show/html.js')).htmlExporter(sink);
  return (await import('../trace/show/perfetto.js')).perfettoExporter(sink);
}
