/**
 * Which live ranges hold an address: an index over intervals of addresses that costs the same
 * however many there are. A range lies in the level whose buckets are just as large as itself, so
 * it touches at most two buckets, and a search looks at one or two buckets in each level in use.
 * Leaves out any order of the ranges; nothing here asks for the next one.
 */
import type { LiveMapping } from './live-mapping.js';

/** Buckets are never smaller than this: most mappings are pages or parts of one. */
const levelMin = 12;
const levelMax = 63;

/** A range in a bucket. One that crosses the border of two buckets has two nodes. */
export interface RangeNode {
  start: number;
  /** Exclusive. */
  end: number;
  owner: LiveMapping;
  bucket: number;
  level: number;
  /** Another node of the same bucket. */
  next: RangeNode | null;
  /** Another node of the same owner. */
  sibling: RangeNode | null;
}

const powers = Float64Array.from({ length: levelMax + 1 }, (_, level) => 2 ** level);

function levelOf(size: number): number {
  let level = levelMin;
  while (level < levelMax && powers[level]! < size) level += 1;
  return level;
}

export class RangeIndex {
  private readonly levels: (Map<number, RangeNode> | undefined)[] = [];
  /** Levels that ever held a range, from the smallest. */
  private readonly used: number[] = [];
  private spare: RangeNode | null = null;
  /** Results of the last search; only the first `count` of them. */
  readonly found: RangeNode[] = [];

  /** Adds [start, end) and returns its node, linked to `sibling`. */
  add(start: number, end: number, owner: LiveMapping, sibling: RangeNode | null): RangeNode {
    const level = levelOf(end - start);
    const first = Math.floor(start / powers[level]!);
    const last = Math.floor((end - 1) / powers[level]!);
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
    let count = 0;
    for (const level of this.used) {
      const bucket = Math.floor(address / powers[level]!);
      let node = this.levels[level]!.get(bucket) ?? null;
      for (; node !== null; node = node.next) {
        if (node.start === address) this.found[count++] = node;
      }
    }
    return count;
  }

  /** Collects the ranges that share a byte with [start, end), each once; returns how many. */
  overlapping(start: number, end: number): number {
    let count = 0;
    for (const level of this.used) {
      const power = powers[level]!;
      const buckets = this.levels[level]!;
      const first = Math.floor(start / power);
      const last = Math.floor((end - 1) / power);
      if (last - first > buckets.size) {
        for (const [bucket, node] of buckets) {
          if (bucket >= first && bucket <= last) {
            count = this.collect(node, start, end, bucket, first, count);
          }
        }
        continue;
      }
      for (let bucket = first; bucket <= last; bucket += 1) {
        const node = buckets.get(bucket);
        if (node !== undefined) count = this.collect(node, start, end, bucket, first, count);
      }
    }
    return count;
  }

  private collect(
    head: RangeNode,
    start: number,
    end: number,
    bucket: number,
    first: number,
    before: number,
  ): number {
    let count = before;
    for (let node: RangeNode | null = head; node !== null; node = node.next) {
      if (node.start >= end || node.end <= start) continue;
      // A range in two buckets counts in the first one that the search looks at.
      const own = Math.floor(node.start / powers[node.level]!);
      if (bucket === own || bucket === first) this.found[count++] = node;
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
    const buckets = this.levels[level] ?? this.open(level);
    const next = buckets.get(bucket) ?? null;
    let node = this.spare;
    if (node === null) {
      node = { start, end, owner, bucket, level, next, sibling };
    } else {
      this.spare = node.sibling;
      node.start = start;
      node.end = end;
      node.owner = owner;
      node.bucket = bucket;
      node.level = level;
      node.next = next;
      node.sibling = sibling;
    }
    buckets.set(bucket, node);
    return node;
  }

  private open(level: number): Map<number, RangeNode> {
    const buckets = new Map<number, RangeNode>();
    this.levels[level] = buckets;
    this.used.push(level);
    this.used.sort((a, b) => a - b);
    return buckets;
  }

  private remove(node: RangeNode): void {
    const buckets = this.levels[node.level]!;
    const head = buckets.get(node.bucket);
    if (head === node) {
      if (node.next === null) buckets.delete(node.bucket);
      else buckets.set(node.bucket, node.next);
    } else {
      let before = head ?? null;
      while (before !== null && before.next !== node) before = before.next;
      if (before !== null) before.next = node.next;
    }
    node.next = null;
    node.sibling = this.spare;
    this.spare = node;
  }
}
