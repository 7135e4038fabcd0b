/** An unmap of an address that the device never had, or the unmap of a failed mapping. */
import type { Rule } from './rule.js';
import { siteOf } from './sure.js';
import { bytes, hex, unmapEvidence } from './words.js';

export const unmapUnmapped: Rule = {
  id: 'unmap-unmapped',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'unmapped, but never mapped',
  meaning:
    'The device has no mapping at this address. The unmap hits another mapping, or the kernel ' +
    'warns and does nothing.',
  evidence:
    'dma_unmap_* or dma_free* without a map event before, for a device whose attach to its ' +
    'IOMMU domain is in the trace, so that none of its mappings can be older.',
  limits:
    'For all other devices the mapping may be older than the trace, and nothing is said: the ' +
    'device list counts such unmaps.',
  mend: 'pass the address and size that the map call returned',
  dmaDebug: 'device driver tries to free DMA memory it has not allocated',
  unmapMissed(world, call, miss) {
    if (miss.closed !== null || miss.elsewhere !== null || miss.byPhys !== null) return;
    if (!miss.wholeLife || call.address < 0) return;
    const site = siteOf(call.device, call.head, call.direction);
    const size = call.size >= 0 ? ` of ${bytes(call.size)}` : '';
    const what = call.kind === 'sg' ? 'a list that begins at phys_addr' : 'dma_addr';
    world.findings
      .hit(unmapUnmapped, site, call.head, 'certain')
      ?.tell(
        `${call.head.name}${size} at ${what} ${hex(call.address)}, where the device has no mapping`,
        [unmapEvidence(call)],
        [],
      );
  },
};
