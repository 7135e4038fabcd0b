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

/**
 * Gives equal records equal small numbers, so that a state's key is short: one number for each
 * part. A step leaves most parts as they were, the very same objects, and those keep their number
 * without being looked at. Exact: two keys are equal only when all parts are.
 */
export class KeyMaker {
  private readonly byText = new Map<string, number>();

  private number(record: object): number {
    const text = JSON.stringify(record);
    let found = this.byText.get(text);
    if (found === undefined) {
      found = this.byText.size;
      this.byText.set(text, found);
    }
    return found;
  }

  /** The key of a state that came from another one, whose key is known. */
  key(state: Unkeyed, from?: State): string {
    let at = 0;
    const part = (record: object, old: object | undefined): string => {
      const kept = from !== undefined && record === old;
      const digits = kept ? from.key.slice(at, at + 2) : toDigits(this.number(record));
      at += 2;
      return digits;
    };
    let key = part(state.kernel, from?.kernel);
    for (let i = 0; i < state.threads.length; i++) {
      const thread = state.threads[i];
      if (thread !== undefined) key += part(thread, from?.threads[i]);
    }
    for (let i = 0; i < state.words.length; i++) {
      const word = state.words[i];
      if (word !== undefined) key += part(word, from?.words[i]);
    }
    // Frames come last: their number grows during a run, all else keeps its place in the key.
    for (let i = 0; i < state.frames.length; i++) {
      const frame = state.frames[i];
      if (frame !== undefined) key += part(frame, from?.frames[i]);
    }
    return key;
  }
}

/** Two characters of 15 bits each: 2^30 different records. */
function toDigits(n: number): string {
  return String.fromCharCode(n & 0x7fff, n >> 15);
}
