/** What is right, and what a wrong read is called (model.md §1). */
import { admissible, type EventName, newestAmong, newestOf, newestWrites } from './history.js';
import type { Attr, Litmus } from './program.js';
import { type Cause, type State, words } from './state.js';

/**
 * Notes, when it happens, that the newest value of a word ceased to be anywhere: H10 when a line
 * was written back in which the word itself was not dirty. Every word is an object of its own here,
 * as no buffer is mapped for streaming; and all maintenance is of whole lines, so never issued for
 * another object.
 */
export function withLosses(litmus: Litmus, from: State, to: State): State {
  const lost = to.lost.map((cause, word) => {
    if (cause !== null || !isAnywhere(litmus, from, word) || isAnywhere(litmus, to, word)) {
      return cause;
    }
    const line = words(litmus, litmus.lineOf[word] ?? 0);
    const isCleaned = line.some((each) => from.dirty[each] && !to.dirty[each]);
    const isWrittenBack = isCleaned && to.dram[word] === from.copy[word];
    return isWrittenBack && from.dirty[word] !== true ? 'H10' : 'H3';
  });
  return { ...to, lost };
}

function newestValues(litmus: Litmus, state: State, word: number): readonly number[] {
  return newestWrites(litmus, state, word).map(({ value }) => value);
}

function inBuffer(state: State, word: number, attr: Attr, values: readonly number[]): boolean {
  return state.buffer.some(
    (entry) =>
      entry.kind === 'store' &&
      entry.word === word &&
      entry.attr === attr &&
      values.includes(entry.value),
  );
}

function isAnywhere(litmus: Litmus, state: State, word: number): boolean {
  const values = newestValues(litmus, state, word);
  const copy = state.copy[word];
  return (
    values.includes(state.dram[word] ?? 0) ||
    (copy !== null && copy !== undefined && values.includes(copy)) ||
    inBuffer(state, word, 'WB', values) ||
    inBuffer(state, word, 'NC', values)
  );
}

export function checked(
  litmus: Litmus,
  state: State,
  read: EventName,
  word: number,
  value: number,
  from: 'copy' | 'memory',
  into: EventName = read,
): { readonly to: State; readonly cause: Cause | null } {
  const allowed = admissible(litmus, state, read, word);
  const right = allowed.filter((write) => write.value === value);
  if (right.length > 0) {
    const write = newestOf(litmus, state, right).event;
    return { to: { ...state, reads: [...state.reads, { read, write, into }] }, cause: null };
  }
  const to = { ...state, reads: [...state.reads, { read, write: null, into }] };
  const values = newestAmong(litmus, state, allowed).map((write) => write.value);
  const { dram, copy } = thoughtDrained(state, word);
  if (!values.includes(dram) && (copy === null || !values.includes(copy))) {
    return { to, cause: state.lost[word] ?? 'H3' };
  }
  return { to, cause: from === 'copy' && values.includes(dram) ? 'H1' : 'H2' };
}

/** Where a word would stand once every buffered store has drained, in program order. */
function thoughtDrained(state: State, word: number): { dram: number; copy: number | null } {
  let dram = state.dram[word] ?? 0;
  let copy = state.copy[word] ?? null;
  for (const entry of state.buffer) {
    if (entry.kind !== 'store' || entry.word !== word) continue;
    if (entry.attr === 'NC') dram = entry.value;
    else copy = entry.value;
  }
  return { dram, copy };
}
