/** A sync that reaches beyond its mapping. */
import type { Certainty } from '../model.js';
import type { SyncCall } from '../track/calls.js';
import type { LiveMapping } from '../track/live-mapping.js';
import type { Rule } from './rule.js';
import { siteOf } from './sure.js';
import { bytes, hex, mapEvidence, mappingWords, syncEvidence } from './words.js';

function where(m: LiveMapping, call: SyncCall): string {
  const before = Math.min(m.dma, call.dma + call.length) - call.dma;
  const after = call.dma + call.length - Math.max(m.dmaEnd, call.dma);
  const parts = [
    before > 0 ? `${bytes(before)} before its start` : '',
    after > 0 ? `${bytes(after)} after its end` : '',
  ];
  const words = parts.filter((part) => part !== '').join(' and ');
  return words === '' ? 'between two entries of it' : words;
}

export const syncOutside: Rule = {
  id: 'sync-outside',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'synced outside of the mapping',
  meaning:
    'The sync covers bytes that were never given to the device. Invalidating them throws away ' +
    'what the CPU wrote there; with a bounce buffer, neighbouring slots are copied.',
  evidence: 'dma_sync_* whose range overlaps a mapping of the device and is not inside of one.',
  limits:
    'Certain behind an IOMMU, where two mappings share no page, or if the whole life of the ' +
    'device is in the trace; else an older mapping may hold the range.',
  mend: 'sync at most [dma_addr, dma_addr + size) of the map call',
  dmaDebug: 'device driver syncs DMA memory outside allocated range',
  syncMissed(world, call, miss) {
    const m = miss.near;
    if (m === null) return;
    const alone = m.translated === true || miss.wholeLife;
    const certainty: Certainty = alone ? 'certain' : 'likely';
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(syncOutside, site, call.head, certainty, m)
      ?.tell(
        `${call.head.name} of ${bytes(call.length)} at dma_addr ${hex(call.dma)} reaches ` +
          `${where(m, call)}: ${mappingWords(m)}`,
        [mapEvidence(m), syncEvidence(call)],
        [m],
      );
  },
};
