/**
 * A trace.dat of version 7 whose end is cut off: its table of buffers was there. Goes from section
 * to section instead, and finds where the data of one CPU ends and that of the next begins. CPUs
 * are numbered in the order of their data, which is a guess, and said to be one. Leaves out files
 * that are cut before their events.
 *
 * Source: trace-cmd.dat.v7(5); trace-cmd 3.1 and 3.3 begin each CPU at a multiple of the page size.
 */
import type { CpuData, DatFile } from './dat-file.js';
import { Reader } from './dat-reader.js';
import { TraceInputError } from './report.js';

const headerBytes = 16;
const flyrecord = 3;
const chunkMax = 1 << 24;
const cpusMax = 1 << 10;

/**
 * Adds the buffer whose table is missing. `start` is where the sections begin; `visit` is given the
 * number and place of each before the buffer.
 */
export function salvage(
  file: DatFile,
  start: number,
  visit: (id: number, at: number) => void,
): void {
  try {
    let at = start;
    while (at + headerBytes < file.length) {
      const header = new Reader(file.source, at, file.length, 'sections');
      const id = header.u16();
      const compressed = (header.u16() & 1) !== 0;
      header.u32();
      const size = header.u64();
      if (id === flyrecord) addBuffer(file, at + headerBytes, compressed);
      if (id === flyrecord || size === 0) return;
      visit(id, at);
      at += headerBytes + size;
    }
  } catch (error) {
    if (!(error instanceof TraceInputError)) throw error;
  }
}

function addBuffer(file: DatFile, from: number, compressed: boolean): void {
  const { pageSize, clock } = file;
  const first = Math.ceil(from / pageSize) * pageSize;
  const cpus = compressed ? chunkedCpus(file, first) : plainCpus(file, first);
  if (cpus.length === 0) return;
  file.buffers.push({ name: '', clock, pageSize, compressed, cpus });
  file.salvaged = true;
  const message =
    'the table of its CPUs is cut off: their numbers are a guess, some may be missing';
  file.report.problem('truncated', message, `byte ${file.length}`);
}

/** Counts chunks to find the next CPU. */
function chunkedCpus(file: DatFile, first: number): CpuData[] {
  const cpus: CpuData[] = [];
  let at = first;
  while (at + 12 < file.length && cpus.length < cpusMax) {
    const reader = new Reader(file.source, at, file.length, 'chunks');
    const count = reader.u32();
    if (count === 0) break;
    cpus.push({ cpu: cpus.length, offset: at, size: 0 });
    for (let i = 0; i < count && reader.left >= 8; i++) {
      const packed = reader.u32();
      const size = reader.u32();
      if (packed > chunkMax || size > chunkMax || packed > reader.left) reader.at = reader.end;
      else reader.skip(packed);
    }
    setSize(cpus, reader.at);
    at = Math.ceil(reader.at / file.pageSize) * file.pageSize;
  }
  return cpus;
}

/** A page older than the one before it is the first of another CPU. */
function plainCpus(file: DatFile, first: number): CpuData[] {
  const cpus: CpuData[] = [];
  let last = Number.POSITIVE_INFINITY;
  let at = first;
  for (; at + file.pageSize <= file.length && cpus.length < cpusMax; at += file.pageSize) {
    const time = new Reader(file.source, at, at + 8, 'pages').u64();
    if (time < last) {
      setSize(cpus, at);
      cpus.push({ cpu: cpus.length, offset: at, size: 0 });
    }
    last = time;
  }
  setSize(cpus, at);
  return cpus;
}

/** The data of the last CPU ends here. */
function setSize(cpus: CpuData[], end: number): void {
  const last = cpus.pop();
  if (last !== undefined) cpus.push({ ...last, size: end - last.offset });
}
