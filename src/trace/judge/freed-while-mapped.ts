/** A page goes back to the page allocator while a device may still reach it. */
import { Direction } from '../events.js';
import type { Rule } from './rule.js';
import { mapEvidence, mappingWords, pageEvidence } from './words.js';

export const freedWhileMapped: Rule = {
  id: 'freed-while-mapped',
  hazard: 'H8',
  severity: 'error',
  certainty: 'certain',
  title: 'page freed while mapped',
  meaning:
    'The page can have a new owner at any moment while the device still reads or writes it, and ' +
    'the late unmap invalidates, or copies a bounce buffer over, memory of the new owner.',
  evidence: 'kmem:mm_page_free of a page frame in the physical range of a live mapping.',
  limits:
    'Needs kmem events. Of a scatterlist whose entries the IOMMU merged only the first page of ' +
    'each entry is known, of dma_alloc none. Likely only, for a bounced DMA_TO_DEVICE mapping: ' +
    'the device never sees the page itself.',
  mend: 'unmap before the last reference to the page goes, or hold a reference until the unmap',
  dmaDebug: '',
  pageFreed(world, m, head, pfn) {
    if (m.freed) return;
    m.freed = true;
    const harmless = m.bounced && m.direction === Direction.ToDevice;
    world.findings
      .hit(freedWhileMapped, m.site, head, harmless ? 'likely' : 'certain', m)
      ?.tell(
        `page frame 0x${pfn.toString(16)} was freed inside of the live ${mappingWords(m)}`,
        [mapEvidence(m), pageEvidence(head, 'freed', pfn)],
        [m],
      );
  },
};
