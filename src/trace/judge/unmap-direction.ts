/** An unmap whose direction is not that of the mapping. */
import type { Rule } from './rule.js';
import { siteOf, sureOf } from './sure.js';
import { directionName, mapEvidence, mappingWords, unmapEvidence } from './words.js';

export const unmapDirection: Rule = {
  id: 'unmap-direction',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'unmapped with another direction',
  meaning:
    'The unmap does the cache maintenance and the bounce copy of another direction: with ' +
    'DMA_TO_DEVICE for data that the device wrote nothing is invalidated and the CPU may read ' +
    'stale lines; with DMA_FROM_DEVICE for data that the CPU wrote, a bounce buffer is copied ' +
    'over it.',
  evidence: 'dir of dma_map_* and of the dma_unmap_* of the same address.',
  limits: 'The direction of dma_alloc and dma_free means nothing and is not compared.',
  mend: 'pass the direction of the map call',
  dmaDebug: 'device driver frees DMA memory with different direction',
  unmapped(world, m, call) {
    if (call.direction === m.direction || call.direction < 0 || m.direction < 0) return;
    if (m.kind === 'coherent') return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(unmapDirection, site, call.head, sureOf(m), m)
      ?.tell(
        `${mappingWords(m)} as ${directionName(m.direction)} ended by ${call.head.name} as ` +
          directionName(call.direction),
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
};
