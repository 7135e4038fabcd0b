/** A bounced buffer that both sides use for long without a sync: they see different memory. */
import { Direction } from '../events.js';
import type { LiveMapping } from '../track/live-mapping.js';
import { headOf } from './heads.js';
import type { Rule } from './rule.js';
import { syncsShow } from './sure.js';
import { duration, mapEvidence, mappingWords, unmapEvidence } from './words.js';

const longNs = 1_000_000_000;

function apart(m: LiveMapping, until: number): boolean {
  if (!m.bounced || m.direction !== Direction.Bidirectional || !syncsShow(m)) return false;
  return m.syncsForCpu + m.syncsForDevice === 0 && until - m.mappedAt >= longNs;
}

export const bouncedUnsynced: Rule = {
  id: 'bounced-unsynced',
  hazard: 'H1',
  severity: 'warning',
  certainty: 'likely',
  title: 'bounced, long-lived and never synced',
  meaning:
    'CPU and device use two different pieces of memory, and only syncs copy between them. ' +
    'Without any in more than a second neither sees what the other writes; also on a device ' +
    'that snoops.',
  evidence: 'A bounced DMA_BIDIRECTIONAL mapping that lives for a second without a dma_sync_*.',
  limits: 'Harmless if the buffer is written before the map and read after the unmap only.',
  mend: 'sync around every hand-over, or allocate memory that the device reaches',
  dmaDebug: '',
  unmapped(world, m, call) {
    if (!apart(m, call.head.time)) return;
    world.findings
      .hit(bouncedUnsynced, m.site, call.head, 'likely', m)
      ?.tell(
        `${mappingWords(m)} was bounced and lived ` +
          `${duration(call.head.time - m.mappedAt)} without a sync`,
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
  ended(world) {
    for (const m of world.liveMappings()) {
      if (m.epoch !== world.epoch || !apart(m, world.now)) continue;
      world.findings
        .hit(bouncedUnsynced, m.site, headOf(m), 'likely', m)
        ?.tell(
          `${mappingWords(m)} was bounced and has lived ${duration(world.now - m.mappedAt)} ` +
            'without a sync',
          [mapEvidence(m)],
          [m],
        );
    }
  },
};
