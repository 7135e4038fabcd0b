/**
 * The entropy codes of zstd as WebAssembly: what `zstd-fse.ts` does, step by step the same, but
 * that whatever it refuses is a trap here. Leaves out blocks (`zstd-wasm-block.ts`).
 *
 * Source: RFC 8878, sections 4.1 (FSE), 4.2 (Huffman).
 */
import {
  add,
  again,
  and,
  asLongAs,
  atLeast,
  type Code,
  call,
  choose,
  differ,
  equal,
  fillMany,
  giveBack,
  greater,
  isZero,
  join,
  leadingZeros,
  left,
  less,
  load,
  load8,
  load16,
  loadShifted,
  locals,
  type Operand,
  or,
  type Routine,
  right,
  set,
  store,
  store8,
  store16,
  subtract,
  trap,
  when,
  whenElse,
} from '../../base/wasm.js';
import { huffmanLogMax } from './zstd-fse.js';

/** Where everything lies, in bytes; 0 is left free, so that no place is 0. */
export const place = {
  /** What a frame keeps between its blocks. */
  repeat0: 16,
  repeat1: 20,
  repeat2: 24,
  hasHuffman: 28,
  hasTables: 32,
  /** The tables in use, and where those described in the frame go. */
  literal: 36,
  offset: 40,
  match: 44,
  huffmanLog: 48,
  /** What the last section of literals holds. */
  literalCount: 52,
  /** By code: its length, and in the high byte how many bits are added to it. */
  literalLengths: 64,
  matchLengths: 256,
  counts: 512,
  next: 1600,
  weights: 2700,
  places: 3000,
  codes: 3072,
  weightTable: 7168,
  standardLiteral: 9224,
  standardOffset: 11280,
  standardMatch: 13336,
  ownLiteral: 15392,
  ownOffset: 17448,
  ownMatch: 19504,
  literals: 21568,
  /** Behind the literals, with room to read and write a few bytes over their end. */
  input: 21568 + (1 << 17) + 64,
} as const;

/** Routines in the order of the module. */
export enum Call {
  Build,
  ReadTable,
  Weights,
  Huffman,
  Stream,
  Literals,
  Table,
  Sequences,
  Block,
}

export const mustNot = (condition: Code): Code => when(condition, trap);
const add1 = (local: Code): Code => set(local, add(local, 1));
const ones = (count: Code): Code => subtract(left(1, count), 1);
const logOf = (value: Code): Code => subtract(31, leadingZeros(value));

/** At most 31 bits from `bit` upwards. */
export const bitsAt = (bit: Code, count: Code): Code =>
  and(loadShifted(right(bit, 3), and(bit, 7)), ones(count));

/** Place of the first bit of a backward stream in [start, end]: above its highest 1. */
export const backwardStart = (bit: Code, start: Code, end: Code): Code =>
  join(
    mustNot(isZero(greater(end, start))),
    set(bit, load8(subtract(end, 1))),
    mustNot(isZero(bit)),
    set(bit, add(left(subtract(end, 1), 3), logOf(bit))),
  );

const counted = (symbol: Code): Code => load(left(symbol, 2), place.counts);
const nextOf = (symbol: Code): Code => load(left(symbol, 2), place.next);

/** (table, symbols, log): from the first `symbols` of the counts. */
function build(): Routine {
  const [table, symbols, log, size, high, symbol, at, i, ...more] = locals(11);
  const [count, bits, states] = more;
  const stateAt = (index: Code): Code => add(states, left(index, 2));
  const spread = join(
    store(stateAt(at), symbol),
    again(
      set(at, and(add(at, add(right(size, 1), add(right(size, 3), 3))), subtract(size, 1))),
      atLeast(at, high),
    ),
    set(i, subtract(i, 1)),
  );
  const finish = join(
    set(symbol, load(stateAt(i))),
    set(count, nextOf(symbol)),
    store(left(symbol, 2), add(count, 1), place.next),
    set(bits, subtract(log, logOf(count))),
    store(stateAt(i), or(or(left(subtract(left(count, bits), size), 16), left(bits, 8)), symbol)),
    add1(i),
  );
  const body = join(
    store(table, log),
    set(states, add(table, 4)),
    set(size, left(1, log)),
    set(high, size),
    asLongAs(
      less(symbol, symbols),
      set(count, counted(symbol)),
      store(left(symbol, 2), choose(1, count, less(count, 0)), place.next),
      when(less(count, 0), set(high, subtract(high, 1)), store(stateAt(high), symbol)),
      add1(symbol),
    ),
    set(symbol, 0),
    asLongAs(
      less(symbol, symbols),
      set(i, counted(symbol)),
      asLongAs(greater(i, 0), spread),
      add1(symbol),
    ),
    set(i, 0),
    asLongAs(less(i, size), finish),
  );
  return { parameters: 3, locals: 8, result: false, body };
}

