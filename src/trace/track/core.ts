/**
 * What the tracker does once it knows what an event means: opens and closes mappings, matches
 * calls with them, correlates bounces and the IOMMU, calls the rules. Leaves out which event
 * means what (tracker.ts).
 */
import { Ledger } from '../cost/ledger.js';
import { onMap, onSync, onUnmap } from '../cost/maintenance.js';
import { double } from '../double.js';
import { Direction, type EventHead, type NumberList } from '../events.js';
import { Findings } from '../judge/findings.js';
import type { Rule, World } from '../judge/rule.js';
import type { TraceObserver } from '../model.js';
import { Books } from './books.js';
import { PendingBounces } from './bounces.js';
import { SyncCall, UnmapCall } from './calls.js';
import { ClosedTable } from './closed.js';
import { type DeviceState, Devices } from './device.js';
import { type BoundHooks, bindHooks } from './hooks.js';
import { IommuCorrelation, notMapped } from './iommu.js';
import type { LiveMapping } from './live-mapping.js';
import { Misses } from './misses.js';
import { tellOverlaps } from './overlaps.js';
import { plainMap, plainSync, plainUnmap } from './plain.js';
import { Sampler } from './sampler.js';

/** A power of two; CPUs beyond share counters, which makes a rule say less and never more. */
const cpusMax = 4096;
const silentMax = 256;
/** An epoch that never comes: nothing is claimed about a mapping of it. */
const neverClaimed = -1;
/** Bytes of an event and of its page that are not the list, with room for a long device name. */
const eventRest = 100;

export interface TrackerSettings {
  readonly granule: number;
  readonly pageSize: number;
}

export class TrackerCore implements World {
  readonly granule: number;
  readonly pageSize: number;
  readonly findings: Findings;
  readonly books = new Books();
  readonly allDevices = new Devices();
  readonly iommu: IommuCorrelation;
  readonly ledger = new Ledger();
  readonly buffers = this.ledger.buffers;
  epoch = 0;
  fences = 0;
  now = double;
  first = double - 1;
  events = 0;
  pageEvents = 0;
  lostTimes = 0;
  protected readonly hooks: BoundHooks;
  protected readonly closedTable = new ClosedTable();
  protected readonly bounces = new PendingBounces();
  protected readonly misses: Misses;
  protected readonly sampler: Sampler;
  /** DMA events by CPU. */
  protected readonly serials = new Int32Array(cpusMax);
  protected readonly unmapCall: UnmapCall;
  protected readonly syncCall: SyncCall;
  protected lastSynced: LiveMapping | null = null;
  protected readonly silent = new Set<LiveMapping>();
  /** Lists that were too long for the event that ends them. */
  silentLists = 0;

  constructor(
    rules: readonly Rule[],
    settings: TrackerSettings,
    protected readonly observer: TraceObserver,
  ) {
    this.granule = settings.granule;
    this.pageSize = settings.pageSize;
    this.findings = new Findings(observer);
    this.hooks = bindHooks(rules);
    this.iommu = new IommuCorrelation(settings.pageSize);
    this.misses = new Misses(this.books, this.allDevices, this.closedTable);
    this.sampler = new Sampler(this.allDevices);
    const nobody = new Devices().get('');
    this.unmapCall = new UnmapCall(nobody);
    this.syncCall = new SyncCall(nobody);
  }

  devices(): Iterable<DeviceState> {
    return this.allDevices.all();
  }

  liveMappings(): readonly LiveMapping[] {
    return this.books.all();
  }

  protected at(head: EventHead): void {
    if (this.first < 0) this.first = head.time;
    this.now = head.time;
    this.events += 1;
  }

  /** A DMA event: like `at`, and counts it for its CPU. */
  protected dmaAt(head: EventHead): void {
    this.at(head);
    const { cpu } = head;
    if (cpu >= 0) this.serials[cpu & (cpusMax - 1)]! += 1;
    if (head.time >= this.sampler.next) this.sampler.sample(head.time);
  }

  serialOf(cpu: number): number {
    return this.serials[cpu & (cpusMax - 1)]!;
  }

  /** The last step of every map event. */
  protected opened(m: LiveMapping, head: EventHead): void {
    m.epoch = this.epoch;
    if (m.kind === 'sg') this.openSilent(m);
    m.fencesBefore = this.fences;
    m.serial = this.serialOf(head.cpu);
    onMap(m, this.pageSize);
    if (!plainMap(m)) {
      const { mapped } = this.hooks;
      for (let i = 0; i < mapped.length; i += 1) mapped[i]!(this, m, head);
    }
    this.observer.opened?.(m);
  }

  protected noteBounce(m: LiveMapping, bytes: number): void {
    m.bounced = true;
    m.bouncedSize = bytes;
    const { group } = m.site;
    group.bounces += 1;
    group.bouncedBytes += bytes;
    if (m.size < 2 * this.granule) group.smallBounces += 1;
  }

