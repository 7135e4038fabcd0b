/**
 * Devices and call sites. A trace has no stack, so a call site is what it does have: device, task,
 * event and direction. Numbers of CPUs and workers are taken off task names, or every kworker
 * would be a place of its own.
 */

import { double } from '../double.js';
import type { Direction, EventHead } from '../events.js';
import type { Draft } from '../judge/findings.js';
import type { Evidence } from '../model.js';
import { LifetimeHistogram } from './lifetimes.js';
import { RangeIndex } from './range-index.js';

/** What mappings made by one task of one device came to; see CostRow of model.ts. */
export class SiteCost {
  maps = 0;
  unmaps = 0;
  bytesMapped = double;
  syncsForCpu = 0;
  syncsForDevice = 0;
  bytesCleaned = double;
  bytesInvalidated = double;
  bounces = 0;
  bytesBounced = double;
  invalidations = 0;
  bytesUntranslated = double;
  readonly lifetimes = new LifetimeHistogram();

  constructor(
    readonly device: DeviceState,
    readonly task: string,
  ) {}
}

/** The first of many, kept until the end of the trace. */
export interface Example {
  readonly head: EventHead;
  readonly evidence: Evidence;
  readonly words: string;
}

/** Three for each rule: arrays that all begin alike are of one kind to V8. */
const draftSlots = 96;

/** Place of a call, as far as a trace tells it. */
export class Site {
  /** Findings made here, by rule and certainty. */
  readonly drafts: (Draft | undefined)[] = new Array(draftSlots).fill(undefined);
  /**
   * The same event and direction by any task. What is a habit of the driver is counted there:
   * interrupts show up under whatever task they met.
   */
  readonly group: Site;
  live = 0;
  maps = 0;
  unmaps = 0;
  /** Longest closed lifetime in ns. */
  lifetimeMax = double;
  /** Live mappings at the sampling times, oldest first. */
  readonly samples: number[] = [];
  /** Hand-overs of all of a buffer after work on a part of it, and the bytes too many. */
  partialTimes = 0;
  partialWaste = double;
  partialExample: Example | null = null;
  bounces = 0;
  bouncedBytes = double;
  smallBounces = 0;
  bounceExample: Example | null = null;
  /** Bounced mappings that were unmapped at once. */
  flushes = 0;

  constructor(
    readonly device: DeviceState,
    readonly task: string,
    readonly event: string,
    readonly direction: Direction,
    readonly cost: SiteCost,
    group: Site | null,
  ) {
    this.group = group ?? this;
  }
}

/** A power of two. */
const missSlots = 256;

/** Sites of a device before the rest share one. */
const sitesMax = 2000;
const otherTasks = '(other tasks)';
const anyTask = '(any task)';

/** `kworker/u8:3` → `kworker`, `swapper/1` → `swapper`, `irq/35-nvme0q1` → `irq/nvme0q`. */
export function taskName(comm: string): string {
  if (comm === '<idle>') return 'swapper';
  if (!/[0-9]/.test(comm)) return comm;
  if (comm.startsWith('kworker/')) return 'kworker';
  return comm
    .replace(/^irq\/\d+-/, 'irq/')
    .replace(/\/\d+(:\d+)?$/, '')
    .replace(/(?<=[a-z])\d+$/i, '');
}

export class DeviceState {
  readonly dma = new RangeIndex();
  /** By the task's name as the trace has it. */
  readonly sites = new Map<string, Site[]>();
  readonly costs = new Map<string, SiteCost>();
  /** Its attach to a domain was seen before any of its mappings. */
  wholeLife = false;
  translated: boolean | null = null;
  maps = 0;
  live = 0;
  syncs = 0;
  /** Syncs of 8·n bytes for the device, as those of page table entries are. */
  entrySyncs = 0;
  failedMaps = 0;
  olderThanTrace = 0;
  bounces = 0;
  /** Bounced though its mask reaches all memory: the mark of a device that does not snoop. */
  alignmentBounces = 0;
  /** A sync was seen before any bounce. */
  syncedUnbounced = false;
  /** Pages at which it was found to have no mapping; see knownMiss. */
  private readonly missed = new Float64Array(missSlots).fill(Number.NaN);
  private missedAt = 0;

  constructor(
    readonly id: number,
    readonly name: string,
  ) {}

  /** The walker of its own page tables: an IOMMU, or a GPU with only such mappings. */
  get pageTableWalker(): boolean {
    return this.entrySyncs > 0 && this.entrySyncs >= 0.9 * this.syncs;
  }

  /**
   * Syncs of a mapping older than the trace come again and again, from page tables above all.
   * True if `page` was noted by `noteMiss` and nothing has been mapped or unmapped since.
   */
  knownMiss(page: number): boolean {
    return this.missedAt === this.changes && this.missed[page & (missSlots - 1)] === page;
  }

  private get changes(): number {
    return 2 * this.maps - this.live;
  }

  noteMiss(page: number): void {
    if (this.missedAt !== this.changes) {
      this.missed.fill(Number.NaN);
      this.missedAt = this.changes;
    }
    this.missed[page & (missSlots - 1)] = page;
  }

  site(task: string, event: string, direction: Direction): Site {
    const sites = this.sites.get(task);
    if (sites !== undefined) {
      for (let i = 0; i < sites.length; i += 1) {
        const site = sites[i]!;
        if (site.direction === direction && site.event === event) return site;
      }
    }
    const site = this.makeSite(task, event, direction);
    if (sites !== undefined) sites.push(site);
    else if (this.sites.size < 2 * sitesMax) this.sites.set(task, [site]);
    return site;
  }

  /** Every site once; several raw task names may share one. */
  distinctSites(): Site[] {
    return [...new Set([...this.sites.values()].flat())];
  }

  private makeSite(task: string, event: string, direction: Direction): Site {
    const name = this.sites.size < sitesMax ? taskName(task) : otherTasks;
    if (name !== task) return this.site(name, event, direction);
    let cost = this.costs.get(name);
    if (cost === undefined) {
      cost = new SiteCost(this, name);
      this.costs.set(name, cost);
    }
    const group = name === anyTask ? null : this.site(anyTask, event, direction);
    return new Site(this, name, event, direction, cost, group);
  }
}

/** Different devices before the rest share one: more would be a damaged trace. */
const devicesMax = 20_000;

export class Devices {
  private readonly byName = new Map<string, DeviceState>();
  /** The two seen last: a device and the IOMMU take turns. */
  private last: DeviceState | null = null;
  private before: DeviceState | null = null;

  get(name: string): DeviceState {
    const { last, before } = this;
    if (last !== null && last.name === name) return last;
    if (before !== null && before.name === name) {
      this.before = last;
      this.last = before;
      return before;
    }
    let device = this.byName.get(name);
    if (device === undefined) {
      if (this.byName.size >= devicesMax && name !== '(other devices)') {
        return this.get('(other devices)');
      }
      device = new DeviceState(this.byName.size, name);
      this.byName.set(name, device);
    }
    this.before = last;
    this.last = device;
    return device;
  }

  all(): IterableIterator<DeviceState> {
    return this.byName.values();
  }
}
