/**
 * A device's access through page tables in memory (M12): the IOTLB first, else a walk that reads
 * the tables as a device does, from memory or snooping. What a walk reads is judged like any read:
 * an entry that sits dirty in the CPU's cache is H2 for a walker that does not snoop.
 * Sources: drivers/iommu/io-pgtable-arm.c, Arm SMMU architecture (IHI 0070) 3.17 (TLB, walk
 * caches), D8.13 of the Arm ARM (break-before-make, TLB conflict aborts).
 * Leaves out: access flags and dirty bits that the hardware writes, stage 2.
 */
import { admissible } from '../ideal/word.js';
import { deviceFetch } from './access.js';
import { IOMMU_READ, IOMMU_WRITE } from './constants.js';
import type { KernelContext } from './context.js';
import { physicalPlace } from './dma-address.js';
import { outside, type Reached, refusal } from './iommu.js';
import { type Decoded, decode, entryByte, GRANULE, type Level, levelSize } from './io-pgtable.js';
import {
  cachedValues,
  forgetEntries,
  hold,
  type IotlbEntry,
  observerOf,
  seenByWalk,
  translationsAt,
} from './iotlb.js';
import { judge } from './judge.js';
import type { Cell } from './layout.js';
import { physicalAddress } from './pages.js';
import type { Domain, Translation } from './state.js';
import { isSecret, showValue } from './values.js';

type Fault = Extract<Reached, { kind: 'fault' }>;
type Leaf = Extract<Decoded, { kind: 'leaf' }>;

interface Walker {
  readonly context: KernelContext;
  readonly domain: Domain;
  readonly iova: number;
  readonly observer: number;
  readonly snoops: boolean;
}

function fault(why: string, consequence = false): Fault {
  return consequence ? { kind: 'fault', why, consequence } : { kind: 'fault', why };
}

/** Where an access through page tables in memory arrives. */
export function translateByWalk(
  context: KernelContext,
  domain: Domain,
  iova: number,
  size: number,
  right: number,
): Reached {
  const observer = observerOf(context.machine, context.step.device);
  const snoops = context.machine.devices[observer]?.walkSnoops ?? false;
  const walker = { context, domain, iova, observer, snoops };
  context.recorder.couples?.('page tables in memory');
  if (context.kernel.iommusOff.includes(observer)) return fault('the IOMMU has no power');
  const before = context.findings.length;
  const found = heldTranslation(walker) ?? walk(walker);
  if ('kind' in found) return found;
  const leaf = decode(found.value, found.level);
  const wrong = context.findings.length > before;
  if (leaf.kind !== 'leaf') return fault(nothingAt(iova), wrong);
  if (right === IOMMU_WRITE && leaf.readOnly) return fault('the mapping has no IOMMU_WRITE right');
  return arrive(walker, found, leaf, size, right);
}

function nothingAt(iova: number): string {
  return `nothing is mapped at 0x${iova.toString(16)}`;
}

/** A whole translation that the IOTLB holds; null: it holds none, or has dropped it. */
function heldTranslation(walker: Walker): IotlbEntry | Fault | null {
  const { context, domain, iova, observer } = walker;
  const held = translationsAt(context, observer, domain, iova);
  const [first] = held;
  if (first === undefined) return null;
  const now = peek(walker);
  if (held.length === 1 && now?.value === first.value && now.cell === first.cell) return first;
  const mayMiss = held.every((each) => !each.sure) || context.liberties.has('eviction');
  const conflict = conflicts(walker, first, now);
  const ways = held.length + (mayMiss ? 1 : 0) + (conflict ? 1 : 0);
  const choice = ways > 1 ? context.choose(ways) : 0;
  const hit = held[choice];
  if (hit !== undefined) {
    context.say('M12', () => 'translated by an IOTLB entry that the page table no longer has');
    return hit;
  }
  if (conflict && choice === ways - 1) {
    context.tookLiberty = true;
    return fault('two entries of the IOTLB match: a TLB conflict abort (no break-before-make)');
  }
  if (held.some((each) => each.sure)) context.tookLiberty = true;
  forgetEntries(context, held);
  return null;
}

/** A page was put where a block was, or the other way, and both may be in the IOTLB. */
function conflicts(walker: Walker, held: IotlbEntry, now: Peeked | null): boolean {
  if (now === null || now.level === held.level) return false;
  const valid = [held, now].every(({ value, level }) => decode(value, level).kind === 'leaf');
  return valid && walker.context.liberties.has('speculation');
}

interface Peeked {
  readonly cell: number;
  readonly value: number;
  readonly level: Level;
}