  /** Finds the iommu:map of a mapping: is it translated, and does it lead to its own memory? */
  protected correlate(m: LiveMapping, head: EventHead): void {
    const { deviceState: device } = m;
    const behind = this.iommu.physOf(head.pid, m.dma);
    if (behind !== notMapped) {
      m.translated = true;
      device.translated = true;
      // Without swiotlb events a bounce still shows: the IOMMU leads elsewhere.
      if (m.kind !== 'page' || m.phys < 0 || behind < 0 || m.bounced) return;
      const { pageSize } = this;
      if (Math.floor(behind / pageSize) !== Math.floor(m.phys / pageSize)) {
        this.noteBounce(m, m.size);
      }
      return;
    }
    if (m.kind === 'page' && m.dma === m.phys) m.translated = false;
    else if (device.translated === true) m.translated = true;
    if (m.translated === false && device.translated === null) device.translated = false;
  }

  /** Physical segments of a scatterlist, neighbours joined. */
  protected addSegments(
    m: LiveMapping,
    head: EventHead,
    phys: NumberList,
    dma: NumberList,
    lengths: NumberList,
  ): void {
    const count = phys.length;
    // All is read before anything depends on it: V8 compiles anew what it never saw read before.
    const { size, segmentsCut } = m;
    const { length: mapped } = dma;
    const { length: lengthCount, values: lengthOf } = lengths;
    const single = count === 1 && !segmentsCut;
    // Entries the IOMMU merged have no lengths of their own, except where all are whole pages.
    const pages = size === count * this.pageSize && !segmentsCut;
    const unmerged = Math.abs(mapped - count) + Math.abs(lengthCount - count) === 0;
    if (!single && !pages && !unmerged) m.segmentsCut = true;
    let start = -1;
    let end = -1;
    for (let i = 0; i < count; i += 1) {
      const at = phys.values[i]!;
      if (at < 0) continue;
      let length = this.pageSize - (at % this.pageSize);
      if (single) length = size;
      else if (unmerged) length = lengthOf[i]!;
      if (!(length > 0)) continue;
      const bytes = this.bounces.take(head.pid, m.deviceState.id, at, length);
      if (bytes > 0) this.noteBounce(m, m.bouncedSize + bytes);
      if (at === end) {
        end += length;
        continue;
      }
      if (end > start) this.addSegment(m, head, start, end - start);
      start = at;
      end = at + length;
    }
    if (end > start) this.addSegment(m, head, start, end - start);
  }

  protected addSegment(m: LiveMapping, head: EventHead, start: number, size: number): void {
    tellOverlaps(this, this.books.phys, m, start, size, head, this.hooks.overlapped);
    this.books.addPhys(m, start, size);
  }

  protected unmapAt(call: UnmapCall, dma: number, size: number): void {
    const m = dma < 0 ? null : this.books.bestAt(call.device, dma, call.kind, size, call.direction);
    if (m === null) this.missedUnmap(call);
    else this.unmap(m, call);
  }

  protected unmap(m: LiveMapping, call: UnmapCall): void {
    const { head } = call;
    if (m.epoch === this.epoch && !plainUnmap(m, call)) {
      const { unmapped } = this.hooks;
      for (let i = 0; i < unmapped.length; i += 1) unmapped[i]!(this, m, call);
    }
    onUnmap(m, call.attrs);
    if (call.untranslated >= 0) m.invalidations += 1;
    else if (m.translated === true && call.kind !== 'page' && call.kind !== 'resource') {
      // dma_unmap_sg and dma_free come first; their iommu:unmap follows.
      m.invalidations += 1;
      this.iommu.expect(head.pid, m.dma, m.size);
    }
    this.endBy(m, head);
  }

  /**
   * dma_unmap_sg has all entries in its event, and an event must fit into a page of the ring
   * buffer: for a longer list it is never recorded. Such a mapping is no ground for any claim, and
   * is closed by the iommu:unmap of its range, or when its address is mapped again.
   */
  protected openSilent(m: LiveMapping): void {
    if (m.entries * 8 <= this.pageSize - eventRest) return;
    m.epoch = neverClaimed;
    this.silent.add(m);
    this.silentLists += 1;
    // Without an IOMMU nothing ends them: the oldest is given up.
    const [oldest] = this.silent;
    if (this.silent.size > silentMax && oldest !== undefined) this.retire(oldest);
  }

  /** The iommu:unmap of a mapping whose own event could not be recorded. */
  protected closeSilent(head: EventHead, iova: number, size: number): boolean {
    for (const m of this.silent) {
      if (m.dma !== iova || Math.ceil(m.size / this.pageSize) * this.pageSize !== size) continue;
      onUnmap(m, m.attrs);
      m.invalidations += 1;
      this.endBy(m, head);
      return true;
    }
    return false;
  }

