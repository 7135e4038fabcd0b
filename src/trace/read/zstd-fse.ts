/**
 * The two entropy codes of zstd: FSE tables for sequences and weights, Huffman tables for literals.
 * Leaves out blocks and frames (`zstd.ts`).
 *
 * Source: RFC 8878, sections 4.1 (FSE), 4.2 (Huffman).
 */

/** Damaged compressed data. */
export class ZstdError extends Error {}

export function fail(why: string): never {
  throw new ZstdError(why);
}

/** Before the input: the bits of one sequence and its states, read before the end is noticed. */
const room = 16;

/** Input with room around it, so that a reader may look a few bytes over either edge. */
export class Input {
  bytes = new Uint8Array(1 << 12);
  view = new DataView(this.bytes.buffer);
  /** Place of the first and after the last byte. */
  start = room;
  end = room;

  set(data: Uint8Array): void {
    const needed = data.length + room + 8;
    if (needed > this.bytes.length) {
      this.bytes = new Uint8Array(needed * 2);
      this.view = new DataView(this.bytes.buffer);
    }
    this.bytes.set(data, this.start);
    this.end = this.start + data.length;
    this.bytes.fill(0, this.end, this.end + 8);
  }
}

const fseLogMax = 9;
const symbolsMax = 256;
/** Scratch of `FseTable`: probabilities of the table being read, next state number per symbol. */
const counts = new Int16Array(symbolsMax + 4);
const next = new Uint16Array(symbolsMax + 4);

/** An FSE code. Its arrays are used again when another one is read into it. */
export class FseTable {
  log = 0;
  /**
   * A word per state: symbol in the low byte, number of bits to read above it, first next state in
   * the high half.
   */
  readonly states = new Int32Array(1 << fseLogMax);

  /** The table of given probabilities in units of 2^-log; -1 is "less than one". */
  static of(values: readonly number[], log: number): FseTable {
    const table = new FseTable();
    counts.set(values);
    table.build(values.length, log);
    return table;
  }

  /** A table of one symbol that takes no bits. */
  setOne(symbol: number): void {
    this.log = 0;
    this.states[0] = symbol;
  }

  /** Reads a description at `at`; returns the place after it. */
  read(input: Input, at: number, end: number, logMax: number, symbolMax: number): number {
    const { view } = input;
    let bit = at * 8 + 4;
    const limit = end * 8;
    const log = (input.bytes[at]! & 15) + 5;
    if (at >= end) fail('a table ends early');
    if (log > logMax) fail('a table is too large');
    let count = 0;
    let left = 1 << log;
    while (left > 0) {
      if (bit > limit) fail('a table ends early');
      if (count > symbolMax) fail('a table has too many symbols');
      const bits = 32 - Math.clz32(left + 1);
      const low = (1 << (bits - 1)) - 1;
      const spare = (1 << bits) - 2 - left;
      let value = (view.getUint32(bit >> 3, true) >>> (bit & 7)) & ((1 << bits) - 1);
      bit += bits;
      if ((value & low) < spare) {
        bit--;
        value &= low;
      } else if (value > low) value -= spare;
      const probability = value - 1;
      left -= probability < 0 ? 1 : probability;
      counts[count++] = probability;
      if (probability !== 0) continue;
      // Runs of symbols that do not occur: three at a time, until fewer.
      for (let repeat = 3; repeat === 3; ) {
        repeat = (view.getUint32(bit >> 3, true) >>> (bit & 7)) & 3;
        bit += 2;
        if (bit > limit + 8 || count + repeat > symbolMax + 1) fail('a table is damaged');
        for (let i = 0; i < repeat; i++) counts[count++] = 0;
      }
    }
    const after = (bit + 7) >> 3;
    if (left < 0 || after > end) fail('a table is damaged');
    this.build(count, log);
    return after;
  }

  /** From the first `symbols` of `counts`. */
  private build(symbols: number, log: number): void {
    const { states } = this;
    const size = 1 << log;
    this.log = log;
    let high = size;
    for (let symbol = 0; symbol < symbols; symbol++) {
      const count = counts[symbol]!;
      next[symbol] = count < 0 ? 1 : count;
      if (count < 0) states[--high] = symbol;
    }
    const step = (size >> 1) + (size >> 3) + 3;
    let at = 0;
    for (let symbol = 0; symbol < symbols; symbol++) {
      for (let i = counts[symbol]!; i > 0; i--) {
        states[at] = symbol;
        do at = (at + step) & (size - 1);
        while (at >= high);
      }
    }
    for (let i = 0; i < size; i++) {
      const symbol = states[i]!;
      const number = next[symbol]!;
      next[symbol] = number + 1;
      const bits = log - (31 - Math.clz32(number));
      states[i] = (((number << bits) - size) << 16) | (bits << 8) | symbol;
    }
  }
}

/** Place of the first bit of a backward stream: above the highest 1 of its last byte. */
export function backwardStart(bytes: Uint8Array, start: number, end: number): number {
  const last = end > start ? bytes[end - 1]! : 0;
  if (last === 0) fail('a bit stream without end mark');
  return (end - 1) * 8 + (31 - Math.clz32(last));
}

