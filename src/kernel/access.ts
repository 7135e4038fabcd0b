/**
 * Loads and stores of CPUs and devices: the real one on the machine, and the ideal one beside it
 * (model.md §1, M5, M7, M9, M10, M12). What a read returned is judged in judge.ts.
 * Leaves out: when an access happens; loads taken early are system/early.ts.
 */
import type { Attribute } from '../machine/attributes.js';
import { isOpen, rowsFor, type LineEvent, type RuleRow } from '../machine/cache-rules.js';
import { type Entry, holdsLoads, isFenced, tidy } from '../machine/store-buffer.js';
import { orderProfiles } from '../machine/profile.js';
import type { KernelContext, Place } from './context.js';
import { isHidden } from './layout.js';
import { judge, leak } from './judge.js';
import { noteAccess } from './mismatch.js';
import { loadWaitsForPosted } from './posted.js';
import { type Destination, noteRefused, realCell, realPosition } from './standing.js';
import { lineCode } from './touched.js';
import { secretOf, showValue } from './values.js';

export type { Destination };

/** Picks one of the rows open under the liberties of this run. `own`: see RuleRow.own. */
export function pickRow(context: KernelContext, rows: readonly RuleRow[], own = false): RuleRow {
  const { liberties } = context;
  for (const { liberty } of rows) if (liberty !== undefined) context.recorder.met?.(liberty);
  const open = rows.filter((row) => isOpen(row, liberties, own));
  const row = open[open.length > 1 ? context.choose(open.length) : 0];
  if (row === undefined) throw new Error('no cache rule for this event');
  if (row.liberty !== undefined) context.tookLiberty = true;
  return row;
}

function stateOf(context: KernelContext, destination: Destination) {
  const { line } = realPosition(context, destination);
  return context.frame(destination.frame)?.lines[line]?.state;
}

function lineEvent(
  context: KernelContext,
  destination: Destination,
  event: LineEvent,
  value = 0,
): { value: number; from: Place; row: RuleRow } {
  const { line, word } = realPosition(context, destination);
  const state = stateOf(context, destination);
  if (state === undefined) throw new Error('access to a line that is not there');
  const own = context.hasTouched(destination.frame, line);
  const row = pickRow(context, rowsFor(state, event), own);
  const outcome = context.apply(destination.frame, line, row, { word, value }, undefined, own);
  if (event === 'load WB' || event === 'load NC') {
    noteTouch(context, destination.frame, line, event === 'load WB');
  }
  const from = row.liberty === 'arch-hit' ? 'hit' : (outcome.from ?? 'dram');
  return { value: outcome.value ?? 0, from, row };
}

function noteTouch(context: KernelContext, frame: number, line: number, wb: boolean): void {
  if (context.machine.strictAlias) noteAccess(context, frame, line, wb);
  else if (wb) context.touch(frame, line);
}

function isFree(context: KernelContext, destination: Destination): boolean {
  return (context.frame(destination.frame)?.buffer ?? -1) === -1;
}

export function attributeEvent(attribute: Attribute, kind: 'load' | 'store'): LineEvent {
  if (attribute === 'WB') return kind === 'load' ? 'load WB' : 'store WB';
  return kind === 'load' ? 'load NC' : 'store NC';
}

/** True while the CPU has to wait before this load (M7, M9; with reorder off, model.md §1). */
export function loadMustWait(
  context: KernelContext,
  destination: Destination,
  attribute: Attribute,
): boolean {
  if (loadWaitsForPosted(context, destination, attribute)) return true;
  const { line } = realPosition(context, destination);
  const here = (entry: Entry): boolean =>
    'line' in entry && entry.frame === destination.frame && entry.line === line;
  return context.step.entries.some((entry) => {
    if (entry.kind === 'barrier') return holdsLoads(entry.scope);
    if (!here(entry)) return false;
    if (entry.kind === 'maintain') return attribute === 'WB';
    return (
      entry.kind === 'store' && entry.attribute !== attribute && !context.liberties.has('reorder')
    );
  });
}

/**
 * True when this exploration leaves the word out: then the access has happened, and nothing came
 * of it. Who asked for the exploration is told.
 */
