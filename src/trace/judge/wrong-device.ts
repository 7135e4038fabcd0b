/** An unmap or sync names a device that did not map the memory. */
import type { Rule } from './rule.js';
import { siteOf } from './sure.js';
import { bytes, hex, mapEvidence, syncEvidence, unmapEvidence } from './words.js';

export const wrongDevice: Rule = {
  id: 'wrong-device',
  hazard: 'H11',
  severity: 'error',
  certainty: 'likely',
  title: 'unmapped or synced for another device',
  meaning:
    'The task that mapped the memory for one device unmaps or syncs the same address and size ' +
    'for another one, which has no such mapping. The mapping of the first one stays.',
  evidence:
    'dma_map_* for one device, dma_unmap_* or dma_sync_* with the same address, size and task ' +
    'for another, which has nothing there.',
  limits:
    'Behind an IOMMU every device uses the same addresses, so there it needs the whole life of ' +
    'the second device in the trace.',
  mend: 'pass the struct device that the memory was mapped for',
  dmaDebug: 'device driver tries to free DMA memory it has not allocated',
  unmapMissed(world, call, miss) {
    const other = miss.elsewhere;
    if (miss.closed !== null || other === null) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(wrongDevice, site, call.head, 'likely', other)
      ?.tell(
        `${call.head.name} of ${bytes(call.size)} at dma_addr ${hex(call.address)}, which is ` +
          `mapped for ${other.device} and not for this device`,
        [mapEvidence(other), unmapEvidence(call)],
        [other],
      );
  },
  syncMissed(world, call, miss) {
    const other = miss.elsewhere;
    if (miss.closed !== null || miss.near !== null || other === null) return;
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(wrongDevice, site, call.head, 'likely', other)
      ?.tell(
        `${call.head.name} of ${bytes(call.size)} at dma_addr ${hex(call.dma)}, which is mapped ` +
          `for ${other.device} and not for this device`,
        [mapEvidence(other), syncEvidence(call)],
        [other],
      );
  },
};
