/**
 * Operations: device accesses, doorbells and waits, barriers, locks (M7, M10, K7).
 * Sources: arch/arm64/include/asm/barrier.h and io.h, Documentation/memory-barriers.txt.
 * Leaves out: stores that overtake earlier loads (the second half of M8).
 */
import { join } from '../../ideal/word.js';
import type { Entry } from '../../machine/store-buffer.js';
import {
  cpuLoad, cpuStore, deviceRead, deviceWrite, loadMustWait, pushEntries,
} from '../access.js';
import { deviceArg, fail, handle, int, pointerArg } from '../args.js';
import { IOMMU_READ, IOMMU_WRITE } from '../constants.js';
import type { KernelContext } from '../context.js';
import { cpuReach } from '../cpu-maps.js';
import { deviceConfig, deviceReach } from '../dma.js';
import { type Reached, translate } from '../iommu.js';
import { dsb } from '../maintenance.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Lock, Port } from '../state.js';
import type { Value } from '../value.js';

type Args = readonly Value[];

/** Bytes of a device access: one u32. */
const DEVICE_WORD = 4;

/** Where a device access arrives: (domain, iova, …) or (address, …), `count` without a domain. */
export function reach(
  context: KernelContext,
  args: Args,
  count: number,
  right: number,
): Reached {
  const device = context.step.device;
  if (args.length > count) {
    const domain = handle(context, args[0], 'domain');
    return translate(context, domain, int(args[1]), DEVICE_WORD, right);
  }
  return deviceReach(context, device, int(args[0]), DEVICE_WORD, right);
}

function fault(context: KernelContext, why: string, what: string): void {
  context.find('H14', true, -1, () => ({
    message: `the device's ${what} faults: ${why}`, expected: 'a valid translation', actual: why,
  }));
  context.say('H14', () => `${what} faults: ${why}`);
}

/** A coherent device snoops unless its translation is non-cacheable (io-pgtable-arm.c). */
export function snoops(context: KernelContext, reached: { cacheable: boolean }): boolean {
  return deviceConfig(context, context.step.device).coherent && reached.cacheable;
}

const dmaRead: Effect = (context, args) => {
  const reached = reach(context, args, 1, IOMMU_READ);
  if (reached.kind === 'fault') {
    fault(context, reached.why, 'read');
    return 0;
  }
  return deviceRead(context, reached.destination, snoops(context, reached), context.step.sync);
};

