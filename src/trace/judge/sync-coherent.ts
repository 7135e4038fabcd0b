/** dma_sync on memory from dma_alloc_coherent. */
import type { Rule } from './rule.js';
import { siteOf, sureOf } from './sure.js';
import { mapEvidence, mappingWords, syncEvidence } from './words.js';

export const syncCoherent: Rule = {
  id: 'sync-coherent',
  hazard: 'H11',
  severity: 'warning',
  certainty: 'certain',
  title: 'coherent memory synced',
  meaning:
    'Memory from dma_alloc_attrs is for streaming syncs neither needed nor meant. The ' +
    'maintenance goes to the cacheable alias of memory that the CPU uses through another ' +
    'mapping: work for nothing, and a sign that the driver mixes two kinds of buffer.',
  evidence: 'dma_sync_* inside of the range of a dma_alloc.',
  limits: 'Memory of dma_alloc_pages and dma_alloc_noncontiguous must be synced and is no match.',
  mend: 'drop the sync; order accesses with dma_wmb() and dma_rmb() instead',
  dmaDebug: '',
  synced(world, m, call) {
    if (m.kind !== 'coherent') return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(syncCoherent, site, call.head, sureOf(m), m)
      ?.tell(
        `${call.head.name} on coherent memory: ${mappingWords(m)}`,
        [mapEvidence(m, 'allocated'), syncEvidence(call)],
        [m],
      );
  },
};
