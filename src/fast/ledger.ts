/**
 * What threads tell each other while they explore together: a list of texts in shared memory, to
 * which one thread at a time may add, and which every thread reads at its own pace, in one order.
 * Leaves out: what the texts say (sharing.ts).
 */

/** Can be sent to other threads. */
export interface LedgerMemory {
  readonly head: SharedArrayBuffer;
  readonly text: SharedArrayBuffer;
}

/** Places in `head`: whether a thread is writing; the end, in 16-bit units. */
const LOCK = 0;
const END = 1;
/** Between two looks at whether the thread that writes is still there. */
const waitMs = 50;
/** Characters turned into a text at a time: they become arguments of a function. */
const PIECE = 8192;

/** `bytes`: room for texts. Pages that nobody touches cost nothing. */
export function makeLedger(bytes: number): LedgerMemory {
  return { head: new SharedArrayBuffer(8), text: new SharedArrayBuffer(2 * Math.ceil(bytes / 2)) };
}

export class Ledger {
  private readonly head: Int32Array;
  private readonly units: Uint16Array;
  private at = 0;
  private isMine = false;
  /** Called while another thread writes; to throw when that will never end. */
  check: () => void = () => {};

  constructor({ head, text }: LedgerMemory) {
    this.head = new Int32Array(head);
    this.units = new Uint16Array(text);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return 2 * Atomics.load(this.head, END);
  }

  /** Does something while no other thread writes; within it, the same again is a part of it. */
  exclusively(work: () => void): void {
    if (this.isMine) {
      work();
      return;
    }
    const { head } = this;
    while (Atomics.compareExchange(head, LOCK, 0, 1) !== 0) {
      this.check();
      Atomics.wait(head, LOCK, 1, waitMs);
    }
    this.isMine = true;
    try {
      work();
    } finally {
      this.isMine = false;
      Atomics.store(head, LOCK, 0);
      Atomics.notify(head, LOCK, 1);
    }
  }

  /** The next text that this thread has not read, nor written; null: there is none now. */
  read(): string | null {
    const { units } = this;
    if (this.at >= Atomics.load(this.head, END)) return null;
    const length = (units[this.at] ?? 0) + 2 ** 16 * (units[this.at + 1] ?? 0);
    const begin = this.at + 2;
    let text = '';
    for (let from = 0; from < length; from += PIECE) {
      const piece = units.slice(begin + from, begin + Math.min(length, from + PIECE));
      text += String.fromCharCode(...piece);
    }
    this.at = begin + length;
    return text;
  }

  /** Only within `exclusively`, with all read. False when there is no room for it. */
  write(text: string): boolean {
    const { units, at } = this;
    if (!this.isMine || at !== Atomics.load(this.head, END)) throw new Error('not at the end');
    const end = at + 2 + text.length;
    if (end > units.length) return false;
    units[at] = text.length % 2 ** 16;
    units[at + 1] = Math.floor(text.length / 2 ** 16);
    for (let i = 0; i < text.length; i++) units[at + 2 + i] = text.charCodeAt(i);
    this.at = end;
    Atomics.store(this.head, END, end);
    return true;
  }
}
