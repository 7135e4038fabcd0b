/** The same memory is mapped and unmapped over and over for the same device. */
import type { BufferEntry } from '../cost/buffers.js';
import type { Site } from '../track/device.js';
import type { Rule, World } from './rule.js';
import { bytes, directionName, hex } from './words.js';

/** Maps of one buffer that make it worth a word. */
export const pingPongMin = 32;

export interface PingPong {
  readonly site: Site;
  readonly buffers: number;
  readonly maps: number;
  readonly invalidations: number;
  readonly bytesMaintained: number;
  readonly bytesBounced: number;
  readonly first: BufferEntry;
}

/** Buffers mapped again and again, by device, event and direction. */
export function pingPongs(world: World): PingPong[] {
  const bySite = new Map<Site, BufferEntry[]>();
  for (const entry of world.buffers.all()) {
    if (entry.maps < pingPongMin) continue;
    const list = bySite.get(entry.site) ?? [];
    list.push(entry);
    bySite.set(entry.site, list);
  }
  return [...bySite].map(([site, entries]) => {
    const sum = (of: (entry: BufferEntry) => number) =>
      entries.reduce((total, entry) => total + of(entry), 0);
    return {
      site,
      buffers: entries.length,
      maps: sum((entry) => entry.maps),
      invalidations: sum((entry) => entry.invalidations),
      bytesMaintained: sum((entry) => entry.bytesCleaned + entry.bytesInvalidated),
      bytesBounced: sum((entry) => entry.bytesBounced),
      first: entries.reduce((a, b) => (b.maps > a.maps ? b : a)),
    };
  });
}

export const mapPingPong: Rule = {
  id: 'map-ping-pong',
  hazard: '',
  severity: 'note',
  certainty: 'likely',
  title: 'mapped and unmapped again and again',
  meaning:
    'The driver maps the same buffer for each transfer. Nothing is wrong; a mapping that lives ' +
    'as long as the buffer, with dma_sync_* around each transfer, would save the page table ' +
    'updates and IOTLB invalidations, and keep the same maintenance.',
  evidence: 'phys_addr, size and direction of dma_map_* events of one device, at least 32 times.',
  limits:
    'The table of buffers holds the 8,192 dearest: counts may be too low, never too high. The ' +
    'same address may have had different owners meanwhile; then nothing can be saved.',
  mend: 'map once and use dma_sync_single_for_cpu() and _for_device(); or page_pool, dma_pool',
  dmaDebug: '',
  ended(world) {
    for (const found of pingPongs(world)) {
      const { site, first } = found;
      const head = {
        index: -1,
        time: first.firstTime,
        cpu: -1,
        pid: -1,
        task: first.task,
        name: site.event,
      };
      const draft = world.findings.hit(mapPingPong, site, head, 'likely', null, found.maps);
      const saved =
        found.invalidations > 0 ? ` and ${found.invalidations} IOTLB invalidations` : '';
      draft?.tell(
        `${found.buffers === 1 ? 'one buffer' : `${found.buffers} buffers`} mapped ${found.maps} ` +
          `times, most often ${bytes(first.size)} ${directionName(first.direction)} at phys_addr ` +
          `${hex(first.phys)} (${first.maps} times); mappings kept alive would save ` +
          `${found.maps - found.buffers} map/unmap pairs${saved}`,
        [],
        [],
      );
    }
  },
};
