/**
 * The blocks of zstd as WebAssembly: what `zstd-block.ts` does, but that sequences are executed as
 * they are read, and whatever is refused there is a trap here. Leaves out the entropy codes
 * (`zstd-wasm-codes.ts`) and frames (`zstd-wasm.ts`).
 *
 * Source: RFC 8878, sections 3.1.1.3 to 3.1.1.5.
 */
import {
  above,
  add,
  again,
  and,
  asLongAs,
  atLeast,
  type Code,
  call,
  choose,
  copy8,
  copyMany,
  differ,
  equal,
  fillMany,
  giveBack,
  greater,
  isZero,
  join,
  left,
  less,
  load,
  load8,
  load16,
  loadShifted,
  locals,
  multiply,
  type Operand,
  type Routine,
  right,
  set,
  store,
  store8,
  subtract,
  when,
  whenElse,
} from '../../base/wasm.js';
import { blockMax, literalCodes, matchCodes, offsetCodes } from './zstd-block.js';
import { backwardStart, bitsAt, Call, mustNot, place } from './zstd-wasm-codes.js';

/** From here on the copies built in cost less than a loop. */
const longPlain = 96;
const longMatch = 160;
const longRun = 32;

const ones = (count: Code): Code => subtract(left(1, count), 1);
const raise = (local: Code, by: Operand): Code => set(local, add(local, by));

/** (at, end): reads the literals of a block; gives the place after them. */
function literals(): Routine {
  const [at, end, type, format, head, size, bits, after, part, i, stop, to] = locals(12);
  const odd = and(format, 1);
  const plain = join(
    set(head, choose(add(2, right(format, 1)), 1, odd)),
    set(size, choose(right(load16(at), 4), right(load8(at), 3), odd)),
    when(equal(head, 3), set(size, right(and(load(at), 0xffffff), 4))),
    raise(at, head),
    set(after, add(at, choose(1, size, type))),
    mustNot(greater(size, blockMax)),
    mustNot(greater(after, end)),
    whenElse(type, fillMany(place.literals, load8(at), size), copyMany(place.literals, at, size)),
    store(place.literalCount, size),
    giveBack(after),
  );
  const four = join(
    set(part, right(add(size, 3), 2)),
    // `at` stands before the sizes of the streams, `head` before the next stream.
    set(head, add(at, 6)),
    mustNot(greater(head, after)),
    mustNot(greater(multiply(part, 3), size)),
    asLongAs(
      less(i, 4),
      set(stop, choose(add(head, load16(add(at, left(i, 1)))), after, less(i, 3))),
      mustNot(greater(stop, after)),
      set(to, choose(multiply(part, add(i, 1)), size, less(i, 3))),
      call(
        Call.Stream,
        ...[head, stop, add(multiply(part, i), place.literals), add(to, place.literals)],
      ),
      set(head, stop),
      raise(i, 1),
    ),
  );
  const body = join(
    mustNot(atLeast(at, end)),
    set(type, and(load8(at), 3)),
    set(format, and(right(load8(at), 2), 3)),
    when(less(type, 2), plain),
    set(bits, choose(10, add(6, left(format, 2)), less(format, 2))),
    set(size, and(loadShifted(at, 4), ones(bits))),
    set(after, and(loadShifted(at, add(bits, 4)), ones(bits))),
    raise(at, choose(3, add(format, 2), less(format, 2))),
    raise(after, at),
    mustNot(greater(size, blockMax)),
    mustNot(greater(after, end)),
    whenElse(
      equal(type, 2),
      join(set(at, call(Call.Huffman, at, after)), store(place.hasHuffman, 1)),
      mustNot(isZero(load(place.hasHuffman))),
    ),
    whenElse(format, four, call(Call.Stream, at, after, place.literals, add(size, place.literals))),
    store(place.literalCount, size),
    giveBack(after),
  );
  return { parameters: 2, locals: 10, result: true, body };
}

/**
 * (mode, slot, standard, own, logMax, codeMax, at, end): puts the table that a mode says into
 * `slot`: standard, one symbol, described here, or that of before; gives the place after it.
 */
