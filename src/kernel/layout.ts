/**
 * Which words of which buffer the scenario names. Only these are modelled: no observation can
 * depend on another. The engine meets a word first when an access touches it, adds it here and
 * starts over, so that the word is there from the buffer's first moment.
 * A projection (reduce/) hides words: they keep their place and their page, and have no contents.
 * A range names words in the lines it goes over.
 */
import {
  type Cell,
  isHidden,
  MixedSize,
  NewCell,
  type PageLayout,
  PTE_MARK,
} from './cells.js';
import { Guesses } from './guessed-words.js';
import { KnownRanges } from './known-ranges.js';
import { Neighbourhoods, Places } from './places.js';
import { RANGE_WORD, type Span, wordsFor } from './ranges.js';

export {
  type Cell,
  isHidden,
  type LineLayout,
  MixedSize,
  NewCell,
  type PageLayout,
  PTE_MARK,
} from './cells.js';

/** All a layout knows, as plain data. */
export interface LayoutData {
  readonly cells: readonly Cell[];
  readonly hidden: readonly Cell[];
  readonly bare: readonly { readonly buffer: number; readonly page: number }[];
  readonly spans: readonly (readonly [number, readonly Span[]])[];
  readonly cuts: readonly (readonly [number, readonly number[]])[];
  /** Those of the cuts that are not from maintenance alone. */
  readonly mapped: readonly (readonly [number, readonly number[]])[];
  readonly spread: readonly string[];
  /** Words that hold entries of page tables, by index. */
  readonly ptes: readonly number[];
  readonly everyLine: boolean;
}

function plainly(
  cuts: ReadonlyMap<number, ReadonlySet<number>>,
): readonly (readonly [number, readonly number[]])[] {
  return [...cuts].map(([buffer, at]) => [buffer, [...at]] as const);
}

export class Layout {
  readonly cells: Cell[] = [];
  readonly hidden: Cell[] = [];
  /** A word met for the first time is hidden, where its page is known already. */
  hidesNew = false;
  /** A range names a word in every line; else in as few lines as stand for all. */
  everyLine = true;
  private ranges = new KnownRanges();
  private inRange = false;
  /** By buffer: how much was known when its ranges had all their words. */
  private readonly complete = new Map<number, number>();
  /** Pages whose frame number matters although no word of theirs does. */
  private readonly bare: { buffer: number; page: number }[] = [];
  private readonly pagesOf = new Map<number, PageLayout[]>();
  private readonly byPlace = new Places<Cell>();
  /** Where words were added, roughly. */
  private readonly near = new Neighbourhoods();
  private readonly ptes = new Set<number>();
  private readonly positions = new Map<number, { line: number; word: number; page: number }>();
  private readonly guesses = new Guesses();

  constructor(
    readonly pageSize: number,
    readonly lineSize: number,
  ) {}

  get saved(): LayoutData {
    const { cells, hidden, bare, ranges, everyLine } = this;
    const [cuts, mapped] = [plainly(ranges.cuts), plainly(ranges.mapped)];
    const [spans, spread, ptes] = [[...ranges.spans], ranges.spread.names(), [...this.ptes]];
    return { cells, hidden, bare, spans, cuts, mapped, spread, ptes, everyLine };
  }

  /** Takes over what another layout knew; only while this one knows nothing. */
  restore(data: LayoutData): void {
    const { cells, hidden, bare, spans, cuts, mapped, spread, ptes } = data;
    this.everyLine = data.everyLine;
    for (const each of ptes) this.ptes.add(each);
    this.cells.push(...cells);
    this.hidden.push(...hidden);
    this.bare.push(...bare);
    for (const cell of [...cells, ...hidden]) {
      this.near.add(cell.buffer, this.byteOf(cell), cell.size);
      this.place(cell);
    }
    for (const [buffer, span] of spans) this.ranges.spans.set(buffer, span);
    for (const [buffer, at] of cuts) this.ranges.cuts.set(buffer, new Set(at));
    for (const [buffer, at] of mapped) this.ranges.mapped.set(buffer, new Set(at));
    for (const name of spread) {
      const [buffer = -1, byte = -1] = name.split(':').map(Number);
      this.ranges.spread.set(buffer, byte, true);
    }
  }

