/** An unmap whose size is not that of the mapping. */
import type { Rule } from './rule.js';
import { siteOf, sureOf } from './sure.js';
import { bytes, hex, mapEvidence, mappingWords, unmapEvidence } from './words.js';

export const unmapSize: Rule = {
  id: 'unmap-size',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'unmapped with another size',
  meaning:
    'The unmap covers more or less than was mapped. Pages left over stay translated, so that ' +
    'the device can still reach them and a later mapping of the address fails; too small an ' +
    'unmap also leaves caches without maintenance, too large a one takes away other mappings.',
  evidence:
    'size of dma_map_* (dma_alloc*) and of the dma_unmap_* (dma_free*) of the same address.',
  limits: 'dma_unmap_sg has no size in its event: see sg-entries.',
  mend: 'keep the size with the address and pass it to the unmap',
  dmaDebug: 'device driver frees DMA memory with different size',
  unmapped(world, m, call) {
    if (call.size === m.size || call.size < 0 || m.kind === 'sg') return;
    const site = siteOf(call.device, call.head, call.direction);
    const draft = world.findings.hit(unmapSize, site, call.head, sureOf(m), m);
    if (draft === null) return;
    const end = (size: number) => Math.ceil((m.dma + size) / world.pageSize) * world.pageSize;
    const left = end(m.size) - end(call.size);
    let stays = '';
    if (m.translated === true && left > 0) {
      stays = `; ${bytes(left)} from ${hex(end(call.size))} on stay translated for the device`;
    }
    draft.tell(
      `${mappingWords(m)} ended by ${call.head.name} of ${bytes(call.size)}${stays}`,
      [mapEvidence(m), unmapEvidence(call)],
      [m],
    );
  },
};