const dmaWrite: Effect = (context, args) => {
  const reached = reach(context, args, 2, IOMMU_WRITE);
  const value = int(args.at(-1));
  if (reached.kind === 'fault') fault(context, reached.why, 'write');
  else deviceWrite(context, reached.destination, snoops(context, reached), value);
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
    const entries: Entry[] = ordered ? [{ kind: 'barrier', scope: 'st', at }] : [];
    entries.push({ kind: 'doorbell', device, clock: context.step.clock, at });
    setPort(context, device, (port) => ({ ...port, rung: port.rung + 1 }));
    const rung = context.kernel.ports[device]?.rung ?? 0;
    context.step.tickets = context.step.tickets.map((t, i) => (i === device ? rung : t));
    context.say('M7', () =>
      ordered ? 'doorbell, ordered after earlier stores' : 'doorbell, not ordered after anything',
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
  context.say('M10', () => 'completion seen: the device\'s writes are in place');
  return 0;
};

function barrier(scope: 'st' | 'ish' | 'ish-full'): Effect {
  return (context) => {
    pushEntries(context, [{ kind: 'barrier', scope, at: context.step.site }]);
    return 0;
  };
}

/** dmb osh: later loads wait as well, so the thread waits for its stores, not for maintenance. */
const fullBarrier: Effect = (context) => {
  context.queue({ do: 'drained', what: 'stores' });
  return 0;
};

const dsbEffect: Effect = (context) => {
  dsb(context);
  return 0;
};

/** Orders loads only: the lookahead of system/early.ts stops at it. */
const loadBarrier: Effect = () => 0;

function lockArg(context: KernelContext, value: Value | undefined, kind: Lock['kind']): Lock {
  const id = handle(context, value, kind);
  const found = context.kernel.locks.find((each) => each.id === id);
  return found ?? fail(context, `no such ${kind}`);
}

function setLock(context: KernelContext, next: Lock): void {
  context.update({
    locks: context.kernel.locks.map((each) => (each.id === next.id ? next : each)),
  });
}

/** A release reaches its acquirer only after the CPU's stores, maintenance excepted (§1). */
function storesPending(context: KernelContext): boolean {
  return context.step.entries.some((each) => each.kind === 'store' || each.kind === 'doorbell');
}

const lock: Effect = (context, args) => {
  const mutex = lockArg(context, args[0], 'mutex');
  if (mutex.holder >= 0) context.blocked = true;
  else {
    context.learn(mutex.clock);
    setLock(context, { ...mutex, holder: context.step.agent });
  }
  return 0;
};

const unlock: Effect = (context, args) => {
  const mutex = lockArg(context, args[0], 'mutex');
  if (mutex.holder !== context.step.agent) {
    context.contract('unlocks a lock this thread does not hold');
  } else if (storesPending(context)) context.blocked = true;
  else setLock(context, { ...mutex, holder: -1, clock: join(mutex.clock, context.step.clock) });
  return 0;
};

const complete: Effect = (context, args) => {
  const done = lockArg(context, args[0], 'completion');
  if (storesPending(context)) context.blocked = true;
  else {
    const clock = join(done.clock, context.step.clock);
    setLock(context, { ...done, count: done.count + 1, clock });
  }
  return 0;
};

const waitForCompletion: Effect = (context, args) => {
  const done = lockArg(context, args[0], 'completion');
  if (done.count === 0) context.blocked = true;
  else {
    context.learn(done.clock);
    setLock(context, { ...done, count: done.count - 1 });
  }
  return 0;
};

/** The tracked words of a byte range behind a pointer, as offsets from it. */
function wordsIn(context: KernelContext, pointer: Value | undefined, size: number) {
  const { map, offset } = pointerArg(context, pointer);
  const bytes = context.machine.pageSize;
  return context.layout.cells
    .filter((cell) => cell.buffer === map.buffer)
    .map((cell) => ({ byte: cell.page * bytes + cell.offset - offset, size: cell.size }))
    .filter((word) => word.byte >= 0 && word.byte < size)
    .sort((a, b) => a.byte - b.byte);
}

function shifted(context: KernelContext, pointer: Value | undefined, bytes: number) {
  const { map, offset } = pointerArg(context, pointer);
  return { map: map.id, offset: offset + bytes };
}

function patternOf(byte: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (byte & 0xff);
  return value;
}

const memset: Effect = (context, args) => {
  for (const word of wordsIn(context, args[0], int(args[2]))) {
    const to = cpuReach(context, shifted(context, args[0], word.byte), word.size);
    if (to.kind === 'again') return 0;
    if (to.kind === 'fault') fault(context, to.why, 'memset');
    else cpuStore(context, to.destination, to.attribute, patternOf(int(args[1]), word.size));
  }
  return 0;
};

const memcpy: Effect = (context, args) => {
  const size = int(args[2]);
  const from = wordsIn(context, args[1], size);
  const target = pointerArg(context, args[0]);
  for (const word of wordsIn(context, args[0], size)) {
    const source = pointerArg(context, args[1]);
    context.layout.cell(source.map.buffer, source.offset + word.byte, word.size);
  }
  for (const word of from) {
    context.layout.cell(target.map.buffer, target.offset + word.byte, word.size);
    const source = cpuReach(context, shifted(context, args[1], word.byte), word.size);
    const to = cpuReach(context, shifted(context, args[0], word.byte), word.size);
    if (source.kind === 'again' || to.kind === 'again') return 0;
    if (source.kind === 'fault' || to.kind === 'fault') {
      fault(context, source.kind === 'fault' ? source.why : 'no page is mapped there', 'memcpy');
      continue;
    }
    if (loadMustWait(context, source.destination, source.attribute)) {
      context.blocked = true;
      return 0;
    }
    const value = cpuLoad(context, source.destination, source.attribute, source.user, false);
    cpuStore(context, to.destination, to.attribute, value);
  }
  return 0;
};

const address: Param = { name: 'domain or address', kinds: ['domain', 'dma', 'int', 'phys'] };
const iovaParam: Param = { name: 'iova', kinds: ['int', 'dma', 'phys'], optional: true };

const device: readonly Operation[] = [
  ...(['dma_read', 'dma_read_sync'] as const).map((name): Operation => ({
    name, family: 'device', where: 'device', returns: 'int', rules: ['M10', 'M12'], reads: true,
    params: [address, iovaParam], effect: dmaRead,
    doc: name === 'dma_read'
      ? 'the device reads a u32: (domain, iova), or (address) by its DMA API mapping'
      : 'as dma_read, and synchronises with the write it sees',
    source: 'model.md M10',
  })),
  {
    name: 'dma_write', family: 'device', where: 'device', returns: 'void', rules: ['M10', 'M12'],
    params: [address, { name: 'iova or value', kinds: ['int', 'dma', 'phys'] },
      { name: 'value', kinds: ['int'], optional: true }],
    doc: 'the device writes a u32: (domain, iova, value), or (address, value)',
    source: 'model.md M10', effect: dmaWrite, loadsPass: true,
  },
  {
    name: 'submit', family: 'device', where: 'cpu', returns: 'void', rules: ['M7', 'K7'],
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: 'rings the doorbell as writel does: ordered after earlier stores; the device program runs once for it',
    source: 'arch/arm64/include/asm/io.h:writel (__io_bw)', effect: doorbell(0, true),
    loadsPass: true,
  },
  {
    name: 'writel', family: 'device', where: 'cpu', returns: 'void', rules: ['M7'],
    params: [{ name: 'value', kinds: ['int'] }, { name: 'dev', kinds: ['device'] }],
    doc: 'doorbell with dma_wmb before it; completes no cache maintenance',
    source: 'arch/arm64/include/asm/io.h:writel (__io_bw)', effect: doorbell(1, true),
    loadsPass: true,
  },
  {
    name: 'writel_relaxed', family: 'device', where: 'cpu', returns: 'void', rules: ['M7'],
    params: [{ name: 'value', kinds: ['int'] }, { name: 'dev', kinds: ['device'] }],
    doc: 'doorbell without any barrier', source: 'arch/arm64/include/asm/io.h:writel_relaxed',
    effect: doorbell(1, false), loadsPass: true,
  },
  {
    name: 'wait', family: 'device', where: 'cpu', returns: 'void', rules: ['M10', 'K7'], blocks: true,
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: 'waits for the fence or interrupt of this thread\'s last submit (else for the next completion)',
    source: 'model.md §1, M10', effect: wait,
  },
];

function order(name: string, doc: string, source: string, effect: Effect): Operation {
  return {
    name, family: 'ordering', where: 'cpu', returns: 'void', params: [], rules: ['M7'],
    removable: 'drop', doc, source: `arch/arm64/include/asm/barrier.h: ${source}`, effect,
    loadsPass: name === 'dma_wmb' || name === 'smp_wmb',
  };
}

const ordering: readonly Operation[] = [
  order('mb', 'everything before it is complete, maintenance included', 'dsb sy', dsbEffect),
  order('wmb', 'stores and maintenance before it are complete', 'dsb st', dsbEffect),
  order('rmb', 'orders loads', 'dsb ld', loadBarrier),
  order('dma_mb', 'orders earlier stores before later loads and stores, for devices', 'dmb osh',
    fullBarrier),
  order('dma_wmb', 'orders earlier stores before later ones, for devices', 'dmb oshst',
    barrier('st')),
  order('dma_rmb', 'orders loads, for devices', 'dmb oshld', loadBarrier),
  order('smp_mb', 'orders for other CPUs only', 'dmb ish', barrier('ish-full')),
  order('smp_wmb', 'orders stores for other CPUs only', 'dmb ishst', barrier('ish')),
  order('smp_rmb', 'orders loads for other CPUs only', 'dmb ishld', loadBarrier),
];

const mutexParam: Param = { name: 'lock', kinds: ['mutex'] };
const completionParam: Param = { name: 'done', kinds: ['completion'] };

function thread(name: string, param: Param, doc: string, effect: Effect): Operation {
  return {
    name, family: 'threads', where: 'cpu', returns: 'void', params: [param], rules: ['M7'], doc,
    source: 'model.md §1 (releases and acquires)', effect, blocks: true,
  };
}

const bytes: readonly Param[] = [
  { name: 'dst', kinds: ['ptr'] }, { name: 'value', kinds: ['int'] },
  { name: 'size', kinds: ['int'] },
];

const threads: readonly Operation[] = [
  thread('mutex_lock', mutexParam, 'waits for the lock, and for what its last holder did', lock),
  thread('mutex_unlock', mutexParam, 'releases it once earlier stores have drained', unlock),
  thread('spin_lock', mutexParam, 'as mutex_lock', lock),
  thread('spin_unlock', mutexParam, 'as mutex_unlock', unlock),
  thread('complete', completionParam, 'signals once earlier stores have drained', complete),
  thread('wait_for_completion', completionParam, 'waits for one complete()', waitForCompletion),
  {
    name: 'memset', family: 'CPU mappings', where: 'cpu', returns: 'void', rules: ['M5'],
    params: bytes, doc: 'stores to every word of the range the scenario names', effect: memset,
    source: 'lib/string.c:memset',
  },
  {
    name: 'memcpy', family: 'CPU mappings', where: 'cpu', returns: 'void', rules: ['M5'],
    params: [{ name: 'dst', kinds: ['ptr'] }, { name: 'src', kinds: ['ptr'] },
      { name: 'size', kinds: ['int'] }],
    doc: 'loads and stores every word of the range the scenario names', effect: memcpy,
    source: 'lib/string.c:memcpy',
  },
];

export const syncOperations: readonly Operation[] = [...device, ...ordering, ...threads];
