/**
 * Which live ranges hold an address: an index over intervals of addresses that costs the same
 * however many there are. A range lies in the level whose buckets are just as large as itself, so
 * it touches at most two buckets, and a search looks at one or two buckets in each level in use.
 * All buckets share one hash table. Leaves out any order of the ranges; nothing here asks for the
 * next one.
 */
import { double } from '../double.js';
import type { LiveMapping } from './live-mapping.js';

/** Buckets are never smaller than this: most mappings are pages or parts of one. */
const levelMin = 12;
const levelMax = 63;

/** A range in a bucket. One that crosses the border of two buckets has two nodes. */
export class RangeNode {
  start = double;
  /** Exclusive. */
  end = double;
  bucket = double;
  level = levelMin;
  /** Another node of the same chain of the hash table. */
  next: RangeNode | null = null;
  /** Another node of the same owner. */
  sibling: RangeNode | null = null;

  constructor(public owner: LiveMapping) {}
}

const powers = Float64Array.from({ length: levelMax + 1 }, (_, level) => 2 ** level);
/** Multiplying is much cheaper than dividing, and exact for powers of two. */
const inverse = Float64Array.from({ length: levelMax + 1 }, (_, level) => 2 ** -level);

function levelOf(size: number): number {
  let level = levelMin;
  while (level < levelMax && powers[level]! < size) level += 1;
  return level;
}

function hash(bucket: number, level: number): number {
  const mixed = Math.imul((bucket | 0) + Math.imul(level, 0x2c1b_3c6d), 0x9e37_79b1);
  return mixed ^ (mixed >>> 15);
}

const results: RangeNode[] = [];

export class RangeIndex {
  private chains: (RangeNode | null)[] = new Array(64).fill(null);
  private mask = 63;
  private nodes = 0;
  /** Levels that ever held a range, the smallest first. */
  private used: readonly number[] = [];
  /** Nodes at each level: most levels are empty most of the time. */
  private readonly counts = new Int32Array(levelMax + 1);
  private spare: RangeNode | null = null;
  /**
   * Results of the last search; only the first `count` of them. One list for all indexes: each list
   * of its own would be of another kind to V8 until it had held a node.
   */
  readonly found = results;

  /** Adds [start, end) and returns its node, linked to `sibling`. */
  add(start: number, end: number, owner: LiveMapping, sibling: RangeNode | null): RangeNode {
    const level = end - start <= 4096 ? levelMin : levelOf(end - start);
    const first = Math.floor(start * inverse[level]!);
    const last = Math.floor((end - 1) * inverse[level]!);
    const node = this.insert(start, end, owner, level, first, sibling);
    return last > first ? this.insert(start, end, owner, level, last, node) : node;
  }

  /** Removes a node and all its siblings. */
  removeAll(node: RangeNode | null): void {
    let each = node;
    while (each !== null) {
      const { sibling } = each;
      this.remove(each);
      each = sibling;
    }
  }

  /** Collects the ranges that begin at `address` exactly; returns how many. */
  startingAt(address: number): number {
    const { used } = this;
    let count = 0;
    for (let i = 0; i < used.length; i += 1) {
      const level = used[i]!;
      if (this.counts[level] === 0) continue;
      const bucket = Math.floor(address * inverse[level]!);
      let node = this.chains[hash(bucket, level) & this.mask]!;
      for (; node !== null; node = node.next!) {
        if (node.start === address && node.level === level && node.bucket === bucket) {
          this.found[count++] = node;
        }
      }
    }
    return count;
  }

  /** Collects the ranges that share a byte with [start, end), each once; returns how many. */
  overlapping(start: number, end: number): number {
    // Above it, as in a damaged trace, a bucket has no next one: counting would not end.
    if (!(start >= 0 && end <= Number.MAX_SAFE_INTEGER)) return 0;
    const { used } = this;
    let count = 0;
    for (let i = 0; i < used.length; i += 1) {
      const level = used[i]!;
      if (this.counts[level] === 0) continue;
      const first = Math.floor(start * inverse[level]!);
      const last = Math.floor((end - 1) * inverse[level]!);
      if (last - first > this.chains.length) {
        count = this.collectAll(start, end, level, count);
        continue;
      }
      for (let bucket = first; bucket <= last; bucket += 1) {
        let node = this.chains[hash(bucket, level) & this.mask]!;
        for (; node !== null; node = node.next!) {
          if (node.start >= end || node.end <= start) continue;
          if (node.bucket !== bucket || node.level !== level) continue;
          // A range in two buckets counts in the first one that the search looks at.
          if (bucket === first || node.start * inverse[level]! >= bucket) {
            this.found[count++] = node;
          }
        }
      }
    }
    return count;
  }

  /** A search wider than the whole table. */
  private collectAll(start: number, end: number, level: number, before: number): number {
    const first = Math.floor(start * inverse[level]!);
    let count = before;
    for (const chain of this.chains) {
      for (let node = chain; node !== null; node = node.next) {
        if (node.level !== level || node.start >= end || node.end <= start) continue;
        const own = node.start * inverse[level]! >= node.bucket;
        if (own ? node.bucket >= first : node.bucket === first) this.found[count++] = node;
      }
    }
    return count;
  }

  private insert(
    start: number,
    end: number,
    owner: LiveMapping,
    level: number,
    bucket: number,
    sibling: RangeNode | null,
  ): RangeNode {
    if (this.nodes > this.mask) this.grow();
    if (!this.used.includes(level)) this.used = [...this.used, level].sort((a, b) => a - b);
    const chain = hash(bucket, level) & this.mask;
    const node = this.spare ?? new RangeNode(owner);
    if (node === this.spare) this.spare = node.sibling;
    node.start = start;
    node.end = end;
    node.owner = owner;
    node.bucket = bucket;
    node.level = level;
    node.next = this.chains[chain]!;
    node.sibling = sibling;
    this.chains[chain] = node;
    this.nodes += 1;
    this.counts[level]! += 1;
    return node;
  }

  private grow(): void {
    const old = this.chains;
    this.mask = old.length * 2 - 1;
    this.chains = new Array(old.length * 2).fill(null);
    for (const chain of old) {
      let node = chain;
      while (node !== null) {
        const { next } = node;
        const place = hash(node.bucket, node.level) & this.mask;
        node.next = this.chains[place]!;
        this.chains[place] = node;
        node = next;
      }
    }
  }

  private remove(node: RangeNode): void {
    const chain = hash(node.bucket, node.level) & this.mask;
    let each = this.chains[chain]!;
    if (each === node) {
      this.chains[chain] = node.next;
    } else {
      while (each.next !== node) each = each.next!;
      each.next = node.next;
    }
    node.next = null;
    node.sibling = this.spare;
    this.spare = node;
    this.nodes -= 1;
    this.counts[node.level]! -= 1;
  }
}
