/**
 * The live mappings of a trace and where they are: by DMA address in each device, by physical
 * address over all of them. Opens, closes and finds; what an event means is the tracker's.
 *
 * Memory grows with what is mapped at one time, and not at all above `liveMax`.
 */
import type { Direction, EventHead, NumberList } from '../events.js';
import type { MappingKind } from '../model.js';
import type { DeviceState } from './device.js';
import { type LiveMapping, MappingPool, reset } from './live-mapping.js';
import { RangeIndex, type RangeNode } from './range-index.js';

/** Mappings followed at one time; at some 700 bytes each, 200 MB. */
export const liveMax = 250_000;
/** Larger numbers are damage, not sizes. */
export const sizeMax = 2 ** 48;

export class Books {
  /** Over all devices; resources and dma_alloc are not in it. */
  readonly phys = new RangeIndex();
  private readonly pool = new MappingPool();
  private readonly live: LiveMapping[] = [];
  private ids = 0;
  /** Mappings that found no room, or whose numbers make no sense. */
  unfollowed = 0;

  get liveCount(): number {
    return this.live.length;
  }

  /** In no order; do not close while you walk. */
  all(): readonly LiveMapping[] {
    return this.live;
  }

  /** A new record, without ranges; null if it is not to be followed. */
  open(
    device: DeviceState,
    kind: MappingKind,
    head: EventHead,
    phys: number,
    dma: number,
    size: number,
    direction: Direction,
    attrs: number,
  ): LiveMapping | null {
    this.ids += 1;
    if (this.live.length >= liveMax || !(size > 0 && size <= sizeMax) || dma < 0) {
      this.unfollowed += 1;
      return null;
    }
    const site = device.site(head.task, head.name, direction);
    const m = this.pool.take(device, site);
    reset(m);
    m.id = this.ids;
    m.device = device.name;
    m.kind = kind;
    m.phys = phys;
    m.dma = dma;
    m.size = size;
    m.direction = direction;
    m.attrs = attrs;
    m.entries = 1;
    m.mappedAt = head.time;
    m.mapCpu = head.cpu;
    m.mapPid = head.pid;
    m.mapTask = head.task;
    m.mapEvent = head.name;
    m.place = this.live.length;
    this.live.push(m);
    device.maps += 1;
    device.live += 1;
    site.maps += 1;
    site.group.maps += 1;
    site.live += 1;
    return m;
  }

  /** Takes a mapping out of all books. Its fields stay as they are until `recycle`. */
  close(m: LiveMapping): void {
    m.live = false;
    m.deviceState.dma.removeAll(m.dmaNodes);
    this.phys.removeAll(m.physNodes);
    m.dmaNodes = null;
    m.physNodes = null;
    m.deviceState.live -= 1;
    m.site.live -= 1;
    const last = this.live.pop()!;
    if (last !== m) {
      this.live[m.place] = last;
      last.place = m.place;
    }
  }

  recycle(m: LiveMapping): void {
    this.pool.give(m);
  }

  addDma(m: LiveMapping, start: number, size: number): void {
    m.dmaNodes = m.deviceState.dma.add(start, start + size, m, m.dmaNodes);
  }

  addPhys(m: LiveMapping, start: number, size: number): void {
    m.physNodes = this.phys.add(start, start + size, m, m.physNodes);
  }

  /** DMA ranges of a scatterlist, neighbours joined; entries without length are no memory. */
  addDmaList(m: LiveMapping, dma: NumberList, lengths: NumberList): void {
    let start = -1;
    let end = -1;
    const count = Math.min(dma.length, lengths.length);
    for (let i = 0; i < count; i += 1) {
      const at = dma.values[i]!;
      const length = lengths.values[i]!;
      if (at < 0 || !(length > 0 && length <= sizeMax)) continue;
      if (at === end) {
        end += length;
        continue;
      }
      if (end > start) this.addDma(m, start, end - start);
      start = at;
      end = at + length;
    }
    if (end > start) this.addDma(m, start, end - start);
  }

  /** The live mapping that starts at `dma` and fits a call best: the oldest of the best. */
  bestAt(
    device: DeviceState,
    dma: number,
    kind: MappingKind,
    size: number,
    direction: Direction,
  ): LiveMapping | null {
    const { dma: index } = device;
    const count = index.startingAt(dma);
    return count === 0 ? null : best(index.found, count, kind, size, direction);
  }

  /** The live scatterlist of the device whose first entry is at `phys`. */
  bestList(
    device: DeviceState,
    phys: number,
    entries: number,
    direction: Direction,
  ): LiveMapping | null {
    const count = this.phys.startingAt(phys);
    let chosen: LiveMapping | null = null;
    let chosenScore = -1;
    for (let i = 0; i < count; i += 1) {
      const m = this.phys.found[i]!.owner;
      if (m.deviceState !== device || m.kind !== 'sg' || m.phys !== phys) continue;
      const score = (m.entries === entries ? 2 : 0) + (m.direction === direction ? 1 : 0);
      if (score > chosenScore || (score === chosenScore && m.id < (chosen?.id ?? 0))) {
        chosen = m;
        chosenScore = score;
      }
    }
    return chosen;
  }
}

function best(
  found: readonly RangeNode[],
  count: number,
  kind: MappingKind,
  size: number,
  direction: Direction,
): LiveMapping | null {
  let chosen: LiveMapping | null = null;
  let chosenScore = -1;
  for (let i = 0; i < count; i += 1) {
    const m = found[i]!.owner;
    // The start of a later entry of a scatterlist is not the start of a mapping.
    if (m.dma !== found[i]!.start) continue;
    const score =
      (m.size === size ? 4 : 0) + (m.kind === kind ? 2 : 0) + (m.direction === direction ? 1 : 0);
    if (score > chosenScore || (score === chosenScore && m.id < (chosen?.id ?? 0))) {
      chosen = m;
      chosenScore = score;
    }
  }
  return chosen;
}
