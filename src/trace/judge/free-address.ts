/** dma_free with a CPU address that dma_alloc did not return. */
import type { Rule } from './rule.js';
import { siteOf, sureOf } from './sure.js';
import { mapEvidence, mappingWords, unmapEvidence } from './words.js';

export const freeAddress: Rule = {
  id: 'free-address',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'freed with another CPU address',
  meaning: 'The CPU address and the DMA address passed to dma_free belong to two allocations.',
  evidence: 'virt_addr of dma_alloc* and of the dma_free* with the same dma_addr.',
  limits: 'In text the kernel hashes pointers: they are only compared, which is enough.',
  mend: 'keep both addresses of an allocation together',
  dmaDebug: 'device driver frees DMA memory with different CPU address',
  unmapped(world, m, call) {
    if (m.virt === '' || call.virt === '' || m.virt === call.virt || m.kind !== call.kind) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(freeAddress, site, call.head, sureOf(m), m)
      ?.tell(
        `${mappingWords(m)} freed with the CPU address of something else`,
        [mapEvidence(m, 'allocated'), unmapEvidence(call, 'freed')],
        [m],
      );
  },
};
