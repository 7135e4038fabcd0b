/** DMA_MAPPING_ERROR, what a failed map returns, is unmapped or synced. */
import { MAPPING_ERROR } from '../events.js';
import type { Rule } from './rule.js';
import { siteOf } from './sure.js';
import { bytes, syncEvidence, unmapEvidence } from './words.js';

export const mappingErrorUsed: Rule = {
  id: 'mapping-error-used',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'a failed mapping was used',
  meaning:
    'DMA_MAPPING_ERROR (all ones) was passed to an unmap or a sync: the driver did not ask ' +
    'dma_mapping_error() whether the map had failed, and most likely gave the device the ' +
    'address, too.',
  evidence: 'dma_unmap_* or dma_sync_single_* with dma_addr=ffffffffffffffff.',
  limits: 'A missing check that had no consequence leaves no event.',
  mend: 'check every map with dma_mapping_error() before the address is used',
  dmaDebug: 'device driver tries to free an invalid DMA memory address',
  unmapMissed(world, call) {
    if (call.address !== MAPPING_ERROR) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(mappingErrorUsed, site, call.head, 'certain')
      ?.tell(
        `${call.head.name} of ${bytes(call.size)} at DMA_MAPPING_ERROR`,
        [unmapEvidence(call)],
        [],
      );
  },
  syncMissed(world, call) {
    if (call.dma !== MAPPING_ERROR) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(mappingErrorUsed, site, call.head, 'certain')
      ?.tell(
        `${call.head.name} of ${bytes(call.size)} at DMA_MAPPING_ERROR`,
        [syncEvidence(call)],
        [],
      );
  },
};
