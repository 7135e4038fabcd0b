/**
 * What a layout had before anybody asked for it: words, and marks of words as entries of a page
 * table, that the scenario names on another platform. Once all of it was asked for, the layout has
 * what it would have come to by itself. Leaves out the words (layout.ts).
 */

/** A mark of a word; words are by their index. */
function markOf(cell: number): number {
  return -2 - cell;
}
const NEVER_ASKED = -1;

export class Guesses {
  private open: Set<number> | null = null;

  are(words: Iterable<number>, marked: Iterable<number>): void {
    const all = new Set([...words, ...[...marked].map(markOf)]);
    this.open = all.size > 0 ? all : null;
  }

  /** Something has not been asked for yet. */
  get left(): boolean {
    return this.open !== null;
  }

  asked(word: number): void {
    this.settle(word);
  }

  /** A walk read the word as an entry. */
  walked(word: number): void {
    this.settle(markOf(word));
  }

  /** A call goes over a range: a word it would have named is another than one that was there. */
  ranged(): void {
    this.open?.add(NEVER_ASKED);
  }

  private settle(what: number): void {
    this.open?.delete(what);
    if (this.open?.size === 0) this.open = null;
  }
}
