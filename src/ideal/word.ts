/**
 * The ideal memory, one word at a time: which writes a read may return (model.md §1).
 * Happens-before is kept as vector clocks: agent `a` has made `clock[a]` stores that the owner of
 * the clock knows of. A write knows what its writer knew. Source: model.md §1; the rule "do not go
 * back" and the edge of a stale copy are its third sentence ff.
 * Leaves out: sizes other than the word's own (one access size per word).
 */
export type Clock = readonly number[];

export interface Write {
  readonly value: number;
  /** Who wrote, and the number of that store among the agent's stores, from 1. */
  readonly agent: number;
  readonly count: number;
  /** What the writer knew, this store included. */
  readonly clock: Clock;
}

/** How the newest value of a word was destroyed, once it is nowhere any more. */
export type Loss = 'H1' | 'H2' | 'H3' | 'H7' | 'H8' | 'H9' | 'H10' | 'H15';

export interface Word {
  /** Writes that some agent may still read, oldest known first; empty before the first write. */
  readonly writes: readonly Write[];
  readonly lost: Loss | null;
  /** Values that reached real memory although the ideal memory refused the store. */
  readonly refused: readonly { readonly value: number; readonly id: Loss }[];
}

export const unwritten: Word = { writes: [], lost: null, refused: [] };

/** What a reader brings: its clock, and what its earlier reads of this word returned. */
export interface View {
  readonly clock: Clock;
  /** Join of the clocks of the writes it already read here; undefined when it read none. */
  readonly seen: Clock | undefined;
  /** A load put off: what came of later stores of its own thread is not for it. */
  readonly before?: { readonly agent: number; readonly count: number };
}

export function join(a: Clock, b: Clock): Clock {
  let larger = true;
  for (let i = 0; i < b.length; i++) if ((b[i] ?? 0) > (a[i] ?? 0)) larger = false;
  if (larger) return a;
  const joined = a.slice();
  for (let i = 0; i < b.length; i++) joined[i] = Math.max(a[i] ?? 0, b[i] ?? 0);
  return joined;
}

function knows(clock: Clock, write: Write): boolean {
  return (clock[write.agent] ?? 0) >= write.count;
}

/** `a` happens before `b`. */
export function happensBefore(a: Write, b: Write): boolean {
  return a !== b && knows(b.clock, a);
}

function excluded(word: Word, write: Write, view: View): boolean {
  const { before } = view;
  if (before !== undefined && (write.clock[before.agent] ?? 0) > before.count) return true;
  // Superseded: a newer write of the word happens before the read.
  if (word.writes.some((newer) => happensBefore(write, newer) && knows(view.clock, newer)))
    return true;
  // The agent already read a write that this one happens before.
  if (view.seen === undefined || !knows(view.seen, write)) return false;
  return word.writes.some(
    (newer) => happensBefore(write, newer) && view.seen !== undefined && knows(view.seen, newer),
  );
}

/** The writes a read may return; all of them, in order. An unwritten word admits any value. */
export function admissible(word: Word, view: View): readonly Write[] {
  return word.writes.filter((write) => !excluded(word, write, view));
}

/** Writes that no other write of the word supersedes. One, unless writers race. */
export function newest(writes: readonly Write[]): readonly Write[] {
  return writes.filter((write) => !writes.some((other) => happensBefore(write, other)));
}

export function withWrite(word: Word, write: Write): Word {
  return { writes: [...word.writes, write], lost: null, refused: word.refused };
}

/** Forgets writes that no reader may return any more; `views` has every agent that still runs. */
export function pruned(word: Word, views: readonly View[]): Word {
  if (word.writes.length <= 1) return word;
  const top = newest(word.writes);
  const kept = word.writes.filter(
    (write) => top.includes(write) || views.some((view) => !excluded(word, write, view)),
  );
  if (kept.length === word.writes.length) return word;
  return { writes: kept, lost: word.lost, refused: word.refused };
}
