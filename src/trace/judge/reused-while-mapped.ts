/** A page gets a new owner while a device may still reach it. */
import type { Rule } from './rule.js';
import { mapEvidence, mappingWords, pageEvidence } from './words.js';

export const reusedWhileMapped: Rule = {
  id: 'reused-while-mapped',
  hazard: 'H8',
  severity: 'error',
  certainty: 'likely',
  title: 'page given to a new owner while mapped',
  meaning:
    'The page was allocated anew while the device still has it: both write the same memory. Its ' +
    'free is not in the trace, or came before the map.',
  evidence: 'kmem:mm_page_alloc of a page frame in the physical range of a live mapping.',
  limits:
    'Where the free is in the trace, freed-while-mapped tells it and this rule does not. Likely ' +
    'only, since without the free the page may have been split or handed on in another way.',
  mend: 'unmap before the last reference to the page goes',
  dmaDebug: '',
  pageAllocated(world, m, head, pfn) {
    if (m.freed) return;
    m.freed = true;
    world.findings
      .hit(reusedWhileMapped, m.site, head, 'likely', m)
      ?.tell(
        `page frame 0x${pfn.toString(16)} was allocated inside of the live ${mappingWords(m)}`,
        [mapEvidence(m), pageEvidence(head, 'allocated', pfn)],
        [m],
      );
  },
};
