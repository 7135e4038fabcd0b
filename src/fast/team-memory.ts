/**
 * What threads that explore together have in common: arrays in shared memory, and the places of the
 * numbers by which they keep in step.
 * Leaves out: what is done with them (team.ts, lead.ts).
 */
import type { Place } from './store.js';

/**
 * What all threads work on, in one piece: arrays as long as the limits allow. Pages that nobody
 * touches cost nothing.
 */
export interface TeamMemory {
  readonly buffer: SharedArrayBuffer;
  /** Most states, and steps. */
  readonly states: number;
  readonly steps: number;
}

export interface TeamArrays {
  readonly control: Int32Array;
  /** Of each piece of the round, see PIECE. */
  readonly pieces: Int32Array;
  /** Of each state, by its number: packed components, where it comes from, whether it is an end. */
  readonly words: Int32Array;
  readonly parent: Int32Array;
  readonly action: Int32Array;
  readonly ended: Uint8Array;
  readonly edges: Int32Array;
  /** Tables of 2^n slots, each at its size: that of a larger one begins behind the smaller. */
  readonly slots: Int32Array;
  /** Of each state that is new in the round: components, least parent, slot, final number. */
  readonly fresh: Int32Array;
  readonly claim: Int32Array;
  readonly slotOf: Int32Array;
  readonly numberOf: Int32Array;
}

/** Places in `control`. */
export const C = {
  /** Goes up when there is something to do; `PHASE` says what, for members up to `MEMBERS`. */
  TURN: 0,
  PHASE: 1,
  MEMBERS: 2,
  /** Members that have done it. */
  DONE: 3,
  /** Why no more pieces are to be begun; 0: they are. */
  HALT: 4,
  /** The next piece, and the next part of the numbers for new states. */
  NEXT: 5,
  FRESH: 6,
  /** First state, states, pieces of the round; states that were known when it began. */
  FROM: 7,
  LENGTH: 8,
  SIZE: 9,
  COUNT: 10,
  /** Pieces of the round that are kept. */
  KEEP: 11,
  SLOTS: 12,
  /** Threads that came, the leading one left out; negative: too late. */
  JOINED: 13,
  WORDS: 16,
} as const;

export const PHASES = { expand: 1, count: 2, number: 3, link: 4, rehash: 5, end: 6 } as const;
export const HALTS = { grow: 1, places: 2, alone: 3, stop: 4 } as const;

/** Of a piece: whether it is done, new states, transitions, and where these begin; lines. */
export const PIECE = {
  done: 0,
  fresh: 1,
  steps: 2,
  firstState: 3,
  firstStep: 4,
  asked: 5,
  leftOut: 6,
};
export const PIECE_WORDS = 8;
export const PIECES_MAX = 2 ** 15;
/** Slots of the smallest visited set. */
export const SLOTS_MIN = 2 ** 12;
/** Words of a state, at most. */
export const WIDTH_MAX = 16;

/** How states are numbered and told apart; all threads have the same. */
export interface TeamWay {
  readonly order: 'forward' | 'reverse';
  readonly keepGraph: boolean;
  readonly places: readonly Place[];
}

/** Numbers in each array; `ended` has bytes. */
function lengths(states: number, steps: number) {
  return {
    control: C.WORDS,
    pieces: PIECE_WORDS * PIECES_MAX,
    words: WIDTH_MAX * states,
    parent: states,
    action: states,
    edges: 3 * steps,
    slots: 2 * Math.max(SLOTS_MIN, 2 ** Math.ceil(Math.log2(4 * states))),
    fresh: WIDTH_MAX * states,
    claim: states,
    slotOf: states,
    numberOf: states,
    ended: Math.ceil(states / 4),
  };
}

/** Throws RangeError without so much address space. */
export function makeTeam(states: number, steps: number): TeamMemory {
  const words = Object.values(lengths(states, steps)).reduce((sum, each) => sum + each, 0);
  return { buffer: new SharedArrayBuffer(4 * words), states, steps };
}

export function arraysOf({ buffer, states, steps }: TeamMemory): TeamArrays {
  const length = lengths(states, steps);
  let at = 0;
  const next = (name: keyof typeof length): Int32Array => {
    const array = new Int32Array(buffer, 4 * at, length[name]);
    at += length[name];
    return array;
  };
  return {
    control: next('control'),
    pieces: next('pieces'),
    words: next('words'),
    parent: next('parent'),
    action: next('action'),
    edges: next('edges'),
    slots: next('slots'),
    fresh: next('fresh'),
    claim: next('claim'),
    slotOf: next('slotOf'),
    numberOf: next('numberOf'),
    ended: new Uint8Array(buffer, 4 * at, states),
  };
}

/** The numbers by which threads keep in step. */
export function controlOf({ buffer }: TeamMemory): Int32Array {
  return new Int32Array(buffer, 0, C.WORDS);
}
