/**
 * A processor with a cache in a shareability domain of its own (M2, M11): nothing keeps that cache
 * coherent with the CPUs'. Unlike a device's cache it fetches lines by itself (M4), and writes back
 * whole lines; its program cleans and invalidates by address.
 * Sources: Arm ARM B2.7 (shareability domains); Cortex-M7 TRM (DDI0489), level 1 data cache:
 * write-back, write-allocate, prefetch; CMSIS-Core cachel1_armv7.h.
 * Leaves out: fetches outside DMA mappings and domains of the processor; memory attributes of its
 * own, which is an MPU region that is cacheable.
 */
import { newest } from '../ideal/word.js';
import { rowsFor } from '../machine/cache-rules.js';
import type { Entry } from '../machine/store-buffer.js';
import { pickRow } from './access.js';
import type { KernelContext } from './context.js';
import { addLine, lineOf } from './device-cache.js';
import { isAttached } from './iommu.js';
import type { Cell } from './layout.js';
import type { KernelState } from './state.js';
import { showValue } from './values.js';

/** Some mapping or domain shows the frame to the processor. */
function isMapped(kernel: KernelState, device: number, frame: number): boolean {
  const shows = ({ frames }: { frames: readonly (readonly [number, number])[] }): boolean =>
    frames.some(([, each]) => each === frame);
  return (
    kernel.mappings.some((each) => each.device === device && each.pieces.some(shows)) ||
    kernel.domains.some((each) => isAttached(each, device) && each.entries.some(shows))
  );
}

/** M4: the processor's cache fetches a line of a frame; blocked where it has it or cannot. */
export function fetchLine(
  context: KernelContext,
  device: number,
  frameIndex: number,
  at: number,
): void {
  context.blocked = true;
  const frame = context.frame(frameIndex);
  if (frame === undefined || frame.buffer < 0 || frame.secure === true) return;
  if (!isMapped(context.kernel, device, frameIndex)) return;
  const cells = context.lineLayout(frame, at)?.cells ?? [];
  const held = context.kernel.deviceLines.some(
    (each) => each.device === device && cells.some(({ id }) => id === each.cell),
  );
  const real = context.lineAt(frameIndex, at);
  if (held || cells.length === 0 || real === undefined) return;
  context.blocked = false;
  addLine(context, device, cells, real, false);
  context.say('M4', () => "the other processor's cache fetches a line by itself");
}

/** A write-back takes the whole line along, also the words that were never written (M2). */
export function writeBackRest(context: KernelContext, entry: Entry): void {
  if (entry.kind !== 'store' || entry.device === undefined || entry.posted !== undefined) return;
  const cell = context.layout.cells[entry.cell];
  if (context.machine.devices[entry.device]?.remoteproc !== true || cell === undefined) return;
  if (context.frame(entry.frame)?.buffer !== cell.buffer) return;
  const { line } = context.layout.position(cell);
  lineOf(context, cell).forEach((other, word) => {
    const held = context.kernel.deviceLines.find(
      (each) => each.device === entry.device && each.cell === other.id,
    );
    const now = context.lineAt(entry.frame, line);
    if (other === cell || held === undefined || now === undefined) return;
    if (now.dram[word] === held.value) return;
    noteLoss(context, other, [now.dram[word], now.copy[word]], held.value);
    const row = pickRow(context, rowsFor(now.state, 'device write'));
    context.apply(entry.frame, line, row, { word, value: held.value });
    context.say('M2', () => `the whole line goes out: ${showValue(held.value)} with it`);
  });
}

/** H10: the value goes for the sake of another word of the line. */
function noteLoss(
  context: KernelContext,
  cell: Cell,
  there: readonly (number | undefined)[],
  value: number,
): void {
  const word = context.word(cell);
  const wanted = newest(word.writes).map((write) => write.value);
  const had = there.some((each) => each !== undefined && wanted.includes(each));
  if (!had || wanted.includes(value) || word.lost !== null) return;
  context.setWord(cell, { ...word, lost: 'H10' });
}
