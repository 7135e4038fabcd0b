/** A map and unmap in one go, as a cache flush, that a bounce buffer made void. */
import { Direction } from '../events.js';
import type { Rule } from './rule.js';
import { duration, mapEvidence, mappingWords, unmapEvidence } from './words.js';

/** Longer than this in ns, a device may have used the mapping. */
const longest = 20_000;
/** Once may be a cancelled transfer. */
const timesMin = 3;

export const bouncedFlush: Rule = {
  id: 'bounced-flush',
  hazard: 'H2',
  severity: 'warning',
  certainty: 'likely',
  title: 'cache flush by map and unmap, but bounced',
  meaning:
    'The driver maps and at once unmaps a buffer, with nothing in between: a way to clean its ' +
    'cache lines for a device that uses other addresses. With a bounce buffer the lines of the ' +
    'slot are cleaned instead, and those of the buffer stay dirty.',
  evidence:
    'swiotlb_bounced, dma_map_* and dma_unmap_* of one task as consecutive DMA events of its ' +
    'CPU, less than 20 us apart, at least three times at one call site.',
  limits: 'A device that finishes within that time would look the same: likely at most.',
  mend: 'dma_sync_* on a mapping for the device that really uses the buffer',
  dmaDebug: '',
  unmapped(world, m, call) {
    if (!m.bounced || m.direction === Direction.FromDevice) return;
    if (m.syncsForCpu + m.syncsForDevice > 0 || call.head.cpu !== m.mapCpu) return;
    const lifetime = call.head.time - m.mappedAt;
    if (call.head.pid !== m.mapPid || lifetime > longest) return;
    if (world.serialOf(m.mapCpu) !== m.serial + 1) return;
    m.site.flushes += 1;
    if (m.site.flushes < timesMin) return;
    const times = m.site.flushes === timesMin ? timesMin : 1;
    world.findings
      .hit(bouncedFlush, m.site, call.head, 'likely', m, times)
      ?.tell(
        `${mappingWords(m)} was bounced and unmapped ${duration(lifetime)} later: its own cache ` +
          'lines were not cleaned',
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
};