const LEVELS: readonly Level[] = [1, 2, 3];

/** What a walk would find now; nothing is read for good. Null where it leads nowhere. */
function peek(walker: Walker): Peeked | null {
  const { context, iova, snoops } = walker;
  let table = rootOf(walker);
  for (const level of LEVELS) {
    const cell = table === null ? null : entryAt(context, table + entryByte(iova, level));
    if (cell === null) return null;
    const { frame, line, word } = placeOf(context, cell);
    const now = context.lineAt(frame, line);
    const value = now === undefined ? 0 : seenByWalk(now, word, snoops);
    const entry = isSecret(value) ? ({ kind: 'fault' } as const) : decode(value, level);
    if (entry.kind !== 'table') return { cell: cell.id, value, level };
    table = entry.address;
  }
  return null;
}

function rootOf({ context, domain }: Walker): number | null {
  if (domain.root !== undefined) return domain.root;
  const top = domain.tables?.find((each) => each.level === 1);
  return top === undefined ? null : physicalAddress(context, context.buffer(top.buffer), 0);
}

/** The word at a physical address, tracked as an entry of a table; null where no memory is. */
function entryAt(context: KernelContext, address: number): Cell | null {
  const place = physicalPlace(context, address);
  if (place === null) return null;
  const cell = context.layout.cell(place.buffer, place.offset, 8);
  context.layout.walked(cell);
  return cell;
}

function placeOf(context: KernelContext, cell: Cell) {
  const { line, word, page } = context.layout.position(cell);
  const slot = context.buffer(cell.buffer).pages[page];
  return { frame: slot?.state === 'resident' ? slot.frame : -1, line, word };
}

/** Walks the tables, level by level; an entry may come from the walk cache. */
function walk(walker: Walker): IotlbEntry | Fault {
  const { context, iova, domain, observer } = walker;
  const before = context.findings.length;
  let table = rootOf(walker);
  for (const level of LEVELS) {
    if (table === null) return fault(nothingAt(iova));
    const cell = entryAt(context, table + entryByte(iova, level));
    if (cell === null) return lostTable(walker, table);
    const value = entryValue(walker, cell);
    const wrong = context.findings.length > before;
    const entry = isSecret(value) ? ({ kind: 'fault' } as const) : decode(value, level);
    const tag = domain.parent ?? domain.id;
    const start = Math.floor(iova / levelSize(level)) * levelSize(level);
    const whole = { observer, cell: cell.id, value, level, iova: start, tag, domain: domain.id };
    if (entry.kind === 'fault') {
      if (context.machine.devices[observer]?.cachesFaults === true) {
        hold(context, { ...whole, sure: true });
      }
      return fault(nothingAt(iova), wrong);
    }
    if (entry.kind === 'leaf') {
      const found = { ...whole, sure: true };
      hold(context, found);
      return found;
    }
    hold(context, { ...whole, iova: -1, tag: -1, domain: -1, sure: true });
    table = entry.address;
  }
  return fault(nothingAt(iova));
}

/** The walk cache had a table whose page has been given back (H8). */
function lostTable({ context }: Walker, table: number): Fault {
  const pfn = Math.floor(table / GRANULE);
  const freed = context.step.frames.some((each) => each.pfn === pfn && each.buffer === -1);
  if (!freed) return fault(`there is no memory at the page table's address`);
  context.find('H8', true, -1, () => ({
    message: 'the IOMMU walks a page table in a page that was freed',
    expected: 'no table in use where a page is freed',
    actual: `a walk reads 0x${table.toString(16)}`,
  }));
  return fault('the page table is in a page that was freed', true);
}

/** An entry as this walk gets it: from the walk cache, else from memory or a snooped copy. */
function entryValue(walker: Walker, cell: Cell): number {
  const { context, observer, snoops } = walker;
  const { frame, line, word } = placeOf(context, cell);
  const now = context.lineAt(frame, line);
  const seen = now === undefined ? 0 : seenByWalk(now, word, snoops);
  const cached = cachedValues(context, observer, cell.id);
  const other = cached.filter((each) => each.value !== seen);
  if (other.length > 0) {
    const sure = cached.some((each) => each.sure);
    const mayMiss = !sure || other.length < cached.length || context.liberties.has('eviction');
    const choice = context.choose(other.length + (mayMiss ? 1 : 0));
    const old = other[choice];
    if (old !== undefined) {
      if (!old.sure) hold(context, { ...old, sure: true });
      context.say('M12', () => `the walk cache still has ${showValue(old.value)}`);
      return old.value;
    }
    if (sure) context.tookLiberty = true;
    forgetEntries(context, other);
  }
  const { value, place } = deviceFetch(context, { frame, cell, refused: null }, snoops);
  context.say('M12', () => `the walk reads a page table entry: ${showValue(value)}`);
  judge(context, cell, value, place, false, false);
  return value;
}

