/**
 * A mapping while it lives: what model.ts promises of it, and what only the tracker and the rules
 * need. Records are pooled, since a busy machine maps a million times a minute.
 */

import { double } from '../double.js';
import { Direction } from '../events.js';
import type { Mapping, MappingKind } from '../model.js';
import type { DeviceState, Site } from './device.js';
import type { RangeNode } from './range-index.js';

export class LiveMapping implements Mapping {
  id = 0;
  device = '';
  kind: MappingKind = 'page';
  phys = double;
  dma = double;
  size = double;
  direction: Direction = Direction.None;
  attrs = 0;
  entries = 1;
  mappedAt = double;
  mapCpu = 0;
  mapPid = 0;
  mapTask = '';
  mapEvent = '';
  unmappedAt: number = double;
  unmapCpu = -1;
  unmapPid = -1;
  unmapTask = '';
  unmapEvent = '';
  bounced = false;
  translated: boolean | null = null;
  pageTable = false;
  syncsForCpu = 0;
  syncsForDevice = 0;
  bytesCleaned = double;
  bytesInvalidated = double;
  bytesBounced = double;
  invalidations = 0;

  live = false;
  /** Where it stands in the list of live mappings. */
  place = 0;
  /** Bytes of it that are in bounce slots. */
  bouncedSize = double;
  /** The tracker's epoch when it was mapped: events lost since then may concern it. */
  epoch = 0;
  /** Token of the CPU address of dma_alloc, '' if unknown. */
  virt = '';
  /** Another device had the same memory mapped, as dma-buf does. */
  shared = false;
  /** Its pages were freed, and that has been told. */
  freed = false;
  /** Last sync: 0 none yet, 1 for the CPU, 2 for the device. */
  owner = 0;
  /** Bytes synced for the CPU since it was last synced for the device. */
  cpuBytes = double;
  /** The last range synced for the CPU, in bytes of the mapping. */
  cpuStart = double;
  cpuEnd = double;
  /** Number of fences signalled in the whole trace before it was mapped. */
  fencesBefore = 0;
  /** Number of DMA events of its CPU before it was mapped. */
  serial = 0;
  /** The physical segments are not all known: a cut list, or merged entries without lengths. */
  segmentsCut = false;
  dmaNodes: RangeNode | null = null;
  physNodes: RangeNode | null = null;

  constructor(
    public deviceState: DeviceState,
    public site: Site,
  ) {}

  /** The address after its last byte, for one that is contiguous for the device. */
  get dmaEnd(): number {
    return this.dma + this.size;
  }
}

/** Recycles records. */
export class MappingPool {
  private readonly spare: LiveMapping[] = [];

  take(device: DeviceState, site: Site): LiveMapping {
    const mapping = this.spare.pop();
    if (mapping === undefined) return new LiveMapping(device, site);
    mapping.deviceState = device;
    mapping.site = site;
    return mapping;
  }

  give(mapping: LiveMapping): void {
    this.spare.push(mapping);
  }
}

/** What a record holds before its map event fills it in. */
export function reset(mapping: LiveMapping): void {
  mapping.unmappedAt = -1;
  mapping.unmapCpu = -1;
  mapping.unmapPid = -1;
  mapping.unmapTask = '';
  mapping.unmapEvent = '';
  mapping.bounced = false;
  mapping.translated = null;
  mapping.pageTable = false;
  mapping.syncsForCpu = 0;
  mapping.syncsForDevice = 0;
  mapping.bytesCleaned = 0;
  mapping.bytesInvalidated = 0;
  mapping.bytesBounced = 0;
  mapping.invalidations = 0;
  mapping.live = true;
  mapping.bouncedSize = 0;
  mapping.virt = '';
  mapping.shared = false;
  mapping.freed = false;
  mapping.owner = 0;
  mapping.cpuBytes = 0;
  mapping.cpuStart = 0;
  mapping.cpuEnd = 0;
  mapping.segmentsCut = false;
  mapping.dmaNodes = null;
  mapping.physNodes = null;
}
