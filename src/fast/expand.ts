/**
 * The inner loops of the search: successors of a packed state by table, and two visited sets that
 * probe for them. Both are exact. The narrow one keeps a state in four bytes: which slot it wants
 * already tells `slotBits` of its bits, the slot holds the others and how far it stands from where
 * it wants to be (quotient hashing). The wide one keeps both words.
 * Leaves out: limits, growth, what a search is for (search.ts).
 *
 * Everything is in locals and table-driven; V8 compiles a generated `switch` over program counters
 * again at each first visit of a case. Int32Array, so that no number leaves the 32-bit integers.
 */
import { NO_LEAF, type Searchable } from './pack.js';

/** What a chunk works on, and what it leaves behind. */
export interface Work {
  /** Narrow: one word a slot; wide: two. 0 is empty. */
  keys: Int32Array;
  slotBits: number;
  /** Narrow only: low bits of a slot that tell the distance from home, plus one. */
  distanceBits: number;
  /** Two words a state; a ring of a power of two states. */
  queue: Int32Array;
  /** Positions in the ring, modulo 2^32. */
  head: number;
  tail: number;
  transitions: number;
  /** A state stood too far from home: the set must grow. Its step is taken again. */
  overflow: boolean;
  /** Per finding, 1 when met. */
  readonly seen: Uint8Array;
}

export const MIX_A = 0x9e3779b1 | 0;
export const MIX_B = 0x85ebca6b | 0;
export const MIX_C = 0xc2b2ae35 | 0;

/**
 * Writes the successors of a state to `next`, three words each: the state and its dense index;
 * returns the words written.
 */
export function successors(
  packed: Searchable,
  seen: Uint8Array,
  low: number,
  high: number,
  index: number,
  next: Int32Array,
): number {
  const { rootStart, roots, nodes, child, leafStart, steps, pointShift } = packed;
  const point = (low >>> pointShift) & packed.pointMask;
  const end = rootStart[point + 1]!;
  let made = 0;
  for (let r = rootStart[point]!; r < end; r++) {
    let at = roots[r]!;
    while (at >= 0) {
      const word = nodes[4 * at]! === 0 ? low : high;
      at = child[nodes[4 * at + 3]! + ((word >>> nodes[4 * at + 1]!) & nodes[4 * at + 2]!)]!;
    }
    if (at === ~NO_LEAF) throw new Error('the tables have no entry for a reachable state');
    const last = leafStart[1 + ~at]!;
    for (let s = leafStart[~at]!; s < last; s++) {
      next[made] = (low + steps[4 * s]!) | 0;
      next[made + 1] = (high + steps[4 * s + 1]!) | 0;
      next[made + 2] = (index + steps[4 * s + 2]!) | 0;
      const extra = steps[4 * s + 3]!;
      if (extra !== 0) mapped(packed, seen, extra, low, high, next, made);
      made += 3;
    }
  }
  return made;
}

/** The rest of a step: what it does to components it did not test, its finding, a new index. */
function mapped(
  packed: Searchable,
  seen: Uint8Array,
  extra: number,
  low: number,
  high: number,
  next: Int32Array,
  made: number,
): void {
  movedBy(packed, seen, extra, low, high, next, made);
  next[made + 2] = indexOf(packed, next[made]!, next[made + 1]!);
}

function movedBy(
  packed: Searchable,
  seen: Uint8Array,
  extra: number,
  low: number,
  high: number,
  next: Int32Array,
  made: number,
): void {
  const { extras, maps, deltas } = packed;
  for (let m = extras[3 * extra]!; m < extras[3 * extra + 1]!; m++) {
    const word = maps[4 * m]!;
    const id = ((word === 0 ? low : high) >>> maps[4 * m + 1]!) & maps[4 * m + 2]!;
    next[made + word] = (next[made + word]! + deltas[maps[4 * m + 3]! + id]!) | 0;
  }
  seen[extras[3 * extra + 2]!] = 1;
}

/** As `successors` without dense indexes, two words each: hashed sets have no use for them. */
function bareSuccessors(
  packed: Searchable,
  seen: Uint8Array,
  low: number,
  high: number,
  next: Int32Array,
): number {
  const { rootStart, roots, nodes, child, leafStart, steps, pointShift } = packed;
  const point = (low >>> pointShift) & packed.pointMask;
  const end = rootStart[point + 1]!;
  let made = 0;
  for (let r = rootStart[point]!; r < end; r++) {
    let at = roots[r]!;
    while (at >= 0) {
      const word = nodes[4 * at]! === 0 ? low : high;
      at = child[nodes[4 * at + 3]! + ((word >>> nodes[4 * at + 1]!) & nodes[4 * at + 2]!)]!;
    }
    if (at === ~NO_LEAF) throw new Error('the tables have no entry for a reachable state');
    const last = leafStart[1 + ~at]!;
    for (let s = leafStart[~at]!; s < last; s++) {
      next[made] = (low + steps[4 * s]!) | 0;
      next[made + 1] = (high + steps[4 * s + 1]!) | 0;
      const extra = steps[4 * s + 3]!;
      if (extra !== 0) movedBy(packed, seen, extra, low, high, next, made);
      made += 2;
    }
  }
  return made;
}

/** The number of a state among those of its control point. */
export function indexOf(packed: Searchable, low: number, high: number): number {
  const { place, offsets } = packed.dense;
  const { pointShift, pointMask, layout } = packed;
  const fields = layout.length / 3;
  const row = ((low >>> pointShift) & pointMask) * fields;
  let index = 0;
  for (let f = 1; f < fields; f++) {
    const word = layout[3 * f]! === 0 ? low : high;
    index += offsets[place[row + f]! + ((word >>> layout[3 * f + 1]!) & layout[3 * f + 2]!)]!;
  }
  return index;
}

