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
  /** Bit i: word i was written in the copy since it was last clean. See hasBit. */
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

/** Words of a line a mask tells apart: the bits of an exact integer. Later ones share the last. */
const MASK_BITS = 53;

/** Weight of a word in a mask. The bitwise operators wrap at 32 bits, so masks are arithmetic. */
function weight(word: number): number {
  return 2 ** Math.min(word, MASK_BITS - 1);
}

/** Whether a mask (`written`, `stopped`) has the word of this index. */
export function hasBit(mask: number, word: number): boolean {
  return Math.floor(mask / weight(word)) % 2 === 1;
}

function withBit(mask: number, word: number): number {
  return hasBit(mask, word) ? mask : mask + weight(word);
}

function withoutBit(mask: number, word: number): number {
  return hasBit(mask, word) ? mask - weight(word) : mask;
}

export function absentLine(dram: readonly number[]): Line {
  return { state: 'absent', dram, copy: [], written: 0, stopped: 0 };
}

export function dirtyLine(dram: readonly number[], copy: readonly number[]): Line {
  const written = 2 ** Math.min(copy.length, MASK_BITS) - 1;
  return { state: 'dirty', dram, copy, written, stopped: 0 };
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
    work.written = withBit(work.written, word);
    work.stopped = withoutBit(work.stopped, word);
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
    work.stopped = withBit(work.stopped, word);
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
