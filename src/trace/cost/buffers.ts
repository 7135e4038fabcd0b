/**
 * The dearest buffers: the same memory mapped for the same device again and again. A trace can
 * have millions of buffers; a table of constant size keeps those that cost most, in the way of a
 * set-associative cache: a new buffer takes the place of the cheapest in its set, and inherits
 * nothing. A buffer in steady use is dear and stays; counts of one that was put out and came back
 * are too low, never too high.
 */

import { double } from '../double.js';
import type { Direction } from '../events.js';
import type { Site } from '../track/device.js';
import type { LiveMapping } from '../track/live-mapping.js';

const ways = 4;
const sets = 1 << 11;

export class BufferEntry {
  /** Of the first map. */
  task = '';
  phys = double;
  size = double;
  direction: Direction = 0;
  maps = 0;
  syncs = 0;
  bytesCleaned = double;
  bytesInvalidated = double;
  bytesBounced = double;
  invalidations = 0;
  firstTime = double;

  constructor(public site: Site) {}

  /**
   * What it cost in bytes moved: maintenance and copies, and one page's worth for a map and for an
   * IOTLB invalidation, so that many small maps show as well. An order, not a time.
   */
  get weight(): number {
    const moved = this.bytesCleaned + this.bytesInvalidated + 2 * this.bytesBounced;
    return moved + 1024 * this.maps + 4096 * this.invalidations;
  }
}

function setOf(device: number, phys: number, size: number): number {
  const line = (phys / 64) | 0;
  const mixed = Math.imul(line, 0x9e37_79b1) ^ Math.imul(device + 1, 0x85eb_ca6b);
  return ((mixed ^ (mixed >>> 15)) + size / 64) & (sets - 1);
}

export class BufferTable {
  private readonly entries: (BufferEntry | undefined)[] = new Array(sets * ways).fill(undefined);
  /** Addresses of the entries in one piece of memory: a search seldom has to look at an entry. */
  private readonly phys = new Float64Array(sets * ways).fill(Number.NaN);
  /** Their weights, as well; 0 for a free place. */
  private readonly weights = new Float64Array(sets * ways);

  add(m: LiveMapping): void {
    if (m.phys < 0 || m.pageTable) return;
    const place = this.placeOf(m);
    const entry = this.entries[place]!;
    entry.maps += 1;
    entry.syncs += m.syncsForCpu + m.syncsForDevice;
    entry.bytesCleaned += m.bytesCleaned;
    entry.bytesInvalidated += m.bytesInvalidated;
    entry.bytesBounced += m.bytesBounced;
    entry.invalidations += m.invalidations;
    this.weights[place] = entry.weight;
  }

  /** All buffers still known, in no order. */
  all(): BufferEntry[] {
    return this.entries.filter((entry) => entry !== undefined);
  }

  private placeOf(m: LiveMapping): number {
    const { group } = m.site;
    const base = setOf(m.deviceState.id, m.phys, m.size) * ways;
    for (let place = base; place < base + ways; place += 1) {
      if (this.phys[place] !== m.phys) continue;
      const entry = this.entries[place]!;
      if (entry.size === m.size && entry.site === group) return place;
    }
    const place = this.placeIn(base);
    this.phys[place] = m.phys;
    const entry = this.entries[place] ?? new BufferEntry(group);
    this.entries[place] = entry;
    fill(entry, m);
    return place;
  }

  /** Where a new buffer of this set goes: a free place, else that of the cheapest. */
  private placeIn(base: number): number {
    let cheapest = base;
    let least = Number.POSITIVE_INFINITY;
    for (let place = base; place < base + ways; place += 1) {
      const weight = this.weights[place]!;
      if (weight < least) {
        cheapest = place;
        least = weight;
      }
    }
    return cheapest;
  }
}

function fill(entry: BufferEntry, m: LiveMapping): void {
  entry.site = m.site.group;
  entry.task = m.site.task;
  entry.phys = m.phys;
  entry.size = m.size;
  entry.direction = m.direction;
  entry.maps = 0;
  entry.syncs = 0;
  entry.bytesCleaned = 0;
  entry.bytesInvalidated = 0;
  entry.bytesBounced = 0;
  entry.invalidations = 0;
  entry.firstTime = m.mappedAt;
}
