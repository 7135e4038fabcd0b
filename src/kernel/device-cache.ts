/**
 * A device's own write-back cache (M11), for devices that have one: what it wrote stays there until
 * the cache writes it back, which may be at any moment and must be when it is flushed.
 * Source: drivers/gpu/drm/panthor/panthor_gpu.c:panthor_gpu_flush_caches, panthor_mmu.c
 * (AS_COMMAND_FLUSH_MEM).
 * Leaves out: clean lines that shadow newer memory: a read that the device did not write itself
 * goes to memory.
 */
import { deviceRead, deviceWrite, passesBy, pushEntries } from './access.js';
import type { KernelContext } from './context.js';
import { judge } from './judge.js';
import type { Destination } from './standing.js';
import type { Entry } from '../machine/store-buffer.js';
import { showValue } from './values.js';

function hasCache(context: KernelContext): boolean {
  return context.machine.devices[context.step.device]?.writeBackCache === true;
}

/** Memory of the secure world answers no device of this one (M16). */
function secureFault(context: KernelContext, destination: Destination, what: string): boolean {
  if (context.frame(destination.frame)?.secure !== true) return false;
  context.find('H14', true, -1, () => ({
    message: `the device's ${what} reaches secure memory: a bus error`,
    expected: 'memory of this world',
    actual: 'secure memory',
  }));
  return true;
}

/** A device's write: at once where it goes to memory, later where a cache keeps it. */
export function writeByDevice(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  value: number,
): void {
  if (secureFault(context, destination, 'write')) return;
  if (!hasCache(context) || destination.refused !== null) {
    deviceWrite(context, destination, snoops, value);
    return;
  }
  if (passesBy(context, destination, 'store')) return;
  const { line, word } = context.layout.position(destination.cell);
  context.write(destination.cell, value, context.tick());
  context.say('M11', () => `writes ${showValue(value)} into its own cache`);
  pushEntries(context, [
    {
      kind: 'store',
      attribute: 'NC',
      frame: destination.frame,
      line,
      word,
      value,
      own: false,
      at: context.step.site,
      device: context.step.device,
      cell: destination.cell.id,
    },
  ]);
}

/** A device's read: its own cache has what it wrote itself. */
export function readByDevice(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  sync: boolean,
): number {
  if (secureFault(context, destination, 'read')) return 0;
  if (passesBy(context, destination, 'load', sync)) return 0;
  const { line, word } = context.layout.position(destination.cell);
  const own = context.step.entries.findLast(
    (entry) =>
      entry.kind === 'store' &&
      entry.frame === destination.frame &&
      entry.line === line &&
      entry.word === word,
  );
  if (own?.kind !== 'store' || destination.refused !== null) {
    return deviceRead(context, destination, snoops, sync);
  }
  context.say('M11', () => `reads ${showValue(own.value)} from its own cache`);
  return judge(context, destination.cell, own.value, 'buffer', true, sync);
}

/** What a device's cache writes back belongs to a page that is no longer that buffer's. */
export function checkWriteBack(context: KernelContext, entry: Entry): void {
  if (entry.kind !== 'store' || entry.device === undefined) return;
  if (context.frame(entry.frame)?.buffer === context.layout.cells[entry.cell]?.buffer) return;
  context.find('H8', true, -1, () => ({
    message: "the device's cache writes back to a page that was freed or reused",
    expected: 'a cache that was flushed before the page went',
    actual: `${showValue(entry.value)} reaches frame ${entry.frame}`,
  }));
  context.say('H8', () => 'written back to a page that has another owner now');
}

/** Something the device wrote is still in its cache. */
export function isDirty(context: KernelContext, device: number): boolean {
  return context.step
    .allBuffers()
    .some((entries) => entries.some((each) => each.kind === 'store' && each.device === device));
}
