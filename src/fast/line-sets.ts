/**
 * Sets of combinations of line values, as bitmaps. A space says which values of each line can be
 * told; a combination is a number in mixed radix, its bit the place in the bitmap. Equal spaces are
 * one object, so that sets in them can be joined word by word, thirty-two combinations at a time.
 * Leaves out: where combinations come from (by-sets.ts).
 */
import type { Look } from './tree.js';

export type Bits = Int32Array;

/** What becomes of a line: its dimension, and the number of its new value. */
export type LineChange = readonly [dimension: number, id: number];

/** Combinations that take the same branch of a test. */
export interface Split {
  readonly branch: number;
  readonly mask: Bits;
}

/** A line that nothing was said of is not there: value 0, as in `Tables`. */
const ABSENT: readonly number[] = [0];

export class Space {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  /** Combinations that can be told. */
  readonly bits: number;
  readonly words: number;
  private readonly masks: (Bits | undefined)[][];
  private readonly splits = new Map<Look, readonly Split[]>();
  readonly plans = new Map<string, Plan>();
  /** Bytes of what is kept to be quicker. */
  kept = 0;

  /** `values`: by dimension, the numbers of values, in order. */
  constructor(readonly values: readonly (readonly number[])[]) {
    this.sizes = values.map((ids) => ids.length);
    const strides: number[] = [];
    let stride = 1;
    for (const size of this.sizes) {
      strides.push(stride);
      stride *= size;
    }
    this.strides = strides;
    this.bits = stride;
    this.words = Math.ceil(stride / 32);
    this.masks = values.map(() => []);
  }

  empty(): Bits {
    return new Int32Array(this.words);
  }

  valuesOf(dimension: number): readonly number[] {
    return this.values[dimension] ?? ABSENT;
  }

  /** Combinations in which a line has its `digit`-th value. */
  mask(dimension: number, digit: number): Bits {
    const known = this.masks[dimension];
    let mask = known?.[digit];
    if (mask === undefined) {
      mask = this.empty();
      const stride = this.strides[dimension] ?? this.bits;
      const span = stride * (this.sizes[dimension] ?? 1);
      for (let at = digit * stride; at < this.bits; at += span) fill(mask, at, at + stride);
      this.kept += 4 * this.words;
      if (known) known[digit] = mask;
    }
    return mask;
  }

  /** The combinations by the branch that a test of a line takes; one entry: all take it. */
  splitBy(look: Look, dimension: number, branchAt: (id: number) => number): readonly Split[] {
    let found = this.splits.get(look);
    if (found === undefined) {
      const byBranch = new Map<number, Bits>();
      this.valuesOf(dimension).forEach((id, digit) => {
        const branch = branchAt(id);
        const mask = this.mask(dimension, digit);
        const known = byBranch.get(branch);
        byBranch.set(branch, known === undefined ? mask : joined(known, mask));
      });
      found = [...byBranch].map(([branch, mask]) => ({ branch, mask }));
      this.kept += 4 * this.words * found.length;
      this.splits.set(look, found);
    }
    return found;
  }

  /** Forgets what can be made again. */
  forget(): void {
    for (const masks of this.masks) masks.length = 0;
    this.splits.clear();
    this.plans.clear();
    this.kept = 0;
  }

  /** The number of the value that a line has in a combination. */
  valueIn(combination: number, dimension: number): number {
    const stride = this.strides[dimension];
    if (stride === undefined) return 0;
    const digit = Math.floor(combination / stride) % (this.sizes[dimension] ?? 1);
    return this.valuesOf(dimension)[digit] ?? 0;
  }

  /** Which values of a line combinations of a set have. */
  valuesIn(set: Bits, dimension: number): readonly number[] {
    const ids = this.valuesOf(dimension);
    if (ids.length === 1) return ids;
    return ids.filter((_, digit) => meets(set, this.mask(dimension, digit)));
  }
}

/** Where combinations go: the sum of what their lower and their higher lines say. */
interface Plan {
  readonly lower: Int32Array;
  readonly higher: Int32Array;
}

/** Lower lines of a plan have about so many combinations. */
const LOWER = 64;
const KEPT_MAX = 2 ** 26;

export class Spaces {
  private readonly byKey = new Map<string, Space>();

  of(values: readonly (readonly number[])[]): Space {
    const key = values.map((ids) => ids.join(' ')).join(',');
    let found = this.byKey.get(key);
    if (found === undefined) {
      found = new Space(values);
      this.byKey.set(key, found);
    }
    return found;
  }

  /** Bytes of what is kept to be quicker; now and then most of it is dropped. */
  keptBytes(): number {
    let kept = 0;
    for (const space of this.byKey.values()) kept += space.kept;
    if (kept > KEPT_MAX) {
      for (const space of this.byKey.values()) space.forget();
      return 0;
    }
    return kept;
  }

