/**
 * The words of a scenario by their places, as its control is explored again and again: which there
 * are, which lines are control, and layouts that show some of them.
 * Leaves out: how words turn up and which decide (analysis.ts).
 */
import { type Cell, Layout, type NewCell } from '../kernel/layout.js';
import type { Program } from '../litmus/program.js';
import { GuessedPages } from './guesses.js';

/** A word by its place, which no exploration changes. */
export interface Named {
  readonly buffer: number;
  readonly byte: number;
  readonly size: number;
}

/** `buffer:line number`, from the buffer's first byte. */
export type LineKey = string;

/** Words by line; the layout of an exploration is made of it anew each time. */
export class Words {
  private readonly byPlace = new Map<string, Named>();
  private readonly control = new Set<LineKey>();

  /** It knows the ranges met so far. */
  last: Layout;
  readonly guesses: GuessedPages;

  constructor(
    private readonly program: Program,
    everyLine: boolean,
  ) {
    this.last = new Layout(program.machine.pageSize, program.machine.lineSize);
    this.last.everyLine = everyLine;
    this.guesses = new GuessedPages(program, program.machine.pageSize);
  }

  keyOf({ buffer, byte }: Named): LineKey {
    return `${buffer}:${Math.floor(byte / this.program.machine.lineSize)}`;
  }

  nameOf({ buffer, page, offset, size }: Cell): Named {
    return { buffer, byte: page * this.program.machine.pageSize + offset, size };
  }

  add(word: Named): void {
    const what = word.size === 0 ? 'page' : 'word';
    this.byPlace.set(`${what}:${word.buffer}:${word.byte}`, word);
  }

  decide(cell: Cell): void {
    this.control.add(this.keyOf(this.nameOf(cell)));
  }

  isControl(word: Named): boolean {
    return this.control.has(this.keyOf(word));
  }

  list(): readonly Named[] {
    return [...this.byPlace.values()];
  }

  layout(): Layout {
    const layout = layoutOf(this.program, this.list(), (word) => this.isControl(word), this.last);
    layout.hidesNew = true;
    this.guesses.into(layout);
    this.last = layout;
    return layout;
  }
}

/** The words that are missing where an access or a range asks for them. */
export function wordsOf({ buffer, byte, size, more }: NewCell): readonly Named[] {
  return [byte, ...more].map((at) => ({ buffer, byte: at, size }));
}

/** A layout with these words, all but the shown ones without contents. Size 0: a page alone. */
export function layoutOf(
  program: Program,
  words: readonly Named[],
  shown: (word: Named) => boolean,
  like: Layout,
): Layout {
  const layout = new Layout(program.machine.pageSize, program.machine.lineSize);
  layout.learn(like);
  for (const word of layout.inOrder(words)) {
    const { buffer, byte, size } = word;
    if (size === 0 || shown(word)) layout.add(buffer, byte, size);
    else layout.hide(buffer, byte, size);
  }
  return layout;
}