  /**
   * Adds words that will most likely be asked for. As long as one of them has not been, the layout
   * may have more than the scenario names. Only while it knows nothing. Throws MixedSize.
   */
  guess(words: readonly { buffer: number; byte: number; size: number }[]): void {
    for (const { buffer, byte, size } of words) this.add(buffer, byte, size);
    this.guesses.are(this.cells.keys(), this.ptes);
  }

  /** Something that was guessed has not been asked for. */
  get hasGuesses(): boolean {
    return this.guesses.left;
  }

  add(buffer: number, byte: number, size: number): void {
    const page = Math.floor(byte / this.pageSize);
    const offset = byte % this.pageSize;
    this.positions.clear();
    if (size === PTE_MARK) {
      this.ptes.add(this.tracked(buffer, byte)?.id ?? -1);
      return;
    }
    if (size === 0) {
      this.bare.push({ buffer, page });
      this.pagesOf.delete(buffer);
      return;
    }
    this.refuseOverlap(buffer, byte, size);
    const cell = { id: this.cells.length, buffer, page, offset, size };
    this.cells.push(cell);
    this.byPlace.set(buffer, byte, cell);
    this.pagesOf.delete(buffer);
  }

  /** Names a word without contents; its page is there, as a frame. */
  hide(buffer: number, byte: number, size: number): Cell {
    this.refuseOverlap(buffer, byte, size);
    const page = Math.floor(byte / this.pageSize);
    if (this.pageIndex(buffer, page) < 0) this.add(buffer, byte, 0);
    const offset = byte % this.pageSize;
    const cell = { id: -2 - this.hidden.length, buffer, page, offset, size };
    this.hidden.push(cell);
    this.byPlace.set(buffer, byte, cell);
    return cell;
  }

  private refuseOverlap(buffer: number, byte: number, size: number): void {
    if (!this.near.add(buffer, byte, size)) return;
    const page = Math.floor(byte / this.pageSize);
    const offset = byte % this.pageSize;
    // No access is longer than 8 bytes, so that nothing further away can reach here.
    for (let at = offset - 7; at < offset + size; at++) {
      const other = this.byPlace.get(buffer, page * this.pageSize + at);
      if (other === undefined || other.page !== page) continue;
      if (other.offset + other.size <= offset) continue;
      if (!this.isSpread(other)) throw new MixedSize(byte, size, other);
      this.drop(other);
    }
  }

  /** A word that only ranges name gives way to one the scenario names. */
  private drop(cell: Cell): void {
    this.byPlace.delete(cell.buffer, this.byteOf(cell));
    this.ranges.spread.delete(cell.buffer, this.byteOf(cell));
    const hidden = this.hidden.indexOf(cell);
    if (hidden >= 0) this.hidden.splice(hidden, 1);
    const at = this.cells.indexOf(cell);
    if (at < 0) return;
    this.cells.splice(at, 1);
    for (let id = at; id < this.cells.length; id++) {
      const moved = this.cells[id];
      if (moved === undefined) continue;
      const renumbered = { ...moved, id };
      this.cells[id] = renumbered;
      this.place(renumbered);
    }
    this.pagesOf.clear();
  }

  private isSpread(cell: Cell): boolean {
    return this.ranges.spread.get(cell.buffer, this.byteOf(cell)) === true;
  }

  private byteOf({ page, offset }: Cell): number {
    return page * this.pageSize + offset;
  }

  private place(cell: Cell): void {
    this.byPlace.set(cell.buffer, this.byteOf(cell), cell);
  }

  /** Takes over what another layout of the scenario has learned of ranges. */
  learn(from: Layout): void {
    this.ranges = from.ranges;
    this.everyLine = from.everyLine;
  }