/** Few bits from `bit` upwards; 0 where they begin before `limit`. */
function bitsFrom(view: DataView, bit: number, count: number, limit: number): number {
  if (bit < limit) return 0;
  return (view.getUint32(bit >> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
}

export const huffmanLogMax = 11;

/** Scratch of `HuffmanTable`: the next place of a code, by weight. */
const places = new Int32Array(huffmanLogMax + 3);

/** Huffman code of literals: per value of the next `log` bits, symbol and (high byte) its bits. */
export class HuffmanTable {
  log = 0;
  readonly codes = new Uint16Array(1 << huffmanLogMax);
  private readonly weights = new Uint8Array(256);
  private readonly packed = new FseTable();

  /** Reads a description at `at`; returns the place after it. */
  read(input: Input, at: number, end: number): number {
    if (at >= end) fail('a code ends early');
    const head = input.bytes[at]!;
    const after = head < 128 ? at + 1 + head : at + 1 + ((head - 127 + 1) >> 1);
    if (after > end) fail('a code ends early');
    let count = 0;
    if (head < 128) count = this.readPacked(input, at + 1, after);
    else {
      count = head - 127;
      for (let i = 0; i < count; i++) {
        const byte = input.bytes[at + 1 + (i >> 1)]!;
        this.weights[i] = i % 2 === 0 ? byte >> 4 : byte & 15;
      }
    }
    this.build(count);
    return after;
  }

  /** Weights in two interleaved FSE streams. */
  private readPacked(input: Input, start: number, end: number): number {
    const at = this.packed.read(input, start, end, 6, huffmanLogMax + 1);
    const { states, log } = this.packed;
    const { weights } = this;
    const limit = at * 8;
    let bit = backwardStart(input.bytes, at, end) - log;
    // The stream whose turn it is, and the other one.
    let state = bitsFrom(input.view, bit, log, limit);
    bit -= log;
    let other = bitsFrom(input.view, bit, log, limit);
    if (bit < limit) fail('weights end early');
    for (let count = 0; count <= 253; ) {
      const word = states[state]!;
      weights[count++] = word & 255;
      const width = (word >>> 8) & 255;
      bit -= width;
      if (bit < limit) {
        weights[count++] = states[other]! & 255;
        return count;
      }
      state = other;
      other = (word >>> 16) + bitsFrom(input.view, bit, width, limit);
    }
    return fail('too many weights');
  }

  private build(count: number): void {
    const { weights, codes } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      if (weights[i]! > huffmanLogMax) fail('a weight is too large');
      if (weights[i]! > 0) sum += 1 << (weights[i]! - 1);
    }
    if (sum === 0) fail('a code without symbols');
    const log = 32 - Math.clz32(sum);
    const rest = (1 << log) - sum;
    if (log > huffmanLogMax || (rest & (rest - 1)) !== 0) fail('weights do not add up');
    weights[count] = 32 - Math.clz32(rest);
    this.log = log;
    places.fill(0);
    for (let symbol = 0; symbol <= count; symbol++) {
      const weight = weights[symbol]!;
      places[weight + 1]! += (1 << weight) >> 1;
    }
    for (let weight = 1; weight <= log; weight++) places[weight + 1]! += places[weight]!;
    for (let symbol = 0; symbol <= count; symbol++) {
      const weight = weights[symbol]!;
      const from = places[weight]!;
      const to = from + ((1 << weight) >> 1);
      places[weight] = to;
      const code = symbol | ((log + 1 - weight) << 8);
      for (let at = from; at < to; at++) codes[at] = code;
    }
  }

  /** Decodes one stream into `into[from..to)`. */
  stream(
    input: Input,
    start: number,
    end: number,
    into: Uint8Array,
    from: number,
    to: number,
  ): void {
    const { codes, log } = this;
    const { view } = input;
    const mask = (1 << log) - 1;
    let bit = backwardStart(input.bytes, start, end);
    const limit = start * 8;
    let at = from;
    // Two symbols of at most 11 bits fit into what one load gives for sure.
    while (at + 1 < to) {
      if (bit < limit) fail('literals end early');
      const place = Math.max(bit - 24, 0);
      const word = view.getUint32(place >> 3, true) >>> (place & 7);
      const first = codes[(word >>> (bit - place - log)) & mask]!;
      bit -= first >>> 8;
      const second = codes[(word >>> (bit - place - log)) & mask]!;
      bit -= second >>> 8;
      into[at] = first;
      into[at + 1] = second;
      at += 2;
    }
    if (at < to) {
      const place = Math.max(bit - 24, 0);
      const word = view.getUint32(place >> 3, true) >>> (place & 7);
      const code = codes[(word >>> (bit - place - log)) & mask]!;
      bit -= code >>> 8;
      into[at] = code;
    }
    if (bit !== limit) fail('literals of another length');
  }
}
