/**
 * Device memory behind a BAR (M1, M5, M7): a store to it that has left the CPU is a posted write.
 * It arrives later, in the order of what was sent to that device; a read from the device, or a
 * register write to it, does not pass it. What goes to other devices, or to memory, does.
 * Sources: PCI Express Base Specification, section 2.4 "Transaction Ordering" (posted requests
 * keep their order, and reads do not pass them); Documentation/driver-api/device-io.rst,
 * "posted writes".
 * Leaves out: ordering between devices behind one switch; posted writes of devices.
 */
import type { Entry } from '../machine/store-buffer.js';
import type { KernelContext } from './context.js';
import type { Destination } from './standing.js';
import type { PostedWrite } from './state.js';

/** The device whose memory the frame is; -1 for system memory. */
export function behindBar(context: KernelContext, frame: number): number {
  return context.step.hasBars ? (context.frame(frame)?.bar ?? -1) : -1;
}

/** Something that was sent to the device has not arrived. */
export function postedTo(context: KernelContext, device: number): boolean {
  return context.step.hasBars && context.kernel.posted.some((each) => each.device === device);
}

/** A CPU's store leaves it for device memory; false where it goes to system memory. */
export function post(context: KernelContext, entry: Entry): boolean {
  if (entry.kind !== 'store' || entry.attribute === 'WB' || entry.device !== undefined) {
    return false;
  }
  if (entry.nonPosted === true) return false;
  const device = behindBar(context, entry.frame);
  if (device < 0) return false;
  const write: PostedWrite = { device, agent: context.step.agent, store: entry };
  context.update({ posted: [...context.kernel.posted, write] });
  context.say('M7', () => 'the store leaves the CPU: a posted write on its way');
  return true;
}

/** The first write on its way to the device, which may arrive now. */
export function firstPosted(
  posted: readonly PostedWrite[],
  device: number,
): PostedWrite | undefined {
  return posted.find((each) => each.device === device);
}

export function arrived(context: KernelContext, write: PostedWrite): void {
  context.update({ posted: context.kernel.posted.filter((each) => each !== write) });
}

/**
 * A CPU's load from device memory comes back behind all that was sent there before, by any CPU; a
 * Device load also behind the CPU's own Device stores to it.
 */
export function loadWaitsForPosted(
  context: KernelContext,
  { frame }: Destination,
  attribute: string,
): boolean {
  const device = behindBar(context, frame);
  if (device < 0) return false;
  return postedTo(context, device) || (attribute === 'DEV' && holdsDeviceStore(context, device));
}

/** This CPU still has a Device store to the device's memory in its buffer. */
export function holdsDeviceStore(context: KernelContext, device: number): boolean {
  return context.step.entries.some(
    (each) =>
      each.kind === 'store' &&
      each.attribute === 'DEV' &&
      behindBar(context, each.frame) === device,
  );
}

/**
 * The device itself reads its memory. What started it came behind the writes, and what it read
 * from system memory pushed them in: it never looks before they are there.
 */
export function ownerWaits(context: KernelContext, { frame }: Destination): boolean {
  const { device } = context.step;
  return behindBar(context, frame) === device && device >= 0 && postedTo(context, device);
}
