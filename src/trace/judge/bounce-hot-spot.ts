/** A call site whose buffers are copied through bounce buffers again and again. */
import { headOf } from './heads.js';
import type { Rule } from './rule.js';
import { bytes, mapEvidence } from './words.js';

/** Fewer bounces are not worth a word. */
const bouncesMin = 32;

export const bounceHotSpot: Rule = {
  id: 'bounce-hot-spot',
  hazard: '',
  severity: 'note',
  certainty: 'likely',
  title: 'bounced again and again',
  meaning:
    'Every transfer is copied by the CPU through a bounce buffer (swiotlb). It is right, but ' +
    'slow, and the pool can run out.',
  evidence:
    'swiotlb_bounced before dma_map_*, or an iommu:map that leads to another page than ' +
    'phys_addr; at least 32 of one device, event and direction.',
  limits: 'Why it bounced is concluded from the size.',
  mend:
    'small buffers: allocate them alone, in whole granules (kmalloc of 256 bytes and more, or ' +
    'ARCH_DMA_MINALIGN); others: a wider DMA mask, or GFP_DMA32',
  dmaDebug: '',
  mapped(_world, m) {
    const { group } = m.site;
    if (!m.bounced || group.bounceExample !== null) return;
    group.bounceExample = { head: headOf(m), evidence: mapEvidence(m), words: '' };
  },
  ended(world) {
    for (const device of world.devices()) {
      for (const site of device.distinctSites()) {
        const example = site.bounceExample;
        if (site.bounces < bouncesMin || example === null) continue;
        const small = site.smallBounces * 2 > site.bounces;
        const why = small
          ? `most are smaller than ${2 * world.granule} bytes: the kernel bounces those for a ` +
            'device that does not snoop, since they share granules'
          : 'they are not small: the device cannot reach the memory, or the kernel forces it';
        world.findings
          .hit(bounceHotSpot, site, example.head, 'likely', null, site.bounces)
          ?.tell(
            `${site.bounces} of ${site.maps} mappings were bounced, ${bytes(site.bouncedBytes)}; ` +
              why,
            [example.evidence],
            [],
          );
      }
    }
  },
};
