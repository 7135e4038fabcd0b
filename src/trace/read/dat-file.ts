/**
 * What a trace.dat says about itself, versions 6 and 7 read into one description. Leaves out the
 * events (`dat-pages.ts`), and the parts without use here, of which kallsyms is by far the largest.
 *
 * Source: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5), files written by trace-cmd 3.1 and 3.3.
 */
import { textOf } from './bytes.js';
import { type Codecs, codecOf, type Unpack } from './codec.js';
import { type EventFormat, parseFields, parseFormat } from './dat-format.js';
import { cutSuggestion, Reader } from './dat-reader.js';
import { knownOf } from './known.js';
import { type ReportBuilder, TraceInputError } from './report.js';
import type { ByteSource } from './source.js';

/** Pages of one CPU of one buffer: place and size in the file, in bytes. */
export interface CpuData {
  readonly cpu: number;
  readonly offset: number;
  readonly size: number;
}

/** One ring buffer: the top one or an instance. */
export interface DatBuffer {
  readonly name: string;
  readonly clock: string;
  /** Bytes of a page of this buffer. */
  readonly pageSize: number;
  /** Whether the pages are in compressed chunks. */
  readonly compressed: boolean;
  readonly cpus: readonly CpuData[];
}

/** Trace text inside a trace.dat, of a latency tracer. */
export interface DatText {
  readonly offset: number;
  readonly size: number;
  readonly compressed: boolean;
}

/** Clock ticks to nanoseconds: ticks × mult / 2^shift + offset. */
export interface TickScale {
  readonly mult: number;
  readonly shift: number;
  readonly offset: number;
}

/** Filled by the readers of the two versions. */
export class DatFile {
  unpack: Unpack | null = null;
  /** Whether the header names a compression that is unknown here. */
  unknownCompression = '';
  /** Bytes before the events of a page, and of its commit field. */
  pageHeader = 16;
  commitSize = 8;
  pageSize = 4096;
  readonly formats = new Map<number, EventFormat>();
  /** The highest number of a format. */
  formatMax = 0;
  readonly tasks = new Map<number, string>();
  readonly buffers: DatBuffer[] = [];
  readonly texts: DatText[] = [];
  /** Overwritten and dropped events per CPU, as the buffer's statistics say. */
  readonly overrun = new Map<number, number>();
  /** Events that the statistics count, per CPU over all buffers. */
  readonly counted = new Map<number, number>();
  clock = '';
  /** Added to every time, in the clock's units. */
  timeOffset = 0;
  ticks: TickScale | null = null;
  /** The buffers were found without their table: events of unknown CPUs may be missing. */
  salvaged = false;

  constructor(
    readonly source: ByteSource,
    readonly length: number,
    readonly report: ReportBuilder,
    /** Whether to keep the descriptions of events that are not decoded. */
    readonly keepFormats = false,
  ) {}
}

const magic = [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e, 0x67];
export const pageSizeMax = 1 << 20;

export function isDat(start: Uint8Array): boolean {
  return magic.every((byte, i) => start[i] === byte);
}

/** The header up to where the versions part; `at` of the reader stands behind it. */
export function readInitial(
  file: DatFile,
  codecs: Codecs,
): { readonly version: number; readonly reader: Reader } {
  const reader = new Reader(file.source, magic.length, file.length, 'header');
  const version = Number(reader.string());
  if (version !== 6 && version !== 7) {
    throw new TraceInputError(
      `trace.dat of version ${version}, known are 6 and 7`,
      'convert it: trace-cmd convert --file-version 7',
    );
  }
  file.report.format = `trace.dat version ${version}`;
  if (reader.u8() !== 0) {
    throw new TraceInputError('a trace.dat of a big-endian machine', 'give its text instead');
  }
  reader.u8();
  file.pageSize = reader.u32();
  if (!isPageSize(file.pageSize)) {
    throw new TraceInputError(`absurd page size ${file.pageSize} in the header`, cutSuggestion);
  }
  file.report.pageSize = file.pageSize;
  if (version === 7) {
    const name = reader.string();
    reader.string();
    if (name !== 'none') {
      file.unpack = codecOf(name, codecs);
      if (file.unpack === null) file.unknownCompression = name;
      else file.report.compression.push(name);
    }
  }
  return { version, reader };
}

export function isPageSize(size: number): boolean {
  return size >= 256 && size <= pageSizeMax && (size & (size - 1)) === 0;
}

