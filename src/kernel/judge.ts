/**
 * What a read returned, judged against the ideal memory: wrong or not, and the cause (model.md §1).
 * Leaves out: how the value was come by; see access.ts.
 */
import { admissible, join, newest, type Word, type Write } from '../ideal/word.js';
import { hasBit } from '../machine/line.js';
import type { FindingId, KernelContext, Place } from './context.js';
import type { Cell } from './layout.js';
import { isSecret, showValue, showValues } from './values.js';

export function leak(context: KernelContext, cell: Cell, value: number, cause: boolean): void {
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
  context.recorder.read?.(context.step.site, cell.id);
  const word = context.word(cell);
  const allowed = admissible(word, context.view(cell));
  const matching = newest(allowed.filter((write) => write.value === value));
  const wrong = word.writes.length > 0 && matching.length === 0;
  if (wrong) {
    const id = causeOf(context, cell, word, allowed, value, place);
    const bounced = id === 'H1' && !isIn(drained(context, cell), allowed);
    const text = overtaken(context, word, value)
      ? 'a later store overtook this read, which got what came of that store'
      : bounced
        ? 'the newest value is in the bounce buffer and has not been copied back'
        : id === 'H1' && !hasArrived(context, cell, allowed)
          ? 'the value comes from a stale copy; the newest is on its way to memory'
          : causeText(id, place, tooEarly(context, cell, allowed, place));
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

/** A load that was put off returned what another agent did because of a store behind it (M8). */
function overtaken(context: KernelContext, word: Word, value: number): boolean {
  const { agent } = context.step;
  const count = context.before?.[agent];
  return (
    count !== undefined &&
    word.writes.some((each) => each.value === value && (each.clock[agent] ?? 0) > count)
  );
}

/** The newest value is in the buffer itself, in memory or in the cache. */
function isIn(
  { dram, copy }: { dram: number | undefined; copy: number | undefined },
  allowed: readonly Write[],
): boolean {
  return newest(allowed).some(({ value }) => value === dram || value === copy);
}

/** The newest value is in memory now, and not in a CPU's buffer or a device's own cache. */
function hasArrived(context: KernelContext, cell: Cell, allowed: readonly Write[]): boolean {
  const { line, word } = lineOf(context, cell);
  return newest(allowed).some(({ value }) => value === line?.dram[word]);
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
  const inSlot = slotValues(context, cell).some((each) => wanted.includes(each));
  if (place === 'hit') return 'H4';
  if (!inMemory && !inCopy && !inSlot) return word.lost ?? 'H3';
  if (place === 'slot') return 'H2';
  if (!inMemory && !inCopy) return 'H1';
  if (!inMemory && stopped) return 'H4';
  if (place !== 'dram' && inMemory) return 'H1';
  return 'H2';
}

/** What the bounce buffers of a word hold, in memory and in the cache. */
function slotValues(context: KernelContext, cell: Cell): readonly number[] {
  const byte = cell.page * context.machine.pageSize + cell.offset;
  const { mappings, iovas } = context.kernel;
  const pieces = [...mappings, ...iovas].flatMap((each) => each.pieces);
  return pieces.flatMap(({ buffer, offset, size, slot }) => {
    const inside = buffer === cell.buffer && byte >= offset && byte + cell.size <= offset + size;
    if (slot === undefined || !inside) return [];
    const other = context.layout.cell(slot.buffer, slot.offset + (byte - offset), cell.size);
    const { dram, copy } = drained(context, other);
    return [dram, copy].filter((each) => each !== undefined);
  });
}

function drained(
  context: KernelContext,
  cell: Cell,
): { dram: number | undefined; copy: number | undefined; stopped: boolean } {
  const { line, index, word } = lineOf(context, cell);
  let dram = line?.dram[word];
  let copy = line?.copy[word];
  for (const entry of context.step.allBuffers().flat()) {
    if (entry.kind !== 'store' || entry.frame !== index || entry.cell !== cell.id) continue;
    if (entry.attribute === 'WB') copy = entry.value;
    else dram = entry.value;
  }
  const stopped = hasBit(line?.stopped ?? 0, word);
  return { dram, copy, stopped };
}

/** Where a word of a buffer stands now; frame -1 where its page is not there. */
function lineOf(context: KernelContext, cell: Cell) {
  const position = context.layout.position(cell);
  const slot = context.buffer(cell.buffer).pages[position.page];
  const index = slot?.state === 'resident' ? slot.frame : -1;
  return { line: context.lineAt(index, position.line), index, word: position.word };
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
      if (place === 'slot') return 'the newest value has not been copied into the bounce buffer';
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
