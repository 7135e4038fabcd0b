/**
 * The ledger as rows: devices and call sites, the dearest buffers, what changes would save. Bytes
 * of cache maintenance of a device that snoops are zero; where that is not known they stand for
 * what it would cost if it does not.
 */
import { type PingPong, pingPongs } from '../judge/map-ping-pong.js';
import type { World } from '../judge/rule.js';
import { bytes } from '../judge/words.js';
import type { BufferCost, CostRow, Costs, Saving } from '../model.js';
import type { DeviceState, SiteCost } from '../track/device.js';
import { LifetimeHistogram } from '../track/lifetimes.js';
import type { BufferEntry } from './buffers.js';

type Snoops = (device: DeviceState) => boolean;

const dearestMax = 10;

function rowOf(
  device: DeviceState,
  task: string,
  costs: readonly SiteCost[],
  seconds: number,
  snoops: boolean,
): CostRow {
  const sum = (of: (cost: SiteCost) => number) => costs.reduce((total, c) => total + of(c), 0);
  const lifetimes = new LifetimeHistogram();
  for (const cost of costs) lifetimes.merge(cost.lifetimes);
  const maps = sum((c) => c.maps);
  return {
    device: device.name,
    task,
    maps,
    unmaps: sum((c) => c.unmaps),
    mapsPerSecond: seconds > 0 ? maps / seconds : 0,
    bytesMapped: sum((c) => c.bytesMapped),
    lifetimeMean: lifetimes.mean,
    lifetimeMedian: lifetimes.median,
    lifetimeMax: lifetimes.max,
    syncsForCpu: sum((c) => c.syncsForCpu),
    syncsForDevice: sum((c) => c.syncsForDevice),
    bytesCleaned: snoops ? 0 : sum((c) => c.bytesCleaned),
    bytesInvalidated: snoops ? 0 : sum((c) => c.bytesInvalidated),
    bounces: sum((c) => c.bounces),
    bytesBounced: sum((c) => c.bytesBounced),
    invalidations: sum((c) => c.invalidations),
    bytesUntranslated: sum((c) => c.bytesUntranslated),
  };
}

/** The order of rows: what was moved, then how often something was mapped. */
function weight(row: CostRow): number {
  return row.bytesCleaned + row.bytesInvalidated + 2 * row.bytesBounced + 1024 * row.maps;
}

function costRows(world: World, seconds: number, snoops: Snoops): CostRow[] {
  const groups = [...world.devices()]
    .filter((device) => device.costs.size > 0)
    .map((device) => {
      const costs = [...device.costs.values()].filter((cost) => cost.maps > 0);
      const whole = rowOf(device, '', costs, seconds, snoops(device));
      const sites = costs.map((c) => rowOf(device, c.task, [c], seconds, snoops(device)));
      return { whole, sites: sites.sort((a, b) => weight(b) - weight(a)) };
    })
    .filter(({ whole }) => whole.maps > 0);
  groups.sort((a, b) => weight(b.whole) - weight(a.whole));
  return groups.flatMap(({ whole, sites }) => [whole, ...sites]);
}

function bufferCost(entry: BufferEntry, snoops: Snoops): BufferCost {
  const coherent = snoops(entry.site.device);
  return {
    device: entry.site.device.name,
    task: entry.task,
    phys: entry.phys,
    size: entry.size,
    direction: entry.direction,
    maps: entry.maps,
    bytesCleaned: coherent ? 0 : entry.bytesCleaned,
    bytesInvalidated: coherent ? 0 : entry.bytesInvalidated,
    bytesBounced: entry.bytesBounced,
    invalidations: entry.invalidations,
  };
}

function pingPongSaving(found: PingPong): Saving {
  const { site, maps, buffers } = found;
  const which = buffers === 1 ? 'one buffer' : `${buffers} buffers`;
  return {
    device: site.device.name,
    task: '',
    change: `keep ${which} mapped and sync around each use`,
    maps: maps - buffers,
    invalidations: Math.max(0, found.invalidations - buffers),
    bytesMaintained: 0,
    bytesBounced: 0,
  };
}

function savings(world: World, snoops: Snoops): Saving[] {
  const all: Saving[] = pingPongs(world).map(pingPongSaving);
  for (const device of world.devices()) {
    for (const site of device.distinctSites()) {
      const of = { device: device.name, task: '', maps: 0, invalidations: 0 };
      if (site.partialTimes >= 16 && !snoops(device)) {
        const change = 'sync only the part that was used';
        all.push({ ...of, change, bytesMaintained: site.partialWaste, bytesBounced: 0 });
      }
      if (site.smallBounces >= 32) {
        const size = bytes(2 * world.granule);
        const change = `allocate the buffers below ${size} in DMA granules of their own`;
        const bytesBounced = site.bouncedBytes;
        all.push({ ...of, change, bytesMaintained: 0, bytesBounced });
      }
    }
  }
  return all.sort((a, b) => saved(b) - saved(a));
}

function saved(saving: Saving): number {
  const { maps, invalidations, bytesMaintained, bytesBounced } = saving;
  return 1024 * maps + 4096 * invalidations + bytesMaintained + 2 * bytesBounced;
}

/** `seconds` is the length of the trace. */
export function costsOf(world: World, seconds: number, snoops: Snoops): Costs {
  // Of equally dear ones the older first, so that the order says nothing of our table.
  const dearest = world.buffers
    .all()
    .sort((a, b) => b.weight - a.weight || a.firstTime - b.firstTime || a.phys - b.phys);
  return {
    rows: costRows(world, seconds, snoops),
    dearest: dearest.slice(0, dearestMax).map((entry) => bufferCost(entry, snoops)),
    savings: savings(world, snoops),
  };
}
