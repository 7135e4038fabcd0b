/**
 * The three visited sets of the search, all exact: a bit for each dense index; four bytes a slot
 * that hold what the slot itself does not tell (quotient hashing), probed by JavaScript or by
 * WebAssembly; or the state's two words.
 * Leaves out: the loops that probe them (expand.ts).
 */
import { expandDense, expandNarrow, expandWide, homeOf, quotientOf, type Work } from './expand.js';
import type { Packed } from './pack.js';
import { WasmLoop } from './wasm.js';

export type SetKind = 'dense' | 'narrow' | 'wide' | 'wasm';

/** Sets double when fuller than this. */
const FULL = { narrow: 0.85, wide: 0.9 } as const;
/** How full a set made for a known number of states is at most. */
const PLANNED = { narrow: 0.6, wide: 0.8 } as const;
/** The narrow set needs this many bits of a slot for distances. */
const DISTANCE_BITS = 8;
const SLOT_BITS_MIN = 12;
const SLOT_BITS_MAX = 29;
/** A dense set is chosen when the closure allows at most this many states. */
const DENSE_BITS_MAX = 2 ** 33;

type Expand = (packed: Packed, work: Work, count: number, next: Int32Array) => void;

export interface Visited {
  readonly kind: SetKind;
  readonly expand: Expand;
  /** Words that a state takes in the queue. */
  readonly queueWords: number;
  /** Puts in the first state. */
  start(work: Work): void;
  /** There is room for so many states. */
  holds(work: Work, states: number): boolean;
  /** Twice the size; returns the bytes of the old one, which lives meanwhile. */
  grow(work: Work): number;
}

export function chooseSet(packed: Packed, maxBytes: number, asked?: SetKind): SetKind {
  if (asked !== undefined) return asked;
  const { words } = packed.dense;
  if (32 * words <= DENSE_BITS_MAX && 4 * words <= maxBytes / 2) return 'dense';
  return isNarrow(packed, plannedBits(packed, 'narrow', maxBytes)) ? 'narrow' : 'wide';
}

export function makeSet(
  kind: SetKind,
  packed: Packed,
  maxBytes: number,
): { visited: Visited; keys: Int32Array; slotBits: number; distanceBits: number } {
  if (kind === 'dense') {
    const keys = new Int32Array(packed.dense.words);
    return { visited: new DenseSet(packed), keys, slotBits: 0, distanceBits: 0 };
  }
  const slotBits = plannedBits(packed, kind === 'wide' ? 'wide' : 'narrow', maxBytes);
  if (kind !== 'wide' && !isNarrow(packed, slotBits)) {
    throw new Error('states have too many bits for the narrow set');
  }
  const visited = kind === 'wide' ? new WideSet(packed) : new NarrowSet(packed, kind);
  const keys = new Int32Array((kind === 'wide' ? 2 : 1) * 2 ** slotBits);
  return { visited, keys, slotBits, distanceBits: distanceBits(packed, slotBits) };
}

function plannedBits(packed: Packed, kind: 'narrow' | 'wide', maxBytes: number): number {
  const states = Math.min(packed.bound, maxBytes / 16);
  const bits = Math.ceil(Math.log2(states / PLANNED[kind]));
  return Math.max(SLOT_BITS_MIN, Math.min(SLOT_BITS_MAX, bits));
}

/** Bits of a state that a slot of the narrow set has to hold. */
function restBits({ bits }: Packed, slotBits: number): number {
  return Math.max(0, (bits[1] > 0 ? 32 + bits[1] : bits[0]) - slotBits);
}

function isNarrow(packed: Packed, slotBits: number): boolean {
  return restBits(packed, slotBits) + DISTANCE_BITS <= 32;
}

function distanceBits(packed: Packed, slotBits: number): number {
  return Math.min(16, 32 - restBits(packed, slotBits));
}

class DenseSet implements Visited {
  readonly kind = 'dense';
  readonly expand = expandDense;
  readonly queueWords = 4;

  constructor(readonly packed: Packed) {}

  start(work: Work): void {
    // The initial state is the first of everything: control point 0, one value per component.
    work.keys[this.packed.dense.base[0] ?? 0] = 1;
  }

  holds(): boolean {
    return true;
  }

  grow(): number {
    throw new Error('a dense set never grows');
  }
}

class WideSet implements Visited {
  readonly kind = 'wide';
  readonly expand = expandWide;
  readonly queueWords = 2;

  constructor(readonly packed: Packed) {}

  start(work: Work): void {
    insertWide(work, ...this.packed.initial);
  }

  holds({ slotBits }: Work, states: number): boolean {
    return states <= FULL.wide * 2 ** slotBits;
  }

  grow(work: Work): number {
    const old = work.keys;
    work.slotBits++;
    work.keys = new Int32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] !== 0) insertWide(work, old[i]!, old[i + 1]!);
    }
    return old.byteLength;
  }
}

function insertWide({ keys, slotBits }: Work, low: number, high: number): void {
  const mask = 2 ** slotBits - 1;
  let slot = homeOf(low, high ^ (low >>> slotBits), slotBits, mask);
  while (keys[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
  keys[2 * slot] = low;
  keys[2 * slot + 1] = high;
}

class NarrowSet implements Visited {
  readonly expand: Expand;
  readonly queueWords = 2;
  private readonly loop = new WasmLoop();

  constructor(
    readonly packed: Packed,
    readonly kind: 'narrow' | 'wasm',
  ) {
    const wasm: Expand = (_, work, count) => this.loop.expand(packed, work, count);
    this.expand = kind === 'wasm' ? wasm : expandNarrow;
  }

  start(work: Work): void {
    if (this.kind === 'wasm') this.loop.adopt(this.packed, work, false);
    insertNarrow(work, ...this.packed.initial);
  }

  holds({ slotBits }: Work, states: number): boolean {
    return states <= FULL.narrow * 2 ** slotBits;
  }

  grow(work: Work): number {
    const { keys, slotBits, distanceBits: bits } = work;
    const mask = keys.length - 1;
    work.slotBits++;
    work.distanceBits = distanceBits(this.packed, work.slotBits);
    work.keys = new Int32Array(2 * keys.length);
    for (let slot = 0; slot <= mask; slot++) {
      const key = keys[slot]!;
      if (key === 0) continue;
      const distance = (key & (2 ** bits - 1)) - 1;
      const rest = key >>> bits;
      const quotient = quotientOf((slot - distance) & mask, rest, slotBits);
      insertNarrow(work, quotient | (rest << slotBits), rest >>> (32 - slotBits));
    }
    return keys.byteLength;
  }
}

function insertNarrow(work: Work, low: number, high: number): void {
  const { keys, slotBits, distanceBits: bits } = work;
  const mask = 2 ** slotBits - 1;
  const rest = (low >>> slotBits) | ((high & 0x7fffffff) << (32 - slotBits));
  const home = homeOf(low, rest, slotBits, mask);
  let distance = 0;
  while (keys[(home + distance) & mask] !== 0) distance++;
  // 255 full slots in a row in a set that was just made half empty do not happen.
  if (distance + 1 >= 2 ** bits) throw new Error('a state stands too far from home');
  keys[(home + distance) & mask] = (rest << bits) | (distance + 1);
}
