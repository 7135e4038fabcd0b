/**
 * Loads and stores of CPUs and devices: the real one on the machine, the ideal one beside it, and
 * the judgement of what a read returned (model.md §1, M5, M7, M9, M10, M12).
 * Leaves out: when an access happens; loads taken early are system/early.ts.
 */
import { admissible, join, newest, type Word, type Write } from '../ideal/word.js';
import type { Attribute } from '../machine/attributes.js';
import { rowsFor, type LineEvent, type RuleRow } from '../machine/cache-rules.js';
import { type Entry, tidy } from '../machine/store-buffer.js';
import type { FindingId, KernelContext, Place } from './context.js';
import type { Cell } from './layout.js';
import { isSecret, secretOf, showValue, showValues } from './values.js';

/** Where in physical memory an access goes, and what it means on the ideal machine. */
export interface Destination {
  /** Frame index; -1 when nothing is there. */
  readonly frame: number;
  /** The word meant; its line and word index are those of the layout. */
  readonly cell: Cell;
  /** Why the ideal memory refuses the access, if it does. */
  readonly refused: 'H8' | 'H9' | 'H15' | null;
}

/** Picks one of the rows open under the liberties of this run. `own`: see RuleRow.own. */
export function pickRow(context: KernelContext, rows: readonly RuleRow[], own = false): RuleRow {
  const { liberties } = context;
  const mayHit = liberties.has('may-hit');
  const open = rows.filter((row) => {
    if (row.liberty === undefined) return true;
    if (row.liberty !== 'arch-hit') return liberties.has(row.liberty);
    return mayHit || (liberties.has('arch-hit') && (row.own !== true || own));
  });
  const row = open[open.length > 1 ? context.choose(open.length) : 0];
  if (row === undefined) throw new Error('no cache rule for this event');
  if (row.liberty !== undefined) context.tookLiberty = true;
  return row;
}

function stateOf(context: KernelContext, destination: Destination) {
  const { line } = realPosition(context, destination);
  return context.frame(destination.frame)?.lines[line]?.state;
}

/** Position of the access in the frame's own layout, which after reuse is another buffer's. */
function realPosition(context: KernelContext, destination: Destination) {
  const { cell } = destination;
  const frame = context.frame(destination.frame);
  if (frame === undefined || (frame.buffer === cell.buffer && frame.page === cell.page)) {
    return context.layout.position(cell);
  }
  const byte = frame.page * context.machine.pageSize + cell.offset;
  return context.layout.position(context.layout.cell(frame.buffer, byte, cell.size));
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
  const outcome = context.apply(destination.frame, line, row, { word, value });
  if (event === 'load WB') context.touch(destination.frame, line);
  const from = row.liberty === 'arch-hit' ? 'hit' : (outcome.from ?? 'dram');
  return { value: outcome.value ?? 0, from, row };
}

