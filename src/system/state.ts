/**
 * One state of the whole system: machine, ideal memory, the kernel's books, and every thread. All
 * records are immutable, so states share what did not change, and a record's text is made once.
 */
import type { Clock, Word } from '../ideal/word.js';
import type { EarlyRead, Work } from '../kernel/context.js';
import type { Frame, KernelState } from '../kernel/state.js';
import type { Value } from '../kernel/value.js';
import type { Entry } from '../machine/store-buffer.js';
import type { Delayed } from './delayed.js';

export interface Thread {
  /** Next instruction; the code's length when it has ended; -1 while a device is idle. */
  readonly pc: number;
  readonly locals: readonly Value[];
  readonly clock: Clock;
  /** Per cell, what racing reads returned (see ideal/word.ts). */
  readonly seen: Readonly<Record<number, Clock>>;
  /** The store buffer; for a device what is dirty in its own cache (M11). */
  readonly entries: readonly Entry[];
  /** What is left of the call the thread is in. */
  readonly work: readonly Work[];
  /** The instruction that `work` belongs to; -1 without work. */
  readonly site: number;
  readonly tickets: readonly number[];
  /** Lines accessed WB with no DMB since; kept under M6 `arch` only. */
  readonly touched: readonly number[];
  /** Reads satisfied before their turn (M8, M10), by instruction. */
  readonly early: readonly EarlyRead[];
  /** Loads put off so that later stores overtake them (M8). */
  readonly delayed: readonly Delayed[];
  /** Words that the memcpy at `pc` has copied; 0 elsewhere. */
  readonly copied: number;
}

/** A thread's record before it is anybody's. */
export type NewThread = { -readonly [K in keyof Thread]: Thread[K] };

/**
 * A copy to change. Every record of a thread is made here or in the same order of fields: copies by
 * spread have a shape of their own for each place that makes one, and all that reads them is slow.
 */
export function copyOf(thread: Thread): NewThread {
  return {
    pc: thread.pc,
    locals: thread.locals,
    clock: thread.clock,
    seen: thread.seen,
    entries: thread.entries,
    work: thread.work,
    site: thread.site,
    tickets: thread.tickets,
    touched: thread.touched,
    early: thread.early,
    delayed: thread.delayed,
    copied: thread.copied,
  };
}

export interface Unkeyed {
  /** Thread 0 is `init`. */
  readonly threads: readonly Thread[];
  readonly frames: readonly Frame[];
  readonly words: readonly Word[];
  readonly kernel: KernelState;
}

/** A state with the text that identifies it. */
export interface State extends Unkeyed {
  readonly key: string;
}
