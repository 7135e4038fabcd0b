/** A sync whose direction is not that of the mapping. */
import { Direction } from '../events.js';
import type { Rule } from './rule.js';
import { siteOf, sureOf } from './sure.js';
import { directionName, mapEvidence, mappingWords, syncEvidence } from './words.js';

export const syncDirection: Rule = {
  id: 'sync-direction',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'synced with another direction',
  meaning:
    'The direction decides what is maintained and what is copied. Data mapped DMA_TO_DEVICE and ' +
    'synced DMA_FROM_DEVICE for the CPU loses what the CPU wrote; the other way round the CPU ' +
    'reads stale lines.',
  evidence: 'dir of dma_map_* and of a dma_sync_* inside of the mapping.',
  limits: 'A mapping made DMA_BIDIRECTIONAL may be synced in every direction, as in dma-debug.',
  mend: 'pass the direction of the map call',
  dmaDebug: 'device driver syncs DMA memory with different direction',
  synced(world, m, call) {
    if (call.direction === m.direction || m.direction === Direction.Bidirectional) return;
    if (call.direction < 0 || m.direction < 0) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(syncDirection, site, call.head, sureOf(m), m)
      ?.tell(
        `${mappingWords(m)} as ${directionName(m.direction)} synced by ${call.head.name} as ` +
          directionName(call.direction),
        [mapEvidence(m), syncEvidence(call)],
        [m],
      );
  },
};
