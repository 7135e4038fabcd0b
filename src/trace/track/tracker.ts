/**
 * Follows every mapping through a trace: what each event means for the mappings that are live.
 * State: the live mappings, the last few unmapped ones, and what waits for its dma event; all of
 * it bounded. Leaves out how that is kept (core.ts), what is wrong (judge/) and what it costs
 * (cost/).
 *
 * The order of events that it relies on is that of kernel/dma/mapping.c: map, sync and
 * dma_unmap_page events come after the operation, dma_unmap_sg and dma_free before it.
 */
import {
  Direction,
  type EventHead,
  MAPPING_ERROR,
  type NumberList,
  type PlainAllocKind,
  type SingleKind,
  type TraceSink,
  UNKNOWN,
} from '../events.js';
import type { Fault } from '../judge/rule.js';
import { TrackerCore } from './core.js';
import type { BoundHooks } from './hooks.js';
import { byPhysical } from './misses.js';

/** dma_map_sg prints at most so many entries; other lists of this length may be cut as well. */
const listMax = 128;
/** More pages in one event than any allocation order has: damage. */
const orderMax = 20;
/** Beyond it page frames are no longer exact numbers, and no machine has them. */
const pfnMax = 2 ** 40;

// Loops over lists stand alone: V8 then compiles just them, and not what is around them.

function sumOf(lengths: NumberList): number {
  let size = 0;
  for (let i = 0; i < lengths.length; i += 1) size += Math.max(0, lengths.values[i]!);
  return size;
}

/** Entries behind the mapped ones have no length, and whatever address was left there. */
function isMapped(dma: number, length: number): boolean {
  return length > 0 && dma >= 0;
}

/** Index of the first mapped entry of a list that is synced, -1 if there is none. */
function firstMapped(dma: NumberList, lengths: NumberList, count: number): number {
  for (let i = 0; i < count; i += 1) {
    if (isMapped(dma.values[i]!, lengths.values[i]!)) return i;
  }
  return -1;
}

function mappedBytes(dma: NumberList, lengths: NumberList, count: number): number {
  let size = 0;
  for (let i = 0; i < count; i += 1) {
    if (isMapped(dma.values[i]!, lengths.values[i]!)) size += lengths.values[i]!;
  }
  return size;
}

export class Tracker extends TrackerCore implements TraceSink {
  mapSingle(
    head: EventHead,
    kind: SingleKind,
    name: string,
    phys: number,
    dma: number,
    size: number,
    dir: Direction,
    attrs: number,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    if (dma === MAPPING_ERROR) {
      device.failedMaps += 1;
      this.bounces.drop(head.pid, device.id);
      return;
    }
    const m = this.books.open(device, kind, head, phys, dma, size, dir, attrs);
    if (m === null) return;
    this.books.addDma(m, dma, size);
    this.closedTable.forget(device.id, dma, false);
    const bounced = kind === 'page' ? this.bounces.take(head.pid, device.id, phys, size) : 0;
    if (bounced > 0) this.noteBounce(m, bounced);
    this.correlate(m, head);
    if (kind === 'page' && phys >= 0) {
      this.addSegment(m, head, phys, size);
    }
    this.opened(m, head);
  }

  unmapSingle(
    head: EventHead,
    kind: SingleKind,
    name: string,
    dma: number,
    size: number,
    dir: Direction,
    attrs: number,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    const call = this.unmapCall.fill(head, device, kind, dma, size, dir, attrs);
    call.untranslated = this.iommu.unmappedAt(head.pid, dma);
    this.unmapAt(call, dma, size);
  }