  /** The space that also tells these values. */
  widened(space: Space, needed: readonly (readonly number[])[]): Space {
    let isNew = needed.length > space.values.length;
    const values = Array.from({ length: Math.max(needed.length, space.values.length) }, (_, d) => {
      const own = space.valuesOf(d);
      const missing = (needed[d] ?? []).filter((id) => !own.includes(id));
      if (missing.length === 0) return own;
      isNew = true;
      return [...own, ...missing].sort((a, b) => a - b);
    });
    return isNew ? this.of(values) : space;
  }
}

function fill(mask: Bits, from: number, to: number): void {
  const [first, last] = [from >>> 5, (to - 1) >>> 5];
  const low = -1 << (from & 31);
  const high = -1 >>> (31 - ((to - 1) & 31));
  if (first === last) mask[first] = mask[first]! | (low & high);
  else {
    mask[first] = mask[first]! | low;
    mask.fill(-1, first + 1, last);
    mask[last] = mask[last]! | high;
  }
}

function joined(a: Bits, b: Bits): Bits {
  return a.map((word, i) => word | b[i]!);
}

export function meets(a: Bits, b: Bits): boolean {
  for (let i = 0; i < a.length; i++) if ((a[i]! & b[i]!) !== 0) return true;
  return false;
}

export function isEmpty(set: Bits): boolean {
  for (let i = 0; i < set.length; i++) if (set[i] !== 0) return false;
  return true;
}

/** The first combination of a set that is not empty. */
export function firstOf(set: Bits): number {
  for (let i = 0; i < set.length; i++) {
    const word = set[i]!;
    if (word !== 0) return 32 * i + 31 - Math.clz32(word & -word);
  }
  return -1;
}

/** into = a & b; false when that is empty. */
export function intersect(into: Bits, a: Bits, b: Bits): boolean {
  let any = 0;
  for (let i = 0; i < a.length; i++) {
    const word = a[i]! & b[i]!;
    into[i] = word;
    any |= word;
  }
  return any !== 0;
}

function planOf(from: Space, to: Space, changes: readonly LineChange[]): Plan {
  const count = Math.max(from.values.length, to.values.length);
  const changed = new Map(changes);
  let split = 0;
  for (let bits = 1; split < count && bits < LOWER; split++) bits *= from.sizes[split] ?? 1;
  const sums = (first: number, end: number): Int32Array => {
    let all = new Int32Array(1);
    for (let d = first; d < end; d++) {
      const ids = from.valuesOf(d);
      const next = new Int32Array(all.length * ids.length);
      ids.forEach((id, i) => {
        // Nothing for values that no combination has.
        const digit = Math.max(0, to.valuesOf(d).indexOf(changed.get(d) ?? id));
        const adds = digit * (to.strides[d] ?? 0);
        for (let j = 0; j < all.length; j++) next[i * all.length + j] = all[j]! + adds;
      });
      all = next;
    }
    return all;
  };
  return { lower: sums(0, split), higher: sums(split, count) };
}

export class Mover {
  private ids = new Map<Space, number>();

  private idOf(space: Space): number {
    let id = this.ids.get(space);
    if (id === undefined) {
      id = this.ids.size;
      this.ids.set(space, id);
    }
    return id;
  }

  private plan(from: Space, to: Space, changes: readonly LineChange[]): Plan {
    const key = `${this.idOf(to)} ${changes.join(' ')}`;
    let plan = from.plans.get(key);
    if (plan === undefined) {
      plan = planOf(from, to, changes);
      from.kept += 4 * (plan.lower.length + plan.higher.length);
      from.plans.set(key, plan);
    }
    return plan;
  }

  /** Adds to `into` where a set goes when these lines change; `to` tells all that comes of it. */
  move(set: Bits, from: Space, into: Bits, to: Space, changes: readonly LineChange[]): void {
    if (from === to && changes.length === 0) {
      for (let i = 0; i < set.length; i++) into[i] = into[i]! | set[i]!;
      return;
    }
    const { lower, higher } = this.plan(from, to, changes);
    const count = lower.length;
    for (let i = 0; i < set.length; i++) {
      let word = set[i]!;
      while (word !== 0) {
        const bit = word & -word;
        word ^= bit;
        const at = 32 * i + 31 - Math.clz32(bit);
        const high = (at / count) | 0;
        const target = lower[at - high * count]! + higher[high]!;
        into[target >>> 5] = into[target >>> 5]! | (1 << (target & 31));
      }
    }
  }

  /** Adds to `into` those of a set that go into `goal` when these lines change. */
  reaching(
    set: Bits,
    from: Space,
    into: Bits,
    goal: Bits,
    to: Space,
    changes: readonly LineChange[],
  ): void {
    const { lower, higher } = this.plan(from, to, changes);
    const count = lower.length;
    for (let i = 0; i < set.length; i++) {
      let word = set[i]! & ~into[i]!;
      while (word !== 0) {
        const bit = word & -word;
        word ^= bit;
        const at = 32 * i + 31 - Math.clz32(bit);
        const high = (at / count) | 0;
        const target = lower[at - high * count]! + higher[high]!;
        if ((goal[target >>> 5]! & (1 << (target & 31))) !== 0) into[i] = into[i]! | bit;
      }
    }
  }
}