/** The slot a state wants: for one `rest` no two values of `quotient` want the same. */
export function homeOf(quotient: number, rest: number, slotBits: number, slotMask: number): number {
  let h = Math.imul(rest ^ (rest >>> 15), MIX_A);
  h = Math.imul((quotient ^ h ^ (h >>> 13)) & slotMask, MIX_B) & slotMask;
  h ^= h >>> (slotBits >> 1);
  return Math.imul(h, MIX_C) & slotMask;
}

/** The number that undoes a multiplication by an odd one, modulo 2^32. Newton's method. */
function inverse(odd: number): number {
  let found = odd;
  for (let bits = 3; bits < 32; bits *= 2) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}

/** The quotient of a state from its home: what undoes `homeOf`. */
export function quotientOf(home: number, rest: number, slotBits: number): number {
  const slotMask = 2 ** slotBits - 1;
  const half = slotBits >> 1;
  const mixed = Math.imul(home, inverse(MIX_C)) & slotMask;
  // mixed = h ^ (h >>> half): its upper half is h's own; each round makes `half` more bits right.
  let h = mixed;
  for (let right = half; right < slotBits; right += half) h = mixed ^ (h >>> half);
  const salt = Math.imul(rest ^ (rest >>> 15), MIX_A);
  return (Math.imul(h, inverse(MIX_B)) ^ salt ^ (salt >>> 13)) & slotMask;
}

/** Expands up to `count` states of the queue; states of at most slotBits + 31 bits. */
export function expandNarrow(
  packed: Searchable,
  work: Work,
  count: number,
  next: Int32Array,
): void {
  const { keys, slotBits, distanceBits, queue, seen } = work;
  const slotMask = 2 ** slotBits - 1;
  const far = 2 ** distanceBits - 1;
  const queueMask = queue.length / 2 - 1;
  const highMask = 0x7fffffff;
  const restShift = 32 - slotBits;
  let { head, tail, transitions } = work;
  for (let left = count; left > 0 && head !== tail; left--) {
    const from = 2 * (head & queueMask);
    const made = bareSuccessors(packed, seen, queue[from]!, queue[from + 1]!, next);
    for (let i = 0; i < made; i += 2) {
      const low = next[i]!;
      const high = next[i + 1]!;
      const rest = (low >>> slotBits) | ((high & highMask) << restShift);
      let slot = homeOf(low, rest, slotBits, slotMask);
      let wanted = (rest << distanceBits) | 1;
      for (;;) {
        const there = keys[slot]!;
        if (there === wanted) break;
        if (there === 0) {
          keys[slot] = wanted;
          queue[2 * (tail & queueMask)] = low;
          queue[2 * (tail & queueMask) + 1] = high;
          tail = (tail + 1) | 0;
          break;
        }
        if ((wanted & far) === far) {
          work.overflow = true;
          break;
        }
        slot = (slot + 1) & slotMask;
        wanted++;
      }
    }
    if (work.overflow) break;
    transitions += made / 2;
    head = (head + 1) | 0;
  }
  work.head = head;
  work.tail = tail;
  work.transitions = transitions;
}

/** Expands up to `count` states of the queue; visited is a bit for each dense index. */
export function expandDense(packed: Searchable, work: Work, count: number, next: Int32Array): void {
  const { keys, queue, seen } = work;
  const { pointShift, pointMask } = packed;
  const { base } = packed.dense;
  const queueMask = queue.length / 4 - 1;
  let { head, tail, transitions } = work;
  for (let left = count; left > 0 && head !== tail; left--) {
    const from = 4 * (head & queueMask);
    const made = successors(packed, seen, queue[from]!, queue[from + 1]!, queue[from + 2]!, next);
    for (let i = 0; i < made; i += 3) {
      const low = next[i]!;
      const index = next[i + 2]!;
      const word = base[(low >>> pointShift) & pointMask]! + (index >>> 5);
      const there = keys[word]!;
      const bit = 1 << (index & 31);
      if ((there & bit) !== 0) continue;
      keys[word] = there | bit;
      const to = 4 * (tail & queueMask);
      queue[to] = low;
      queue[to + 1] = next[i + 1]!;
      queue[to + 2] = index;
      tail = (tail + 1) | 0;
    }
    transitions += made / 3;
    head = (head + 1) | 0;
  }
  work.head = head;
  work.tail = tail;
  work.transitions = transitions;
}

/** Expands up to `count` states of the queue; states of up to 63 bits. */
export function expandWide(packed: Searchable, work: Work, count: number, next: Int32Array): void {
  const { keys, slotBits, queue, seen } = work;
  const slotMask = 2 ** slotBits - 1;
  const queueMask = queue.length / 2 - 1;
  let { head, tail, transitions } = work;
  for (let left = count; left > 0 && head !== tail; left--) {
    const from = 2 * (head & queueMask);
    const made = bareSuccessors(packed, seen, queue[from]!, queue[from + 1]!, next);
    for (let i = 0; i < made; i += 2) {
      const low = next[i]!;
      const high = next[i + 1]!;
      let slot = homeOf(low, high ^ (low >>> slotBits), slotBits, slotMask);
      for (;;) {
        const there = keys[2 * slot + 1]!;
        if (there === high && keys[2 * slot] === low) break;
        if (there === 0) {
          keys[2 * slot] = low;
          keys[2 * slot + 1] = high;
          queue[2 * (tail & queueMask)] = low;
          queue[2 * (tail & queueMask) + 1] = high;
          tail = (tail + 1) | 0;
          break;
        }
        slot = (slot + 1) & slotMask;
      }
    }
    transitions += made / 2;
    head = (head + 1) | 0;
  }
  work.head = head;
  work.tail = tail;
  work.transitions = transitions;
}