/** The memory behind a leaf, and what the access means there. */
function arrive(
  walker: Walker,
  found: IotlbEntry,
  leaf: Leaf,
  size: number,
  right: number,
): Reached {
  const { context, domain, iova } = walker;
  const shift = iova % levelSize(found.level);
  const address = leaf.address + shift;
  const pfn = Math.floor(address / GRANULE);
  const known = meaning(context, found, Math.floor(shift / GRANULE));
  const standing = known ?? standingAt(context, address);
  if (standing === null) return fault(`no memory answers at 0x${address.toString(16)}`);
  const byte = standing.page * GRANULE + (iova % GRANULE);
  if (byte + size > context.buffer(standing.buffer).size) return outside();
  const reached = context.layout.cell(standing.buffer, byte, size);
  const frame = context.step.frames.findIndex((each) => each.pfn === pfn);
  if (frame < 0) return fault(`no memory answers at 0x${address.toString(16)}`);
  const { cacheable } = leaf;
  const gone = refusal(context, frame, standing.buffer, standing.page);
  const present = domain.entries.find(
    (each) => each.iova < iova + size && iova < each.iova + each.size,
  );
  if (present === undefined) {
    const other = domain.root !== undefined && isOther(walker, standing) ? 'H15' : null;
    const refused = gone ?? other ?? (isMeant(walker, found) ? null : 'H9');
    return { kind: 'memory', destination: { frame, cell: reached, refused }, cacheable };
  }
  const wanted = wantedCell(context, present, iova, size);
  const slot = present.meant === undefined ? {} : { slot: reached };
  const other = present.meant === undefined && wanted !== reached ? 'H15' : null;
  const unread = right === IOMMU_READ && (present.prot & IOMMU_READ) === 0 ? 'H9' : null;
  const refused = gone ?? other ?? unread;
  return { kind: 'memory', destination: { frame, cell: wanted, refused, ...slot }, cacheable };
}

function wantedCell(context: KernelContext, entry: Translation, iova: number, size: number): Cell {
  const { buffer, offset } = entry.meant ?? entry;
  return context.layout.cell(buffer, offset + (iova - entry.iova), size);
}

/** The driver's own table means another page there, and the device must know (H15). */
function isOther(walker: Walker, reached: { buffer: number; page: number }): boolean {
  const { context, iova } = walker;
  let table = rootOf(walker);
  for (const level of LEVELS) {
    const cell = table === null ? null : entryAt(context, table + entryByte(iova, level));
    if (cell === null) return false;
    const [only, ...more] = admissible(context.word(cell), context.view(cell));
    if (only === undefined || more.length > 0) return false;
    const entry = decode(only.value, level);
    if (entry.kind === 'fault') return false;
    if (entry.kind === 'leaf') {
      const pages = Math.floor((iova % levelSize(level)) / GRANULE);
      const meant = meaning(context, { cell: cell.id, value: only.value }, pages);
      return meant !== null && (meant.buffer !== reached.buffer || meant.page !== reached.page);
    }
    table = entry.address;
  }
  return false;
}

/** What stood at the leaf's address when the entry was stored. */
function meaning(
  context: KernelContext,
  found: { readonly cell: number; readonly value: number },
  pages: number,
) {
  const known = context.kernel.ptes.find(
    (each) => each.cell === found.cell && each.value === found.value,
  );
  return known === undefined ? null : { buffer: known.buffer, page: known.page + pages };
}

function standingAt(context: KernelContext, address: number) {
  const place = physicalPlace(context, address);
  if (place === null) return null;
  return { buffer: place.buffer, page: Math.floor(place.offset / GRANULE) };
}

/**
 * Nothing is mapped at the address itself: a table of the driver's own says what is meant; else it
 * was mapped and taken out, or it lies beside a mapping in its page, or another domain's entry hit.
 */
function isMeant({ domain, iova }: Walker, found: IotlbEntry): boolean {
  if (domain.root !== undefined) return found.domain === domain.id;
  if (found.domain !== domain.id) return false;
  const page = Math.floor(iova / GRANULE);
  return !domain.entries.some(
    (each) =>
      Math.floor(each.iova / GRANULE) <= page &&
      page <= Math.floor((each.iova + each.size - 1) / GRANULE),
  );
}
