/**
 * Sets of tuples of small digits as bitmaps: the first few digits choose a bit of a word, the
 * others, in mixed radix, the word. What a relation between digits does to a set is moving blocks
 * of words, or bits within words by masks and shifts.
 * Leaves out: what the digits mean (sweep.ts).
 */

/** From digit, to digit. */
export type Pair = readonly [number, number];

export interface Bitmap {
  /** Per dimension, how many digits there are. */
  readonly sizes: readonly number[];
  /** So many dimensions lie within a word; their sizes multiply to at most 32. */
  readonly inWord: number;
  readonly words: Int32Array;
}

export function emptyBitmap(sizes: readonly number[], inWord: number): Bitmap {
  const words = sizes.slice(inWord).reduce((product, size) => product * size, 1);
  return { sizes, inWord, words: new Int32Array(words) };
}

export function countBits(words: Int32Array): number {
  let bits = 0;
  for (let i = 0; i < words.length; i++) {
    let w = words[i]!;
    w -= (w >>> 1) & 0x55555555;
    w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
    bits += Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return bits;
}

export function merge(into: Bitmap, from: Bitmap): void {
  const { words } = into;
  const { words: other } = from;
  for (let i = 0; i < words.length; i++) words[i] = words[i]! | other[i]!;
}

/** Masks of bits that move by the same distance; positive to higher bits. */
interface Shift {
  readonly mask: number;
  readonly by: number;
}

/** Bits of a word by their digits, in the given sizes. */
function tuples(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (all, size) => Array.from({ length: size }, (_, d) => all.map((t) => [...t, d])).flat(),
    [[]],
  );
}

function shiftsFor(
  sizes: readonly number[],
  newSizes: readonly number[],
  dimension: number,
  pairs: readonly Pair[],
): Shift[] {
  const masks = new Map<number, number>();
  tuples(sizes).forEach((digits, bit) => {
    for (const [from, to] of pairs) {
      if (digits[dimension] !== from) continue;
      let target = 0;
      let stride = 1;
      newSizes.forEach((size, d) => {
        target += stride * (d === dimension ? to : (digits[d] ?? 0));
        stride *= size;
      });
      masks.set(target - bit, (masks.get(target - bit) ?? 0) | (1 << bit));
    }
  });
  return [...masks].map(([by, mask]) => ({ by, mask }));
}

function shiftWords(from: Int32Array, to: Int32Array, { mask, by }: Shift): void {
  if (by >= 0) {
    for (let i = 0; i < to.length; i++) to[i] = to[i]! | ((from[i]! & mask) << by);
  } else {
    for (let i = 0; i < to.length; i++) to[i] = to[i]! | ((from[i]! & mask) >>> -by);
  }
}

/** `to` |= blocks of `from`: `length` words each `step`, `count` times. */
function orBlocks(
  from: Int32Array,
  fromAt: number,
  fromStep: number,
  to: Int32Array,
  toAt: number,
  toStep: number,
  length: number,
  count: number,
): void {
  for (let block = 0; block < count; block++) {
    const source = fromAt + block * fromStep;
    const target = toAt + block * toStep;
    for (let i = 0; i < length; i++) to[target + i] = to[target + i]! | from[source + i]!;
  }
}

/** Words below one step of a dimension outside words. */
function strideOf(sizes: readonly number[], inWord: number, dimension: number): number {
  return sizes.slice(inWord, dimension).reduce((product, size) => product * size, 1);
}

/** Adds to a set what it becomes when, for each pair, one digit is replaced; pairs are closed. */
export function spreadIn(map: Bitmap, dimension: number, pairs: readonly Pair[]): void {
  const { sizes, inWord, words } = map;
  if (pairs.length === 0) return;
  if (dimension < inWord) {
    const inner = sizes.slice(0, inWord);
    for (const shift of shiftsFor(inner, inner, dimension, pairs)) shiftWords(words, words, shift);
    return;
  }
  const stride = strideOf(sizes, inWord, dimension);
  const span = stride * (sizes[dimension] ?? 1);
  const count = words.length / span;
  for (const [from, to] of pairs) {
    orBlocks(words, from * stride, span, words, to * stride, span, stride, count);
  }
}

function isIdentity(pairs: readonly Pair[], size: number, newSize: number): boolean {
  return size === newSize && pairs.length === size && pairs.every(([from, to]) => from === to);
}

/** The image of a set under one relation per dimension, in a bitmap of the new sizes. */
export function relate(
  map: Bitmap,
  relations: readonly (readonly Pair[])[],
  newSizes: readonly number[],
): Bitmap {
  let now = map;
  // Dimensions that shrink first: what follows is then less work.
  const order = relations.map((pairs, dimension) => ({ pairs, dimension }));
  order.sort((a, b) => a.pairs.length - b.pairs.length);
  for (const { pairs, dimension } of order) {
    const size = now.sizes[dimension] ?? 1;
    const newSize = newSizes[dimension] ?? 1;
    if (!isIdentity(pairs, size, newSize)) now = convert(now, dimension, pairs, newSize);
  }
  return now;
}

function convert(map: Bitmap, dimension: number, pairs: readonly Pair[], newSize: number): Bitmap {
  const { sizes, inWord, words } = map;
  const next = emptyBitmap(
    sizes.map((size, d) => (d === dimension ? newSize : size)),
    inWord,
  );
  if (dimension < inWord) {
    const inner = sizes.slice(0, inWord);
    const newInner = next.sizes.slice(0, inWord);
    for (const shift of shiftsFor(inner, newInner, dimension, pairs)) {
      shiftWords(words, next.words, shift);
    }
    return next;
  }
  const stride = strideOf(sizes, inWord, dimension);
  const span = stride * (sizes[dimension] ?? 1);
  const newSpan = stride * newSize;
  const count = words.length / span;
  for (const [from, to] of pairs) {
    orBlocks(words, from * stride, span, next.words, to * stride, newSpan, stride, count);
  }
  return next;
}