function isFree(context: KernelContext, destination: Destination): boolean {
  return context.frame(destination.frame)?.buffer === -1;
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
  const { line } = realPosition(context, destination);
  const here = (entry: Entry): boolean =>
    'line' in entry && entry.frame === destination.frame && entry.line === line;
  return context.step.entries.some((entry) => {
    if (entry.kind === 'barrier') return entry.scope === 'ish-full';
    if (!here(entry)) return false;
    if (entry.kind === 'maintain') return attribute === 'WB';
    return (
      entry.kind === 'store' && entry.attribute !== attribute && !context.liberties.has('reorder')
    );
  });
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
  const { line, word } = realPosition(context, destination);
  const own = context.step.entries.findLast(
    (entry) =>
      entry.kind === 'store' &&
      entry.attribute === attribute &&
      entry.frame === destination.frame &&
      entry.line === line &&
      entry.word === word,
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

/** A CPU store: the ideal memory has it at once, the machine through the store buffer (M7). */
export function cpuStore(
  context: KernelContext,
  destination: Destination,
  attribute: Attribute,
  value: number,
): void {
  const refused = refuse(context, destination, 'write');
  context.stored.push(destination.cell.id);
  if (isFree(context, destination)) return;
  const { line, word } = realPosition(context, destination);
  if (refused) noteRefused(context, destination, value);
  else context.write(destination.cell, value, context.tick());
  context.say('M7', () => `stores ${showValue(value)} (${attribute}) into its store buffer`);
  if (attribute === 'WB') context.touch(destination.frame, line);
  pushEntries(context, [
    {
      kind: 'store',
      attribute,
      frame: destination.frame,
      line,
      word,
      value,
      own: context.hasTouched(destination.frame, line),
      at: context.step.site,
    },
  ]);
}

export function pushEntries(context: KernelContext, entries: readonly Entry[]): void {
  // A store barrier orders no loads, so it does not end what M6 `arch` allows.
  const full = entries.some((each) => each.kind === 'barrier' && each.scope === 'ish-full');
  if (full) context.step.touched = [];
  context.step.entries = tidy([...context.step.entries, ...entries]);
}

/** A device's read or write at a place its translation reached. */
export function deviceRead(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  sync: boolean,
): number {
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
  return fetch(context, destination, snoops ? 'snooping read' : 'device read');
}

export function deviceWrite(
  context: KernelContext,
  destination: Destination,
  snoops: boolean,
  value: number,
): void {
  const refused = refuse(context, destination, 'write');
  if (isFree(context, destination)) return;
  if (refused) noteRefused(context, destination, value);
  else context.write(destination.cell, value, context.tick());
  const done = lineEvent(context, destination, snoops ? 'snooping write' : 'device write', value);
  context.say(done.row.rule, () => `writes ${showValue(value)}: ${done.row.text}`);
}

function refuse(context: KernelContext, destination: Destination, what: string): boolean {
  const { refused } = destination;
  if (refused === null) return false;
  context.find(refused, true, destination.cell.id, () => ({
    message:
      refused === 'H8'
        ? `${what}s a page that was freed, swapped out or reused`
        : `${what}s another buffer's memory than the one meant`,
    expected: allowedInstead(refused, what),
    actual: `the ${what} reached frame ${destination.frame}`,
  }));
  context.say(refused, () =>
    refused === 'H8' ? `${what}s a page that is no longer the buffer's` : `${what}s other memory`,
  );
  return true;
}

function allowedInstead(refused: 'H8' | 'H9' | 'H15', what: string): string {
  if (refused === 'H8') return "no access: the page is not this buffer's any more";
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

/** Remembers on the victim's word that a store it never admitted reached the memory. */
function noteRefused(context: KernelContext, destination: Destination, value: number): void {
  const frame = context.frame(destination.frame);
  if (frame === undefined || frame.buffer < 0) return;
  const byte = frame.page * context.machine.pageSize + destination.cell.offset;
  const victim = context.layout.cell(frame.buffer, byte, destination.cell.size);
  const word = context.word(victim);
  if (word.refused.some((each) => each.value === value)) return;
  context.setWord(victim, {
    ...word,
    refused: [...word.refused, { value, id: destination.refused === 'H15' ? 'H15' : 'H8' }],
  });
}

function leak(context: KernelContext, cell: Cell, value: number, cause: boolean): void {
  context.find('H6', cause, cell.id, () => ({
    message: 'an agent outside the kernel reads data of another owner',
    expected: 'no data of another protection domain',
    actual: showValue(value),
  }));
}

/**
 * Judges what a read of an allowed word returned, takes the happens-before edge of a
 * synchronising one, and passes the value on.
 */
export function judge(
  context: KernelContext,
  cell: Cell,
  value: number,
  place: Place,
  outside: boolean,
  sync: boolean,
): number {
  context.judged = cell.id;
  const word = context.word(cell);
  const allowed = admissible(word, context.view(cell));
  const matching = newest(allowed.filter((write) => write.value === value));
  const wrong = word.writes.length > 0 && matching.length === 0;
  if (wrong) {
    const id = causeOf(context, cell, word, allowed, value, place);
    const text = causeText(id, place, tooEarly(context, cell, allowed, place));
    context.find(id, true, cell.id, () => ({
      message: text,
      expected: showValues(newest(allowed).map((write) => write.value)),
      actual: showValue(value),
    }));
    context.say(id, () => `wrong value: ${text}`);
  }
  if (outside && isSecret(value)) leak(context, cell, value, !wrong);
  const source = matching[0];
  if (source !== undefined) observe(context, cell, source, sync);
  return value;
}

function observe(context: KernelContext, cell: Cell, source: Write, sync: boolean): void {
  if (sync) {
    context.learn(source.clock);
  } else if ((context.step.clock[source.agent] ?? 0) < source.count) {
    const old = context.step.seen[cell.id];
    const seen = old === undefined ? source.clock : join(old, source.clock);
    context.step.seen = { ...context.step.seen, [cell.id]: seen };
  }
}

/** The cause of a wrong value, decided with the store buffers thought drained (model.md §1). */
function causeOf(
  context: KernelContext,
  cell: Cell,
  word: Word,
  allowed: readonly Write[],
  value: number,
  place: Place,
): FindingId {
  const refused = word.refused.find((each) => each.value === value);
  if (refused !== undefined) return refused.id;
  const wanted = newest(allowed).map((write) => write.value);
  const { dram, copy, stopped } = drained(context, cell);
  const inMemory = dram !== undefined && wanted.includes(dram);
  const inCopy = copy !== undefined && wanted.includes(copy);
  if (place === 'hit') return 'H4';
  if (!inMemory && !inCopy) return word.lost ?? 'H3';
  if (!inMemory && stopped) return 'H4';
  if (place !== 'dram' && inMemory) return 'H1';
  return 'H2';
}

function drained(
  context: KernelContext,
  cell: Cell,
): { dram: number | undefined; copy: number | undefined; stopped: boolean } {
  const position = context.layout.position(cell);
  const slot = context.buffer(cell.buffer).pages[position.page];
  const index = slot?.state === 'resident' ? slot.frame : -1;
  const line = context.frame(index)?.lines[position.line];
  let dram = line?.dram[position.word];
  let copy = line?.copy[position.word];
  for (const entry of context.step.allBuffers().flat()) {
    const here =
      entry.kind === 'store' &&
      entry.frame === index &&
      entry.line === position.line &&
      entry.word === position.word;
    if (!here) continue;
    if (entry.attribute === 'WB') copy = entry.value;
    else dram = entry.value;
  }
  const stopped = ((line?.stopped ?? 0) & (1 << position.word)) !== 0;
  return { dram, copy, stopped };
}

/** The newest value is in memory and memory was read: the read was early, or a store late. */
function tooEarly(
  context: KernelContext,
  cell: Cell,
  allowed: readonly Write[],
  place: Place,
): boolean {
  const { dram } = drained(context, cell);
  return place === 'dram' && newest(allowed).some((write) => write.value === dram);
}

function causeText(id: FindingId, place: Place, early: boolean): string {
  if (early && id === 'H2') return 'the read was satisfied before the newest value was in place';
  switch (id) {
    case 'H1':
      return 'the value comes from a stale copy; the newest is in memory';
    case 'H2':
      return place === 'dram'
        ? 'the newest value has not reached memory yet'
        : 'the newest value has not reached this place yet';
    case 'H3':
      return 'the newest value is nowhere any more: it was overwritten or thrown away';
    case 'H4':
      return 'a non-cacheable access hit a cached copy, or stopped in one';
    case 'H10':
      return 'the value was destroyed by the write-back or the maintenance of a neighbour';
    default:
      return 'the value comes from a store that should never have reached this page';
  }
}
