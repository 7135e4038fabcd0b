/** A mapping that outlives all its like: most likely it was forgotten. */
import { Direction } from '../events.js';
import type { DeviceState } from '../track/device.js';
import type { LiveMapping } from '../track/live-mapping.js';
import { headOf } from './heads.js';
import type { Rule, World } from './rule.js';
import { duration, mapEvidence, mappingWords } from './words.js';

/** So many of a kind must have ended before one that did not is strange. */
const endedMin = 3;
/** And it must be older than the oldest of them by this factor, and than this in ns. */
const factor = 10;
const ageMin = 500_000_000;

interface Kin {
  ended: number;
  live: number;
  longest: number;
}

function kinName(event: string, direction: Direction): string {
  return `${event} ${direction}`;
}

/** What became of the other mappings of a device, by event and direction. */
function kinOf(device: DeviceState): Map<string, Kin> {
  const all = new Map<string, Kin>();
  for (const site of device.distinctSites()) {
    const name = kinName(site.event, site.direction);
    const kin = all.get(name) ?? { ended: 0, live: 0, longest: 0 };
    kin.ended += site.unmaps;
    kin.live += site.live;
    kin.longest = Math.max(kin.longest, site.lifetimeMax);
    all.set(name, kin);
  }
  return all;
}

/** Memory the CPU wrote for one transfer, or allocated: a device may wait for other buffers. */
function oneShot(m: LiveMapping): boolean {
  if (m.pageTable || m.deviceState.pageTableWalker || m.freed) return false;
  if (m.kind !== 'page' && m.kind !== 'sg') return m.kind !== 'resource';
  return m.direction === Direction.ToDevice && m.syncsForCpu + m.syncsForDevice === 0;
}

function judge(world: World, m: LiveMapping, kin: Kin): void {
  const age = world.now - m.mappedAt;
  if (kin.ended < endedMin || kin.live > kin.ended) return;
  if (age < ageMin || age < factor * kin.longest) return;
  world.findings
    .hit(leak, m.site, headOf(m), 'likely', m)
    ?.tell(
      `${mappingWords(m)} was still mapped ${duration(age)} later, at the end of the trace; the ` +
        `${kin.ended} others of its kind lived ${duration(kin.longest)} at most`,
      [mapEvidence(m)],
      [m],
    );
}

export const leak: Rule = {
  id: 'leak',
  hazard: 'H11',
  severity: 'warning',
  certainty: 'likely',
  title: 'never unmapped',
  meaning:
    'The mapping, and with it the memory, an IOVA and perhaps a bounce slot, stays for ever. ' +
    'After the driver is gone the device can still reach the memory.',
  evidence:
    'A map or dma_alloc event without its unmap until the end of the trace, at least ten times ' +
    'as long as the longest-lived of three or more others of the same event, direction and ' +
    'device.',
  limits:
    'A mapping may be meant to live on: likely at most. Buffers that wait for a device ' +
    '(DMA_FROM_DEVICE, DMA_BIDIRECTIONAL), that were synced, and page tables are no match. ' +
    'Memory of a device with a reserved pool looks leaked, since its free has no event.',
  mend: 'unmap on every path, those of errors and of removal included',
  dmaDebug: 'device driver has pending DMA allocations while released from device',
  ended(world) {
    for (const device of world.devices()) {
      if (device.live === 0) continue;
      const kin = kinOf(device);
      for (const m of world.liveMappings()) {
        if (m.deviceState !== device || m.epoch !== world.epoch || !oneShot(m)) continue;
        const own = kin.get(kinName(m.mapEvent, m.direction));
        if (own !== undefined) judge(world, m, own);
      }
    }
  },
};
