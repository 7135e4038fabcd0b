/** A page is written out to swap while a device may still write it. */
import { Direction } from '../events.js';
import type { Rule } from './rule.js';
import { mapEvidence, mappingWords, pageEvidence } from './words.js';

export const swappedWhileMapped: Rule = {
  id: 'swapped-while-mapped',
  hazard: 'H8',
  severity: 'warning',
  certainty: 'likely',
  title: 'page swapped out while mapped',
  meaning:
    'Reclaim writes the page out although the device may write it: what it writes after that is ' +
    'lost when the page is dropped, and the device then writes a page of somebody else.',
  evidence:
    'vmscan:mm_vmscan_write_folio of a page frame in a live mapping that the device writes.',
  limits:
    'Needs vmscan events. Likely only: a page that is referenced elsewhere survives its ' +
    'write-out.',
  mend: 'pin the pages while they are mapped (pin_user_pages, mapping_set_unevictable)',
  dmaDebug: '',
  pageWrittenOut(world, m, head, pfn) {
    if (m.direction === Direction.ToDevice) return;
    world.findings
      .hit(swappedWhileMapped, m.site, head, 'likely', m)
      ?.tell(
        `page frame 0x${pfn.toString(16)} was written out inside of the live ${mappingWords(m)}`,
        [mapEvidence(m), pageEvidence(head, 'written out', pfn)],
        [m],
      );
  },
};
