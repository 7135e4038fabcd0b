/** The IOMMU refused an access of a device. */
import { Direction } from '../events.js';
import type { Evidence } from '../model.js';
import type { LiveMapping } from '../track/live-mapping.js';
import type { Fault, Rule } from './rule.js';
import { siteOf } from './sure.js';
import {
  closedEvidence,
  directionName,
  duration,
  hex,
  mapEvidence,
  plainEvidence,
} from './words.js';

function story(fault: Fault, time: number): { readonly words: string; readonly shown: Evidence[] } {
  const { live, closed } = fault;
  if (live !== null) {
    const words = `which is mapped ${directionName(live.direction)}: it lacks the right`;
    return { words, shown: [mapEvidence(live)] };
  }
  if (closed !== null) {
    const since = duration(time - closed.time);
    return { words: `${since} after ${closed.event} ended it`, shown: [closedEvidence(closed)] };
  }
  return { words: 'where this trace has no mapping', shown: [] };
}

export const deviceFault: Rule = {
  id: 'device-fault',
  hazard: 'H14',
  severity: 'error',
  certainty: 'certain',
  title: 'the device accessed what is not mapped',
  meaning:
    'The IOMMU stopped an access. Right after an unmap it means that the device was still ' +
    'working; at an address never mapped, a wrong address in a descriptor; inside of a mapping, ' +
    'the wrong direction.',
  evidence: 'iommu:io_page_fault, and the map and unmap events around its iova.',
  limits:
    'Few IOMMU drivers emit the event: the SMMU driver only logs its faults. A device without ' +
    'IOMMU reaches everything and never faults.',
  mend: 'stop the device, and wait until it has stopped, before the unmap',
  dmaDebug: '',
  faulted(world, fault, head) {
    if (fault.live === null && fault.closed === null && fault.byPhys !== null) return;
    const site = siteOf(fault.device, head, Direction.None);
    const concerned: LiveMapping | null = fault.live;
    const draft = world.findings.hit(deviceFault, site, head, 'certain', concerned);
    if (draft === null) return;
    const { words, shown } = story(fault, head.time);
    const flags = `0x${fault.flags.toString(16)}`;
    const text = `iova=${hex(fault.iova)} flags=${flags}`;
    draft.tell(
      `the device accessed ${hex(fault.iova)}, ${words}`,
      [...shown, plainEvidence(head, 'faulted', text)],
      concerned === null ? [] : [concerned],
    );
  },
};
