/**
 * Operations: reading a device's register back, and delays (M7, M10). A register write is posted:
 * a barrier sends it off, only a read from the same device shows that it has arrived.
 * Sources: arch/arm64/include/asm/io.h (readl, __io_ar), Documentation/memory-barriers.txt "KERNEL
 * I/O BARRIER EFFECTS", Documentation/driver-api/device-io.rst (posted writes).
 * Leaves out: the values of registers; how long a delay is, which always suffices.
 */
import { deviceArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { isUnderWay } from '../device-cache.js';
import { holdsDeviceStore, postedTo } from '../posted.js';
import type { Effect, Operation } from '../registry.js';
import type { Port } from '../state.js';

/** The own doorbells and Device stores to it have arrived, and what was posted to or by it. */
function arrived(context: KernelContext, device: number): boolean {
  const { entries } = context.step;
  return (
    !entries.some((each) => each.kind === 'doorbell' && each.device === device) &&
    !holdsDeviceStore(context, device) &&
    !postedTo(context, device) &&
    !(context.step.anyPosts && isUnderWay(context, device))
  );
}

const readl: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  if (!arrived(context, device)) {
    context.blocked = true;
    return 0;
  }
  const rung = context.kernel.ports[device]?.rung ?? 0;
  const mine = Math.min(rung, context.step.tickets[device] ?? 0);
  const ports = context.kernel.ports.map((port, i): Port => {
    return i === device ? { ...port, readBack: Math.max(port.readBack ?? 0, mine) } : port;
  });
  context.update({ ports });
  context.say('M7', () => 'read back: earlier register writes have arrived');
  return 0;
};

/** What a device does about a write that had arrived is done when the delay is over. */
const udelay: Effect = (context) => {
  const known = context.kernel.ports.filter((port) => (port.readBack ?? 0) > 0);
  if (known.some((port) => port.done < (port.readBack ?? 0))) {
    context.blocked = true;
    return 0;
  }
  for (const port of known) context.learn(port.clock);
  if (known.length === 0) {
    context.noop('nothing was read back before: the delay may be over before a write arrives');
  }
  return 0;
};

export const mmioOperations: readonly Operation[] = [
  {
    name: 'readl',
    family: 'device',
    where: 'cpu',
    returns: 'int',
    rules: ['M7', 'M10'],
    blocks: true,
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: 'reads a register, always 0 here: earlier writes to the device, and its own, are in place',
    source: 'Documentation/driver-api/device-io.rst; arch/arm64/include/asm/io.h:readl',
    removable: 'drop',
    effect: readl,
  },
  {
    name: 'udelay',
    family: 'device',
    where: 'cpu',
    returns: 'void',
    rules: ['M7', 'M10'],
    blocks: true,
    params: [{ name: 'usecs', kinds: ['int'] }],
    doc: 'long enough for what a device does about writes that were read back before; else nothing',
    source: 'Documentation/memory-barriers.txt, KERNEL I/O BARRIER EFFECTS, rule 5',
    effect: udelay,
  },
];
