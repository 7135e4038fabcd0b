/**
 * Where the bytes of a trace come from, without Node: an interface, an array as a source, and a
 * forward stream with a look ahead. Leaves out files and standard input (`src/cli`) and
 * decompression (`unpack.ts`).
 *
 * Reading is synchronous: a trace is read once, from front to back or page by page, by one thread
 * that has nothing else to do.
 */

/** An input. One with a length can be read anywhere, a stream (`length` null) only forwards. */
export interface ByteSource {
  /** How messages name it. */
  readonly name: string;
  /** In bytes, or null when only the end will tell. */
  readonly length: number | null;
  /**
   * Fills `into` from its start with the bytes from `position` on and returns how many; 0 only at
   * the end. A stream may be asked only for the position after the last byte it gave.
   */
  read(into: Uint8Array, position: number): number;
}

/** Bytes in order. */
export interface ByteStream {
  /** Fills `into` from its start and returns how many; 0 only at the end. */
  read(into: Uint8Array): number;
}

/** Keeps bytes that were streamed, for a format that needs to be read anywhere. */
export interface Spool {
  append(bytes: Uint8Array): void;
  /** What was appended. Nothing is appended after this call. */
  source(): ByteSource;
  close(): void;
}

/** An array as an input. */
export function bytesSource(bytes: Uint8Array, name = 'trace'): ByteSource {
  return {
    name,
    length: bytes.length,
    read(into, position) {
      const part = bytes.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
  };
}

/** A spool in memory that refuses to grow over `limit` bytes. */
export function memorySpool(name: string, limit: number): Spool {
  let bytes = new Uint8Array(1 << 20);
  let used = 0;
  return {
    append(more) {
      if (used + more.length > limit) throw new RangeError(`more than ${limit} bytes`);
      if (used + more.length > bytes.length) {
        const grown = new Uint8Array(Math.max(bytes.length * 2, used + more.length));
        grown.set(bytes.subarray(0, used));
        bytes = grown;
      }
      bytes.set(more, used);
      used += more.length;
    },
    source: () => bytesSource(bytes.subarray(0, used), name),
    close() {
      bytes = new Uint8Array(0);
      used = 0;
    },
  };
}

/** A source from its start on, as a stream. */
export function streamOf(source: ByteSource): ByteStream {
  let position = 0;
  return {
    read(into) {
      const got = source.read(into, position);
      position += got;
      return got;
    },
  };
}

/** A stream whose first bytes can be seen before they are read. */
export class PeekStream implements ByteStream {
  private ahead: Uint8Array = new Uint8Array(0);

  constructor(private readonly inner: ByteStream) {}

  /** The next bytes, at most `count`, fewer only at the end. */
  peek(count: number): Uint8Array {
    if (this.ahead.length < count) {
      const more = new Uint8Array(count);
      more.set(this.ahead);
      const got = fill(this.inner, more.subarray(this.ahead.length));
      this.ahead = more.subarray(0, this.ahead.length + got);
    }
    return this.ahead.subarray(0, count);
  }

  read(into: Uint8Array): number {
    if (this.ahead.length === 0) return this.inner.read(into);
    const part = this.ahead.subarray(0, into.length);
    into.set(part);
    this.ahead = this.ahead.subarray(part.length);
    return part.length;
  }
}

/** Reads until `into` is full or the stream ends; returns how many bytes. */
export function fill(stream: ByteStream, into: Uint8Array): number {
  let have = 0;
  while (have < into.length) {
    const got = stream.read(into.subarray(have));
    if (got === 0) break;
    have += got;
  }
  return have;
}
