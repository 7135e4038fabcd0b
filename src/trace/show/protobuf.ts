/**
 * Writes protocol buffers: the wire format (protobuf.dev, "Encoding") and nothing of any message.
 * A nested message gets four bytes for its length in advance, a longer varint than needed, which
 * every reader accepts; so nothing is moved or written twice. Leaves out reading, groups, floats.
 */

const wire = { varint: 0, fixed64: 1, bytes: 2 } as const;
const lengthBytes = 4;
/** Below it, double arithmetic on 7-bit groups is plain integer arithmetic. */
const int32Max = 2 ** 31;
const uint64Max = 2 ** 64;

export class Protobuf {
  private data = new Uint8Array(1 << 16);
  private view = new DataView(this.data.buffer);
  private at = 0;
  private readonly text = new TextEncoder();

  get length(): number {
    return this.at;
  }

  /** What was written; valid until the next write. */
  get bytes(): Uint8Array {
    return this.data.subarray(0, this.at);
  }

  clear(): void {
    this.at = 0;
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.data.length) return;
    const larger = new Uint8Array(Math.max(this.data.length * 2, this.at + bytes));
    larger.set(this.data);
    this.data = larger;
    this.view = new DataView(larger.buffer);
  }

  private raw(value: number): void {
    // Anything else, as a damaged trace may hold, is shown as 0.
    let rest = value >= 0 && value < uint64Max ? Math.floor(value) : 0;
    while (rest >= int32Max) {
      this.data[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.data[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.data[this.at++] = rest;
  }

  private key(field: number, type: number): void {
    this.raw(field * 8 + type);
  }

  /** uint32, uint64, int64, enum: a whole number; exact up to 2^53. */
  uint(field: number, value: number): void {
    this.room(20);
    this.key(field, wire.varint);
    this.raw(value);
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0);
  }

  /** fixed64: a whole number from 0 to 2^53. */
  fixed64(field: number, value: number): void {
    this.room(20);
    this.key(field, wire.fixed64);
    this.view.setUint32(this.at, value % 2 ** 32, true);
    this.view.setUint32(this.at + 4, Math.floor(value / 2 ** 32), true);
    this.at += 8;
  }

  string(field: number, value: string): void {
    // At most three bytes for each UTF-16 unit.
    this.room(value.length * 3 + 20);
    const at = this.open(field);
    this.at += this.text.encodeInto(value, this.data.subarray(this.at)).written;
    this.close(at);
  }

  /** Begins a nested message, or anything else of a length to come. */
  open(field: number): number {
    this.room(20);
    this.key(field, wire.bytes);
    this.at += lengthBytes;
    return this.at;
  }

  /** Ends what `open` began, with what that returned. Less than 256 MiB. */
  close(start: number): void {
    const length = this.at - start;
    this.data[start - 4] = (length & 0x7f) | 0x80;
    this.data[start - 3] = ((length >>> 7) & 0x7f) | 0x80;
    this.data[start - 2] = ((length >>> 14) & 0x7f) | 0x80;
    this.data[start - 1] = (length >>> 21) & 0x7f;
  }
}
