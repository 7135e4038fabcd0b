/**
 * Why an unmap or a sync found no mapping: it was unmapped before, it is older than the trace, it
 * belongs to another device, or a physical address was passed. Only what the trace shows is said.
 */
import type { Books } from './books.js';
import type { Miss, SyncCall, UnmapCall } from './calls.js';
import type { ClosedTable } from './closed.js';
import type { DeviceState, Devices } from './device.js';
import type { LiveMapping } from './live-mapping.js';

const miss: Miss = {
  closed: null,
  wholeLife: false,
  byPhys: null,
  elsewhere: null,
  near: null,
};

/**
 * A live mapping of the device with this physical address, but another DMA address. Where older
 * mappings may exist only an exact start says enough: their DMA addresses can look the same.
 */
export function byPhysical(books: Books, device: DeviceState, address: number): LiveMapping | null {
  const count = address < 0 ? 0 : books.phys.overlapping(address, address + 1);
  for (let i = 0; i < count; i += 1) {
    const m = books.phys.found[i]!.owner;
    if (m.deviceState !== device || m.dma === m.phys) continue;
    if (device.wholeLife || m.phys === address) return m;
  }
  return null;
}

/** The only other device with a live mapping that begins here and has this size. */
function elsewhere(
  devices: Devices,
  own: DeviceState,
  dma: number,
  size: number,
  pid: number,
): LiveMapping | null {
  let found: LiveMapping | null = null;
  for (const device of devices.all()) {
    if (device === own || device.live === 0) continue;
    const count = device.dma.startingAt(dma);
    for (let i = 0; i < count; i += 1) {
      const m = device.dma.found[i]!.owner;
      if (m.dma !== dma || m.size !== size || m.mapPid !== pid) continue;
      // Every IOMMU domain uses the same addresses: then it says something only if the device
      // asked has nothing older than the trace.
      if (m.translated !== false && !own.wholeLife) continue;
      if (found !== null) return null;
      found = m;
    }
  }
  return found;
}

export class Misses {
  constructor(
    private readonly books: Books,
    private readonly devices: Devices,
    private readonly closed: ClosedTable,
  ) {}

  /** The result is reused by the next call. */
  ofUnmap(call: UnmapCall, epoch: number): Miss {
    const { device, address } = call;
    const list = call.kind === 'sg';
    const entry = this.closed.find(device.id, address, list);
    miss.closed =
      entry !== null && entry.epoch === epoch && entry.address === address ? entry : null;
    miss.wholeLife = device.wholeLife;
    miss.byPhys = list ? null : byPhysical(this.books, device, address);
    miss.elsewhere = list
      ? null
      : elsewhere(this.devices, device, address, call.size, call.head.pid);
    miss.near = null;
    return miss;
  }

  ofSync(call: SyncCall, epoch: number, pageSize: number): Miss {
    const { device, dma, length } = call;
    const entry = this.closed.find(device.id, dma, false);
    miss.closed = entry !== null && entry.epoch === epoch ? entry : null;
    miss.wholeLife = device.wholeLife;
    miss.byPhys = byPhysical(this.books, device, dma);
    miss.elsewhere = elsewhere(this.devices, device, dma, length, call.head.pid);
    miss.near = this.near(device, dma, length, epoch, pageSize);
    return miss;
  }

  /** A mapping that the range touches; behind an IOMMU also one in the same page. */
  private near(
    device: DeviceState,
    dma: number,
    length: number,
    epoch: number,
    pageSize: number,
  ): LiveMapping | null {
    const touched = device.dma.overlapping(dma, dma + length);
    for (let i = 0; i < touched; i += 1) {
      const m = device.dma.found[i]!.owner;
      if (m.epoch === epoch) return m;
    }
    const page = Math.floor(dma / pageSize) * pageSize;
    const beside = device.dma.overlapping(page, page + pageSize);
    for (let i = 0; i < beside; i += 1) {
      const m = device.dma.found[i]!.owner;
      // dma-iommu gives no two mappings the same page of IOVA space.
      if (m.translated === true && m.epoch === epoch) return m;
    }
    return null;
  }
}