  /**
   * A call goes over bytes [from, to) of a buffer line by line. Throws NewCell when it names words
   * that are not there yet; TooManyLines.
   */
  range(buffer: number, from: number, to: number): void {
    this.guesses.ranged();
    this.ranges.span(buffer, from, to);
    this.nameRanges(buffer);
  }

  /** Words in an order to add them in: of two in one place, the one a range names gives way. */
  inOrder<T extends { buffer: number; byte: number; size: number }>(words: readonly T[]): T[] {
    const { spread } = this.ranges;
    const isSpread = ({ buffer, byte }: T): boolean => spread.get(buffer, byte) === true;
    const own = words.filter((word) => !isSpread(word));
    const free = words.filter(
      (word) =>
        isSpread(word) &&
        !own.some(
          ({ buffer, byte, size }) =>
            buffer === word.buffer && byte < word.byte + word.size && word.byte < byte + size,
        ),
    );
    return [...own, ...free];
  }

  /** What is accessed meanwhile is accessed as part of a range. */
  over<T>(run: () => T): T {
    this.inRange = true;
    try {
      return run();
    } finally {
      this.inRange = false;
    }
  }

  /** A call treats the bytes before and behind this one differently. Throws as `range` does. */
  cut(buffer: number, byte: number, why: 'mapped' | 'maintained' = 'mapped'): void {
    if (why === 'mapped') {
      const mapped = this.ranges.mapped.get(buffer) ?? new Set<number>();
      this.ranges.mapped.set(buffer, mapped.add(byte));
    }
    const isNew = this.ranges.cut(buffer, byte);
    if (isNew && this.ranges.spans.has(buffer)) this.nameRanges(buffer);
  }

  /** Some call went over a range. */
  get hasRanges(): boolean {
    return this.ranges.spans.size > 0;
  }

  /** Ends of what was mapped, or gone over, in a buffer. */
  mappedCuts(buffer: number): readonly number[] {
    return [...(this.ranges.mapped.get(buffer) ?? [])].sort((a, b) => a - b);
  }

  /** Goes up with every word and with all that is learned of ranges. */
  get changes(): number {
    return this.byPlace.changes + this.ranges.changes;
  }

  private nameRanges(buffer: number): void {
    // Nothing new since the last time that nothing was missing.
    if (this.complete.get(buffer) === this.changes) return;
    const { pageSize, lineSize, everyLine } = this;
    const spans = this.ranges.spans.get(buffer) ?? [];
    const cuts = [...(this.ranges.cuts.get(buffer) ?? [])];
    const named = this.named(buffer)
      .filter((cell) => !this.isSpread(cell))
      .map((cell) => this.byteOf(cell));
    const words = wordsFor({ spans, cuts, named, lineSize, pageSize, everyLine });
    const missing = words.filter((byte) => this.byPlace.get(buffer, byte) === undefined);
    for (const byte of missing) this.ranges.spread.set(buffer, byte, true);
    const later: number[] = [];
    for (const byte of missing) {
      const known = this.pageIndex(buffer, Math.floor(byte / pageSize)) >= 0;
      if (this.hidesNew && known) this.hide(buffer, byte, RANGE_WORD);
      else later.push(byte);
    }
    const [first, ...more] = later;
    if (first === undefined) {
      this.complete.set(buffer, this.changes);
      return;
    }
    const error = new NewCell(buffer, first, RANGE_WORD);
    error.more = more;
    throw error;
  }

  /**
   * Of words in order, those to go over one by one: of hidden ones side by side in a page the last
   * stands for all (docs/reductions.md). While it is found out which there are, all of them.
   */
  steps<T>(words: readonly T[], cellOf: (word: T) => Cell): readonly T[] {
    if (this.hidesNew) return words;
    return words.filter((word, i) => {
      const next = words[i + 1];
      if (next === undefined || !isHidden(cellOf(word)) || !isHidden(cellOf(next))) return true;
      return cellOf(word).page !== cellOf(next).page;
    });
  }

