/** The cache of the oracle's machine: M2, M3, M4 and what maintenance does to a line (M9). */

import type { Litmus } from './program.js';
import { type Liberties, type State, words } from './state.js';

/** What it may do by itself. */
export function cacheSteps(litmus: Litmus, state: State, liberties: Liberties): readonly State[] {
  const found: State[] = [];
  for (const line of new Set(litmus.lineOf)) {
    const [first = 0] = words(litmus, line);
    const isPresent = state.copy[first] !== null;
    if (!isPresent && liberties.has('speculation')) found.push(filled(litmus, state, line));
    if (isPresent && liberties.has('eviction')) {
      const clean = writtenBack(litmus, state, line);
      found.push(clean, dropped(litmus, clean, line));
    }
  }
  return found;
}

export function filled(litmus: Litmus, state: State, line: number): State {
  const mine = words(litmus, line);
  const copy = state.copy.map((value, word) =>
    mine.includes(word) && value === null ? (state.dram[word] ?? 0) : value,
  );
  return { ...state, copy };
}

/** The whole line, when any word of it is dirty (M2). */
export function writtenBack(litmus: Litmus, state: State, line: number): State {
  const mine = words(litmus, line);
  if (!mine.some((word) => state.dirty[word])) return state;
  const dram = state.dram.map((value, word) =>
    mine.includes(word) ? (state.copy[word] ?? value) : value,
  );
  return { ...state, dram, dirty: state.dirty.map((d, word) => d && !mine.includes(word)) };
}

export function dropped(litmus: Litmus, state: State, line: number): State {
  const mine = words(litmus, line);
  return {
    ...state,
    copy: state.copy.map((value, word) => (mine.includes(word) ? null : value)),
    dirty: state.dirty.map((d, word) => d && !mine.includes(word)),
  };
}
