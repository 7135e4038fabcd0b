/**
 * Operations: accesses of devices, doorbells, completions (M7, M10, M12, K7).
 * Sources: arch/arm64/include/asm/io.h (writel, writel_relaxed), model.md M10.
 * Leaves out: what a device does about an error.
 */
import { orderProfiles } from '../../machine/profile.js';
import type { Entry } from '../../machine/store-buffer.js';
import { pushEntries } from '../access.js';
import { deviceArg, handle, int } from '../args.js';
import { IOMMU_READ, IOMMU_WRITE } from '../constants.js';
import type { KernelContext } from '../context.js';
import { dropLines, isDirty, isUnderWay, readByDevice, writeByDevice } from '../device-cache.js';
import { DMA_MAPPING_ERROR, deviceConfig, physicalPlace } from '../dma-address.js';
import { deviceReach } from '../dma-reach.js';
import { domainOf, isAttached, type Reached, translate } from '../iommu.js';
import { frameOf } from '../pages.js';
import { behindBar, ownerWaits } from '../posted.js';
import { profileOf } from '../profile.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Destination } from '../standing.js';
import type { Port } from '../state.js';
import type { Value } from '../value.js';

type Args = readonly Value[];

type Fault = Extract<Reached, { kind: 'fault' }>;

/** Bytes of a device access: one u32. */
const DEVICE_WORD = 4;

/** Where a device access arrives: (domain, iova, …) or (address, …), `count` without a domain. */
export function reach(context: KernelContext, args: Args, count: number, right: number): Reached {
  const { dmaMask, busPasses } = deviceConfig(context, context.step.device);
  const limit = Math.min(dmaMask, busPasses);
  const withDomain = args.length > count;
  const address = int(args[withDomain ? 1 : 0]);
  const at = (bus: number): Reached => {
    if (withDomain) return reachThrough(context, handle(context, args[0], 'domain'), bus, right);
    const mine = ownMemory(context, bus);
    if (mine !== null) return mine;
    const own = ownContext(context, bus);
    if (own !== null) return translate(context, own, bus, DEVICE_WORD, right);
    return deviceReach(context, context.step.device, bus, DEVICE_WORD, right);
  };
  const whole = limit === Number.MAX_SAFE_INTEGER || address + DEVICE_WORD - 1 <= limit;
  if (whole) return at(address);
  context.recorder.couples?.('the device cannot emit an address');
  return truncated(address, limit, at);
}

/** A device reaches its own memory by itself, not through an IOMMU. */
function ownMemory(context: KernelContext, address: number): Reached | null {
  const place = context.step.hasBars ? physicalPlace(context, address) : null;
  if (place === null) return null;
  const buffer = context.buffer(place.buffer);
  if (buffer.kind !== 'bar' || buffer.device !== context.step.device) return null;
  const cell = context.layout.cell(buffer.id, place.offset, DEVICE_WORD);
  const frame = frameOf(context, buffer, place.offset);
  return { kind: 'memory', destination: { frame, cell, refused: null }, cacheable: false };
}

/** Addresses from here on go by TTBR1 (drivers/iommu/arm/arm-smmu/arm-smmu-qcom.c). */
const TTBR1_FROM = 2 ** 48;

/** The domain that the device's own context names for an address; null without such a context. */
function ownContext(context: KernelContext, address: number): number | null {
  const { device } = context.step;
  const mine = context.kernel.contexts.find((each) => each.device === device);
  if (mine === undefined) return null;
  return address >= TTBR1_FROM ? mine.ttbr1 : mine.ttbr0;
}

function reachThrough(context: KernelContext, id: number, iova: number, right: number): Reached {
  const domain = domainOf(context, id);
  if (domain !== undefined && !isAttached(domain, context.step.device)) {
    return { kind: 'fault', why: 'the device is not attached to this domain' };
  }
  return translate(context, id, iova, DEVICE_WORD, right);
}

/** The upper bits of the address never leave the device (K9): what stands at the rest is hit. */
function truncated(address: number, limit: number, at: (bus: number) => Reached): Reached {
  const emitted = address % (limit + 1);
  const meant = at(address);
  const hit = at(emitted);
  const shown = address === DMA_MAPPING_ERROR ? 'DMA_MAPPING_ERROR' : `0x${address.toString(16)}`;
  const why = `the device cannot emit ${shown}, only 0x${emitted.toString(16)}`;
  if (meant.kind === 'fault' || hit.kind === 'fault') return { kind: 'fault', why, hazard: 'H7' };
  const { frame } = hit.destination;
  const { cell } = meant.destination;
  return { ...hit, destination: { frame, cell, refused: 'H7' } };
}