  /** Its words, and which of them are marked as entries of a page table, as `add` takes them. */
  get words(): readonly { buffer: number; byte: number; size: number }[] {
    const all = this.cells.map((cell) => {
      return { buffer: cell.buffer, byte: this.byteOf(cell), size: cell.size };
    });
    const marks = all.filter((_, id) => this.ptes.has(id));
    return [...all, ...marks.map((word) => ({ ...word, size: PTE_MARK }))];
  }

  /** Every word of a buffer that has a name, hidden ones included, by ascending byte. */
  named(buffer: number): readonly Cell[] {
    return this.byPlace.of(buffer);
  }

  private pagesIn(buffer: number): PageLayout[] {
    const mine = this.cells.filter((cell) => cell.buffer === buffer);
    const bare = this.bare.filter((each) => each.buffer === buffer);
    const pages = [...new Set([...mine, ...bare].map((each) => each.page))].sort((a, b) => a - b);
    return pages.map((page) => {
      const inPage = mine.filter((cell) => cell.page === page);
      const lineOf = (cell: Cell): number => Math.floor(cell.offset / this.lineSize);
      const lines = [...new Set(inPage.map(lineOf))].sort((a, b) => a - b);
      return {
        page,
        lines: lines.map((line) => ({
          line,
          cells: inPage.filter((cell) => lineOf(cell) === line).sort((a, b) => a.offset - b.offset),
        })),
      };
    });
  }

  pages(buffer: number): readonly PageLayout[] {
    let found = this.pagesOf.get(buffer);
    if (found === undefined) {
      found = this.pagesIn(buffer);
      this.pagesOf.set(buffer, found);
    }
    return found;
  }

  pageIndex(buffer: number, page: number): number {
    return this.pages(buffer).findIndex((each) => each.page === page);
  }

  /** The word at a byte of a buffer, if the scenario names it. */
  tracked(buffer: number, byte: number): Cell | undefined {
    return this.byPlace.get(buffer, byte);
  }

  /** Some word is an entry of a page table that a device walks. */
  get hasPtes(): boolean {
    return this.ptes.size > 0;
  }

  isPte(cell: number): boolean {
    return this.ptes.has(cell);
  }

  /** A walk reads a word; throws NewCell unless it is tracked as an entry of a table. */
  walked(cell: Cell): void {
    if (!this.ptes.has(cell.id)) throw new NewCell(cell.buffer, this.byteOf(cell), PTE_MARK);
    if (this.guesses.left) this.guesses.walked(cell.id);
  }

  /** The word at a byte of a buffer; throws NewCell or MixedSize. */
  cell(buffer: number, byte: number, size: number): Cell {
    const found = this.byPlace.get(buffer, byte);
    if (found === undefined) {
      const known = this.pageIndex(buffer, Math.floor(byte / this.pageSize)) >= 0;
      if (this.hidesNew && known) return this.hide(buffer, byte, size);
      throw new NewCell(buffer, byte, size);
    }
    if (found.size !== size) {
      if (this.isSpread(found)) throw new NewCell(buffer, byte, size);
      throw new MixedSize(byte, size, found);
    }
    if (this.guesses.left) this.guesses.asked(found.id);
    // The scenario names it by itself, so that its line is like no other.
    if (!this.inRange && this.ranges.spread.delete(buffer, byte)) this.nameRanges(buffer);
    return found;
  }

  /** Where a cell stands in its page's layout: indexes of page, line and word. */
  position(cell: Cell): { readonly page: number; readonly line: number; readonly word: number } {
    let found = this.positions.get(cell.id);
    if (found === undefined) {
      const page = this.pageIndex(cell.buffer, cell.page);
      const lines = this.pages(cell.buffer)[page]?.lines ?? [];
      const line = lines.findIndex((each) => each.cells.includes(cell));
      found = { page, line, word: lines[line]?.cells.indexOf(cell) ?? -1 };
      this.positions.set(cell.id, found);
    }
    return found;
  }
}
