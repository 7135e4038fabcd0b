/**
 * Which words of which buffer the scenario names. Only these are modelled: no observation can
 * depend on another. The engine meets a word first when an access touches it, adds it here and
 * starts over, so that the word is there from the buffer's first moment.
 */
export interface Cell {
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

/** Size of a NewCell: the word is an entry of a page table, and changes of it matter (M12). */
export const PTE_MARK = -1;

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

export class Layout {
  readonly cells: Cell[] = [];
  /** Pages whose frame number matters although no word of theirs does. */
  private readonly bare: { buffer: number; page: number }[] = [];
  private readonly pagesOf = new Map<number, PageLayout[]>();
  private readonly byPlace = new Map<string, Cell>();
  private readonly ptes = new Set<number>();
  private readonly positions = new Map<number, { line: number; word: number; page: number }>();

  constructor(
    readonly pageSize: number,
    readonly lineSize: number,
  ) {}

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
      this.rebuild(buffer);
      return;
    }
    for (const other of this.cells) {
      const overlaps =
        other.buffer === buffer &&
        other.page === page &&
        other.offset < offset + size &&
        offset < other.offset + other.size;
      if (overlaps) throw new MixedSize(byte, size, other);
    }
    const cell = { id: this.cells.length, buffer, page, offset, size };
    this.cells.push(cell);
    this.byPlace.set(`${buffer}:${byte}`, cell);
    this.rebuild(buffer);
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

  /** The word at a byte of a buffer, if the scenario names it. */
  tracked(buffer: number, byte: number): Cell | undefined {
    return this.byPlace.get(`${buffer}:${byte}`);
  }

  /** Some word is an entry of a page table that a device walks. */
  get hasPtes(): boolean {
    return this.ptes.size > 0;
  }

  isPte(cell: number): boolean {
    return this.ptes.has(cell);
  }

  /** The word at a byte of a buffer; throws NewCell or MixedSize. */
  cell(buffer: number, byte: number, size: number): Cell {
    const found = this.byPlace.get(`${buffer}:${byte}`);
    if (found === undefined) throw new NewCell(buffer, byte, size);
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
