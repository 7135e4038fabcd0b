/**
 * What an unmap or a sync event asked for, as the rules see it. One object of each is reused for
 * the whole trace.
 */

import { double } from '../double.js';
import { Direction, type EventHead } from '../events.js';
import type { MappingKind } from '../model.js';
import type { ClosedEntry } from './closed.js';
import type { DeviceState } from './device.js';
import type { LiveMapping } from './live-mapping.js';

const noHead: EventHead = { index: 0, time: 0, cpu: 0, pid: 0, task: '', name: '' };

export class UnmapCall {
  head: EventHead = noHead;
  kind: MappingKind = 'page';
  /** dma address; for dma_unmap_sg, whose event has none, the physical address of entry 0. */
  address = double;
  /** Bytes; UNKNOWN for dma_unmap_sg. */
  size = double;
  direction: Direction = Direction.None;
  attrs = 0;
  /** CPU address of dma_free as a token, '' if unknown. */
  virt = '';
  /** Entries passed to dma_unmap_sg, else 1; UNKNOWN if the list may have been cut. */
  entries = 1;
  /** Bytes that the IOMMU said it unmapped for this call, -1 if it did not say. */
  untranslated = double;

  constructor(public device: DeviceState) {}

  /** What every event has; the rest as for a single mapping. */
  fill(
    head: EventHead,
    device: DeviceState,
    kind: MappingKind,
    address: number,
    size: number,
    direction: Direction,
    attrs: number,
  ): this {
    this.head = head;
    this.device = device;
    this.kind = kind;
    this.address = address;
    this.size = size;
    this.direction = direction;
    this.attrs = attrs;
    this.virt = '';
    this.entries = 1;
    this.untranslated = -1;
    return this;
  }
}

export class SyncCall {
  head: EventHead = noHead;
  forCpu = false;
  /** The event is of a scatterlist. */
  list = false;
  dma = double;
  /** Bytes of all entries. */
  size = double;
  /** Bytes of the entry at `dma`. */
  length = double;
  direction: Direction = Direction.None;
  /** Entries passed to dma_sync_sg_*, else 1; UNKNOWN if the list may have been cut. */
  entries = 1;

  constructor(public device: DeviceState) {}

  /** What every event has; the rest as for a single mapping. */
  fill(
    head: EventHead,
    device: DeviceState,
    forCpu: boolean,
    dma: number,
    size: number,
    direction: Direction,
  ): this {
    this.head = head;
    this.device = device;
    this.forCpu = forCpu;
    this.dma = dma;
    this.size = size;
    this.length = size;
    this.direction = direction;
    this.list = false;
    this.entries = 1;
    return this;
  }
}

/** Why a call found no mapping, as far as the trace knows. */
export interface Miss {
  /** The mapping that was there, unmapped earlier in this trace; else null. */
  closed: ClosedEntry | null;
  /** Every mapping of this device is in the trace: there is none at this address. */
  wholeLife: boolean;
  /** A live mapping of this device whose *physical* address was passed; else null. */
  byPhys: LiveMapping | null;
  /** The only other device with a fitting live mapping at this address; else null. */
  elsewhere: LiveMapping | null;
  /** For a sync: a live mapping of the device that it touches or stands beside; else null. */
  near: LiveMapping | null;
}
