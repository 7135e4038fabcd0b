/** How sure a finding about a mapping can be. */
import { Direction, type EventHead } from '../events.js';
import type { Certainty } from '../model.js';
import type { DeviceState, Site } from '../track/device.js';
import type { LiveMapping } from '../track/live-mapping.js';

/**
 * Certain if no older mapping can be meant instead: dma-iommu gives an IOVA only once at a time,
 * and a device whose whole life is in the trace has no older ones. Without an IOMMU the same page
 * can be mapped several times at the same address.
 */
export function sureOf(m: LiveMapping): Certainty {
  const alone = m.translated === true && m.kind !== 'sg';
  return alone || m.deviceState.wholeLife ? 'certain' : 'likely';
}

export function siteOf(device: DeviceState, head: EventHead, direction: Direction): Site {
  return device.site(head.task, head.name, direction);
}

/** The device may write into the memory itself, not into a bounce slot. */
export function deviceWrites(m: LiveMapping): boolean {
  return m.direction !== Direction.ToDevice && !(m.bounced && m.bouncedSize >= m.size);
}

/** A list so long that an event with all of it may not fit into a page of the ring buffer. */
const longList = 330;

/** Syncs of the mapping leave events, so that their absence means something. */
export function syncsShow(m: LiveMapping): boolean {
  return m.entries >= 0 && m.entries <= longList;
}
