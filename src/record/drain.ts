/**
 * Carries the ring buffers to disk while the machine runs: whole pages, as trace_pipe_raw gives
 * them, one unnamed file per CPU. Reads never block, so that many CPUs need no threads. Source:
 * tracing_buffers_read() in kernel/trace/trace.c, a page per read. Leaves out: their meaning.
 */
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { codeOf, RecordError, reasonOf } from './errors.js';
import type { CpuBuffer } from './instance.js';

/** Pages are collected into writes of about this size. */
const chunkBytes = 1 << 20;
/** At most that many bytes of one CPU in a round, so that every CPU gets its turn. */
const turnBytes = 8 << 20;

/** The pages of one CPU, in a file without a name: it goes with the process. */
export interface Spill {
  readonly cpu: number;
  readonly fd: number;
  readonly bytes: number;
}

class CpuDrain implements Spill {
  bytes = 0;
  private fill = 0;

  constructor(
    readonly cpu: number,
    readonly fd: number,
    private readonly pipe: number | null,
    private readonly pageBytes: number,
    private readonly chunk: Buffer,
  ) {}

  /** Reads until the buffer is empty or its turn is over; how many bytes there were. */
  turn(): number {
    let moved = 0;
    while (moved < turnBytes && this.page()) {
      moved += this.pageBytes;
      if (this.fill + this.pageBytes > this.chunk.length) this.flush();
    }
    this.flush();
    return moved;
  }

  private page(): boolean {
    if (this.pipe === null) return false;
    let got: number;
    try {
      got = readSync(this.pipe, this.chunk, this.fill, this.pageBytes, null);
    } catch (error) {
      // Empty, or the CPU went offline; its buffer comes back with it.
      if (['EAGAIN', 'EINTR', 'ENODEV'].includes(codeOf(error))) return false;
      throw new RecordError(`cannot read the ring buffer of CPU ${this.cpu}: ${reasonOf(error)}`);
    }
    if (got === 0) return false;
    this.chunk.fill(0, this.fill + got, this.fill + this.pageBytes);
    this.fill += this.pageBytes;
    return true;
  }

  private flush(): void {
    let from = 0;
    try {
      while (from < this.fill) from += writeSync(this.fd, this.chunk, from, this.fill - from);
    } catch (error) {
      throw new RecordError(`cannot write the recording: ${reasonOf(error)}`);
    }
    this.bytes += this.fill;
    this.fill = 0;
  }

  close(): void {
    closeSync(this.fd);
    this.closePipe();
  }

  closePipe(): void {
    if (this.pipe !== null && !this.closed) closeSync(this.pipe);
    this.closed = true;
  }

  private closed = false;
}

function unnamedFile(folder: string, name: string): number {
  const path = join(folder, name);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

/** null for a CPU that has never been online: its buffer cannot be opened. */
function openPipe({ folder }: CpuBuffer): number | null {
  try {
    return openSync(join(folder, 'trace_pipe_raw'), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENODEV', 'ENXIO', 'EINVAL', 'ENOENT'].includes(codeOf(error))) return null;
    throw new RecordError(`cannot open a ring buffer: ${reasonOf(error)}`);
  }
}

export class Drain {
  private readonly drains: readonly CpuDrain[];

  /** `folder` is where the recording will be: the same disk, and the person's choice of it. */
  constructor(buffers: readonly CpuBuffer[], pageBytes: number, folder: string) {
    const chunk = Buffer.alloc(Math.max(chunkBytes, pageBytes));
    let draft: string;
    try {
      draft = mkdtempSync(join(folder, '.civac-record-'));
    } catch (error) {
      throw new RecordError(`cannot write into ${folder}: ${reasonOf(error)}`);
    }
    try {
      this.drains = buffers.map((buffer) => {
        const fd = unnamedFile(draft, `cpu${buffer.cpu}`);
        return new CpuDrain(buffer.cpu, fd, openPipe(buffer), pageBytes, chunk);
      });
    } finally {
      rmdirSync(draft);
    }
  }

  /** One turn for every CPU; the bytes of the CPU that had most. */
  round(): number {
    return Math.max(0, ...this.drains.map((drain) => drain.turn()));
  }

  /** Reads what is left after the instance was switched off, and lets go of it. */
  finish(): readonly Spill[] {
    while (this.round() > 0);
    for (const drain of this.drains) drain.closePipe();
    return this.drains;
  }

  close(): void {
    for (const drain of this.drains) drain.close();
  }
}
