/**
 * iommu:map and iommu:unmap name neither device nor domain. dma-iommu emits them around its own
 * dma:* event in the same task: map before the dma event, unmap before dma_unmap_page and after
 * dma_unmap_sg and dma_free. What finds no dma event of its task within the last few belongs to an
 * unknown domain (a driver with its own page tables, VFIO), and is only counted.
 *
 * Source: drivers/iommu/dma-iommu.c and iommu.c:iommu_map, __iommu_unmap; kernel/dma/mapping.c for
 * the order of the events.
 */
import type { EventHead } from '../events.js';

/** A power of two. */
const slots = 64;
export const notMapped = -1;

/** A ring of address ranges by task. */
class Ring {
  /** With a place more, for nobody. */
  readonly pid = new Int32Array(slots + 1).fill(-1);
  readonly start = new Float64Array(slots);
  readonly end = new Float64Array(slots);
  readonly extra = new Float64Array(slots);
  private next = 0;
  private last = 0;
  private used = 0;
  /** Entries that nobody took. */
  expired = 0;

  /** Adds a range, or extends the last one of this task that it continues. */
  add(pid: number, start: number, end: number, extra: number, join: boolean): void {
    const { last } = this;
    if (join && this.pid[last] === pid && this.end[last] === start) {
      this.end[last] = end;
      return;
    }
    const slot = this.next;
    if (this.pid[slot] !== -1) {
      this.expired += 1;
      this.used -= 1;
    }
    this.pid[slot] = pid;
    this.start[slot] = start;
    this.end[slot] = end;
    this.extra[slot] = extra;
    this.last = slot;
    this.next = (slot + 1) & (slots - 1);
    this.used += 1;
  }

  /** Takes the newest range of this task that holds `address`; -1 if there is none. */
  take(pid: number, address: number): number {
    const found = this.find(pid, address);
    // Also where nothing is found, for V8: it compiles anew what it never saw done before.
    this.pid[found < 0 ? slots : found] = -1;
    this.used -= found < 0 ? 0 : 1;
    return found;
  }

  private find(pid: number, address: number): number {
    const reach = this.used === 0 ? 0 : slots;
    for (let back = 1; back <= reach; back += 1) {
      const slot = (this.next - back) & (slots - 1);
      if (this.pid[slot] !== pid) continue;
      if (address >= this.start[slot]! && address < this.end[slot]!) return slot;
    }
    return -1;
  }

  finish(): void {
    for (let slot = 0; slot < slots; slot += 1) {
      if (this.pid[slot] !== -1) this.expired += 1;
      this.pid[slot] = -1;
    }
    this.used = 0;
  }
}

export class IommuCorrelation {
  private readonly maps = new Ring();
  /** Unmaps that wait for their dma_unmap_page. */
  private readonly unmaps = new Ring();
  /** Closed mappings whose iommu:unmap is still to come. */
  private readonly closed = new Ring();
  /** Any iommu event was seen: their absence at a mapping then means something. */
  seen = false;
  mapEvents = 0;
  unmapEvents = 0;

  constructor(private readonly pageSize: number) {}

  map(head: EventHead, iova: number, phys: number, size: number): void {
    this.seen = true;
    this.mapEvents += 1;
    this.maps.add(head.pid, iova, iova + size, phys, true);
  }

  /**
   * Whether this task just mapped `dma` in an IOMMU: the physical address behind it, -2 if only
   * that it did is known, `notMapped` if it did not.
   */
  physOf(pid: number, dma: number): number {
    const slot = this.maps.take(pid, dma);
    if (slot < 0) return notMapped;
    const into = dma - this.maps.start[slot]!;
    // Behind the first page of a range that was joined from pieces anything may lie.
    return into < this.pageSize ? this.maps.extra[slot]! + into : -2;
  }

  /** iommu:unmap. */
  unmap(head: EventHead, iova: number, size: number, unmapped: number): void {
    this.seen = true;
    this.unmapEvents += 1;
    // The unmap of a mapping that its own event has closed already; it is counted there.
    if (this.closed.take(head.pid, iova) >= 0) return;
    this.unmaps.add(head.pid, iova, iova + Math.max(size, 1), unmapped, false);
  }

  /** The bytes that this task just unmapped at `dma`, or -1. */
  unmappedAt(pid: number, dma: number): number {
    const slot = this.unmaps.take(pid, dma);
    return slot < 0 ? -1 : this.unmaps.extra[slot]!;
  }

  /** A mapping was closed by an event that comes before its iommu:unmap. */
  expect(pid: number, start: number, size: number): void {
    const page = Math.floor(start / this.pageSize) * this.pageSize;
    this.closed.add(pid, page, Math.max(start + size, page + this.pageSize), 0, false);
  }

  /** iommu:map and iommu:unmap events without a dma event of their task. Call at the end. */
  unknownDomain(): { readonly maps: number; readonly unmaps: number } {
    this.maps.finish();
    this.unmaps.finish();
    return { maps: this.maps.expired, unmaps: this.unmaps.expired };
  }
}
