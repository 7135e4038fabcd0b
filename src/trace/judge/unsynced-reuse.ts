/** A long-lived mapping is taken by the CPU again without having been given back. */
import { Direction } from '../events.js';
import type { Rule } from './rule.js';
import { hex, mapEvidence, mappingWords, syncEvidence } from './words.js';

export const unsyncedReuse: Rule = {
  id: 'unsynced-reuse',
  hazard: 'H2',
  severity: 'note',
  certainty: 'likely',
  title: 'taken for the CPU twice, never given back',
  meaning:
    'A DMA_BIDIRECTIONAL buffer was synced for the CPU twice without a sync for the device in ' +
    'between. What the CPU wrote in the meantime may not have reached memory, and the second ' +
    'sync throws it away.',
  evidence:
    'Two dma_sync_*_for_cpu of the same bytes of a mapping, no dma_sync_*_for_device between.',
  limits:
    'Real only if the device does not snoop and the CPU wrote, which no event shows: hence a ' +
    'note. DMA_FROM_DEVICE is no match: there the CPU only reads, and nothing needs to be given ' +
    'back (Documentation/core-api/dma-api-howto.rst).',
  mend: 'dma_sync_*_for_device() before the device uses the buffer again',
  dmaDebug: '',
  synced(world, m, call, offset) {
    if (m.direction !== Direction.Bidirectional || m.kind === 'coherent') return;
    if (!call.forCpu) return;
    const end = offset + call.size;
    const again = m.owner === 1 && offset < m.cpuEnd && m.cpuStart < end;
    m.cpuStart = offset;
    m.cpuEnd = end;
    if (!again) return;
    world.findings
      .hit(unsyncedReuse, m.site, call.head, 'needs-coherence', m)
      ?.tell(
        `${call.head.name} at dma_addr ${hex(call.dma)} again, without a sync for the device ` +
          `since the last one: ${mappingWords(m)}`,
        [mapEvidence(m), syncEvidence(call, 'synced again')],
        [m],
      );
  },
};