export function passesBy(
  context: KernelContext,
  destination: Destination,
  kind: 'load' | 'store',
  sync = false,
): boolean {
  const { cell, refused } = destination;
  const { site } = context.step;
  if (!isHidden(cell)) {
    context.recorder.reached?.(site, kind);
    return false;
  }
  const astray = refused !== null || realCell(context, destination) !== cell;
  context.recorder.passed?.({ site, kind, cell, sync, astray, quiet: context.quiet });
  // A store is one event more that its thread knows of, whatever word it is about.
  if (kind === 'store' && !astray) context.tick();
  return true;
}

/** What a load or a device read got, before it is judged. */
export interface Fetched {
  readonly value: number;
  readonly place: Place;
}

/** A CPU load; the caller has seen to it that it need not wait. */
export function cpuLoad(
  context: KernelContext,
  destination: Destination,
  attribute: Attribute,
  outside: boolean,
  sync: boolean,
): number {
  if (passesBy(context, destination, 'load', sync)) return 0;
  const event = attributeEvent(attribute, 'load');
  if (refuse(context, destination, 'read')) {
    return readRefused(context, destination, outside, event);
  }
  const { value, place } = cpuFetch(context, destination, attribute);
  return judge(context, destination.cell, value, place, outside, sync);
}

/** The machine's part of a CPU load: own store buffer, else cache or memory by attribute. */
export function cpuFetch(
  context: KernelContext,
  destination: Destination,
  attribute: Attribute,
): Fetched {
  const byte = destination.cell.offset;
  const own = context.step.entries.findLast(
    (entry) =>
      entry.kind === 'store' &&
      entry.attribute === attribute &&
      entry.frame === destination.frame &&
      context.layout.cells[entry.cell]?.offset === byte,
  );
  if (own?.kind === 'store') {
    context.say('M7', () => `reads ${showValue(own.value)} from its own store buffer`);
    return { value: own.value, place: 'buffer' };
  }
  return fetch(context, destination, attributeEvent(attribute, 'load'));
}

function fetch(context: KernelContext, destination: Destination, event: LineEvent): Fetched {
  const read = lineEvent(context, destination, event);
  context.say(read.row.rule, () => `reads ${showValue(read.value)}: ${read.row.text}`);
  return { value: read.value, place: read.from };
}

/** A store-release on its way, which an acquire of its CPU comes after (Arm ARM B2.3: RCsc). */
export function releasePending(context: KernelContext): boolean {
  return context.step.entries.some((each) => each.kind === 'store' && each.release === true);
}

/** A CPU store: the ideal memory has it at once, the machine through the store buffer (M7). */
export function cpuStore(
  context: KernelContext,
  destination: Destination,
  attribute: Attribute,
  value: number,
  releases = false,
): void {
  if (passesBy(context, destination, 'store')) return;
  const refused = refuse(context, destination, 'write');
  context.stored.push(destination.cell.id);
  if (isFree(context, destination)) return;
  const real = realCell(context, destination);
  const { line, word } = context.layout.position(real);
  if (refused) noteRefused(context, destination, value);
  else context.write(destination.cell, value, context.tick());
  const how = releases ? ', as a release,' : '';
  context.say('M7', () => `stores ${showValue(value)} (${attribute})${how} into its store buffer`);
  noteTouch(context, destination.frame, line, attribute === 'WB');
  if (context.layout.isPte(real.id)) noteMeaning(context, real.id, value);
  const entry = {
    kind: 'store',
    attribute,
    frame: destination.frame,
    line,
    word,
    cell: real.id,
    value,
    own: context.hasTouched(destination.frame, line),
    at: context.step.site,
  } as const;
  const { nonPosted } = destination;
  const { release } = orderProfiles[context.machine.profile];
  const marks = releases && release === 'store' ? { release: true as const } : {};
  const own = nonPosted === undefined ? { ...entry, ...marks } : { ...entry, nonPosted, ...marks };
  const fenced = releases && release === 'w';
  const barrier = { kind: 'barrier', scope: 'w', at: context.step.site } as const;
  pushEntries(context, fenced ? [barrier, own] : [own]);
}

/** An entry of a page table means the page that stands at its address now (M12). */
function noteMeaning(context: KernelContext, cell: number, value: number): void {
  const pfn = Math.floor(value / context.machine.pageSize);
  const frame = context.step.frames.find((each) => each.pfn === pfn);
  if (frame === undefined || value % 2 === 0) return;
  const { buffer, page } = frame.buffer >= 0 ? frame : (frame.freed ?? frame);
  if (buffer < 0) return;
  const others = context.kernel.ptes.filter((each) => each.cell !== cell || each.value !== value);
  const ptes = [...others, { cell, value, buffer, page }];
  context.update({ ptes: ptes.sort((a, b) => a.cell - b.cell || a.value - b.value) });
}

