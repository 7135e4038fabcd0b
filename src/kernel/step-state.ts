/**
 * What a step sees and changes: the running thread and the shared state, as plain records.
 * Leaves out: what operations do with it (context.ts).
 */
import type { Clock, Word } from '../ideal/word.js';
import type { Entry } from '../machine/store-buffer.js';
import type { Frame, KernelState } from './state.js';

/** The mutable shell of one step: what the running thread and the shared state look like now. */
export interface StepState {
  readonly agent: number;
  readonly site: number;
  /** Designated options of the running call. */
  readonly options: Readonly<Record<string, number>>;
  /** The running value of the call is a synchronising read. */
  readonly sync: boolean;
  /** Index of the device this agent is; -1 for a CPU. */
  readonly device: number;
  /** Lines this CPU accessed with no DMB since; only kept under M6 `arch` and for H5. */
  touched: readonly number[];
  /** Words of the running memcpy that are done. */
  copied: number;
  /** Reads of this thread satisfied before their turn (M8, M10). */
  early: readonly EarlyRead[];
  /** Completions this thread waits for next, per device. */
  tickets: readonly number[];
  frames: readonly Frame[];
  words: readonly Word[];
  kernel: KernelState;
  /** The running thread's clock, what it read, and its store buffer. */
  clock: Clock;
  seen: Readonly<Record<number, Clock>>;
  entries: readonly Entry[];
  /** Store buffers of all CPUs, this thread's included, and what is on its way to devices. */
  allBuffers(): readonly (readonly Entry[])[];
  /** This agent is a device whose writes do not arrive at once (M10). */
  readonly posts: boolean;
  /** Some device is like that. */
  readonly anyPosts: boolean;
  /** Some device memory stands behind a BAR: only then anybody looks for posted writes. */
  readonly hasBars: boolean;
  /** A thread is a device's program: outside the inner shareable domain. */
  isDevice(agent: number): boolean;
  /** What a CPU thread knew when it ended and its stores had drained; null before. */
  endOf(agent: number): Clock | null;
}

/** A read whose value was taken before its turn; it is judged in its turn. */
export interface EarlyRead {
  readonly pc: number;
  /** Id of the cell it read. */
  readonly cell: number;
  readonly value: number;
  readonly place: Place;
  /** The reader is outside the kernel (a user mapping, a device). */
  readonly outside: boolean;
  /** It passed a barrier for the inner shareable domain: CPUs' writes are ordered all the same. */
  readonly ish?: boolean;
  /** It passes a wmb() that is still to come: a store before that would order it. */
  readonly wmb?: boolean;
}

/** Where a read found its value; `hit`: in a copy an NC access should have passed by (M6). */
export type Place = 'copy' | 'dram' | 'buffer' | 'hit' | 'slot';
