/**
 * An entry leaves a store buffer, or a device's own cache, for cache, memory or a device (M7, M11).
 * Leaves out: which entry may leave when (machine/store-buffer.ts).
 */
import { attributeEvent, noteStores, pickRow } from '../kernel/access.js';
import type { KernelContext } from '../kernel/context.js';
import { checkWriteBack } from '../kernel/device-cache.js';
import { leavesTo } from '../kernel/standing.js';
import { type LineEvent, rowsFor } from '../machine/cache-rules.js';
import type { Entry } from '../machine/store-buffer.js';

/** What a line sees of an entry: a device's own cache writes past the CPU's (M11). */
function drainEvent(entry: Extract<Entry, { readonly line: number }>): LineEvent {
  if (entry.kind === 'maintain') return entry.op;
  return entry.device === undefined ? attributeEvent(entry.attribute, 'store') : 'device write';
}

/** An entry leaves the store buffer for cache, memory or a device. */
export function drain(
  context: KernelContext,
  entry: Entry,
  lineName: (frame: number, line: number) => string,
): void {
  if (entry.kind === 'doorbell') {
    const ports = context.kernel.ports.map((port, i) =>
      i === entry.device ? { ...port, queue: [...port.queue, entry.clock] } : port,
    );
    context.update({ ports });
    context.say('M7', () => 'the doorbell arrives: the device starts');
    return;
  }
  if (entry.kind === 'barrier') return;
  checkWriteBack(context, entry);
  noteStores(context, [entry]);
  const at = leavesTo(context, entry);
  const state = context.frame(entry.frame)?.lines[at?.line ?? -1]?.state;
  if (at === null || state === undefined) return;
  const event = drainEvent(entry);
  const row = pickRow(context, rowsFor(state, event), entry.kind === 'store' && entry.own);
  const access = entry.kind === 'store' ? { word: at.word, value: entry.value } : undefined;
  const range = entry.kind === 'maintain' ? { from: entry.from, to: entry.to } : undefined;
  const own = entry.kind === 'store' && entry.own;
  context.apply(entry.frame, at.line, row, access, range, own);
  context.say(row.rule, () => `${lineName(entry.frame, at.line)}: ${row.text}`);
}
