/**
 * The pages of one CPU, block by block, from the file or out of its compressed chunks. What cannot
 * be had is noted in the report and in `lost`. Leaves out what is on a page (`dat-cursor.ts`).
 *
 * Source: trace-cmd.dat.v7(5), "Compression format of the trace data".
 */
import type { CpuData, DatBuffer, DatFile } from './dat-file.js';

/** Chunks of trace-cmd have ten pages; this is far more than any. */
const chunkMax = 1 << 24;
const readAhead = 1 << 16;

export class PageFeed {
  /** The current block: whole pages, the first `size` bytes count. */
  bytes: Uint8Array = new Uint8Array(0);
  words = new Uint32Array(0);
  size = 0;
  /** Set when pages before the current block are missing; the cursor resets it. */
  lost = false;
  /** Pages after the last block are missing. */
  cut = false;

  private at: number;
  private readonly end: number;
  private chunks = -1;
  /** File bytes read but not used yet. */
  private ahead: Uint8Array = new Uint8Array(0);
  private aheadAt = 0;

  constructor(
    private readonly file: DatFile,
    private readonly buffer: DatBuffer,
    private readonly data: CpuData,
    /** How many bytes of plain pages to read at a time. */
    private readonly blockBytes: number,
  ) {
    this.at = data.offset;
    // In files of trace-cmd 3.1 the size leaves out the headers of chunks, so chunks are counted.
    const end = buffer.compressed ? file.length : data.offset + data.size;
    this.end = Math.min(end, file.length);
    if (data.offset + data.size > file.length) {
      const missing = data.offset + data.size - Math.max(file.length, data.offset);
      this.trouble('truncated', `the file ends ${missing} bytes before the end of ${this.what()}`);
    }
  }

  /** Goes to the next block; false at the end. */
  next(): boolean {
    this.size = 0;
    while (this.size === 0) {
      if (!(this.buffer.compressed ? this.nextChunk() : this.nextPlain())) return false;
    }
    return true;
  }

  private what(): string {
    const name = this.buffer.name === '' ? '' : ` of buffer ${this.buffer.name}`;
    return `CPU ${this.data.cpu}${name}`;
  }

  private trouble(kind: 'truncated' | 'damaged', message: string): void {
    if (kind === 'truncated') this.cut = true;
    else this.lost = true;
    this.file.report.problem(kind, message, `byte ${this.at}`);
  }

  private reserve(size: number): void {
    if (this.bytes.length >= size) return;
    const store = new ArrayBuffer((size + 7) & ~7);
    this.bytes = new Uint8Array(store);
    this.words = new Uint32Array(store);
  }

  private nextPlain(): boolean {
    const wanted = Math.min(this.blockBytes, this.end - this.at);
    if (wanted <= 0) return false;
    this.reserve(wanted);
    let have = 0;
    while (have < wanted) {
      const got = this.file.source.read(this.bytes.subarray(have, wanted), this.at + have);
      if (got === 0) break;
      have += got;
    }
    this.at += have;
    this.size = have - (have % this.buffer.pageSize);
    if (have < wanted || this.size < have) {
      if (!this.cut) this.trouble('truncated', `the data of ${this.what()} ends inside a page`);
      if (have < wanted) this.at = this.end;
    }
    return this.size > 0 || this.at < this.end;
  }

  private nextChunk(): boolean {
    if (this.chunks < 0) {
      if (this.end - this.at < 4) return false;
      this.chunks = readU32(this.fileBytes(4), 0);
      this.at += 4;
    }
    if (this.chunks === 0) return false;
    if (this.end - this.at < 8) return this.stop('the chunks');
    const header = this.fileBytes(8);
    const packed = readU32(header, 0);
    const size = readU32(header, 4);
    if (packed > this.end - this.at - 8 || packed > chunkMax || size > chunkMax) {
      return this.stop(`a chunk of ${packed} bytes, unpacked ${size},`);
    }
    this.at += 8;
    this.unpack(this.fileBytes(packed), size);
    this.at += packed;
    this.chunks--;
    return true;
  }

  /** Nothing after this place can be found. */
  private stop(what: string): boolean {
    if (!this.cut) this.trouble('truncated', `${what} of ${this.what()} cannot be read`);
    this.chunks = 0;
    return false;
  }

  private unpack(packed: Uint8Array, size: number): void {
    if (packed.length < Math.min(this.end - this.at, 1) || this.file.unpack === null) {
      this.stop('the compressed data');
      return;
    }
    this.reserve(size);
    try {
      const got = this.file.unpack(packed, this.bytes.subarray(0, size));
      this.size = got - (got % this.buffer.pageSize);
      if (got !== size || this.size !== got) {
        this.trouble('damaged', `a chunk of ${this.what()} has another size than it says`);
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.trouble('damaged', `a chunk of ${this.what()} cannot be unpacked (${why})`);
    }
  }

  /** `count` bytes of the file from `at` on, fewer only where the file ends. */
  private fileBytes(count: number): Uint8Array {
    const place = this.at - this.aheadAt;
    if (place >= 0 && place + count <= this.ahead.length) {
      return this.ahead.subarray(place, place + count);
    }
    const wanted = Math.min(Math.max(count, readAhead), Math.max(0, this.end - this.at));
    const fresh = new Uint8Array(wanted);
    let have = 0;
    while (have < wanted) {
      const got = this.file.source.read(fresh.subarray(have), this.at + have);
      if (got === 0) break;
      have += got;
    }
    this.ahead = fresh.subarray(0, have);
    this.aheadAt = this.at;
    return this.ahead.subarray(0, count);
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) return 0;
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
