/**
 * A device's own write-back cache (M11), for devices that have one: what it wrote stays there until
 * the cache writes it back, which may be at any moment and must be when it is flushed.
 * Source: drivers/gpu/drm/panthor/panthor_gpu.c:panthor_gpu_flush_caches, panthor_mmu.c
 * (AS_COMMAND_FLUSH_MEM).
 * Clean lines: what the device read before, with the words of its line, until they are dropped.
 * Leaves out: what a processor's cache does besides (remoteproc.ts).
 */
import type { Line } from '../machine/line.js';
import type { Entry } from '../machine/store-buffer.js';
import { deviceRead, deviceWrite, noteBounced, passesBy, pushEntries } from './access.js';
import type { KernelContext } from './context.js';
import { judge } from './judge.js';
import type { Cell } from './layout.js';
import { type Destination, realCell } from './standing.js';
import type { DeviceLine } from './state.js';
import { showValue } from './values.js';

function hasCache(context: KernelContext): boolean {
  return context.machine.devices[context.step.device]?.writeBackCache === true;
}

function isProcessor(context: KernelContext): boolean {
  return context.machine.devices[context.step.device]?.remoteproc === true;
}

/** A store of a processor fetches the line first, if it is not there (M2: write-allocate). */
function allocateLine(context: KernelContext, destination: Destination, value: number): void {
  const { cell } = destination;
  const { device } = context.step;
  context.recorder.couples?.('a processor of another shareability domain has a line');
  const held = context.kernel.deviceLines.some(
    (each) => each.device === device && each.cell === cell.id,
  );
  if (!held) keepLine(context, destination, lineOf(context, cell), false);
  updateLine(context, cell.id, value);
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
  updateLine(context, destination.cell.id, value);
  if (context.step.posts && destination.refused === null) {
    postFromDevice(context, destination, snoops, value);
    return;
  }
  if (!hasCache(context) || destination.refused !== null) {
    deviceWrite(context, destination, snoops, value);
    return;
  }
  if (passesBy(context, destination, 'store')) return;
  const { line, word } = context.layout.position(destination.cell);
  if (isProcessor(context)) allocateLine(context, destination, value);
  noteBounced(context, destination);
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

/** The write leaves the device: it is in memory later (M10). */
function postFromDevice(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  value: number,
): void {
  if (passesBy(context, destination, 'store')) return;
  context.recorder.couples?.("a device's writes are under way");
  const real = realCell(context, destination);
  const { line, word } = context.layout.position(real);
  noteBounced(context, destination);
  context.write(destination.cell, value, context.tick());
  const posted = context.option('relaxed') === 0 ? 'ordered' : 'relaxed';
  const how = posted === 'relaxed' ? ', relaxed' : '';
  context.say('M10', () => `sends ${showValue(value)} off${how}`);
  const plain = { kind: 'store', attribute: 'NC', frame: destination.frame, line, word } as const;
  const { device, site: at } = context.step;
  const entry = { ...plain, value, own: false, at, device, cell: real.id, posted } as const;
  pushEntries(context, [snoops ? { ...entry, snoops } : entry]);
}

/** Something that the device sent to memory has not arrived: its own reads come behind it. */
export function isUnderWay(context: KernelContext, device: number): boolean {
  const mine = (each: Entry): boolean =>
    each.kind === 'store' && each.posted !== undefined && each.device === device;
  return context.step.allBuffers().some((entries) => entries.some(mine));
}

/** A read past what is dirty: a clean line, or memory, which leaves one behind. */
function readThrough(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  sync: boolean,
): number {
  const { device } = context.step;
  const keeps = context.machine.devices[device]?.readCache === true;
  if (!keeps || destination.refused !== null) return deviceRead(context, destination, snoops, sync);
  context.recorder.couples?.('a device keeps clean lines of its own');
  const { cell } = destination;
  const line = lineOf(context, cell);
  const held = context.kernel.deviceLines.find(
    (each) => each.device === device && each.cell === cell.id,
  );
  if (held !== undefined && !dropped(context, line)) {
    context.say('M11', () => `reads ${showValue(held.value)} from a clean line of its own cache`);
    return judge(context, cell, held.value, 'copy', true, sync);
  }
  const value = deviceRead(context, destination, snoops, sync);
  keepLine(context, destination, line, snoops);
  return value;
}

/** The line may have been replaced meanwhile (liberty `eviction`); what is dirty is kept here. */
function dropped(context: KernelContext, line: readonly Cell[]): boolean {
  const dirty = (each: Entry): boolean =>
    each.kind === 'store' && line.some(({ id }) => id === each.cell);
  if (isProcessor(context) && context.step.entries.some(dirty)) return false;
  if (!context.liberties.has('eviction') || context.choose(2) === 0) return false;
  context.tookLiberty = true;
  forgetLine(context, line);
  return true;
}

/** The words of a word's cache line. */
export function lineOf(context: KernelContext, cell: Cell): readonly Cell[] {
  const { page, line } = context.layout.position(cell);
  return context.layout.pages(cell.buffer)[page]?.lines[line]?.cells ?? [];
}

function forgetLine(context: KernelContext, line: readonly Cell[]): void {
  const { device } = context.step;
  const deviceLines = context.kernel.deviceLines.filter(
    (each) => each.device !== device || !line.some(({ id }) => id === each.cell),
  );
  context.update({ deviceLines });
}

/** The whole line comes in with the word, as memory, or the copy that is snooped, has it now. */
function keepLine(
  context: KernelContext,
  { frame, cell }: Destination,
  line: readonly Cell[],
  snoops: boolean,
): void {
  const real = context.lineAt(frame, context.layout.position(cell).line);
  if (real === undefined) return;
  forgetLine(context, line);
  addLine(context, context.step.device, line, real, snoops);
}

/** A device's cache has a whole line, as memory, or the copy that is snooped, has it now. */
export function addLine(
  context: KernelContext,
  device: number,
  line: readonly Cell[],
  real: Line,
  snoops: boolean,
): void {
  const kept = line.map(({ id }, i) => {
    const value = (snoops ? real.copy[i] : undefined) ?? real.dram[i] ?? 0;
    return { device, cell: id, value };
  });
  const deviceLines = [...context.kernel.deviceLines, ...kept];
  deviceLines.sort((a, b) => a.device - b.device || a.cell - b.cell);
  context.update({ deviceLines });
}

/** What the device writes itself is in its clean line too. */
function updateLine(context: KernelContext, cell: number, value: number): void {
  const { device } = context.step;
  const mine = (each: DeviceLine): boolean => each.device === device && each.cell === cell;
  if (!context.kernel.deviceLines.some(mine)) return;
  const deviceLines = context.kernel.deviceLines.map((each) =>
    mine(each) ? { ...each, value } : each,
  );
  context.update({ deviceLines });
}

/** Invalidates a device's clean lines. */
export function dropLines(context: KernelContext, device: number): void {
  const deviceLines = context.kernel.deviceLines.filter((each) => each.device !== device);
  context.update({ deviceLines });
  context.say('M11', () => "the device's clean lines are dropped");
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
    return readThrough(context, destination, snoops, sync);
  }
  context.say('M11', () => `reads ${showValue(own.value)} from its own cache`);
  return judge(context, destination.cell, own.value, 'buffer', true, sync);
}

/** What a device's cache writes back belongs to a page that is no longer that buffer's. */
export function checkWriteBack(context: KernelContext, entry: Entry): void {
  if (entry.kind !== 'store' || entry.device === undefined) return;
  if (context.frame(entry.frame)?.buffer === context.layout.cells[entry.cell]?.buffer) return;
  const sent = entry.posted !== undefined;
  context.find('H8', true, -1, () => ({
    message: sent
      ? "the device's write arrives in a page that was freed or reused"
      : "the device's cache writes back to a page that was freed or reused",
    expected: sent
      ? 'a page that stays until the writes are in'
      : 'a cache that was flushed before the page went',
    actual: `${showValue(entry.value)} reaches frame ${entry.frame}`,
  }));
  context.say('H8', () => 'written back to a page that has another owner now');
}

/** Something the device wrote is still in its cache. */
export function isDirty(context: KernelContext, device: number): boolean {
  return context.step
    .allBuffers()
    .some((entries) =>
      entries.some(
        (each) => each.kind === 'store' && each.device === device && each.posted === undefined,
      ),
    );
}
