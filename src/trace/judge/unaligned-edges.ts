/** A device-written buffer that begins or ends inside of a DMA granule. */
import { attributeBits } from '../events.js';
import type { Rule } from './rule.js';
import { deviceWrites } from './sure.js';
import { bytes, mapEvidence, mappingWords } from './words.js';

export const unalignedEdges: Rule = {
  id: 'unaligned-edges',
  hazard: 'H10',
  severity: 'note',
  certainty: 'likely',
  title: 'device-written buffer shares granules at its edges',
  meaning:
    'The first or last granule of the buffer has bytes that are not part of it. If the CPU ' +
    'writes one of those while the device writes the buffer, one of the two is lost with the ' +
    'line.',
  evidence: 'phys_addr and size of a DMA_FROM_DEVICE or DMA_BIDIRECTIONAL mapping, not bounced.',
  limits:
    'Real only if the device does not snoop and the bytes beside the buffer are written ' +
    'meanwhile, which no event shows: often they are padding of the same allocation. Hence a ' +
    'note. Scatterlists are looked at from their first entry on; merged entries have no ' +
    'lengths.',
  mend: 'align and pad the buffer to ARCH_DMA_MINALIGN (dma_get_cache_alignment())',
  dmaDebug: '',
  mapped(world, m, head) {
    if (m.kind !== 'page' || m.phys < 0 || !deviceWrites(m)) return;
    if ((m.attrs & attributeBits.SKIP_CPU_SYNC) !== 0) return;
    const before = m.phys % world.granule;
    const after = (m.phys + m.size) % world.granule;
    if (before === 0 && after === 0) return;
    const draft = world.findings.hit(unalignedEdges, m.site.group, head, 'needs-coherence', m);
    if (draft === null) return;
    const parts = [
      before > 0 ? `${bytes(before)} before it` : '',
      after > 0 ? `${bytes(world.granule - after)} after it` : '',
    ];
    draft.tell(
      `${mappingWords(m)} leaves ${parts.filter((part) => part !== '').join(' and ')} in its ` +
        `${world.granule}-byte granules`,
      [mapEvidence(m)],
      [m],
    );
  },
};
