/**
 * Mappings that were just unmapped, so that a second unmap or a late sync can name the first
 * unmap. Memory is constant: an old entry gives way to a new one, and what has been forgotten is
 * simply not claimed.
 */

import { double } from '../double.js';
import type { EventHead } from '../events.js';
import type { LiveMapping } from './live-mapping.js';

const ways = 4;
const sets = 1 << 13;
const pageSize = 4096;

/** One unmapped mapping. */
export class ClosedEntry {
  device = -1;
  /** The DMA address, or for a scatterlist the physical address of its first entry. */
  address = double;
  size = double;
  byPhys = false;
  mapping = 0;
  epoch = 0;
  time = double;
  cpu = 0;
  pid = 0;
  task = '';
  event = '';
  translated: boolean | null = null;
}

function setOf(device: number, address: number): number {
  // The low bits of the page number spread well; the device keeps equal IOVAs apart.
  return ((address / pageSize) ^ Math.imul(device, 0x9e37)) & (sets - 1);
}

export class ClosedTable {
  private readonly entries: (ClosedEntry | undefined)[] = new Array(sets * ways).fill(undefined);
  private readonly turn = new Uint8Array(sets);

  /** Remembers a mapping that `head` unmapped. */
  add(mapping: LiveMapping, head: EventHead, epoch: number): void {
    this.put(mapping, mapping.dma, false, head, epoch);
    if (mapping.kind === 'sg') this.put(mapping, mapping.phys, true, head, epoch);
  }

  /** The address is mapped again: what happened to it before no longer matters. */
  forget(device: number, address: number, byPhys: boolean): void {
    const base = setOf(device, address) * ways;
    for (let way = 0; way < ways; way += 1) {
      const entry = this.entries[base + way];
      if (entry === undefined || entry.device !== device || entry.byPhys !== byPhys) continue;
      if (entry.address <= address && address < entry.address + entry.size) entry.device = -1;
    }
  }

  /** The entry that holds `address`, or null. */
  find(device: number, address: number, byPhys: boolean): ClosedEntry | null {
    const base = setOf(device, address) * ways;
    let best: ClosedEntry | null = null;
    for (let way = 0; way < ways; way += 1) {
      const entry = this.entries[base + way];
      if (entry === undefined || entry.device !== device || entry.byPhys !== byPhys) continue;
      if (address < entry.address || address >= entry.address + entry.size) continue;
      if (best === null || entry.time > best.time) best = entry;
    }
    return best;
  }

  private put(
    mapping: LiveMapping,
    address: number,
    byPhys: boolean,
    head: EventHead,
    epoch: number,
  ): void {
    const device = mapping.deviceState.id;
    const entry = this.entryFor(device, address, byPhys);
    entry.device = device;
    entry.address = address;
    entry.size = mapping.size;
    entry.byPhys = byPhys;
    entry.mapping = mapping.id;
    entry.epoch = epoch;
    entry.time = head.time;
    entry.cpu = head.cpu;
    entry.pid = head.pid;
    entry.task = head.task;
    entry.event = head.name;
    entry.translated = mapping.translated;
  }

  /** The entry that holds this address already, else a free one, else the next in turn. */
  private entryFor(device: number, address: number, byPhys: boolean): ClosedEntry {
    const set = setOf(device, address);
    const base = set * ways;
    for (let place = base; place < base + ways; place += 1) {
      const entry = this.entries[place];
      if (entry === undefined) return this.made(place);
      if (entry.device === -1) return entry;
      if (entry.device === device && entry.address === address && entry.byPhys === byPhys) {
        return entry;
      }
    }
    const way = this.turn[set]!;
    this.turn[set] = (way + 1) % ways;
    return this.entries[base + way]!;
  }

  private made(place: number): ClosedEntry {
    const entry = new ClosedEntry();
    this.entries[place] = entry;
    return entry;
  }
}
