/**
 * swiotlb_bounced comes before the map event of the same task and names the original address. This
 * keeps the last few until their map event takes them. Leaves out the slot: the event does not
 * have it.
 *
 * Source: kernel/dma/swiotlb.c:swiotlb_tbl_map_single and include/trace/events/swiotlb.h.
 */
import type { EventHead } from '../events.js';

const slots = 256;

export class PendingBounces {
  private readonly pid = new Int32Array(slots).fill(-1);
  private readonly device = new Int32Array(slots);
  private readonly address = new Float64Array(slots);
  private readonly size = new Float64Array(slots);
  private next = 0;
  private pending = 0;

  add(head: EventHead, device: number, original: number, size: number): void {
    const slot = this.next;
    if (this.pid[slot] !== -1) this.pending -= 1;
    this.pid[slot] = head.pid;
    this.device[slot] = device;
    this.address[slot] = original;
    this.size[slot] = size;
    this.next = (slot + 1) % slots;
    this.pending += 1;
  }

  /**
   * Takes the bounces of this task whose original lies in [phys, phys + size); returns their bytes,
   * 0 if there is none. The event may tell a little more than the mapping: whole blocks bounce.
   */
  take(pid: number, device: number, phys: number, size: number): number {
    if (this.pending === 0) return 0;
    let bytes = 0;
    for (let slot = 0; slot < slots; slot += 1) {
      if (this.pid[slot] !== pid || this.device[slot] !== device) continue;
      const from = this.address[slot]!;
      if (from >= phys + size || from + this.size[slot]! <= phys) continue;
      bytes += Math.min(size, this.size[slot]!);
      this.pid[slot] = -1;
      this.pending -= 1;
    }
    return Math.min(bytes, size);
  }

  /** A map that failed: what it bounced is free again. */
  drop(pid: number, device: number): void {
    if (this.pending === 0) return;
    for (let slot = 0; slot < slots; slot += 1) {
      if (this.pid[slot] !== pid || this.device[slot] !== device) continue;
      this.pid[slot] = -1;
      this.pending -= 1;
    }
  }
}
