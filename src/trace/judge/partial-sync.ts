/** Work on a part of a buffer, but syncs of the whole. */
import { attributeBits, Direction } from '../events.js';
import type { LiveMapping } from '../track/live-mapping.js';
import { headOf } from './heads.js';
import type { Rule } from './rule.js';
import { bytes, mapEvidence, mappingWords } from './words.js';

/** Fewer times are not worth a word. */
const timesMin = 16;

/** Less than half of the mapping was handed to the CPU since the device had it. */
function partly(m: LiveMapping): boolean {
  return m.cpuBytes > 0 && m.cpuBytes * 2 <= m.size;
}

function note(m: LiveMapping): void {
  const site = m.site.group;
  if (site.partialTimes === 0) {
    site.partialExample = { head: headOf(m), evidence: mapEvidence(m), words: mappingWords(m) };
  }
  site.partialTimes += 1;
  site.partialWaste += m.size - m.cpuBytes;
}

export const partialSync: Rule = {
  id: 'partial-sync',
  hazard: '',
  severity: 'note',
  certainty: 'likely',
  title: 'part of a buffer used, all of it synced',
  meaning:
    'The driver takes a part of the buffer with dma_sync_*_for_cpu and then hands all of it ' +
    'back, or unmaps it with maintenance of the whole. Nothing is wrong; the rest of the lines ' +
    'was cleaned or invalidated for nothing.',
  evidence:
    'dma_sync_*_for_cpu of less than half of a mapping, followed by a dma_sync_*_for_device of ' +
    'all of it or by an unmap without DMA_ATTR_SKIP_CPU_SYNC.',
  limits: 'At least 16 times for one device, event and direction. No time is claimed, only bytes.',
  mend:
    'dma_sync_single_range_for_device() of the same part; unmap with DMA_ATTR_SKIP_CPU_SYNC ' +
    'when what was used is synced already',
  dmaDebug: '',
  synced(_world, m, call) {
    if (!call.forCpu && partly(m) && call.size === m.size) note(m);
  },
  unmapped(_world, m, call) {
    if (m.direction === Direction.ToDevice || !partly(m)) return;
    if ((call.attrs & attributeBits.SKIP_CPU_SYNC) === 0) note(m);
  },
  ended(world) {
    for (const device of world.devices()) {
      for (const site of device.distinctSites()) {
        const example = site.partialExample;
        if (site.partialTimes < timesMin || example === null) continue;
        const draft = world.findings.hit(
          partialSync,
          site,
          example.head,
          'likely',
          null,
          site.partialTimes,
        );
        draft?.tell(
          `${site.partialTimes} times all of a buffer was synced after work on a part of it: ` +
            `${bytes(site.partialWaste)} more than needed; first the ${example.words}`,
          [example.evidence],
          [],
        );
      }
    }
  },
};
