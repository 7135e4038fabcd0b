/** A scatterlist is unmapped or synced with another number of entries than it was mapped with. */
import { UNKNOWN } from '../events.js';
import type { LiveMapping } from '../track/live-mapping.js';
import type { Rule } from './rule.js';
import { siteOf, sureOf } from './sure.js';
import { mapEvidence, mappingWords, syncEvidence, unmapEvidence } from './words.js';

function differ(m: LiveMapping, entries: number): boolean {
  return m.kind === 'sg' && m.entries !== UNKNOWN && entries !== UNKNOWN && m.entries !== entries;
}

export const sgEntries: Rule = {
  id: 'sg-entries',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'scatterlist with another entry count',
  meaning:
    'dma_unmap_sg and dma_sync_sg_* take the entry count that was passed to dma_map_sg, not the ' +
    'one it returned. With fewer, the rest stays mapped or without maintenance.',
  evidence: 'nents of dma_map_sg and the length of the list of dma_unmap_sg or dma_sync_sg_*.',
  limits:
    'Lists of 128 entries and more are cut in the events and are not compared. Likely only, ' +
    'unless the whole life of the device is in the trace: dma_unmap_sg is matched by physical ' +
    'address.',
  mend: 'pass orig_nents, or use dma_unmap_sgtable() and dma_sync_sgtable_*()',
  dmaDebug: 'device driver frees (syncs) DMA sg list with different entry count',
  unmapped(world, m, call) {
    if (call.kind !== 'sg' || !differ(m, call.entries)) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(sgEntries, site, call.head, sureOf(m), m)
      ?.tell(
        `${mappingWords(m)} with ${m.entries} entries ended by ${call.head.name} with ` +
          String(call.entries),
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
  synced(world, m, call) {
    if (!call.list || !differ(m, call.entries)) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(sgEntries, site, call.head, 'likely', m)
      ?.tell(
        `${mappingWords(m)} with ${m.entries} entries synced by ${call.head.name} with ` +
          String(call.entries),
        [mapEvidence(m), syncEvidence(call)],
        [m],
      );
  },
};
