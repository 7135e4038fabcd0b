/**
 * Words of buffers and the pages and lines they stand in, and what an access throws that asks for
 * a word which is not there, or in another size. Leaves out which words there are (layout.ts).
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

/** Size of a NewCell: the word is an entry of a page table, and changes of it matter (M12). */
export const PTE_MARK = -1;

/** Thrown by an access to a word that is not tracked yet; size 0 asks for the page alone. */
export class NewCell extends Error {
  /** The instruction whose step met it; set by whoever ran the step. */
  site = -1;
  /** First bytes of more words of the same size, where a range names them. */
  more: readonly number[] = [];

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
