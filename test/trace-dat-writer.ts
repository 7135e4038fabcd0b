/**
 * Writes small trace.dat files of versions 6 and 7 from parts, for tests and for the programs in
 * `bench/`: any number of buffers and CPUs, plain, zlib, or zstd with stored blocks. Leaves out
 * whatever the reader does not read (kernel symbols, printk formats) but for an empty place.
 *
 * Source: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5).
 */
import { deflateSync } from 'node:zlib';

export interface WrittenCpu {
  readonly cpu: number;
  /** Whole pages. */
  readonly pages: Uint8Array;
}

export interface WrittenBuffer {
  readonly name: string;
  readonly clock?: string;
  readonly cpus: readonly WrittenCpu[];
}

export interface Written {
  readonly version: 6 | 7;
  readonly compression?: 'none' | 'zlib' | 'zstd';
  readonly pageSize?: number;
  readonly headerPage: string;
  /** Format descriptions by system; `ftrace` is kept apart in the file. */
  readonly formats: readonly { readonly system: string; readonly text: string }[];
  readonly tasks: string;
  readonly buffers: readonly WrittenBuffer[];
  /** Trace text instead of buffers, as latency tracers leave it. */
  readonly latency?: string;
  /** Further options: number and content. */
  readonly options?: readonly (readonly [number, Uint8Array | string])[];
}

const u16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer);
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const str = (text: string) => Buffer.from(`${text}\0`);
const sized = (bytes: Uint8Array) => Buffer.concat([u64(bytes.length), bytes]);

function headerInfo(file: Written): Buffer {
  const event = Buffer.from('# compressed entry header\n');
  const page = Buffer.from(file.headerPage);
  return Buffer.concat([str('header_page'), sized(page), str('header_event'), sized(event)]);
}

function ftraceFormats(file: Written): Buffer {
  const own = file.formats.filter(({ system }) => system === 'ftrace');
  return Buffer.concat([u32(own.length), ...own.map(({ text }) => sized(Buffer.from(text)))]);
}

function eventFormats(file: Written): Buffer {
  const others = file.formats.filter(({ system }) => system !== 'ftrace');
  const systems = [...new Set(others.map(({ system }) => system))];
  const parts = systems.map((name) => {
    const events = others.filter(({ system }) => system === name);
    const texts = events.map(({ text }) => sized(Buffer.from(text)));
    return Buffer.concat([str(name), u32(events.length), ...texts]);
  });
  return Buffer.concat([u32(systems.length), ...parts]);
}

function initial(file: Written, version: string): Buffer {
  const magic = Buffer.from([0x17, 0x08, 0x44, ...Buffer.from('tracing')]);
  return Buffer.concat([magic, str(version), Buffer.from([0, 8]), u32(file.pageSize ?? 4096)]);
}

export function writeDat(file: Written): Buffer {
  return file.version === 6 ? writeV6(file) : writeV7(file);
}

const option = (id: number, bytes: Uint8Array) =>
  Buffer.concat([u16(id), u32(bytes.length), bytes]);

function moreOptions(file: Written): Buffer[] {
  return (file.options ?? []).map(([id, content]) =>
    option(id, typeof content === 'string' ? str(content) : content),
  );
}

/** A version 6 file up to its pages, and where the pages of each buffer and CPU belong. */
export function frontV6(
  file: Written,
  sizeOf: (buffer: WrittenBuffer, cpu: number) => number,
): { readonly front: Buffer; readonly places: readonly number[] } {
  const cpuCount = Math.max(1, ...file.buffers.map(({ cpus }) => cpus.length));
  const head = Buffer.concat([
    initial(file, '6'),
    headerInfo(file),
    ftraceFormats(file),
    eventFormats(file),
    u32(0),
    u32(0),
    sized(Buffer.from(file.tasks)),
    u32(cpuCount),
  ]);
  if (file.latency !== undefined) {
    const rest = Buffer.from(`latency  \0${file.latency}`);
    return { front: Buffer.concat([head, rest]), places: [] };
  }
  const instances = file.buffers.slice(1);
  const tableSize = 10 + 16 * cpuCount;
  const optionsFor = (at: number) =>
    Buffer.concat([
      Buffer.from('options  \0'),
      ...moreOptions(file),
      ...instances.map(({ name }, i) =>
        option(3, Buffer.concat([u64(at + tableSize * (i + 1)), str(name)])),
      ),
      u16(0),
    ]);
  const tablesAt = head.length + optionsFor(0).length;
  let dataAt = Math.ceil((tablesAt + tableSize * file.buffers.length) / 4096) * 4096;
  const tables: Buffer[] = [];
  const places: number[] = [];
  for (const buffer of file.buffers) {
    tables.push(Buffer.from('flyrecord\0'));
    for (let cpu = 0; cpu < cpuCount; cpu++) {
      const size = sizeOf(buffer, cpu);
      tables.push(u64(dataAt), u64(size));
      places.push(dataAt);
      dataAt += size;
    }
  }
  const front = Buffer.concat([head, optionsFor(tablesAt), ...tables]);
  const padding = Buffer.alloc(Math.ceil(front.length / 4096) * 4096 - front.length);
  return { front: Buffer.concat([front, padding]), places };
}

