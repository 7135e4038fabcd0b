/**
 * One state of the whole system: machine, ideal memory, the kernel's books, and every thread. All
 * records are immutable, so states share what did not change, and a record's text is made once.
 */
import type { Clock, Word } from '../ideal/word.js';
import type { Work } from '../kernel/context.js';
import type { Frame, KernelState } from '../kernel/state.js';
import type { Value } from '../kernel/value.js';
import type { Entry } from '../machine/store-buffer.js';

export interface Thread {
  /** Next instruction; the code's length when it has ended; -1 while a device is idle. */
  readonly pc: number;
  readonly locals: readonly Value[];
  readonly clock: Clock;
  /** Per cell, what racing reads returned (see ideal/word.ts). */
  readonly seen: Readonly<Record<number, Clock>>;
  /** The store buffer; always empty for a device. */
  readonly entries: readonly Entry[];
  /** What is left of the call the thread is in. */
  readonly work: readonly Work[];
  /** The instruction that `work` belongs to; -1 without work. */
  readonly site: number;
  readonly tickets: readonly number[];
}

export interface State {
  /** Thread 0 is `init`. */
  readonly threads: readonly Thread[];
  readonly frames: readonly Frame[];
  readonly words: readonly Word[];
  readonly kernel: KernelState;
}

/**
 * Gives equal records equal small numbers, so that a state's key is short: each part of a state is
 * turned into text once, and the key is the sequence of the parts' numbers. Exact: two keys are
 * equal only when all parts are.
 */
export class KeyMaker {
  private readonly byRecord = new WeakMap<object, number>();
  private readonly byText = new Map<string, number>();

  private number(record: object): number {
    let found = this.byRecord.get(record);
    if (found === undefined) {
      const text = JSON.stringify(record);
      found = this.byText.get(text);
      if (found === undefined) {
        found = this.byText.size;
        this.byText.set(text, found);
      }
      this.byRecord.set(record, found);
    }
    return found;
  }

  key(state: State): string {
    let key = '';
    for (const part of state.threads) key += this.digits(part);
    for (const part of state.words) key += this.digits(part);
    // Frames come last: their number grows during a run.
    key += this.digits(state.kernel);
    for (const part of state.frames) key += this.digits(part);
    return key;
  }

  /** Two characters of 15 bits each: 2^30 different records. */
  private digits(record: object): string {
    const n = this.number(record);
    return String.fromCharCode(n & 0x7fff, n >> 15);
  }
}
