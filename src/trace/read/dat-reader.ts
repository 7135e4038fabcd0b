/**
 * Reads numbers and strings one after the other out of a source, through a small window. What is
 * missing at the end is an error that names the part. Leaves out what the numbers mean.
 */
import { textOf } from './bytes.js';
import { TraceInputError } from './report.js';
import type { ByteSource } from './source.js';

const windowBytes = 1 << 16;
/** Larger pieces of metadata are taken for damage; the formats of a large kernel are 10 MB. */
export const pieceMax = 1 << 26;
const stringMax = 1 << 16;

export const cutSuggestion = 'the file is cut or damaged: copy or record it again';

export class Reader {
  private window: Uint8Array = new Uint8Array(0);
  private windowAt = 0;
  private view = new DataView(new ArrayBuffer(0));

  constructor(
    private readonly source: ByteSource,
    /** The next byte to read, and the first one not to read. */
    public at: number,
    readonly end: number,
    /** What the bytes are, for messages. */
    public what: string,
  ) {}

  get left(): number {
    return this.end - this.at;
  }

  private fail(): never {
    throw new TraceInputError(`the trace.dat ends inside its ${this.what}`, cutSuggestion);
  }

  /** Makes `count` bytes from `at` on visible and returns their place in the window. */
  private need(count: number): number {
    if (count > this.left) this.fail();
    const place = this.at - this.windowAt;
    if (place >= 0 && place + count <= this.window.length) return place;
    const fresh = new Uint8Array(Math.min(Math.max(windowBytes, count), this.left));
    let have = 0;
    while (have < fresh.length) {
      const got = this.source.read(fresh.subarray(have), this.at + have);
      if (got === 0) break;
      have += got;
    }
    this.window = fresh.subarray(0, have);
    this.windowAt = this.at;
    this.view = new DataView(fresh.buffer, 0, have);
    if (count > have) this.fail();
    return 0;
  }

  u8(): number {
    const place = this.need(1);
    this.at++;
    return this.window[place]!;
  }

  u16(): number {
    const place = this.need(2);
    this.at += 2;
    return this.view.getUint16(place, true);
  }

  u32(): number {
    const place = this.need(4);
    this.at += 4;
    return this.view.getUint32(place, true);
  }

  /** A 64-bit number as a double: sizes and places beyond 2^53 are absurd anyway. */
  u64(): number {
    const place = this.need(8);
    this.at += 8;
    return this.view.getUint32(place + 4, true) * 2 ** 32 + this.view.getUint32(place, true);
  }

  /** The next bytes, valid until the next call. */
  bytes(count: number): Uint8Array {
    if (count > pieceMax) {
      throw new TraceInputError(`absurd length ${count} in the ${this.what}`, cutSuggestion);
    }
    const place = this.need(count);
    this.at += count;
    return this.window.subarray(place, place + count);
  }

  /** Passes over bytes without reading them. */
  skip(count: number): void {
    if (count > this.left) this.fail();
    this.at += count;
  }

  /** A string that ends with a zero byte. */
  string(): string {
    const parts: number[] = [];
    for (;;) {
      const byte = this.u8();
      if (byte === 0) break;
      if (parts.length === stringMax) {
        throw new TraceInputError(`absurd string in the ${this.what}`, cutSuggestion);
      }
      parts.push(byte);
    }
    return textOf(Uint8Array.from(parts), 0, parts.length);
  }
}