function writeV6(file: Written): Buffer {
  const pagesOf = (buffer: WrittenBuffer, cpu: number) =>
    buffer.cpus.find((one) => one.cpu === cpu)?.pages ?? new Uint8Array(0);
  const { front, places } = frontV6(file, (buffer, cpu) => pagesOf(buffer, cpu).length);
  const cpuCount = places.length / file.buffers.length;
  const pages = file.buffers.flatMap((buffer) =>
    Array.from({ length: cpuCount }, (_, cpu) => pagesOf(buffer, cpu)),
  );
  return Buffer.concat([front, ...pages]);
}

function writeV7(file: Written): Buffer {
  const { compression = 'none' } = file;
  const parts: Uint8Array[] = [];
  let at = 0;
  const put = (...more: Uint8Array[]): number => {
    const place = at;
    for (const part of more) {
      parts.push(part);
      at += part.length;
    }
    return place;
  };
  put(initial(file, '7'), str(compression), str('1'), u64(0));
  const optionsPlace = at - 8;
  const section = (id: number, bytes: Uint8Array): number => {
    if (compression === 'none') return put(u16(id), u16(0), u32(0), u64(bytes.length), bytes);
    const packed = packPiece(bytes, compression);
    return put(u16(id), u16(1), u32(0), u64(packed.length), packed);
  };
  const place = (id: number, bytes: Uint8Array) => option(id, u64(section(id, bytes)));
  const options = [
    place(16, headerInfo(file)),
    place(17, ftraceFormats(file)),
    place(18, eventFormats(file)),
    // trace-cmd convert refuses a file without kernel symbols and printk formats.
    place(19, Buffer.concat([u32(1), Buffer.from('\n')])),
    place(20, Buffer.concat([u32(1), Buffer.from('\n')])),
    place(21, sized(Buffer.from(file.tasks))),
    ...moreOptions(file),
    ...file.buffers.map((buffer) => option(3, writeBuffer(file, buffer, put))),
    ...(file.latency === undefined ? [] : [option(22, writeText(file, file.latency, put))]),
    option(0, u64(0)),
  ];
  const optionsAt = section(0, Buffer.concat(options));
  const whole = Buffer.concat(parts);
  u64(optionsAt).copy(whole, optionsPlace);
  return whole;
}

function writeBuffer(
  file: Written,
  buffer: WrittenBuffer,
  put: (...more: Uint8Array[]) => number,
): Buffer {
  const { compression = 'none', pageSize = 4096 } = file;
  const data = buffer.cpus.map(({ pages }) =>
    compression === 'none' ? pages : packChunks(pages, pageSize, compression),
  );
  const size = data.reduce((sum, part) => sum + part.length, 0);
  const flag = compression === 'none' ? 0 : 1;
  const at = put(u16(3), u16(flag), u32(0), u64(size));
  const table = buffer.cpus.map(({ cpu }, i) => {
    const part = data[i] ?? new Uint8Array(0);
    // trace-cmd maps plain pages into memory, and leaves the same room before chunks.
    put(new Uint8Array((pageSize - (put() % pageSize)) % pageSize));
    return Buffer.concat([u32(cpu), u64(put(part)), u64(part.length)]);
  });
  return Buffer.concat([
    u64(at),
    str(buffer.name),
    str(buffer.clock ?? 'mono'),
    u32(pageSize),
    u32(table.length),
    ...table,
  ]);
}

function writeText(file: Written, text: string, put: (...more: Uint8Array[]) => number): Buffer {
  const { compression = 'none' } = file;
  const bytes = Buffer.from(text);
  const data = compression === 'none' ? bytes : packChunks(bytes, 100, compression);
  const at = put(u16(22), u16(compression === 'none' ? 0 : 1), u32(0), u64(data.length), data);
  return Buffer.concat([u64(at), str(''), str('mono')]);
}

/** A zstd frame of stored blocks. */
function storedZstd(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), u32(bytes.length)];
  for (let at = 0; at < bytes.length || at === 0; at += 1 << 17) {
    const block = bytes.subarray(at, at + (1 << 17));
    const last = at + (1 << 17) >= bytes.length ? 1 : 0;
    parts.push(u32((block.length << 3) | last).subarray(0, 3), block);
  }
  return Buffer.concat(parts);
}

function packPiece(bytes: Uint8Array, compression: 'zlib' | 'zstd'): Buffer {
  const packed = compression === 'zlib' ? deflateSync(bytes) : storedZstd(bytes);
  return Buffer.concat([u32(packed.length), u32(bytes.length), packed]);
}

/** Ten pages a chunk, as trace-cmd does. */
function packChunks(pages: Uint8Array, pageSize: number, compression: 'zlib' | 'zstd'): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < pages.length; at += 10 * pageSize) {
    chunks.push(packPiece(pages.subarray(at, at + 10 * pageSize), compression));
  }
  return Buffer.concat([u32(chunks.length), ...chunks]);
}
