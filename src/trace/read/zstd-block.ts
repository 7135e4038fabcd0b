/**
 * The blocks of zstd, decompressed in plain JavaScript. Written for the chunks of a trace.dat: many
 * small frames of highly repetitive pages, for which all arrays are used again. Leaves out frames
 * (`zstd.ts`).
 *
 * Source: RFC 8878, sections 3.1.1.2 to 3.1.1.5.
 */
import { backwardStart, FseTable, fail, HuffmanTable, Input } from './zstd-fse.js';

export const blockMax = 1 << 17;
/** Distances of up to 256 MB: more than any window accepted here. */
const offsetCodeMax = 28;

/** Default distributions and the meaning of length codes (RFC 8878, 3.1.1.3.2). */
const ones = (count: number): number[] => new Array<number>(count).fill(1);
const literalDefault = FseTable.of(
  [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
    -1, -1, -1, -1,
  ],
  6,
);
const matchDefault = FseTable.of(
  [1, 4, 3, 2, 2, 2, 2, 2, 2, ...ones(37), -1, -1, -1, -1, -1, -1, -1],
  6,
);
const offsetDefault = FseTable.of([1, 1, 1, 1, 1, 1, 2, 2, 2, ...ones(15), -1, -1, -1, -1, -1], 5);
/** Codes below these are the length itself. */
const literalPlain = 16;
const matchPlain = 32;
export const literalBits = Uint8Array.of(
  ...new Array<number>(literalPlain).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
export const matchBits = Uint8Array.of(
  ...new Array<number>(matchPlain).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);

/** Each code begins where the one before it ends. */
function bases(bits: Uint8Array, first: number): Int32Array {
  const base = new Int32Array(bits.length);
  let at = first;
  bits.forEach((count, code) => {
    base[code] = at;
    at += 2 ** count;
  });
  return base;
}
export const literalBase = bases(literalBits, 0);
export const matchBase = bases(matchBits, 3);
// The codes 25 of literals and 42 of matches do not follow on: their steps are cut to powers of 2.
literalBase.set([64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536], 25);
matchBase.set([131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539], 43);

/** A kind of code: its standard table, the largest table and code. */
export interface Codes {
  readonly standard: FseTable;
  readonly log: number;
  readonly max: number;
}
export const literalCodes: Codes = {
  standard: literalDefault,
  log: 9,
  max: literalBits.length - 1,
};
export const offsetCodes: Codes = { standard: offsetDefault, log: 8, max: offsetCodeMax };
export const matchCodes: Codes = { standard: matchDefault, log: 9, max: matchBits.length - 1 };

/** Decodes blocks. The state between the blocks of a frame is in here. */
export class BlockDecoder {
  readonly input = new Input();
  private readonly huffman = new HuffmanTable();
  private hasHuffman = false;
  private literal = literalDefault;
  private match = matchDefault;
  private offset = offsetDefault;
  private hasTables = false;
  /** Tables described in the frame: literals, offsets, matches. */
  private readonly own = [new FseTable(), new FseTable(), new FseTable()];
  private at = 0;
  private repeat0 = 1;
  private repeat1 = 4;
  private repeat2 = 8;
  private readonly literals = new Uint8Array(blockMax);
  private literalCount = 0;
  private plains = new Int32Array(1 << 15);
  private lengths = new Int32Array(1 << 15);
  private offsets = new Int32Array(1 << 15);

  /** Begins a frame. */
  reset(): void {
    this.hasHuffman = this.hasTables = false;
    this.repeat0 = 1;
    this.repeat1 = 4;
    this.repeat2 = 8;
  }

  /**
   * Decodes the compressed block in [at, end) of the input to `out` from `to` on; what is before
   * `to` is what matches refer to. Returns the place after the last byte.
   */
  block(at: number, end: number, out: Uint8Array, to: number): number {
    let p = this.readLiterals(at, end);
    if (p >= end) fail('a block without sequences');
    const { bytes } = this.input;
    let count = bytes[p++]!;
    if (count >= 128) {
      if (count < 255) count = ((count - 128) << 8) + bytes[p++]!;
      else {
        count = bytes[p]! + (bytes[p + 1]! << 8) + 0x7f00;
        p += 2;
      }
    }
    if (count === 0) {
      if (to + this.literalCount > out.length) fail('more data than announced');
      out.set(this.literals.subarray(0, this.literalCount), to);
      return to + this.literalCount;
    }
    const modes = bytes[p++]!;
    if (p > end || (modes & 3) !== 0) fail('a block is damaged');
    p = this.readTables(modes, p, end);
    this.readSequences(count, p, end);
    return this.execute(count, out, to);
  }

  private readTables(modes: number, at: number, end: number): number {
    const { own } = this;
    this.at = at;
    this.literal = this.table(modes >> 6, end, this.literal, own[0]!, literalCodes);
    this.offset = this.table((modes >> 4) & 3, end, this.offset, own[1]!, offsetCodes);
    this.match = this.table((modes >> 2) & 3, end, this.match, own[2]!, matchCodes);
    this.hasTables = true;
    return this.at;
  }

  /** The table that a mode says: standard, one symbol, described here, or that of before. */
  private table(mode: number, end: number, old: FseTable, own: FseTable, codes: Codes): FseTable {
    if (mode === 0) return codes.standard;
    if (mode === 3) return this.hasTables ? old : fail('tables of no block before');
    if (mode === 1) {
      const symbol = this.input.bytes[this.at++]!;
      if (this.at > end || symbol > codes.max) fail('a symbol is out of range');
      own.setOne(symbol);
    } else this.at = own.read(this.input, this.at, end, codes.log, codes.max);
    return own;
  }

  /** Fills `literals`; returns the place after the section. */
  private readLiterals(at: number, end: number): number {
    const { bytes, view } = this.input;
    if (at >= end) fail('an empty block');
    const type = bytes[at]! & 3;
    const format = (bytes[at]! >> 2) & 3;
    if (type < 2) {
      const head = format === 1 ? 2 : format === 3 ? 3 : 1;
      const word = view.getUint32(at, true);
      const size =
        head === 1 ? (word & 255) >> 3 : head === 2 ? (word & 0xffff) >> 4 : (word & 0xffffff) >> 4;
      const after = at + head + (type === 1 ? 1 : size);
      if (size > blockMax || after > end) fail('literals are too long');
      if (type === 1) this.literals.fill(bytes[at + head]!, 0, size);
      else this.literals.set(bytes.subarray(at + head, after));
      this.literalCount = size;
      return after;
    }
    return this.readCoded(type, format, at, end);
  }

  private readCoded(type: number, format: number, at: number, end: number): number {
    const { view } = this.input;
    const bits = format < 2 ? 10 : format === 2 ? 14 : 18;
    const head = format < 2 ? 3 : format === 2 ? 4 : 5;
    const whole = view.getUint32(at, true) + this.input.bytes[at + 4]! * 2 ** 32;
    // To V8 the rest of a division is a double, and so would be all that is counted from these.
    const size = (Math.floor(whole / 16) % 2 ** bits) | 0;
    const packed = (Math.floor(whole / 2 ** (4 + bits)) % 2 ** bits) | 0;
    let p = at + head;
    const after = p + packed;
    if (size > blockMax || after > end) fail('literals are too long');
    if (type === 2) {
      p = this.huffman.read(this.input, p, after);
      this.hasHuffman = true;
    } else if (!this.hasHuffman) fail('a code of no block before');
    if (format === 0) this.huffman.stream(this.input, p, after, this.literals, 0, size);
    else this.fourStreams(p, after, size);
    this.literalCount = size;
    return after;
  }

  private fourStreams(at: number, end: number, size: number): void {
    const { view } = this.input;
    const part = (size + 3) >> 2;
    let start = at + 6;
    if (start > end || part * 3 > size) fail('literals are damaged');
    for (let i = 0; i < 4; i++) {
      const stop = i < 3 ? start + view.getUint16(at + i * 2, true) : end;
      if (stop > end) fail('literals are damaged');
      const to = i < 3 ? part * (i + 1) : size;
      this.huffman.stream(this.input, start, stop, this.literals, part * i, to);
      start = stop;
    }
  }

  /** Decodes what `execute` does: per sequence how many literals, how long a match, its offset. */
  private readSequences(count: number, at: number, end: number): void {
    const { view, bytes } = this.input;
    if (count > this.plains.length) {
      this.plains = new Int32Array(count);
      this.lengths = new Int32Array(count);
      this.offsets = new Int32Array(count);
    }
    const { plains, lengths, offsets } = this;
    const literalStates = this.literal.states;
    const offsetStates = this.offset.states;
    const matchStates = this.match.states;
    const limit = at * 8;
    let bit = backwardStart(bytes, at, end) - this.literal.log;
    let literalState = bitsAt(view, bit, this.literal.log);
    bit -= this.offset.log;
    let offsetState = bitsAt(view, bit, this.offset.log);
    bit -= this.match.log;
    let matchState = bitsAt(view, bit, this.match.log);
    for (let i = 0; i < count; i++) {
      const literalWord = literalStates[literalState]!;
      const offsetWord = offsetStates[offsetState]!;
      const matchWord = matchStates[matchState]!;
      let width = offsetWord & 255;
      let value = 1 << width;
      if (width > 24) {
        bit -= width - 24;
        value += bitsAt(view, bit, width - 24) << 24;
        width = 24;
      }
      bit -= width;
      offsets[i] = value + bitsAt(view, bit, width);
      // Most lengths are short, and their codes take no bits.
      const matchCode = matchWord & 255;
      let length = matchBase[matchCode]!;
      if (matchCode >= matchPlain) {
        width = matchBits[matchCode]!;
        bit -= width;
        length += bitsAt(view, bit, width);
      }
      lengths[i] = length;
      const literalCode = literalWord & 255;
      length = literalBase[literalCode]!;
      if (literalCode >= literalPlain) {
        width = literalBits[literalCode]!;
        bit -= width;
        length += bitsAt(view, bit, width);
      }
      plains[i] = length;
      if (bit < limit) fail('sequences end early');
      if (i + 1 === count) break;
      // Two states at once: each takes nine bits at most.
      const low = (matchWord >>> 8) & 255;
      width = ((literalWord >>> 8) & 255) + low;
      bit -= width;
      const both = bitsAt(view, bit, width);
      literalState = (literalWord >>> 16) + (both >>> low);
      matchState = (matchWord >>> 16) + (both & ((1 << low) - 1));
      width = (offsetWord >>> 8) & 255;
      bit -= width;
      offsetState = (offsetWord >>> 16) + bitsAt(view, bit, width);
    }
    if (bit !== limit) fail('sequences of another length');
  }

  /** Copies literals and matches to `out` from `to` on; returns the place after them. */
  private execute(count: number, out: Uint8Array, to: number): number {
    const { literals, literalCount, plains, lengths, offsets } = this;
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    let { repeat0, repeat1, repeat2 } = this;
    let from = 0;
    let p = to;
    for (let i = 0; i < count; i++) {
      const plain = plains[i]!;
      const length = lengths[i]!;
      let distance = offsets[i]! - 3;
      if (distance > 0) {
        repeat2 = repeat1;
        repeat1 = repeat0;
        repeat0 = distance;
      } else {
        // One of the last three distances; without literals they count from the second.
        const which = plain === 0 ? distance + 3 : distance + 2;
        if (which === 0) distance = repeat0;
        else {
          distance = which === 1 ? repeat1 : which === 2 ? repeat2 : repeat0 - 1;
          if (distance <= 0) fail('a match of distance 0');
          if (which !== 1) repeat2 = repeat1;
          repeat1 = repeat0;
          repeat0 = distance;
        }
      }
      if (from + plain > literalCount || p + plain + length > out.length) fail('too much data');
      if (distance > p + plain) fail('a match before the start');
      copyPlain(literals, from, out, p, plain);
      from += plain;
      p += plain;
      copyMatch(out, view, p, distance, length);
      p += length;
    }
    this.repeat0 = repeat0;
    this.repeat1 = repeat1;
    this.repeat2 = repeat2;
    const rest = literalCount - from;
    if (p + rest > out.length) fail('too much data');
    copyPlain(literals, from, out, p, rest);
    return p + rest;
  }
}

/** At most 24 bits from `bit` upwards. */
function bitsAt(view: DataView, bit: number, count: number): number {
  return (view.getInt32(bit >> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
}

/** From here on a call of the built-in copy costs less than a loop. */
const longPlain = 48;
const longMatch = 200;

function copyPlain(
  literals: Uint8Array,
  from: number,
  out: Uint8Array,
  to: number,
  count: number,
): void {
  if (count > longPlain) out.set(literals.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) out[to + i] = literals[from + i]!;
}

/** `view` is that of `out`: four bytes at a time, where the copy does not read what it writes. */
function copyMatch(
  out: Uint8Array,
  view: DataView,
  to: number,
  distance: number,
  count: number,
): void {
  const from = to - distance;
  if (count > longMatch && distance >= count) {
    out.copyWithin(to, from, from + count);
    return;
  }
  // Up to three bytes too many, where there is room: what comes next goes over them.
  if (distance >= 4 && to + count + 3 <= out.length) {
    for (let i = 0; i < count; i += 4) view.setInt32(to + i, view.getInt32(from + i, true), true);
  } else for (let i = 0; i < count; i++) out[to + i] = out[from + i]!;
}
