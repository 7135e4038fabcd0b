/**
 * The header of a trace.dat of version 6: one part after the other, in a fixed order. Leaves out
 * what both versions share (`dat-file.ts`).
 *
 * Source: trace-cmd.dat.v6(5); the BUFFER option (3) of version 6, an offset and a name, from files
 * with instances written by trace-cmd 3.1.
 */

import { textOf } from './bytes.js';
import {
  type CpuData,
  type DatFile,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
  readOption,
  readTasks,
} from './dat-file.js';
import { cutSuggestion, Reader as DatReader, type Reader } from './dat-reader.js';
import { TraceInputError } from './report.js';

const bufferOption = 3;
const cpusMax = 1 << 14;

interface Instance {
  readonly name: string;
  readonly offset: number;
}

/** Reads everything behind the initial header. */
export function readV6(file: DatFile, reader: Reader): void {
  reader.what = 'page header';
  readHeaderInfo(file, reader);
  reader.what = 'formats of ftrace';
  readFtraceFormats(file, reader);
  reader.what = 'event formats';
  readEventFormats(file, reader);
  reader.what = 'kernel symbols';
  reader.skip(reader.u32());
  reader.what = 'printk formats';
  reader.skip(reader.u32());
  reader.what = 'command lines';
  readTasks(file, reader);
  reader.what = 'table of buffers';
  const cpus = reader.u32();
  file.report.cpus = cpus;
  const instances: Instance[] = [];
  let kind = label(reader);
  if (kind === 'options') {
    readOptions(file, reader, instances);
    kind = label(reader);
  }
  readData(file, reader, kind, '', cpus);
  for (const { name, offset } of instances) {
    const at = new DatReader(file.source, offset, file.length, `table of the buffer ${name}`);
    readData(file, at, label(at), name, cpus);
  }
}

/** Ten bytes: a word padded with spaces and a zero. */
function label(reader: Reader): string {
  const bytes = reader.bytes(10);
  return textOf(bytes, 0, 9).trim();
}

function readOptions(file: DatFile, reader: Reader, instances: Instance[]): void {
  for (;;) {
    const id = reader.u16();
    if (id === 0) return;
    const size = reader.u32();
    const place = reader.at;
    const bytes = reader.bytes(size);
    if (id !== bufferOption || size < 9) {
      readOption(file, id, bytes, place);
      continue;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const offset = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
    instances.push({ name: textOf(bytes, 8, bytes.length).split('\0', 1)[0] ?? '', offset });
  }
}

function readData(file: DatFile, reader: Reader, kind: string, name: string, cpus: number): void {
  if (kind === 'latency') {
    file.texts.push({ offset: reader.at, size: reader.left, compressed: false });
    return;
  }
  if (kind !== 'flyrecord') {
    throw new TraceInputError(`neither events nor text after the header`, cutSuggestion);
  }
  if (cpus > cpusMax) throw new TraceInputError(`absurd number of CPUs ${cpus}`, cutSuggestion);
  const data: CpuData[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    data.push({ cpu, offset: reader.u64(), size: reader.u64() });
  }
  const { clock, pageSize } = file;
  file.buffers.push({ name, clock, pageSize, compressed: false, cpus: data });
}
