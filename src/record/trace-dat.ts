/**
 * Writes a recording as trace.dat version 6, which every trace-cmd and KernelShark reads. Source:
 * trace-cmd.dat.v6(5); option numbers from trace-cmd's trace-cmd-private.h; that the clock follows
 * the table of CPUs is in no manual but in its reader. Leaves out: compression, several buffers.
 */
import { closeSync, fchownSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import type { Spill } from './drain.js';
import { RecordError, reasonOf } from './errors.js';

export interface EventFormats {
  readonly system: string;
  /** The text of each event's format file. */
  readonly formats: readonly Buffer[];
}

export interface TraceDat {
  readonly pageBytes: number;
  readonly headerPage: Buffer;
  readonly headerEvent: Buffer;
  /** Formats of events/ftrace, which are not switched on but may appear. */
  readonly ftrace: readonly Buffer[];
  readonly systems: readonly EventFormats[];
  /** /proc/kallsyms; empty when no event prints a symbol. */
  readonly kallsyms: Buffer;
  readonly printkFormats: Buffer;
  /** Lines of `pid comm`. */
  readonly cmdlines: string;
  /** The text of trace_clock: all clocks, ours in brackets. */
  readonly clock: string;
  readonly uname: string;
  readonly tool: string;
  /** The text of each CPU's stats, in the order of CPUs. */
  readonly stats: readonly string[];
  /** In the order of CPUs. */
  readonly spills: readonly Spill[];
}

const option = { end: 0, cpuStat: 2, clock: 4, uname: 5, version: 9 } as const;
const big = endianness() === 'BE';
const copyBytes = 1 << 20;

function number(value: number, bytes: 2 | 4 | 8): Buffer {
  const out = Buffer.alloc(bytes);
  if (bytes === 8 && big) out.writeBigUInt64BE(BigInt(value));
  else if (bytes === 8) out.writeBigUInt64LE(BigInt(value));
  else if (big) out.writeUIntBE(value, 0, bytes);
  else out.writeUIntLE(value, 0, bytes);
  return out;
}

function zeroEnded(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** A length in front of its bytes. */
function sized(data: Buffer, bytes: 4 | 8): Buffer {
  return Buffer.concat([number(data.length, bytes), data]);
}

function optionOf(id: number, data: Buffer): Buffer {
  return Buffer.concat([number(id, 2), sized(data, 4)]);
}

/** Everything before the table of CPUs. */
function head(dat: TraceDat): Buffer {
  const parts = [
    Buffer.from([0x17, 0x08, 0x44]),
    Buffer.from('tracing6\0'),
    // The ring buffer's own long; 32-bit kernels tell it in header_page, which readers prefer.
    Buffer.from([big ? 1 : 0, longBytes(dat.headerPage)]),
    number(dat.pageBytes, 4),
    zeroEnded('header_page'),
    sized(dat.headerPage, 8),
    zeroEnded('header_event'),
    sized(dat.headerEvent, 8),
    number(dat.ftrace.length, 4),
    ...dat.ftrace.map((format) => sized(format, 8)),
    number(dat.systems.length, 4),
  ];
  for (const { system, formats } of dat.systems) {
    parts.push(zeroEnded(system), number(formats.length, 4));
    parts.push(...formats.map((format) => sized(format, 8)));
  }
  parts.push(
    sized(dat.kallsyms, 4),
    sized(dat.printkFormats, 4),
    sized(Buffer.from(dat.cmdlines), 8),
    number(cpuCount(dat), 4),
    zeroEnded('options  '),
    optionOf(option.clock, zeroEnded(dat.clock)),
    optionOf(option.uname, zeroEnded(dat.uname)),
    optionOf(option.version, zeroEnded(dat.tool)),
    ...dat.stats.map((text) => optionOf(option.cpuStat, zeroEnded(text))),
    number(option.end, 2),
    zeroEnded('flyrecord'),
  );
  return Buffer.concat(parts);
}

/** Size of the kernel's long, which is that of the page's commit count. */
function longBytes(headerPage: Buffer): number {
  const size = /local_t commit;.*?size:(\d)/.exec(headerPage.toString())?.[1];
  return size === '4' ? 4 : 8;
}

/** CPU numbers may have gaps; the table has none. */
function cpuCount({ spills }: TraceDat): number {
  return Math.max(0, ...spills.map(({ cpu }) => cpu + 1));
}

function align(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}

class Output {
  private at = 0;

  constructor(private readonly fd: number) {}

  write(data: Buffer, length = data.length): void {
    let from = 0;
    while (from < length) from += writeSync(this.fd, data, from, length - from, this.at + from);
    this.at += length;
  }

  seek(offset: number): void {
    this.at = offset;
  }
}

function copy({ fd, bytes }: Spill, out: Output): void {
  const chunk = Buffer.alloc(copyBytes);
  for (let from = 0; from < bytes; ) {
    const got = readSync(fd, chunk, 0, Math.min(chunk.length, bytes - from), from);
    if (got === 0) throw new RecordError('the pages read so far are gone from the disk');
    out.write(chunk, got);
    from += got;
  }
}

function writeAll(dat: TraceDat, out: Output): void {
  const start = head(dat);
  const clock = sized(zeroEnded(dat.clock), 8);
  const cpus = cpuCount(dat);
  let offset = align(start.length + cpus * 16 + clock.length, dat.pageBytes);
  const places: { spill: Spill; offset: number }[] = [];
  const table: Buffer[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const spill = dat.spills.find((one) => one.cpu === cpu);
    const bytes = spill?.bytes ?? 0;
    table.push(number(offset, 8), number(bytes, 8));
    if (spill !== undefined) places.push({ spill, offset });
    offset = align(offset + bytes, dat.pageBytes);
  }
  out.write(Buffer.concat([start, ...table, clock]));
  for (const { spill, offset: place } of places) {
    out.seek(place);
    copy(spill, out);
  }
}

/**
 * Written beside its place and renamed: the name never stands for half a file. Under sudo it goes
 * to the person who asked, and to nobody else, since it holds addresses of the kernel.
 */
export function replaceFile(path: string, write: (fd: number) => void): void {
  const draft = `${path}.${process.pid}.tmp`;
  let fd: number | null = null;
  try {
    rmSync(draft, { force: true });
    fd = openSync(draft, 'wx', 0o600);
    write(fd);
    giveToCaller(fd);
    closeSync(fd);
    fd = null;
    renameSync(draft, path);
  } catch (error) {
    if (fd !== null) closeSync(fd);
    rmSync(draft, { force: true });
    throw new RecordError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

function giveToCaller(fd: number): void {
  const { SUDO_UID: uid = '', SUDO_GID: gid = '' } = process.env;
  if (process.geteuid?.() !== 0 || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return;
  fchownSync(fd, Number(uid), Number(gid));
}

export function writeTraceDat(path: string, dat: TraceDat): void {
  replaceFile(path, (fd) => writeAll(dat, new Output(fd)));
}