export function deviceFaults(context: KernelContext, reached: Fault, what: string): void {
  context.recorder.faulted?.(context.step.site);
  if (deviceConfig(context, context.step.device).rogue) {
    context.say('M15', () => `${what} refused: ${reached.why}`);
    return;
  }
  const { why, hazard = 'H14', consequence = false } = reached;
  const verb = { H7: 'goes astray', H9: 'leaves its buffer', H14: 'faults' }[hazard];
  context.find(hazard, !consequence, -1, () => ({
    message: `the device's ${what} ${verb}: ${why}`,
    expected: 'a valid translation',
    actual: why,
  }));
  context.say(hazard, () => `${what} ${verb}: ${why}`);
}

/** A coherent device snoops unless its translation is non-cacheable (io-pgtable-arm.c). */
export function snoops(
  context: KernelContext,
  reached: { cacheable: boolean; destination: Destination },
): boolean {
  // From device to device no transaction passes the CPUs' caches.
  if (behindBar(context, reached.destination.frame) >= 0) return false;
  const allowed = reached.cacheable || !profileOf(context).cacheBitDecides;
  const asked = context.option('no_snoop') === 0;
  return deviceConfig(context, context.step.device).snoops && allowed && asked;
}

const dmaRead: Effect = (context, args) => {
  const reached = reach(context, args, 1, IOMMU_READ);
  if (reached.kind === 'fault') {
    deviceFaults(context, reached, 'read');
    return 0;
  }
  if (ownerWaits(context, reached.destination) || readWaits(context)) {
    context.blocked = true;
    return 0;
  }
  return readByDevice(context, reached.destination, snoops(context, reached), context.step.sync);
};

/** A read request does not pass the device's own writes (PCI Express, transaction ordering). */
function readWaits(context: KernelContext): boolean {
  return context.step.posts && isUnderWay(context, context.step.device);
}

const dmaWrite: Effect = (context, args) => {
  const reached = reach(context, args, 2, IOMMU_WRITE);
  const value = int(args.at(-1));
  if (reached.kind === 'fault') deviceFaults(context, reached, 'write');
  else writeByDevice(context, reached.destination, snoops(context, reached), value);
  return 0;
};

function setPort(context: KernelContext, device: number, change: (port: Port) => Port): void {
  context.update({
    ports: context.kernel.ports.map((port, i) => (i === device ? change(port) : port)),
  });
}

function doorbell(deviceAt: number, ordered: boolean): Effect {
  return (context, args) => {
    const device = deviceArg(context, args[deviceAt]);
    const at = context.step.site;
    const { writel } = orderProfiles[context.machine.profile];
    const fenced = ordered && writel !== 'none';
    const entries: Entry[] = fenced ? [{ kind: 'barrier', scope: writel, at }] : [];
    entries.push({ kind: 'doorbell', device, clock: context.step.clock, at });
    setPort(context, device, (port) => ({ ...port, rung: port.rung + 1 }));
    const rung = context.kernel.ports[device]?.rung ?? 0;
    context.step.tickets = context.step.tickets.map((t, i) => (i === device ? rung : t));
    context.say('M7', () =>
      fenced ? 'doorbell, ordered after earlier stores' : 'doorbell, without a barrier before it',
    );
    pushEntries(context, entries);
    return 0;
  };
}

const wait: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const port = context.kernel.ports[device];
  const ticket = context.step.tickets[device] ?? 1;
  if (port === undefined || port.done < ticket) {
    context.blocked = true;
    return 0;
  }
  context.learn(port.clock);
  context.step.tickets = context.step.tickets.map((t, i) => (i === device ? ticket + 1 : t));
  context.say('M10', () =>
    isDirty(context, device)
      ? 'completion seen: what the device wrote is still in its own cache'
      : isUnderWay(context, device)
        ? "completion seen: the device's writes are still under way"
        : "completion seen: the device's writes are in place",
  );
  return 0;
};

export const address: Param = { name: 'domain or address', kinds: ['domain', 'dma', 'int', 'phys'] };

const iovaParam: Param = { name: 'iova', kinds: ['int', 'dma', 'phys'], optional: true };

const relaxedOption = {
  name: 'relaxed',
  kind: 'bool',
  doc: 'with the Relaxed Ordering bit: it may overtake what the device wrote before',
} as const;