/** header_page and header_event. */
export function readHeaderInfo(file: DatFile, reader: Reader): void {
  if (reader.string() !== 'header_page') {
    throw new TraceInputError('header_page is not where it should be', cutSuggestion);
  }
  const fields = parseFields(reader.bytes(reader.u64()));
  const data = fields.find(({ name }) => name === 'data');
  const commit = fields.find(({ name }) => name === 'commit');
  if (data !== undefined && data.offset >= 12 && data.offset <= 64 && data.offset % 4 === 0) {
    file.pageHeader = data.offset;
  }
  if (commit !== undefined && (commit.size === 4 || commit.size === 8)) {
    file.commitSize = commit.size;
  }
  reader.string();
  reader.skip(reader.u64());
}

/** The formats of ftrace's own events. */
export function readFtraceFormats(file: DatFile, reader: Reader): void {
  const count = reader.u32();
  for (let i = 0; i < count; i++) readFormat(file, reader, 'ftrace');
}

/** The formats of all systems. */
export function readEventFormats(file: DatFile, reader: Reader): void {
  const systems = reader.u32();
  for (let i = 0; i < systems; i++) {
    const system = reader.string();
    const events = reader.u32();
    for (let j = 0; j < events; j++) readFormat(file, reader, system);
  }
}

const noText = new Uint8Array(0);

function readFormat(file: DatFile, reader: Reader, system: string): void {
  const place = reader.at;
  const format = parseFormat(system, reader.bytes(reader.u64()));
  // The bytes are good until the next call, and fields are asked for only of known events.
  const keep = file.keepFormats || (format !== null && knownOf(system, format.name) >= 0);
  if (format !== null) {
    const { name, id } = format;
    file.formats.set(id, { system, name, id, text: keep ? format.text.slice() : noText });
    file.formatMax = Math.max(file.formatMax, id);
  } else file.report.problem('damaged', 'format descriptions without name or ID', `byte ${place}`);
}

/** `123 comm` per line. */
export function readTasks(file: DatFile, reader: Reader): void {
  const bytes = reader.bytes(reader.u64());
  for (const line of textOf(bytes, 0, bytes.length).split('\n')) {
    const found = /^\s*(\d+) (.*)$/.exec(line);
    if (found?.[1] !== undefined) file.tasks.set(Number(found[1]), found[2] ?? '');
  }
}

/** Numbers of options in both versions (lib/trace-cmd/include/private/trace-cmd-private.h). */
const simple = {
  stat: 2,
  traceClock: 4,
  uname: 5,
  offset: 7,
  cpus: 8,
  timeShift: 12,
  tsc: 14,
} as const;

/** An option that means the same in both versions; others are passed over. */
export function readOption(file: DatFile, id: number, bytes: Uint8Array, place: number): void {
  const text = () => textOf(bytes, 0, bytes.length).split('\0', 1)[0] ?? '';
  if (id === simple.uname) file.report.kernel = releaseOf(text().trim());
  else if (id === simple.traceClock) file.clock = /\[(.*?)\]/.exec(text())?.[1] ?? text().trim();
  else if (id === simple.stat) readStatistics(file, text());
  else if (id === simple.timeShift) {
    const message = "times of a guest, not shifted to its host's";
    file.report.problem('unsupported', message, `byte ${place}`);
  } else if (id === simple.offset) file.timeOffset = Number.parseInt(text(), 10) || 0;
  else if (id === simple.cpus && bytes.length >= 4) {
    file.report.cpus = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  } else if (id === simple.tsc && bytes.length >= 16) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const offset = view.getUint32(12, true) * 2 ** 32 + view.getUint32(8, true);
    const mult = view.getUint32(0, true);
    const shift = view.getUint32(4, true);
    if (shift < 64) file.ticks = { mult, shift, offset };
    else file.report.problem('damaged', 'absurd scale of the clock', `byte ${place}`);
  }
}

/** System, host, release and machine of uname(2); without the host where civac recorded. */
function releaseOf(uname: string): string {
  const words = uname.split(' ');
  const release = words.length === 4 ? words[2] : words.length === 3 ? words[1] : undefined;
  return release === undefined || release === '' ? uname : release;
}

/** The text of per_cpu/cpuN/stats with its CPU before it. */
function readStatistics(file: DatFile, text: string): void {
  const number = (label: string): number => {
    const found = new RegExp(`^${label}: (\\d+)`, 'm').exec(text)?.[1];
    return found === undefined ? 0 : Number(found);
  };
  const cpu = /^CPU: (\d+)/m.exec(text)?.[1];
  const lost = number('overrun') + number('commit overrun') + number('dropped events');
  if (cpu === undefined) return;
  const here = number('entries') + number('read events');
  file.counted.set(Number(cpu), (file.counted.get(Number(cpu)) ?? 0) + here);
  if (lost === 0) return;
  const known = file.overrun.get(Number(cpu)) ?? 0;
  file.overrun.set(Number(cpu), known + lost);
}
