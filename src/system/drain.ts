/**
 * An entry leaves a store buffer, or a device's own cache, for cache, memory or a device (M7, M11).
 * Leaves out: which entry may leave when (machine/store-buffer.ts).
 */
import { attributeEvent, noteStores, pickRow } from '../kernel/access.js';
import type { KernelContext } from '../kernel/context.js';
import { checkWriteBack } from '../kernel/device-cache.js';
import { post, postedTo } from '../kernel/posted.js';
import { writeBackRest } from '../kernel/remoteproc.js';
import { leavesTo } from '../kernel/standing.js';
import { type LineEvent, rowsFor } from '../machine/cache-rules.js';
import type { Entry } from '../machine/store-buffer.js';

/** What a line sees of an entry: a device's own cache writes past the CPU's (M11). */
function drainEvent(entry: Extract<Entry, { readonly line: number }>): LineEvent {
  if (entry.kind === 'maintain') return entry.op;
  if (entry.device === undefined) return attributeEvent(entry.attribute, 'store');
  return entry.snoops === true ? 'snooping write' : 'device write';
}

/** An entry leaves the store buffer for cache, memory or a device. */
export function drain(
  context: KernelContext,
  entry: Entry,
  lineName: (frame: number, line: number) => string,
  wasPosted = false,
): void {
  if (entry.kind === 'doorbell') {
    if (postedTo(context, entry.device)) {
      context.blocked = true;
      return;
    }
    const ports = context.kernel.ports.map((port, i) =>
      i === entry.device ? { ...port, queue: [...port.queue, entry.clock] } : port,
    );
    context.update({ ports });
    context.say('M7', () => 'the doorbell arrives: the device starts');
    return;
  }
  noteStores(context, [entry]);
  if (entry.kind === 'barrier' || (!wasPosted && post(context, entry))) return;
  checkWriteBack(context, entry);
  const at = leavesTo(context, entry);
  const state = context.frame(entry.frame)?.lines[at?.line ?? -1]?.state;
  if (at === null || state === undefined) return;
  const event = drainEvent(entry);
  const row = pickRow(context, rowsFor(state, event), entry.kind === 'store' && entry.own);
  const access = entry.kind === 'store' ? { word: at.word, value: entry.value } : undefined;
  const range = entry.kind === 'maintain' ? { from: entry.from, to: entry.to } : undefined;
  const own = entry.kind === 'store' && entry.own;
  context.apply(entry.frame, at.line, row, access, range, own);
  writeBackRest(context, entry);
  const how = wasPosted ? 'the posted write arrives, ' : '';
  context.say(row.rule, () => `${lineName(entry.frame, at.line)}: ${how}${row.text}`);
}
