/**
 * What becomes of the ideal memory when a line's copy goes: a word whose newest value was in the
 * line, and is nowhere after it, is lost (H3), or lost for a neighbour's sake (H10). Said a second
 * time, for exports; docs/model.md, "Causes".
 * Leaves out: which values are the newest, which the explorer's ideal memory tells.
 */
import { newest, type Word } from '../ideal/word.js';
import type { Cell, Layout } from '../kernel/layout.js';
import type { BufferEntry } from './buffer-rules.js';
import type { Encoding } from './encode.js';
import type { Guards } from './guards.js';
import type { Gone, LineRules } from './line-rules.js';
import { and, type Cond, or, type Statement } from './model.js';

/** A mapping of the DMA API, as far as it makes bytes one object. */
export interface Streamed {
  readonly id: number;
  readonly type: string;
  readonly pieces: readonly {
    readonly buffer: number;
    readonly offset: number;
    readonly size: number;
  }[];
}

/** Where things stand in the encoding. */
export interface Places {
  readonly encoding: Encoding;
  readonly guards: Guards;
  readonly layout: Layout;
  /** Component of a cell's word, with the words it may be. */
  readonly word: (cell: number) => { component: number; values: readonly Word[] };
  /** Component of the mappings' book, with the lists it may be. */
  readonly mappings: { component: number; values: readonly (readonly Streamed[])[] };
  /** Every slot of every store buffer: a variable, and the entries it may hold. */
  readonly slots: readonly { variable: number; entries: readonly (BufferEntry | null)[] }[];
}

export class Losses {
  constructor(private readonly at: Places) {}

  /**
   * Statements that come before those which change the line.
   * `range`: the bytes of the page that maintenance was issued for.
   */
  statements(
    line: LineRules,
    frame: number,
    cells: readonly Cell[],
    gone: Gone,
    range: { from: number; to: number } | null,
  ): readonly Statement[] {
    if (gone === null) return [];
    return cells.flatMap((cell, i) => this.ofWord(line, frame, cells, i, cell, gone, range));
  }

  private ofWord(
    line: LineRules,
    frame: number,
    cells: readonly Cell[],
    i: number,
    cell: Cell,
    gone: Exclude<Gone, null>,
    range: { from: number; to: number } | null,
  ): readonly Statement[] {
    const { encoding, guards } = this.at;
    const { component, values } = this.at.word(cell.id);
    const byValues = new Map<string, number[]>();
    values.forEach(({ writes, lost }, id) => {
      if (lost !== null || writes.length === 0) return;
      const key = [...new Set(newest(writes).map(({ value }) => value))].sort().join();
      byValues.set(key, [...(byValues.get(key) ?? []), id]);
    });
    const [variable] = encoding.of[component] ?? [];
    // A word that is always the same was never written, or can never be lost.
    if (variable === undefined) return [];
    const own = this.ownObject(line, cells, i, cell);
    const beside = range !== null && (cell.offset < range.from || cell.offset >= range.to);
    return [...byValues].map(([key, ids]): Statement => {
      const wanted = key.split(',').map(Number);
      const inMemory = this.holds(line.dram(i), wanted);
      const inCopy = this.holds(line.copy(i), wanted);
      const [only, rest] = gone === 'written back' ? [inMemory, inCopy] : [inCopy, inMemory];
      const cond = and([
        guards.among(component, new Set(ids)),
        only,
        { kind: 'not', part: rest },
        { kind: 'not', part: this.pending(frame, cell, wanted) },
      ]);
      const lose = (lost: string): Statement[] => [this.relabel(variable, ids, values, lost)];
      const body: Statement[] = beside
        ? lose('H10')
        : [{ kind: 'if', cond: own, body: lose('H3'), otherwise: lose('H10') }];
      return { kind: 'if', cond, body, otherwise: [] };
    });
  }

  private holds(variable: number, wanted: readonly number[]): Cond {
    const values = wanted
      .map((value) => this.at.encoding.numberOf(variable, String(value)))
      .filter((value) => value >= 0);
    return { kind: 'in', variable, values };
  }

  /** The word's next value, for each it may have now. */
  private relabel(
    variable: number,
    ids: readonly number[],
    values: readonly Word[],
    lost: string,
  ): Statement {
    const { encoding } = this.at;
    // One of them it is: the last needs no question.
    let chain: Statement = { kind: 'wrong' };
    ids.forEach((id, i) => {
      const to = encoding.numberOf(variable, JSON.stringify({ ...values[id], lost }));
      const body: Statement = to < 0 ? { kind: 'wrong' } : { kind: 'set', variable, value: to };
      const cond: Cond = { kind: 'in', variable, values: [encoding.value(variable, id)] };
      chain = i === 0 ? body : { kind: 'if', cond, body: [body], otherwise: [chain] };
    });
    return chain;
  }

  /** A store of such a value to the word is still under way. */
  private pending(frame: number, cell: Cell, wanted: readonly number[]): Cond {
    return or(
      this.at.slots.flatMap(({ variable, entries }): Cond[] => {
        const values = entries.flatMap((entry, value) => {
          const there = entry?.kind === 'store' && entry.frame === frame && entry.cell === cell.id;
          return there && wanted.includes(entry.value ?? NaN) ? [value] : [];
        });
        return values.length === 0 ? [] : [{ kind: 'in', variable, values }];
      }),
    );
  }

  /** The copy was written for the same object's sake: one that is H3 and not H10. */
  private ownObject(line: LineRules, cells: readonly Cell[], i: number, cell: Cell): Cond {
    const { guards, mappings } = this.at;
    const byObjects = new Map<string, { ids: number[]; same: readonly number[] }>();
    mappings.values.forEach((list, id) => {
      const mine = this.objectOf(cell, list);
      const same = cells.flatMap((other, j) =>
        j === i || this.objectOf(other, list) === mine ? [j] : [],
      );
      const found = byObjects.get(same.join()) ?? { ids: [], same };
      found.ids.push(id);
      byObjects.set(same.join(), found);
    });
    const kinds = [...byObjects.values()];
    return or(
      kinds.map(({ ids, same }) => {
        const written = or(same.map((j) => line.wasWritten(j)));
        if (kinds.length === 1) return written;
        return and([guards.among(mappings.component, new Set(ids)), written]);
      }),
    );
  }

  /** M1: what one streaming mapping covers is one object, any other word one of its own. */
  private objectOf(cell: Cell, mappings: readonly Streamed[]): string {
    const byte = cell.page * this.at.layout.pageSize + cell.offset;
    const covering = mappings.find(
      ({ type, pieces }) =>
        (type === 'single' || type === 'page') &&
        pieces.some(
          ({ buffer, offset, size }) =>
            buffer === cell.buffer && offset <= byte && byte < offset + size,
        ),
    );
    return covering === undefined ? `word ${cell.id}` : `mapping ${covering.id}`;
  }
}