export function pushEntries(context: KernelContext, entries: readonly Entry[]): void {
  // A store barrier orders no loads, so it does not end what M6 `arch` allows.
  const full = entries.some((each) => each.kind === 'barrier' && holdsLoads(each.scope));
  if (full) context.step.touched = [];
  const { profile } = context.machine;
  noteStores(context, entries);
  context.step.entries = tidy([...context.step.entries, ...entries], profile);
}

/** Stores that are issued or leave: what is lost by a write-back hangs on them (M3, H3). */
export function noteStores(context: KernelContext, entries: readonly Entry[]): void {
  for (const each of entries) {
    if (each.kind === 'store') context.touched?.store(lineCode(each.frame, each.line));
  }
}

/** A device's store through a bounce buffer is one to the word it stands for, too. */
export function noteBounced(context: KernelContext, { slot, cell }: Destination): void {
  if (slot === undefined || context.touched === null) return;
  const { page, line } = context.layout.position(cell);
  const own = context.buffer(cell.buffer).pages[page];
  if (own?.state === 'resident') context.touched.store(lineCode(own.frame, line));
}

/** What a release waits for: stores and doorbells, and on RISC-V maintenance too (M7, M9). */
export function storesPending(context: KernelContext): boolean {
  return context.step.entries.some((each) => isFenced(each, context.machine.profile));
}

/** A device's read or write at a place its translation reached. */
export function deviceRead(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  sync: boolean,
): number {
  if (passesBy(context, destination, 'load', sync)) return 0;
  const event = snoops ? 'snooping read' : 'device read';
  if (refuse(context, destination, 'read')) return readRefused(context, destination, true, event);
  const { value, place } = deviceFetch(context, destination, snoops);
  return judge(context, destination.cell, value, place, true, sync);
}

/** The machine's part of a device read. */
export function deviceFetch(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
): Fetched {
  const { value, place } = fetch(context, destination, snoops ? 'snooping read' : 'device read');
  return { value, place: destination.slot === undefined ? place : 'slot' };
}

export function deviceWrite(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  value: number,
): void {
  if (passesBy(context, destination, 'store')) return;
  const refused = refuse(context, destination, 'write');
  if (isFree(context, destination)) return;
  if (refused) noteRefused(context, destination, value);
  else context.write(destination.cell, value, context.tick());
  const { line } = realPosition(context, destination);
  context.touched?.store(lineCode(destination.frame, line));
  noteBounced(context, destination);
  const done = lineEvent(context, destination, snoops ? 'snooping write' : 'device write', value);
  context.say(done.row.rule, () => `writes ${showValue(value)}: ${done.row.text}`);
}

function refuse(context: KernelContext, destination: Destination, what: string): boolean {
  const { refused } = destination;
  if (refused === null) return false;
  context.find(refused, true, destination.cell.id, () => ({
    message: `${what}s ${reachedInstead[refused]}`,
    expected: allowedInstead(refused, what),
    actual: `the ${what} reached frame ${destination.frame}`,
  }));
  context.say(refused, () =>
    refused === 'H8' ? `${what}s a page that is no longer the buffer's` : `${what}s other memory`,
  );
  return true;
}

const reachedInstead = {
  H7: "another buffer's memory than the one meant",
  H8: 'a page that was freed, swapped out or reused',
  H9: 'memory that it was not given',
  H15: "another buffer's memory than the one meant",
} as const;

function allowedInstead(refused: 'H7' | 'H8' | 'H9' | 'H15', what: string): string {
  if (refused === 'H8') return "no access: the page is not this buffer's any more";
  if (refused === 'H7') return 'an address that the device can emit';
  return `a ${what} of ${refused === 'H9' ? 'what was mapped for it' : 'the buffer meant'}`;
}

function readRefused(
  context: KernelContext,
  destination: Destination,
  outside: boolean,
  event: LineEvent,
): number {
  const value = isFree(context, destination)
    ? secretOf(destination.frame, 0)
    : lineEvent(context, destination, event).value;
  if (outside) leak(context, destination.cell, value, false);
  return value;
}
