/** The store buffer of the oracle's machine: M7, and the order of maintenance (M9). */
import { dropped, filled, writtenBack } from './cache.js';
import type { Attr, Litmus } from './program.js';
import { type Entry, type Liberties, type State, set } from './state.js';

/** Every entry that may leave it now, and what then is. */
export function drains(litmus: Litmus, state: State, liberties: Liberties): readonly State[] {
  return state.buffer.flatMap((entry, i) => {
    if (entry.kind === 'fence' || !mayDrain(litmus, state.buffer, i, liberties)) return [];
    const buffer = withoutFences(state.buffer.filter((_, j) => j !== i));
    return drained(litmus, { ...state, buffer }, entry, liberties);
  });
}

/** A fence with nothing before it does nothing. */
function withoutFences(buffer: readonly Entry[]): readonly Entry[] {
  const first = buffer.findIndex(({ kind }) => kind !== 'fence');
  return first < 0 ? [] : buffer.slice(first);
}

function mayDrain(
  litmus: Litmus,
  buffer: readonly Entry[],
  index: number,
  liberties: Liberties,
): boolean {
  const entry = buffer[index];
  return buffer.slice(0, index).every((earlier, i) => {
    if (entry === undefined || earlier.kind === 'fence') return true;
    if (!liberties.has('reorder')) return false;
    // A store-release waits for the stores and doorbells before it, and for no maintenance.
    const releases = entry.kind === 'store' && entry.release;
    if (releases && earlier.kind !== 'maintain') return false;
    // A dmb orders stores; it does not complete maintenance (M9). An smp_wmb is for CPUs (M7).
    const isWb = entry.kind === 'store' && entry.attr === 'WB';
    const isFenced = buffer
      .slice(i, index)
      .some((each) => each.kind === 'fence' && (each.stores === 'all' || isWb));
    if (isFenced && earlier.kind !== 'maintain') return false;
    return !isOrdered(litmus, earlier, entry);
  });
}

/** Order without barrier: M7 (same line), M9 (cacheable accesses), doorbells of one device. */
function isOrdered(litmus: Litmus, earlier: Entry, later: Entry): boolean {
  if (earlier.kind === 'bell' || later.kind === 'bell') return earlier.kind === later.kind;
  const lineOf = (entry: Entry): number | undefined =>
    entry.kind === 'store'
      ? litmus.lineOf[entry.word]
      : entry.kind === 'maintain'
        ? entry.line
        : -1;
  const classOf = (entry: Entry): Attr => (entry.kind === 'store' ? entry.attr : 'WB');
  return lineOf(earlier) === lineOf(later) && classOf(earlier) === classOf(later);
}

function drained(
  litmus: Litmus,
  state: State,
  entry: Entry,
  liberties: Liberties,
): readonly State[] {
  switch (entry.kind) {
    case 'fence':
      return [state];
    case 'bell':
      return [{ ...state, rung: state.rung + 1 }];
    case 'store': {
      const { attr, word, value } = entry;
      if (attr === 'NC') return [{ ...state, dram: set(state.dram, word, value) }];
      const present = filled(litmus, state, litmus.lineOf[word] ?? 0);
      const copy = set(present.copy, word, value);
      return [{ ...present, copy, dirty: set(present.dirty, word, true) }];
    }
    case 'maintain': {
      const clean = writtenBack(litmus, state, entry.line);
      if (entry.how === 'clean') return [clean];
      const after = [dropped(litmus, clean, entry.line)];
      if (entry.how === 'cinv') return after;
      const thrown = dropped(litmus, state, entry.line);
      return liberties.has('eviction') ? [thrown, ...after] : [thrown];
    }
  }
}
