/**
 * Which track a mapping is shown on. Every buffer, that is the same memory given to the same
 * device, has a track of its own, so that its life can be read along one line. Slices of a track
 * must not overlap: a second mapping of a buffer at the same time, and buffers beyond a limit, go
 * to further tracks of the device, the first one free. Leaves out what is drawn on them.
 */

import { UNKNOWN } from '../events.js';
import type { Mapping } from '../model.js';
import { bytesShort } from './units.js';

/** Buffers of a device that get a track of their own. */
export const buffersMax = 1000;

/** A track; `busy` while a mapping is on it. */
export interface Lane {
  readonly uuid: number;
  busy: boolean;
}

/** Declares a track under the device's: name, and position among its siblings. */
type Declare = (name: string, rank: number) => number;

const rank = { buffers: 10, others: 1_000_000 } as const;

export class DeviceLanes {
  private readonly buffers = new Map<string, Lane>();
  private readonly free: Lane[] = [];
  private others = 0;

  constructor(private readonly declare: Declare) {}

  take(mapping: Mapping): Lane {
    const own = this.bufferLane(mapping);
    const lane = own === null || own.busy ? this.otherLane() : own;
    lane.busy = true;
    return lane;
  }

  give(lane: Lane): void {
    lane.busy = false;
    if (this.shared.has(lane.uuid)) this.free.push(lane);
  }

  private readonly shared = new Set<number>();

  private bufferLane(mapping: Mapping): Lane | null {
    const byPhys = mapping.phys !== UNKNOWN;
    const at = byPhys ? mapping.phys : mapping.dma;
    const key = `${byPhys ? 'p' : 'd'}${at}:${mapping.size}`;
    const known = this.buffers.get(key);
    if (known !== undefined) return known;
    if (this.buffers.size >= buffersMax) return null;
    const name = `${byPhys ? 'phys' : 'dma'} 0x${at.toString(16)}, ${bytesShort(mapping.size)}`;
    const order = rank.buffers + this.buffers.size;
    const lane = { uuid: this.declare(name, order), busy: false };
    this.buffers.set(key, lane);
    return lane;
  }

  private otherLane(): Lane {
    const free = this.free.pop();
    if (free !== undefined) return free;
    this.others += 1;
    const name = `more mappings ${this.others}`;
    const lane = { uuid: this.declare(name, rank.others + this.others), busy: false };
    this.shared.add(lane.uuid);
    return lane;
  }
}