  /** Silent mappings that this address must have outlived. */
  protected dropSilent(device: DeviceState, dma: number): void {
    for (const m of this.silent) {
      if (m.deviceState === device && m.dma === dma) this.retire(m);
    }
  }

  private endBy(m: LiveMapping, head: EventHead): void {
    m.unmappedAt = head.time;
    m.unmapCpu = head.cpu;
    m.unmapPid = head.pid;
    m.unmapTask = head.task;
    m.unmapEvent = head.name;
    this.closedTable.add(m, head, this.epoch);
    this.retire(m);
  }

  /** Takes a mapping out and gives its record back. */
  private retire(m: LiveMapping): void {
    if (m.epoch === neverClaimed) this.silent.delete(m);
    this.books.close(m);
    this.ledger.closed(m);
    this.observer.closed?.(m);
    if (this.lastSynced === m) this.lastSynced = null;
    this.books.recycle(m);
  }

  protected missedUnmap(call: UnmapCall): void {
    const miss = this.misses.ofUnmap(call, this.epoch);
    const known = miss.closed !== null || miss.wholeLife || miss.byPhys !== null;
    if (!known && miss.elsewhere === null && call.address >= 0) {
      call.device.olderThanTrace += 1;
      return;
    }
    for (const hook of this.hooks.unmapMissed) hook(this, call, miss);
  }

  /** The live mapping that a sync is for: one that holds all of it, in its direction if any. */
  private holder(call: SyncCall): LiveMapping | null {
    const { device, dma, length } = call;
    const last = this.lastSynced;
    if (last !== null && last.deviceState === device && last.direction === call.direction) {
      if (dma >= last.dma && dma + length <= last.dmaEnd && last.kind === 'page') return last;
    }
    const index = device.dma;
    const count = index.overlapping(dma, dma + length);
    let chosen: LiveMapping | null = null;
    for (let i = 0; i < count; i += 1) {
      const node = index.found[i]!;
      if (node.start > dma || node.end < dma + length) continue;
      const m = node.owner;
      if (chosen === null || (m.direction === call.direction && chosen.direction !== m.direction)) {
        chosen = m;
      }
    }
    this.lastSynced = chosen;
    return chosen;
  }

  protected sync(call: SyncCall): void {
    if (!(call.length > 0) || call.dma < 0) {
      if (call.length > 0) this.missedSync(call);
      return;
    }
    const m = this.holder(call);
    if (m === null) {
      this.missedSync(call);
      return;
    }
    const offset = call.dma - m.dma;
    if (m.epoch === this.epoch && !plainSync(m, call)) {
      const { synced } = this.hooks;
      for (let i = 0; i < synced.length; i += 1) synced[i]!(this, m, call, offset);
    }
    const { forCpu, size } = call;
    if (!forCpu && m.syncsForDevice === 0) this.notePageTable(m, size);
    onSync(m, forCpu, size, call.direction);
    if (forCpu) {
      m.syncsForCpu += 1;
      m.cpuBytes += size;
      m.owner = 1;
    } else {
      m.syncsForDevice += 1;
      m.cpuBytes = 0;
      m.owner = 2;
    }
    if (this.observer.synced !== undefined) {
      const { time, cpu, pid, task, name } = call.head;
      this.observer.synced(m, { time, cpu, pid, task, event: name }, forCpu, offset, size);
    }
  }

  /** Page tables are whole pages for the device, written 8 bytes at a time. */
  private notePageTable(m: LiveMapping, size: number): void {
    if (m.direction !== Direction.ToDevice || m.kind !== 'page' || m.bounced) return;
    if (m.size % this.pageSize !== 0 || m.dma % this.pageSize !== 0) return;
    m.pageTable = size % 8 === 0 && size < m.size;
  }

  private missedSync(call: SyncCall): void {
    const { device } = call;
    const page = Math.floor(call.dma / this.pageSize);
    if (device.knownMiss(page)) {
      device.olderThanTrace += 1;
      return;
    }
    const miss = this.misses.ofSync(call, this.epoch, this.pageSize);
    const known = miss.closed !== null || miss.wholeLife || miss.byPhys !== null;
    if (!known && miss.near === null && miss.elsewhere === null && call.dma >= 0) {
      device.noteMiss(page);
      device.olderThanTrace += 1;
      return;
    }
    for (const hook of this.hooks.syncMissed) hook(this, call, miss);
  }

  /** Ends the trace: the rules look at what is left, then everything is closed. */
  finish(): void {
    for (const hook of this.hooks.ended) hook(this);
    for (const m of [...this.books.all()]) this.retire(m);
  }
}
