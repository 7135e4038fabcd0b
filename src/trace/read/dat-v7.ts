/**
 * The sections of a trace.dat of version 7: options say where everything is. Leaves out what both
 * versions share (`dat-file.ts`).
 *
 * Source: trace-cmd.dat.v7(5).
 */
import {
  type CpuData,
  type DatFile,
  isPageSize,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
  readOption,
  readTasks,
} from './dat-file.js';
import { cutSuggestion, pieceMax, Reader } from './dat-reader.js';
import { salvage } from './dat-salvage.js';
import { TraceInputError } from './report.js';
import { bytesSource } from './source.js';

/** Numbers of options. */
const Option = {
  done: 0,
  buffer: 3,
  headerInfo: 16,
  ftraceEvents: 17,
  eventFormats: 18,
  tasks: 21,
  text: 22,
} as const;

const sectionHeader = 16;
const compressedFlag = 1;
/** Chains of options sections that do not end are damage. */
const chainMax = 1000;
const cpusMax = 1 << 14;

interface Section {
  readonly id: number;
  readonly compressed: boolean;
  readonly at: number;
  readonly size: number;
}

/** Reads everything behind the initial header. */
export function readV7(file: DatFile, initial: Reader): void {
  const first = initial.u64();
  const sections = initial.at;
  let next = first;
  for (let link = 0; next !== 0; link++) {
    if (link === chainMax) throw new TraceInputError('options without end', cutSuggestion);
    next = nextOptions(file, next);
  }
  if (file.buffers.length === 0 && file.texts.length === 0) {
    // Without any option the descriptions are still to be read.
    const bare = file.formats.size === 0;
    salvage(file, sections, (id, at) => bare && readDescription(file, id, at));
  }
  if (file.formats.size === 0 && file.buffers.length > 0) {
    file.report.problem('damaged', 'no event formats', 'options');
  }
}

/** The same as `readOptions`, but a section that is cut ends the chain. */
function nextOptions(file: DatFile, offset: number): number {
  try {
    return readOptions(file, offset);
  } catch (error) {
    if (!(error instanceof TraceInputError)) throw error;
    file.report.problem('truncated', error.message, `byte ${offset}`);
    return 0;
  }
}

/** One options section; returns where the next one is, 0 after the last. */
function readOptions(file: DatFile, offset: number): number {
  const reader = section(file, offset, 0, 'options');
  while (reader.left >= 6) {
    const id = reader.u16();
    const size = reader.u32();
    const place = reader.at;
    if (id === Option.done) return size >= 8 ? reader.u64() : 0;
    const bytes = reader.bytes(size).slice();
    try {
      readOne(file, id, bytes, place);
    } catch (error) {
      if (!(error instanceof TraceInputError)) throw error;
      file.report.problem('damaged', error.message, `byte ${offset}`);
    }
  }
  return 0;
}

function readOne(file: DatFile, id: number, bytes: Uint8Array, place: number): void {
  const option = new Reader(bytesSource(bytes), 0, bytes.length, `option ${id}`);
  if (id === Option.buffer) readBuffer(file, option);
  else if (id === Option.text) {
    const { at, size, compressed } = sectionAt(file, option.u64(), 'trace text');
    file.texts.push({ offset: at, size, compressed });
  } else if (described.has(id)) readDescription(file, id, option.u64());
  else readOption(file, id, bytes, place);
}

/** Options that say where a section is. Sections have the number of their option. */
const described: ReadonlySet<number> = new Set([
  Option.headerInfo,
  Option.ftraceEvents,
  Option.eventFormats,
  Option.tasks,
]);

/** Reads a section that describes events or tasks. */
function readDescription(file: DatFile, id: number, at: number): void {
  if (id === Option.headerInfo) readHeaderInfo(file, section(file, at, id, 'page header'));
  else if (id === Option.ftraceEvents) {
    readFtraceFormats(file, section(file, at, id, 'formats of ftrace'));
  } else if (id === Option.eventFormats) {
    readEventFormats(file, section(file, at, id, 'event formats'));
  } else if (id === Option.tasks) readTasks(file, section(file, at, id, 'command lines'));
}

function readBuffer(file: DatFile, option: Reader): void {
  const offset = option.u64();
  const name = option.string();
  const clock = option.string();
  const pageSize = option.u32();
  const count = option.u32();
  if (!isPageSize(pageSize) || count > cpusMax) {
    throw new TraceInputError(`absurd page size ${pageSize} or number of CPUs ${count}`);
  }
  const cpus: CpuData[] = [];
  for (let i = 0; i < count; i++) {
    cpus.push({ cpu: option.u32(), offset: option.u64(), size: option.u64() });
  }
  const { compressed } = sectionAt(file, offset, `buffer ${name}`);
  file.buffers.push({ name, clock, pageSize, compressed, cpus });
}

function sectionAt(file: DatFile, offset: number, what: string): Section {
  const header = new Reader(file.source, offset, file.length, `header of the ${what}`);
  const id = header.u16();
  const flags = header.u16();
  header.u32();
  const size = header.u64();
  const compressed = (flags & compressedFlag) !== 0;
  return { id, compressed, at: offset + sectionHeader, size };
}

/** The content of a section. */
function section(file: DatFile, offset: number, id: number, what: string): Reader {
  const found = sectionAt(file, offset, what);
  if (found.id !== id) {
    throw new TraceInputError(`section ${found.id} where the ${what} should be`, cutSuggestion);
  }
  const end = Math.min(found.at + found.size, file.length);
  const raw = new Reader(file.source, found.at, end, what);
  if (!found.compressed) return raw;
  const packed = raw.u32();
  const size = raw.u32();
  if (size > pieceMax) throw new TraceInputError(`absurd size ${size} of the ${what}`);
  const bytes = unpacked(file, raw.bytes(packed), size, what);
  return new Reader(bytesSource(bytes), 0, bytes.length, what);
}

function unpacked(file: DatFile, packed: Uint8Array, size: number, what: string): Uint8Array {
  if (file.unpack === null) {
    const name = file.unknownCompression;
    throw new TraceInputError(
      name === '' ? `compressed ${what} in a plain file` : `unknown compression ${name}`,
      name === '' ? cutSuggestion : 'convert it: trace-cmd convert --compression none',
    );
  }
  const bytes = new Uint8Array(size);
  try {
    return bytes.subarray(0, file.unpack(packed, bytes));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TraceInputError(`the ${what} cannot be unpacked (${why})`, cutSuggestion);
  }
}