const noSnoopOption = {
  name: 'no_snoop',
  kind: 'bool',
  doc: 'a PCIe No Snoop transaction: it passes the CPU caches by, also of a coherent device',
} as const;

export const deviceOperations: readonly Operation[] = [
  ...(['dma_read', 'dma_read_sync'] as const).map(
    (name): Operation => ({
      name,
      family: 'device',
      where: 'device',
      returns: 'int',
      rules: ['M10', 'M12'],
      reads: true,
      params: [address, iovaParam],
      options: [noSnoopOption],
      effect: dmaRead,
      doc:
        name === 'dma_read'
          ? 'the device reads a u32: (domain, iova), or (address) by its DMA API mapping'
          : 'as dma_read, and synchronises with the write it sees',
      source: 'model.md M10',
    }),
  ),
  {
    name: 'dma_write',
    family: 'device',
    where: 'device',
    returns: 'void',
    rules: ['M10', 'M12'],
    params: [
      address,
      { name: 'iova or value', kinds: ['int', 'dma', 'phys'] },
      { name: 'value', kinds: ['int'], optional: true },
    ],
    options: [noSnoopOption, relaxedOption],
    doc: 'the device writes a u32: (domain, iova, value), or (address, value)',
    source: 'model.md M10',
    effect: dmaWrite,
    loadsPass: true,
  },
  {
    name: 'submit',
    family: 'device',
    where: 'cpu',
    returns: 'void',
    rules: ['M7', 'K7'],
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: 'rings the doorbell as writel does: ordered after earlier stores; the device program runs once for it',
    source: 'arch/arm64/include/asm/io.h:writel (__io_bw)',
    effect: doorbell(0, true),
    loadsPass: true,
  },
  {
    name: 'writel',
    family: 'device',
    where: 'cpu',
    returns: 'void',
    rules: ['M7'],
    params: [
      { name: 'value', kinds: ['int'] },
      { name: 'dev', kinds: ['device'] },
    ],
    doc: 'doorbell with dma_wmb before it; completes no cache maintenance',
    source: 'arch/arm64/include/asm/io.h:writel (__io_bw)',
    effect: doorbell(1, true),
    loadsPass: true,
  },
  {
    name: 'writel_relaxed',
    family: 'device',
    where: 'cpu',
    returns: 'void',
    rules: ['M7'],
    params: [
      { name: 'value', kinds: ['int'] },
      { name: 'dev', kinds: ['device'] },
    ],
    doc: 'doorbell without any barrier',
    source: 'arch/arm64/include/asm/io.h:writel_relaxed',
    effect: doorbell(1, false),
    loadsPass: true,
  },
  {
    name: 'wait',
    family: 'device',
    where: 'cpu',
    returns: 'void',
    rules: ['M10', 'K7'],
    blocks: true,
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: "waits for the fence or interrupt of this thread's last submit (else for the next completion)",
    source: 'model.md §1, M10',
    effect: wait,
  },
  {
    name: 'panthor_gpu_flush_caches',
    family: 'device',
    where: 'cpu',
    returns: 'int',
    rules: ['M11', 'K7'],
    blocks: true,
    removable: 'drop',
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: "writes back what is dirty in the device's own cache, and waits for it; clean lines stay",
    source: 'drivers/gpu/drm/panthor/panthor_gpu.c:panthor_gpu_flush_caches',
    effect: (context, args) => {
      if (isDirty(context, deviceArg(context, args[0]))) context.blocked = true;
      return 0;
    },
  },
  {
    name: 'panthor_vm_flush_all',
    family: 'device',
    where: 'cpu',
    returns: 'int',
    rules: ['M11', 'K7'],
    blocks: true,
    removable: 'drop',
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: "writes the device's own cache back and drops all of it, clean lines too",
    source: 'drivers/gpu/drm/panthor/panthor_mmu.c:panthor_vm_flush_all (AS_COMMAND_FLUSH_MEM)',
    effect: (context, args) => {
      const device = deviceArg(context, args[0]);
      if (isDirty(context, device)) context.blocked = true;
      else dropLines(context, device);
      return 0;
    },
  },
  {
    name: 'cp_cache_invalidate',
    family: 'device',
    where: 'device',
    returns: 'void',
    rules: ['M11'],
    params: [],
    doc: 'the device drops the clean lines of its own cache, as a command stream may ask for',
    source: 'drivers/gpu/drm/msm/adreno/a6xx_gpu.c (CP_EVENT_WRITE CACHE_INVALIDATE)',
    effect: (context) => {
      dropLines(context, context.step.device);
      return 0;
    },
  },
];
