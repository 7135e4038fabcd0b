/** A physical address is passed where the DMA address belongs. */
import type { Certainty } from '../model.js';
import type { Rule } from './rule.js';
import { siteOf } from './sure.js';
import { hex, mapEvidence, plainEvidence, syncEvidence, unmapEvidence } from './words.js';

export const physAsDma: Rule = {
  id: 'phys-as-dma',
  hazard: 'H15',
  severity: 'error',
  certainty: 'certain',
  title: 'physical address used as DMA address',
  meaning:
    'The address passed to an unmap or sync, or used by the device, is the physical address of ' +
    'a buffer whose DMA address is another. It works on machines where both are equal, and ' +
    'faults, or reaches other memory, behind an IOMMU or an offset.',
  evidence:
    'A live mapping of the device whose phys_addr is the address of a dma_unmap_*, a dma_sync_* ' +
    'or an iommu:io_page_fault, while its dma_addr differs and nothing is mapped at that ' +
    'address.',
  limits: 'Certain only if the whole life of the device is in the trace.',
  mend: 'use the dma_addr_t that the map call returned; never virt_to_phys() or page_to_phys()',
  dmaDebug: 'device driver tries to free (sync) DMA memory it has not allocated',
  unmapMissed(world, call, miss) {
    const m = miss.byPhys;
    if (m === null || miss.closed !== null || miss.elsewhere !== null) return;
    if (!miss.wholeLife && m.size !== call.size) return;
    const certainty: Certainty = miss.wholeLife ? 'certain' : 'likely';
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(physAsDma, site, call.head, certainty, m)
      ?.tell(
        `${call.head.name} at ${hex(call.address)}, the phys_addr of a buffer whose dma_addr is ` +
          hex(m.dma),
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
  syncMissed(world, call, miss) {
    const m = miss.byPhys;
    if (m === null || miss.near !== null || miss.closed !== null || miss.elsewhere !== null) return;
    const certainty: Certainty = miss.wholeLife ? 'certain' : 'likely';
    const site = siteOf(call.device, call.head, call.direction);
    world.findings
      .hit(physAsDma, site, call.head, certainty, m)
      ?.tell(
        `${call.head.name} at ${hex(call.dma)}, in the phys_addr range of a buffer whose ` +
          `dma_addr is ${hex(m.dma)}`,
        [mapEvidence(m), syncEvidence(call)],
        [m],
      );
  },
  faulted(world, fault, head) {
    const m = fault.byPhys;
    if (m === null || fault.live !== null) return;
    const certainty: Certainty = fault.device.wholeLife ? 'certain' : 'likely';
    const site = siteOf(fault.device, head, m.direction);
    world.findings
      .hit(physAsDma, site, head, certainty, m)
      ?.tell(
        `the device accessed ${hex(fault.iova)}, in the phys_addr range of a buffer whose ` +
          `dma_addr is ${hex(m.dma)}`,
        [mapEvidence(m), plainEvidence(head, 'faulted', `iova=${hex(fault.iova)}`)],
        [m],
      );
  },
};
