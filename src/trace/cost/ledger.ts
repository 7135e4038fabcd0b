/**
 * Adds up what each mapping cost when it is closed: for its call site, its device and its buffer.
 * Memory depends on how many devices and tasks there are, not on the length of the trace.
 */
import type { LiveMapping } from '../track/live-mapping.js';
import { BufferTable } from './buffers.js';

export class Ledger {
  readonly buffers = new BufferTable();

  closed(m: LiveMapping): void {
    const { site } = m;
    const { cost } = site;
    cost.maps += 1;
    cost.bytesMapped += m.size;
    cost.syncsForCpu += m.syncsForCpu;
    cost.syncsForDevice += m.syncsForDevice;
    cost.bytesCleaned += m.bytesCleaned;
    cost.bytesInvalidated += m.bytesInvalidated;
    cost.bytesBounced += m.bytesBounced;
    if (m.bounced) cost.bounces += 1;
    cost.invalidations += m.invalidations;
    if (m.unmappedAt >= 0) {
      const lifetime = m.unmappedAt - m.mappedAt;
      cost.unmaps += 1;
      if (m.translated === true) cost.bytesUntranslated += m.size;
      cost.lifetimes.add(lifetime);
      site.unmaps += 1;
      if (lifetime > site.lifetimeMax) site.lifetimeMax = lifetime;
    }
    this.buffers.add(m);
  }
}
