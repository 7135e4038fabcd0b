/** A sync of memory that is not mapped, or no longer. */
import type { Certainty } from '../model.js';
import type { Rule } from './rule.js';
import { siteOf } from './sure.js';
import { bytes, closedEvidence, duration, hex, syncEvidence } from './words.js';

export const syncUnmapped: Rule = {
  id: 'sync-unmapped',
  hazard: 'H11',
  severity: 'error',
  certainty: 'certain',
  title: 'synced while not mapped',
  meaning:
    "After the unmap the memory is the CPU's again, or somebody else's. The sync invalidates or " +
    'copies over whatever is there by then; behind an IOMMU it hits the next user of the ' +
    'address.',
  evidence:
    'dma_sync_* at an address whose last event for the device is its unmap, or that a device ' +
    'whose whole life is in the trace never mapped.',
  limits:
    'Nothing is said where the mapping may be older than the trace; likely only, without an ' +
    'IOMMU.',
  mend: 'sync before the unmap; the unmap itself hands the memory to the CPU',
  dmaDebug: 'device driver tries to sync DMA memory it has not allocated',
  syncMissed(world, call, miss) {
    const { closed } = miss;
    if (miss.near !== null || call.dma < 0) return;
    if (closed === null && (miss.elsewhere !== null || miss.byPhys !== null)) return;
    if (closed === null && !miss.wholeLife) return;
    const sure = miss.wholeLife || closed?.translated === true;
    const certainty: Certainty = sure ? 'certain' : 'likely';
    const site = siteOf(call.device, call.head, call.direction);
    const draft = world.findings.hit(syncUnmapped, site, call.head, certainty);
    if (draft === null) return;
    const what = `${call.head.name} of ${bytes(call.length)} at dma_addr ${hex(call.dma)}`;
    if (closed === null) {
      draft.tell(`${what}, where the device has no mapping`, [syncEvidence(call)], []);
      return;
    }
    const since = duration(call.head.time - closed.time);
    draft.tell(
      `${what}, ${since} after ${closed.event} had ended the mapping there`,
      [closedEvidence(closed), syncEvidence(call)],
      [],
    );
  },
};