  mapSg(
    head: EventHead,
    name: string,
    nents: number,
    _ents: number,
    truncated: boolean,
    phys: NumberList,
    dma: NumberList,
    lengths: NumberList,
    dir: Direction,
    attrs: number,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    const size = sumOf(lengths);
    const first = dma.length > 0 ? dma.values[0]! : UNKNOWN;
    const base = phys.length > 0 ? phys.values[0]! : UNKNOWN;
    if (this.silent.size > 0) this.dropSilent(device, first);
    const m = this.books.open(device, 'sg', head, base, first, size, dir, attrs);
    if (m === null) return;
    const whole = nents === UNKNOWN ? phys.length : nents;
    m.entries = !truncated && nents === UNKNOWN && phys.length >= listMax ? UNKNOWN : whole;
    m.segmentsCut = truncated || phys.length < whole;
    this.books.addDmaList(m, dma, lengths);
    this.closedTable.forget(device.id, first, false);
    this.closedTable.forget(device.id, base, true);
    this.addSegments(m, head, phys, dma, lengths);
    this.correlate(m, head);
    this.opened(m, head);
  }

  mapSgError(head: EventHead, name: string): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    device.failedMaps += 1;
    this.bounces.drop(head.pid, device.id);
  }

  unmapSg(head: EventHead, name: string, phys: NumberList, dir: Direction, attrs: number): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    const base = phys.length > 0 ? phys.values[0]! : UNKNOWN;
    const call = this.unmapCall.fill(head, device, 'sg', base, UNKNOWN, dir, attrs);
    call.entries = phys.length >= listMax ? UNKNOWN : phys.length;
    if (base < 0) return;
    const m = this.books.bestList(device, base, call.entries, dir);
    if (m === null) this.missedUnmap(call);
    else this.unmap(m, call);
  }

  syncSingle(
    head: EventHead,
    forCpu: boolean,
    name: string,
    dma: number,
    size: number,
    dir: Direction,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    device.syncs += 1;
    if (!forCpu && size > 0 && size % 8 === 0 && size <= this.pageSize && dma % 8 === 0) {
      if (dir === Direction.ToDevice) device.entrySyncs += 1;
    }
    if (device.bounces === 0) device.syncedUnbounced = true;
    const call = this.syncCall.fill(head, device, forCpu, dma, size, dir);
    this.sync(call);
  }

  syncSg(
    head: EventHead,
    forCpu: boolean,
    name: string,
    dma: NumberList,
    lengths: NumberList,
    dir: Direction,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    device.syncs += 1;
    if (device.bounces === 0) device.syncedUnbounced = true;
    const count = Math.min(dma.length, lengths.length);
    const first = firstMapped(dma, lengths, count);
    if (first < 0) return;
    const size = mappedBytes(dma, lengths, count);
    const call = this.syncCall.fill(head, device, forCpu, dma.values[first]!, size, dir);
    call.list = true;
    call.entries = count >= listMax ? UNKNOWN : count;
    call.length = lengths.values[first]!;
    this.sync(call);
  }

  alloc(
    head: EventHead,
    kind: PlainAllocKind,
    name: string,
    virt: string,
    dma: number,
    size: number,
    dir: Direction,
    attrs: number,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    // dma_alloc_attrs traces a failure with a null virt_addr and address 0.
    if ((dma === 0 && /^(0x)?0*$/.test(virt)) || dma === MAPPING_ERROR) {
      device.failedMaps += 1;
      return;
    }
    const m = this.books.open(device, kind, head, UNKNOWN, dma, size, dir, attrs);
    if (m === null) return;
    m.virt = virt;
    this.books.addDma(m, dma, size);
    this.closedTable.forget(device.id, dma, false);
    this.correlate(m, head);
    this.opened(m, head);
  }

  free(
    head: EventHead,
    kind: PlainAllocKind,
    name: string,
    virt: string,
    dma: number,
    size: number,
    dir: Direction,
    attrs: number,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    const call = this.unmapCall.fill(head, device, kind, dma, size, dir, attrs);
    call.virt = virt;
    this.unmapAt(call, dma, size);
  }

  allocSgt(
    head: EventHead,
    name: string,
    phys: NumberList,
    dma: number,
    size: number,
    dir: Direction,
    attrs: number,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    if (dma === MAPPING_ERROR) {
      device.failedMaps += 1;
      return;
    }
    const base = phys.length > 0 ? phys.values[0]! : UNKNOWN;
    const m = this.books.open(device, 'sgt', head, base, dma, size, dir, attrs);
    if (m === null) return;
    m.entries = phys.length;
    this.books.addDma(m, dma, size);
    this.closedTable.forget(device.id, dma, false);
    for (let i = 0; i < phys.length; i += 1) {
      // dma_alloc_noncontiguous allocates whole pages.
      if (phys.values[i]! >= 0) this.books.addPhys(m, phys.values[i]!, this.pageSize);
    }
    this.correlate(m, head);
    this.opened(m, head);
  }

  freeSgt(
    head: EventHead,
    name: string,
    _phys: NumberList,
    dma: number,
    size: number,
    dir: Direction,
  ): void {
    this.dmaAt(head);
    const device = this.allDevices.get(name);
    this.unmapAt(this.unmapCall.fill(head, device, 'sgt', dma, size, dir, 0), dma, size);
  }

  iommuMap(head: EventHead, iova: number, phys: number, size: number): void {
    this.at(head);
    this.iommu.map(head, iova, phys, size);
  }

  iommuUnmap(head: EventHead, iova: number, size: number, unmapped: number): void {
    this.at(head);
    if (this.silent.size > 0 && this.closeSilent(head, iova, size)) return;
    this.iommu.unmap(head, iova, size, unmapped);
  }

  iommuAttach(head: EventHead, name: string, attached: boolean): void {
    this.at(head);
    const device = this.allDevices.get(name);
    if (attached && device.maps === 0 && device.olderThanTrace === 0) device.wholeLife = true;
  }

  ioPageFault(head: EventHead, name: string, _driver: string, iova: number, flags: number): void {
    this.at(head);
    const device = this.allDevices.get(name);
    const live = device.dma.overlapping(iova, iova + 1) > 0 ? device.dma.found[0]!.owner : null;
    const closed = this.closedTable.find(device.id, iova, false);
    const byPhys = byPhysical(this.books, device, iova);
    const fault: Fault = { device, iova, flags, live, closed, byPhys };
    for (const hook of this.hooks.faulted) hook(this, fault, head);
  }

  bounced(
    head: EventHead,
    name: string,
    dmaMask: number,
    original: number,
    size: number,
    force: boolean,
  ): void {
    this.at(head);
    const device = this.allDevices.get(name);
    device.bounces += 1;
    // A mask of 64 bits reaches everything: only the alignment of a device that does not snoop
    // is left as a reason (include/linux/dma-map-ops.h:dma_kmalloc_needs_bounce).
    if (!force && dmaMask === MAPPING_ERROR && size < 2 * this.granule) {
      device.alignmentBounces += 1;
    }
    this.bounces.add(head, device.id, original, size);
  }

  pageAlloc(head: EventHead, pfn: number, order: number): void {
    this.at(head);
    this.pages(head, pfn, order, this.hooks.pageAllocated);
  }

  pageFree(head: EventHead, pfn: number, order: number): void {
    this.at(head);
    this.pages(head, pfn, order, this.hooks.pageFreed);
  }

  pageWrittenOut(head: EventHead, pfn: number): void {
    this.at(head);
    this.pages(head, pfn, 0, this.hooks.pageWrittenOut);
  }

  fence(head: EventHead, what: string): void {
    this.at(head);
    if (what === 'signaled') this.fences += 1;
  }

  lost(): void {
    this.epoch += 1;
    this.lostTimes += 1;
    for (const device of this.allDevices.all()) device.wholeLife = false;
  }

  other(head: EventHead): void {
    this.at(head);
  }

  /** Calls the rules for every live mapping with a byte in these pages. */
  private pages(head: EventHead, pfn: number, order: number, hooks: BoundHooks['pageFreed']): void {
    this.pageEvents += 1;
    if (!(order >= 0 && order <= orderMax) || !(pfn >= 0 && pfn < pfnMax)) return;
    if (this.books.liveCount === 0) return;
    const start = pfn * this.pageSize;
    const index = this.books.phys;
    const count = index.overlapping(start, start + this.pageSize * 2 ** order);
    for (let i = 0; i < count; i += 1) {
      const m = index.found[i]!.owner;
      if (m.epoch !== this.epoch) continue;
      const at = Math.max(pfn, Math.floor(index.found[i]!.start / this.pageSize));
      for (const hook of hooks) hook(this, m, head, at);
    }
  }
}
