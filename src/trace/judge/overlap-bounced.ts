/** Two mappings share granules, but the one its device writes is bounced. */
import type { LiveMapping } from '../track/live-mapping.js';
import type { Draft } from './findings.js';
import type { Rule, World } from './rule.js';
import { deviceWrites } from './sure.js';
import { bytes, mapEvidence, mappingWords } from './words.js';

function tell(draft: Draft, world: World, newer: LiveMapping, older: LiveMapping): void {
  const bounced = older.bounced ? older : newer;
  draft.tell(
    `${mappingWords(newer)} shares ${world.granule}-byte granules with the live ` +
      `${mappingWords(older)}; the ${bytes(bounced.size)} that the device writes were bounced: ` +
      'no bytes at risk',
    [mapEvidence(older), mapEvidence(newer, 'mapped beside it')],
    [older, newer],
  );
}

export const overlapBounced: Rule = {
  id: 'overlap-bounced',
  hazard: '',
  severity: 'note',
  certainty: 'certain',
  title: 'shared cache lines, but bounced: no bytes at risk',
  meaning:
    'Two mappings share granules and one is written by its device, which would be a hazard; but ' +
    'that one goes through a bounce buffer. The device writes the slot, the CPU copies the data ' +
    'through its cache, and no byte is at risk. The copy is the price.',
  evidence: 'As map-overlap, with a swiotlb_bounced event before the map event.',
  limits: 'Depends on the kernel bouncing it: an older kernel, or a larger buffer, does not.',
  mend: 'none needed; granules of its own would save the copy',
  dmaDebug: '',
  overlapped(world, overlap, head) {
    const { newer, older } = overlap;
    if (deviceWrites(newer) || deviceWrites(older)) return;
    const { findings } = world;
    const draft = findings.hit(overlapBounced, newer.site.group, head, 'certain', newer);
    if (draft !== null) tell(draft, world, newer, older);
  },
};
