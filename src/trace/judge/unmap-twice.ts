/** A mapping is unmapped that this trace has seen unmapped before. */
import type { Certainty } from '../model.js';
import type { Rule } from './rule.js';
import { siteOf } from './sure.js';
import { bytes, closedEvidence, duration, hex, unmapEvidence } from './words.js';

export const unmapTwice: Rule = {
  id: 'unmap-twice',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'unmapped twice',
  meaning:
    'The address was unmapped before and has not been mapped since. The second unmap takes away ' +
    'whatever has got the address meanwhile: with an IOMMU another mapping of the device, ' +
    'without one it invalidates memory that no longer belongs to the driver.',
  evidence: 'dma_map_*, dma_unmap_* (dma_free*) and again dma_unmap_* of one address and device.',
  limits:
    'Likely only, without an IOMMU and for scatterlists: there the same memory can be mapped ' +
    'several times, once before the trace began. Says nothing when events were lost in between.',
  mend: "unmap once; clear the driver's copy of the address after the unmap",
  dmaDebug: 'device driver tries to free DMA memory it has not allocated',
  unmapMissed(world, call, miss) {
    const { closed } = miss;
    if (closed === null || call.address < 0) return;
    const alone = closed.translated === true && call.kind !== 'sg';
    const certainty: Certainty = alone || miss.wholeLife ? 'certain' : 'likely';
    const site = siteOf(call.device, call.head, call.direction);
    const draft = world.findings.hit(unmapTwice, site, call.head, certainty);
    const size = call.size >= 0 ? ` of ${bytes(call.size)}` : '';
    const what = call.kind === 'sg' ? 'a list that begins at phys_addr' : 'dma_addr';
    draft?.tell(
      `${call.head.name}${size} at ${what} ${hex(call.address)}, which ${closed.event} had ` +
        `unmapped ${duration(call.head.time - closed.time)} before; nothing mapped it since`,
      [closedEvidence(closed), unmapEvidence(call, 'unmapped again')],
      [],
    );
  },
};
