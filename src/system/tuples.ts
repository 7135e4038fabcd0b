/**
 * Numbers for tuples of integers: equal tuples get equal numbers, from 0 in the order they turn up.
 * Exact: a tuple is compared whole with what has its hash. All in typed arrays, since the text of a
 * state is made of nothing else.
 * Leaves out: what the integers mean (keys.ts).
 */

/** Room to begin with; an exploration of a few hundred states stays below. */
const INTS = 1 << 12;
const TUPLES = 1 << 9;

export class Tuples {
  /** All tuples, one behind the other; tuple n has the integers [starts[n], starts[n + 1]). */
  private ints = new Int32Array(INTS);
  private starts = new Int32Array(TUPLES + 1);
  /** By hash: the number of a tuple, plus one; 0 where there is none. At most half full. */
  private table = new Int32Array(2 * TUPLES);
  private count = 0;
  /** Tuples under way: the last begun ends at `top`. */
  private scratch = new Int32Array(1 << 8);
  private top = 0;

  /** Begins a tuple; the one that was under way goes on when this one is closed. */
  open(): number {
    return this.top;
  }

  /** The next integer of the tuple under way. */
  push(int: number): void {
    if (this.top === this.scratch.length) this.scratch = longer(this.scratch);
    this.scratch[this.top++] = int;
  }

  /** Begins a tuple that is like another one so far. */
  openLike(tuple: number): number {
    const at = this.top;
    const [from = 0, to = 0] = [this.starts[tuple], this.starts[tuple + 1]];
    while (at + to - from > this.scratch.length) this.scratch = longer(this.scratch);
    for (let i = from; i < to; i++) this.scratch[this.top++] = this.ints[i] ?? 0;
    return at;
  }

  /** Replaces an integer of the tuple that began at `at`. */
  set(at: number, index: number, int: number): void {
    this.scratch[at + index] = int;
  }

  /** Ends the tuple that began at `at`; its number. */
  close(at: number): number {
    const { scratch, top, table } = this;
    let hash = top - at;
    for (let i = at; i < top; i++) hash = mixed(hash, scratch[i] ?? 0);
    this.top = at;
    const mask = table.length - 1;
    for (let slot = (hash ^ (hash >>> 16)) & mask; ; slot = (slot + 1) & mask) {
      const found = (table[slot] ?? 0) - 1;
      if (found >= 0 && !this.is(found, at, top)) continue;
      return found >= 0 ? found : this.add(slot, at, top);
    }
  }

  private is(tuple: number, from: number, to: number): boolean {
    const { ints, scratch, starts } = this;
    const start = starts[tuple] ?? 0;
    if ((starts[tuple + 1] ?? 0) - start !== to - from) return false;
    for (let i = from; i < to; i++) if (ints[start + i - from] !== scratch[i]) return false;
    return true;
  }

  private add(slot: number, from: number, to: number): number {
    const tuple = this.count++;
    const start = this.starts[tuple] ?? 0;
    const end = start + to - from;
    while (end > this.ints.length) this.ints = longer(this.ints);
    for (let i = from; i < to; i++) this.ints[start + i - from] = this.scratch[i] ?? 0;
    if (this.count === this.starts.length) this.starts = longer(this.starts);
    this.starts[this.count] = end;
    this.table[slot] = tuple + 1;
    if (2 * this.count > this.table.length) this.spread();
    return tuple;
  }

  /** A table of twice the size. */
  private spread(): void {
    const table = new Int32Array(2 * this.table.length);
    const mask = table.length - 1;
    const { ints, starts } = this;
    for (let tuple = 0; tuple < this.count; tuple++) {
      const [from = 0, to = 0] = [starts[tuple], starts[tuple + 1]];
      let hash = to - from;
      for (let i = from; i < to; i++) hash = mixed(hash, ints[i] ?? 0);
      let slot = (hash ^ (hash >>> 16)) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = tuple + 1;
    }
    this.table = table;
  }
}

function mixed(hash: number, int: number): number {
  return Math.imul(hash ^ int, 0x9e3779b1) ^ (hash >>> 15);
}

function longer(ints: Int32Array): Int32Array<ArrayBuffer> {
  const next = new Int32Array(2 * ints.length);
  next.set(ints);
  return next;
}