function table(): Routine {
  const [mode, slot, standard, own, logMax, codeMax, at, end] = locals(8);
  const body = join(
    when(isZero(mode), store(slot, standard), giveBack(at)),
    when(equal(mode, 3), mustNot(isZero(load(place.hasTables))), giveBack(at)),
    store(slot, own),
    when(
      equal(mode, 1),
      mustNot(atLeast(at, end)),
      mustNot(greater(load8(at), codeMax)),
      store(own, 0),
      store(own, load8(at), 4),
      giveBack(add(at, 1)),
    ),
    giveBack(call(Call.ReadTable, own, at, end, logMax, codeMax)),
  );
  return { parameters: 8, locals: 0, result: true, body };
}

/** Copies `count` bytes, with up to seven more that what comes next goes over. */
function copyLiterals(to: Code, from: Code, count: Code, stop: Code): Code {
  const loop = join(
    set(stop, add(to, count)),
    again(join(copy8(to, from), raise(to, 8), raise(from, 8)), less(to, stop)),
    raise(from, subtract(stop, to)),
    set(to, stop),
  );
  const many = join(copyMany(to, from, count), raise(to, count), raise(from, count));
  return when(count, whenElse(greater(count, longPlain), many, loop));
}

/** The same from `distance` bytes before; a near one reads what it writes. */
function copyMatch(to: Code, distance: Code, count: Code, from: Code, stop: Code): Code {
  const bytes = again(join(store8(to, load8(from)), raise(to, 1), raise(from, 1)), less(to, stop));
  const wide = again(join(copy8(to, from), raise(to, 8), raise(from, 8)), less(to, stop));
  const run = and(equal(distance, 1), greater(count, longRun));
  const near = whenElse(run, fillMany(to, load8(from), count), bytes);
  const far = and(greater(count, longMatch), atLeast(distance, count));
  return join(
    set(from, subtract(to, distance)),
    set(stop, add(to, count)),
    whenElse(less(distance, 8), near, whenElse(far, copyMany(to, from, count), wide)),
    set(to, stop),
  );
}

/** Distance to copy from, out of the number that stands for it, and the last three. */
function repeats(
  distance: Code,
  plain: Code,
  which: Code,
  last: readonly [Code, Code, Code],
): Code {
  const [first, second, third] = last;
  const newest = join(set(second, first), set(first, distance));
  // One of the last three distances; without literals they count from the second.
  const known = join(
    set(which, add(distance, choose(2, 3, plain))),
    whenElse(
      which,
      join(
        set(
          distance,
          choose(second, choose(third, subtract(first, 1), equal(which, 2)), equal(which, 1)),
        ),
        mustNot(less(distance, 1)),
        when(differ(which, 1), set(third, second)),
        newest,
      ),
      set(distance, first),
    ),
  );
  return whenElse(greater(distance, 0), join(set(third, second), newest), known);
}

/** How many bits the next state takes, and the step to it. */
const bitsOf = (word: Code): Code => and(right(word, 8), 255);
const turn = (states: Code, word: Code, bits: Code): Code =>
  set(word, load(add(states, left(add(right(word, 16), bits), 2))));

