/** A mapping ended by the function of another family. */
import type { MappingKind } from '../model.js';
import type { Rule } from './rule.js';
import { siteOf, sureOf } from './sure.js';
import { mapEvidence, mappingWords, unmapEvidence } from './words.js';

const families: Readonly<Record<MappingKind, string>> = {
  page: 'dma_map_page or dma_map_single',
  resource: 'dma_map_resource (MMIO)',
  sg: 'dma_map_sg',
  coherent: 'dma_alloc_attrs',
  pages: 'dma_alloc_pages',
  sgt: 'dma_alloc_noncontiguous',
};

export const unmapFunction: Rule = {
  id: 'unmap-function',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'unmapped with the wrong function',
  meaning:
    'The mapping came from one family of functions and is ended by another: dma_unmap_resource ' +
    'does no cache maintenance, dma_free frees pages that the driver got elsewhere.',
  evidence:
    'Name of the map event and of the unmap event of the same address; where both are ' +
    'dma_map_phys and dma_unmap_phys, whether attrs has MMIO.',
  limits: 'dma_map_single and dma_map_page are the same event.',
  mend: 'use the counterpart of the function that mapped or allocated',
  dmaDebug: 'device driver frees DMA memory with wrong function',
  unmapped(world, m, call) {
    if (call.kind === m.kind) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(unmapFunction, site, call.head, sureOf(m), m)
      ?.tell(
        `${mappingWords(m)}, from ${families[m.kind]}, ended by the counterpart of ` +
          `${families[call.kind]} (${call.head.name})`,
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
};