/** (table, at, end, logMax, symbolMax): reads a description; gives the place after it. */
function readTable(): Routine {
  const [table, at, end, logMax, symbolMax, bit, limit, log, ...more] = locals(16);
  const [count, rest, bits, low, spare, value, repeat, i] = more;
  const note = (probability: Operand): Code =>
    join(store(left(count, 2), probability, place.counts), add1(count));
  // Runs of symbols that do not occur: three at a time, until fewer.
  const zeros = again(
    join(
      set(repeat, and(loadShifted(right(bit, 3), and(bit, 7)), 3)),
      set(bit, add(bit, 2)),
      mustNot(greater(bit, add(limit, 8))),
      mustNot(greater(add(count, repeat), add(symbolMax, 1))),
      set(i, repeat),
      asLongAs(greater(i, 0), note(0), set(i, subtract(i, 1))),
    ),
    equal(repeat, 3),
  );
  const one = join(
    mustNot(greater(bit, limit)),
    mustNot(greater(count, symbolMax)),
    set(bits, subtract(32, leadingZeros(add(rest, 1)))),
    set(low, ones(subtract(bits, 1))),
    set(spare, subtract(subtract(left(1, bits), 2), rest)),
    set(value, bitsAt(bit, bits)),
    set(bit, add(bit, bits)),
    whenElse(
      less(and(value, low), spare),
      join(set(bit, subtract(bit, 1)), set(value, and(value, low))),
      when(greater(value, low), set(value, subtract(value, spare))),
    ),
    set(value, subtract(value, 1)),
    set(rest, subtract(rest, choose(1, value, less(value, 0)))),
    note(value),
    when(isZero(value), zeros),
  );
  const body = join(
    mustNot(atLeast(at, end)),
    set(bit, add(left(at, 3), 4)),
    set(limit, left(end, 3)),
    set(log, add(and(load8(at), 15), 5)),
    mustNot(greater(log, logMax)),
    set(rest, left(1, log)),
    asLongAs(greater(rest, 0), one),
    set(bit, right(add(bit, 7), 3)),
    mustNot(less(rest, 0)),
    mustNot(greater(bit, end)),
    call(Call.Build, table, count, log),
    giveBack(bit),
  );
  return { parameters: 5, locals: 11, result: true, body };
}

/** (start, end): weights in two interleaved FSE streams; gives how many. */
function weights(): Routine {
  const [start, end, at, log, limit, bit, state, other, ...more] = locals(11);
  const [count, word, width] = more;
  const states = place.weightTable + 4;
  const bitsFrom = (to: Code, base: Operand): Code =>
    join(
      set(bit, subtract(bit, width)),
      set(to, base),
      when(atLeast(bit, limit), set(to, add(base, bitsAt(bit, width)))),
    );
  const push = (value: Code): Code => join(store8(count, value, place.weights), add1(count));
  const body = join(
    set(at, call(Call.ReadTable, place.weightTable, start, end, 6, huffmanLogMax + 1)),
    set(log, load(place.weightTable)),
    set(limit, left(at, 3)),
    backwardStart(bit, at, end),
    set(width, log),
    // The stream whose turn it is, and the other one.
    bitsFrom(state, 0),
    bitsFrom(other, 0),
    mustNot(less(bit, limit)),
    asLongAs(
      less(count, 254),
      set(word, load(left(state, 2), states)),
      push(word),
      set(width, and(right(word, 8), 255)),
      set(state, other),
      when(less(subtract(bit, width), limit), push(load(left(other, 2), states)), giveBack(count)),
      bitsFrom(other, right(word, 16)),
    ),
    trap,
  );
  return { parameters: 2, locals: 9, result: true, body };
}

