/**
 * Which words of which buffer the scenario names. Only these are modelled: no observation can
 * depend on another. The engine meets a word first when an access touches it, adds it here and
 * starts over, so that the word is there from the buffer's first moment.
 */
export interface Cell {
  /** Index into a state's words; negative for a hidden word. */
  readonly id: number;
  readonly buffer: number;
  readonly page: number;
  /** Byte within the page. */
  readonly offset: number;
  /** Bytes of every access to it: 1, 2, 4 or 8. */
  readonly size: number;
}

export interface LineLayout {
  /** Line number within the page. */
  readonly line: number;
  readonly cells: readonly Cell[];
}

export interface PageLayout {
  readonly page: number;
  readonly lines: readonly LineLayout[];
}

/** Thrown by an access to a word that is not tracked yet; size 0 asks for the page alone. */
export class NewCell extends Error {
  /** The instruction whose step met it; set by whoever ran the step. */
  site = -1;

  constructor(
    readonly buffer: number,
    readonly byte: number,
    readonly size: number,
  ) {
    super('new cell');
  }
}

/** Thrown when two accesses to overlapping bytes have different sizes or alignment. */
export class MixedSize extends Error {
  site = -1;

  constructor(
    readonly byte: number,
    readonly size: number,
    readonly other: Cell,
  ) {
    super('mixed access sizes');
  }
}

/** The word is left out of this exploration: accesses to it read and write nothing. */
export function isHidden(cell: Cell): boolean {
  return cell.id < 0;
}

export class Layout {
  readonly cells: Cell[] = [];
  readonly hidden: Cell[] = [];
  /** A word met for the first time is hidden, where its page is known already. */
  hidesNew = false;
  /** Pages whose frame number matters although no word of theirs does. */
  private readonly bare: { buffer: number; page: number }[] = [];
  private readonly pagesOf = new Map<number, PageLayout[]>();
  private readonly byPlace = new Map<string, Cell>();
  private readonly positions = new Map<number, { line: number; word: number; page: number }>();

  constructor(
    readonly pageSize: number,
    readonly lineSize: number,
  ) {}

  add(buffer: number, byte: number, size: number): void {
    const page = Math.floor(byte / this.pageSize);
    const offset = byte % this.pageSize;
    this.positions.clear();
    if (size === 0) {
      this.bare.push({ buffer, page });
      this.rebuild(buffer);
      return;
    }
    this.refuseOverlap(buffer, byte, size);
    const cell = { id: this.cells.length, buffer, page, offset, size };
    this.cells.push(cell);
    this.byPlace.set(`${buffer}:${byte}`, cell);
    this.rebuild(buffer);
  }

  /** Names a word without contents; its page is there, as a frame. */
  hide(buffer: number, byte: number, size: number): Cell {
    this.refuseOverlap(buffer, byte, size);
    const page = Math.floor(byte / this.pageSize);
    if (this.pageIndex(buffer, page) < 0) this.add(buffer, byte, 0);
    const offset = byte % this.pageSize;
    const cell = { id: -2 - this.hidden.length, buffer, page, offset, size };
    this.hidden.push(cell);
    this.byPlace.set(`${buffer}:${byte}`, cell);
    return cell;
  }

  private refuseOverlap(buffer: number, byte: number, size: number): void {
    const page = Math.floor(byte / this.pageSize);
    const offset = byte % this.pageSize;
    // No access is longer than 8 bytes, so that nothing further away can reach here.
    for (let at = offset - 7; at < offset + size; at++) {
      const other = this.byPlace.get(`${buffer}:${page * this.pageSize + at}`);
      if (other === undefined || other.page !== page) continue;
      if (other.offset + other.size > offset) throw new MixedSize(byte, size, other);
    }
  }

  /** Every word of a buffer that has a name, hidden ones included. */
  named(buffer: number): readonly Cell[] {
    const mine = (cell: Cell): boolean => cell.buffer === buffer;
    return [...this.cells.filter(mine), ...this.hidden.filter(mine)];
  }

  private rebuild(buffer: number): void {
    const mine = this.cells.filter((cell) => cell.buffer === buffer);
    const bare = this.bare.filter((each) => each.buffer === buffer);
    const pages = [...new Set([...mine, ...bare].map((each) => each.page))].sort((a, b) => a - b);
    this.pagesOf.set(
      buffer,
      pages.map((page) => {
        const inPage = mine.filter((cell) => cell.page === page);
        const lineOf = (cell: Cell): number => Math.floor(cell.offset / this.lineSize);
        const lines = [...new Set(inPage.map(lineOf))].sort((a, b) => a - b);
        return {
          page,
          lines: lines.map((line) => ({
            line,
            cells: inPage
              .filter((cell) => lineOf(cell) === line)
              .sort((a, b) => a.offset - b.offset),
          })),
        };
      }),
    );
  }

  pages(buffer: number): readonly PageLayout[] {
    return this.pagesOf.get(buffer) ?? [];
  }

  pageIndex(buffer: number, page: number): number {
    return this.pages(buffer).findIndex((each) => each.page === page);
  }

  /** The word at a byte of a buffer; throws NewCell or MixedSize. */
  cell(buffer: number, byte: number, size: number): Cell {
    const found = this.byPlace.get(`${buffer}:${byte}`);
    if (found === undefined) {
      const known = this.pageIndex(buffer, Math.floor(byte / this.pageSize)) >= 0;
      if (this.hidesNew && known) return this.hide(buffer, byte, size);
      throw new NewCell(buffer, byte, size);
    }
    if (found.size !== size) throw new MixedSize(byte, size, found);
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
