/**
 * Zstandard decompression in plain JavaScript: frames whose size is known into an array, and
 * streams through a window. Written for the chunks of a trace.dat: many small frames of highly
 * repetitive pages, for which the tables are used again. Checksums are passed over, dictionaries
 * are refused.
 *
 * Source: RFC 8878, section 3.1.
 */
import {
  backwardStart,
  type FseTable,
  fail,
  fseOne,
  fseTable,
  HuffmanTable,
  Input,
  readFse,
} from './zstd-fse.js';

export const blockMax = 1 << 17;
/** Distances of up to 256 MB: more than any window accepted here. */
const offsetCodeMax = 28;

/** Default distributions and the meaning of length codes (RFC 8878, 3.1.1.3.2). */
const ones = (count: number): number[] => new Array<number>(count).fill(1);
const literalDefault = fseTable(
  [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
    -1, -1, -1, -1,
  ],
  6,
);
const matchDefault = fseTable(
  [1, 4, 3, 2, 2, 2, 2, 2, 2, ...ones(37), -1, -1, -1, -1, -1, -1, -1],
  6,
);
const offsetDefault = fseTable([1, 1, 1, 1, 1, 1, 2, 2, 2, ...ones(15), -1, -1, -1, -1, -1], 5);
const literalBits = Uint8Array.of(
  ...new Array<number>(16).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const matchBits = Uint8Array.of(
  ...new Array<number>(32).fill(0),
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
const literalBase = bases(literalBits, 0);
const matchBase = bases(matchBits, 3);
// The codes 25 of literals and 42 of matches do not follow on: their steps are cut to powers of 2.
literalBase.set([64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536], 25);
matchBase.set([131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539], 43);

/** A frame's header. */
export interface FrameHeader {
  /** Bytes of the header, or of the whole skippable frame when `skip`. */
  readonly length: number;
  readonly skip: boolean;
  readonly window: number;
  readonly checksum: boolean;
}

/** The frame header at the start of `bytes`; null when there are too few bytes to tell. */
export function frameHeader(bytes: Uint8Array): FrameHeader | null {
  if (bytes.length < 5) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  if (magic >>> 4 === 0x184d2a5) {
    if (bytes.length < 8) return null;
    return { length: 8 + view.getUint32(4, true), skip: true, window: 0, checksum: false };
  }
  if (magic !== 0xfd2fb528) fail('not a zstd frame');
  const flags = bytes[4]!;
  if ((flags & 8) !== 0) fail('reserved bit of a frame');
  const single = (flags & 32) !== 0;
  const dictionary = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const length = 5 + (single ? 0 : 1) + dictionary + sizeBytes;
  if (bytes.length < length) return null;
  let at = 5;
  let window = 0;
  if (!single) {
    const code = bytes[at++]!;
    const base = 2 ** (10 + (code >> 3));
    window = base + (base / 8) * (code & 7);
  }
  for (let i = 0; i < dictionary; i++) if (bytes[at++] !== 0) fail('a dictionary is needed');
  if (single) {
    for (let i = 0; i < sizeBytes; i++) window += bytes[at + i]! * 256 ** i;
    if (sizeBytes === 2) window += 256;
  }
  return { length, skip: false, window, checksum: (flags & 4) !== 0 };
}

/** Decodes blocks. The state between the blocks of a frame is in here. */
export class BlockDecoder {
  readonly input = new Input();
  private readonly huffman = new HuffmanTable();
  private hasHuffman = false;
  private literal = literalDefault;
  private match = matchDefault;
  private offset = offsetDefault;
  private hasTables = false;
  private repeat0 = 1;
  private repeat1 = 4;
  private repeat2 = 8;
  private readonly literals = new Uint8Array(blockMax);
  private literalCount = 0;

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
    return this.sequences(count, p, end, out, to);
  }

  private readTables(modes: number, at: number, end: number): number {
    let p = at;
    const next = (mode: number, old: FseTable, standard: FseTable, log: number, max: number) => {
      if (mode === 0) return standard;
      if (mode === 3) return this.hasTables ? old : fail('tables of no block before');
      if (mode === 1) {
        const symbol = this.input.bytes[p++]!;
        return p <= end && symbol <= max ? fseOne(symbol) : fail('a symbol is out of range');
      }
      const read = readFse(this.input, p, end, log, max);
      p = read.at;
      return read.table;
    };
    this.literal = next(modes >> 6, this.literal, literalDefault, 9, literalBits.length - 1);
    this.offset = next((modes >> 4) & 3, this.offset, offsetDefault, 8, offsetCodeMax);
    this.match = next((modes >> 2) & 3, this.match, matchDefault, 9, matchBits.length - 1);
    this.hasTables = true;
    return p;
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
    const size = Math.floor(whole / 16) % 2 ** bits;
    const packed = Math.floor(whole / 2 ** (4 + bits)) % 2 ** bits;
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

  private sequences(count: number, at: number, end: number, out: Uint8Array, to: number): number {
    const { view, bytes } = this.input;
    const { literals, literalCount } = this;
    const literalStates = this.literal.states;
    const offsetStates = this.offset.states;
    const matchStates = this.match.states;
    const limit = at * 8;
    let bit = backwardStart(bytes, at, end);
    bit -= this.literal.log;
    let literalState = bitsAt(view, bit, this.literal.log);
    bit -= this.offset.log;
    let offsetState = bitsAt(view, bit, this.offset.log);
    bit -= this.match.log;
    let matchState = bitsAt(view, bit, this.match.log);
    let from = 0;
    let p = to;
    for (let i = 0; i < count; i++) {
      const literalWord = literalStates[literalState]!;
      const offsetWord = offsetStates[offsetState]!;
      const matchWord = matchStates[matchState]!;
      const offsetCode = offsetWord & 255;
      let width = offsetCode;
      let value = 1 << offsetCode;
      if (width > 16) {
        bit -= width - 16;
        value += bitsAt(view, bit, width - 16) * 65536;
        width = 16;
      }
      bit -= width;
      value += bitsAt(view, bit, width);
      width = matchBits[matchWord & 255]!;
      bit -= width;
      const length = matchBase[matchWord & 255]! + bitsAt(view, bit, width);
      width = literalBits[literalWord & 255]!;
      bit -= width;
      const plain = literalBase[literalWord & 255]! + bitsAt(view, bit, width);
      if (i + 1 < count) {
        width = (literalWord >>> 8) & 255;
        bit -= width;
        literalState = (literalWord >>> 16) + bitsAt(view, bit, width);
        width = (matchWord >>> 8) & 255;
        bit -= width;
        matchState = (matchWord >>> 16) + bitsAt(view, bit, width);
        width = (offsetWord >>> 8) & 255;
        bit -= width;
        offsetState = (offsetWord >>> 16) + bitsAt(view, bit, width);
      }
      if (bit < limit) fail('sequences end early');
      const distance = this.distance(value, plain);
      if (from + plain > literalCount || p + plain + length > out.length) fail('too much data');
      if (distance > p + plain) fail('a match before the start');
      copyPlain(literals, from, out, p, plain);
      from += plain;
      p += plain;
      copyMatch(out, p, distance, length);
      p += length;
    }
    if (bit !== limit) fail('sequences of another length');
    const rest = literalCount - from;
    if (p + rest > out.length) fail('too much data');
    copyPlain(literals, from, out, p, rest);
    return p + rest;
  }

  /** How far back a match is: its own number, or one of the last three. */
  private distance(value: number, plain: number): number {
    if (value > 3) {
      this.repeat2 = this.repeat1;
      this.repeat1 = this.repeat0;
      this.repeat0 = value - 3;
      return this.repeat0;
    }
    const which = plain === 0 ? value : value - 1;
    if (which === 0) return this.repeat0;
    const found = which === 1 ? this.repeat1 : which === 2 ? this.repeat2 : this.repeat0 - 1;
    if (found <= 0) fail('a match of distance 0');
    if (which !== 1) this.repeat2 = this.repeat1;
    this.repeat1 = this.repeat0;
    this.repeat0 = found;
    return found;
  }
}

/** At most 24 bits from `bit` upwards. */
function bitsAt(view: DataView, bit: number, count: number): number {
  return bit < 0 ? 0 : (view.getUint32(bit >> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
}

const longCopy = 48;

function copyPlain(
  literals: Uint8Array,
  from: number,
  out: Uint8Array,
  to: number,
  count: number,
): void {
  if (count > longCopy) out.set(literals.subarray(from, from + count), to);
  else for (let i = 0; i < count; i++) out[to + i] = literals[from + i]!;
}

function copyMatch(out: Uint8Array, to: number, distance: number, count: number): void {
  const from = to - distance;
  if (count > longCopy && distance >= count) out.copyWithin(to, from, from + count);
  else for (let i = 0; i < count; i++) out[to + i] = out[from + i]!;
}

const decoder = new BlockDecoder();

/** Unpacks all frames of `data` to the start of `out`; returns how many bytes. */
export function unpackZstd(data: Uint8Array, out: Uint8Array): number {
  let at = 0;
  let to = 0;
  while (at < data.length) {
    const header = frameHeader(data.subarray(at));
    if (header === null) fail('a frame ends early');
    if (header.skip) at += header.length;
    else {
      const start = to;
      decoder.reset();
      at += header.length;
      for (let last = false; !last; ) {
        if (at + 3 > data.length) fail('a frame ends early');
        const head = blockHead(data, at);
        at += 3;
        const size = head.type === 1 ? 1 : head.size;
        if (at + size > data.length) fail('a frame ends early');
        // A frame's matches stay inside the frame.
        const frame = out.subarray(start);
        to = start + plainBlock(decoder, head, data.subarray(at, at + size), frame, to - start);
        at += size;
        last = head.last;
      }
      if (header.checksum) at += 4;
    }
  }
  return to;
}

export interface BlockHead {
  readonly last: boolean;
  /** 0 raw, 1 one byte repeated, 2 compressed. */
  readonly type: number;
  readonly size: number;
}

export function blockHead(bytes: Uint8Array, at: number): BlockHead {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  const head = { last: (word & 1) !== 0, type: (word >> 1) & 3, size: word >> 3 };
  if (head.type === 3 || head.size > blockMax) fail('a block is damaged');
  return head;
}

/** Decodes a block of any type to `out` from `to` on; returns the place after it. */
export function plainBlock(
  blocks: BlockDecoder,
  head: BlockHead,
  data: Uint8Array,
  out: Uint8Array,
  to: number,
): number {
  if (head.type === 2) {
    const { input } = blocks;
    input.set(data);
    return blocks.block(input.start, input.end, out, to);
  }
  if (to + head.size > out.length) fail('more data than announced');
  if (head.type === 1) out.fill(data[0]!, to, to + head.size);
  else out.set(data, to);
  return to + head.size;
}
