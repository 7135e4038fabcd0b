/**
 * One cache line of physical memory: what memory holds at the Point of Coherency, and the one
 * copy that all CPUs share (M1, M2). A line is a value: every change makes a new one.
 * Leaves out: words the scenario never names, which no observation can depend on.
 */
import type { LineEffect, LineState, RuleRow } from './cache-rules.js';

export interface Line {
  readonly state: LineState;
  /** Per tracked word: the value at the Point of Coherency. */
  readonly dram: readonly number[];
  /** Per tracked word: the value of the copy; empty while the line is absent. */
  readonly copy: readonly number[];
  /** Bit i: word i was written in the copy since it was last clean. */
  readonly written: number;
  /** Bit i: the value of word i is that of an NC store that stopped in the copy (M6). */
  readonly stopped: number;
}

export interface LineOutcome {
  readonly line: Line;
  /** What a read returned; undefined for other events. */
  readonly value: number | undefined;
  /** Where a read found its value. */
  readonly from: 'copy' | 'dram' | undefined;
  /** The whole line went out to memory in this event. */
  readonly wroteBack: boolean;
  /** A dirty copy was thrown away. */
  readonly dropped: boolean;
}

export function absentLine(dram: readonly number[]): Line {
  return { state: 'absent', dram, copy: [], written: 0, stopped: 0 };
}

export function dirtyLine(dram: readonly number[], copy: readonly number[]): Line {
  return { state: 'dirty', dram, copy, written: (1 << copy.length) - 1, stopped: 0 };
}

interface Work {
  dram: readonly number[];
  copy: readonly number[];
  written: number;
  stopped: number;
  value: number | undefined;
  from: 'copy' | 'dram' | undefined;
}

function replaced(values: readonly number[], index: number, value: number): readonly number[] {
  if (values[index] === value) return values;
  const next = values.slice();
  next[index] = value;
  return next;
}

const doEffect: Readonly<Record<LineEffect, (work: Work, word: number, value: number) => void>> = {
  fill: (work) => {
    work.copy = work.dram;
    work.written = 0;
    work.stopped = 0;
  },
  'write-back': (work) => {
    work.dram = work.copy;
    work.written = 0;
    work.stopped = 0;
  },
  drop: (work) => {
    work.copy = [];
    work.written = 0;
    work.stopped = 0;
  },
  'copy<-value': (work, word, value) => {
    work.copy = replaced(work.copy, word, value);
    work.written |= 1 << word;
    work.stopped &= ~(1 << word);
  },
  'dram<-value': (work, word, value) => {
    work.dram = replaced(work.dram, word, value);
  },
  'return copy': (work, word) => {
    work.value = work.copy[word];
    work.from = 'copy';
  },
  'return dram': (work, word) => {
    work.value = work.dram[word];
    work.from = 'dram';
  },
  'stop here': (work, word) => {
    work.stopped |= 1 << word;
  },
  'mark clean': (work) => {
    work.written = 0;
  },
};

/** Applies one row of the cache rules to a line; `word` and `value` are those of the access. */
export function applyRow(line: Line, row: RuleRow, word = 0, value = 0): LineOutcome {
  const work: Work = {
    dram: line.dram,
    copy: line.copy,
    written: line.written,
    stopped: line.stopped,
    value: undefined,
    from: undefined,
  };
  for (const effect of row.effects) doEffect[effect](work, word, value);
  const unchanged =
    row.next === line.state &&
    work.dram === line.dram &&
    work.copy === line.copy &&
    work.written === line.written &&
    work.stopped === line.stopped;
  const wroteBack = row.effects.includes('write-back');
  return {
    line: unchanged
      ? line
      : {
          state: row.next,
          dram: work.dram,
          copy: work.copy,
          written: work.written,
          stopped: work.stopped,
        },
    value: work.value,
    from: work.from,
    wroteBack,
    dropped: line.state === 'dirty' && row.next === 'absent' && !wroteBack,
  };
}