/** (at, end): reads the description of a Huffman code; gives the place after it. */
function huffman(): Routine {
  const [at, end, after, head, count, i, sum, log, ...more] = locals(13);
  const [rest, weight, from, to, entry] = more;
  const weightOf = (index: Code): Code => load8(index, place.weights);
  const placeAt = (index: Code): Code => load(left(index, 2), place.places);
  const half = right(left(1, weight), 1);
  const nibble = and(right(load8(add(add(at, 1), right(i, 1))), choose(0, 4, and(i, 1))), 15);
  const direct = join(
    set(count, subtract(head, 127)),
    asLongAs(less(i, count), store8(i, nibble, place.weights), add1(i)),
  );
  const fill = join(
    set(weight, weightOf(i)),
    set(from, placeAt(weight)),
    set(to, add(from, half)),
    store(left(weight, 2), to, place.places),
    set(entry, or(i, left(subtract(add(log, 1), weight), 8))),
    asLongAs(less(from, to), store16(left(from, 1), entry, place.codes), add1(from)),
    add1(i),
  );
  const body = join(
    mustNot(atLeast(at, end)),
    set(head, load8(at)),
    set(after, add(at, add(1, choose(head, right(subtract(head, 126), 1), less(head, 128))))),
    mustNot(greater(after, end)),
    whenElse(less(head, 128), set(count, call(Call.Weights, add(at, 1), after)), direct),
    set(i, 0),
    asLongAs(
      less(i, count),
      set(weight, weightOf(i)),
      mustNot(greater(weight, huffmanLogMax)),
      set(sum, add(sum, half)),
      add1(i),
    ),
    mustNot(isZero(sum)),
    set(log, subtract(32, leadingZeros(sum))),
    set(rest, subtract(left(1, log), sum)),
    mustNot(greater(log, huffmanLogMax)),
    mustNot(and(rest, subtract(rest, 1))),
    store8(count, subtract(32, leadingZeros(rest)), place.weights),
    store(place.huffmanLog, log),
    // How many codes have a smaller weight: first of each weight by itself, then summed up.
    fillMany(place.places, 0, 4 * (huffmanLogMax + 3)),
    set(i, 0),
    asLongAs(
      atLeast(count, i),
      set(weight, weightOf(i)),
      store(left(weight, 2), add(placeAt(add(weight, 1)), half), place.places + 4),
      add1(i),
    ),
    set(weight, 1),
    asLongAs(
      atLeast(log, weight),
      store(left(weight, 2), add(placeAt(add(weight, 1)), placeAt(weight)), place.places + 4),
      add1(weight),
    ),
    set(i, 0),
    asLongAs(atLeast(count, i), fill),
    giveBack(after),
  );
  return { parameters: 2, locals: 11, result: true, body };
}

/** (start, end, at, to): decodes one stream into [at, to]. */
function stream(): Routine {
  const [start, end, at, to, bit, limit, log, from, ...more] = locals(12);
  const [shift, code, mask, base] = more;
  /** One symbol out of the 57 bits from `from` on, of which those over `shift` are used up. */
  const symbol = (offset: number): Code =>
    join(
      set(code, and(loadShifted(base, add(and(from, 7), subtract(shift, log))), mask)),
      set(code, load16(left(code, 1), place.codes)),
      set(shift, subtract(shift, right(code, 8))),
      store8(at, code, offset),
    );
  const several = (count: number): Code =>
    join(
      mustNot(less(bit, limit)),
      set(from, subtract(bit, 56)),
      set(base, right(from, 3)),
      set(shift, 56),
      Array.from({ length: count }, (_, i) => symbol(i)).flat(),
      set(at, add(at, count)),
      set(bit, add(from, shift)),
    );
  const body = join(
    set(log, load(place.huffmanLog)),
    set(mask, ones(log)),
    backwardStart(bit, start, end),
    set(limit, left(start, 3)),
    asLongAs(less(add(at, 3), to), several(4)),
    asLongAs(less(at, to), several(1)),
    mustNot(differ(bit, limit)),
  );
  return { parameters: 4, locals: 8, result: false, body };
}

export const codeRoutines = (): readonly Routine[] => [
  build(),
  readTable(),
  weights(),
  huffman(),
  stream(),
];