/** (count, at, end, to, first, limit): reads sequences and executes them; gives the place after. */
function sequences(): Routine {
  const [count, at, end, to, first, limit, bit, bitMin, ...more] = locals(28);
  const [literal, offset, match, literalWord, offsetWord, matchWord, width, ...rest] = more;
  const [distance, length, plain, from, fromEnd, r0, r1, r2, which, source, stop, ...last] = rest;
  const [both, low] = last;
  const take = (bits: Operand): Code => join(set(width, bits), set(bit, subtract(bit, width)));
  const begin = (slot: number, states: Code, word: Code): Code =>
    join(
      set(states, load(slot)),
      take(load(states)),
      raise(states, 4),
      set(word, load(add(states, left(bitsAt(bit, width), 2)))),
    );
  const lengthOf = (value: Code, word: Code, base: number): Code =>
    join(
      set(value, load(left(and(word, 255), 2), base)),
      when(
        right(value, 24),
        take(right(value, 24)),
        set(value, add(and(value, 0xffffff), bitsAt(bit, width))),
      ),
    );
  const one = join(
    take(and(offsetWord, 255)),
    set(distance, subtract(add(left(1, width), bitsAt(bit, width)), 3)),
    lengthOf(length, matchWord, place.matchLengths),
    lengthOf(plain, literalWord, place.literalLengths),
    mustNot(less(bit, bitMin)),
    repeats(distance, plain, which, [r0, r1, r2]),
    mustNot(above(plain, subtract(fromEnd, from))),
    mustNot(above(add(add(to, plain), length), limit)),
    mustNot(above(distance, subtract(add(to, plain), first))),
    copyLiterals(to, from, plain, stop),
    copyMatch(to, distance, length, source, stop),
  );
  // Two states at once: each takes nine bits at most.
  const turnAll = join(
    set(low, bitsOf(matchWord)),
    take(add(bitsOf(literalWord), low)),
    set(both, bitsAt(bit, width)),
    turn(literal, literalWord, right(both, low)),
    turn(match, matchWord, and(both, ones(low))),
    take(bitsOf(offsetWord)),
    turn(offset, offsetWord, bitsAt(bit, width)),
  );
  const body = join(
    backwardStart(bit, at, end),
    set(bitMin, left(at, 3)),
    begin(place.literal, literal, literalWord),
    begin(place.offset, offset, offsetWord),
    begin(place.match, match, matchWord),
    set(from, place.literals),
    set(fromEnd, add(from, load(place.literalCount))),
    set(r0, load(place.repeat0)),
    set(r1, load(place.repeat1)),
    set(r2, load(place.repeat2)),
    asLongAs(count, one, set(count, subtract(count, 1)), when(count, turnAll)),
    mustNot(differ(bit, bitMin)),
    store(place.repeat0, r0),
    store(place.repeat1, r1),
    store(place.repeat2, r2),
    set(plain, subtract(fromEnd, from)),
    mustNot(above(add(to, plain), limit)),
    copyMany(to, from, plain),
    giveBack(add(to, plain)),
  );
  return { parameters: 6, locals: 22, result: true, body };
}

/**
 * (at, end, to, first, limit): decodes the compressed block in [at, end] to `to`; its frame began
 * at `first`, and nothing may be written from `limit` on. Gives the place after what it wrote.
 */
function block(): Routine {
  const [at, end, to, first, limit, count, modes] = locals(7);
  const tableOf = (
    shift: number,
    { log, max }: { readonly log: number; readonly max: number },
    slot: number,
    standard: number,
    own: number,
  ): Code =>
    set(at, call(Call.Table, and(right(modes, shift), 3), slot, standard, own, log, max, at, end));
  const longCount = whenElse(
    less(count, 255),
    join(set(count, add(left(subtract(count, 128), 8), load8(at))), raise(at, 1)),
    join(set(count, add(load16(at), 0x7f00)), raise(at, 2)),
  );
  const onlyLiterals = join(
    set(count, load(place.literalCount)),
    mustNot(above(add(to, count), limit)),
    copyMany(to, place.literals, count),
    giveBack(add(to, count)),
  );
  const body = join(
    set(at, call(Call.Literals, at, end)),
    mustNot(atLeast(at, end)),
    set(count, load8(at)),
    raise(at, 1),
    when(atLeast(count, 128), longCount),
    when(isZero(count), onlyLiterals),
    set(modes, load8(at)),
    raise(at, 1),
    mustNot(greater(at, end)),
    mustNot(and(modes, 3)),
    tableOf(6, literalCodes, place.literal, place.standardLiteral, place.ownLiteral),
    tableOf(4, offsetCodes, place.offset, place.standardOffset, place.ownOffset),
    tableOf(2, matchCodes, place.match, place.standardMatch, place.ownMatch),
    store(place.hasTables, 1),
    giveBack(call(Call.Sequences, count, at, end, to, first, limit)),
  );
  return { parameters: 5, locals: 2, result: true, body };
}

export const blockRoutines = (): readonly Routine[] => [literals(), table(), sequences(), block()];
