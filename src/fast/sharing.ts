/**
 * Tables that several threads fill together. Whatever one thread adds, a component, a value, a
 * group, an answer of the reference engine, it writes into the ledger, and every other thread adds
 * the same before it adds anything itself: so numbers mean the same everywhere, and no thread asks
 * what another one knows. What the reference engine records while it answers is kept with the
 * answer until a state takes it up: it counts from the first state on that has it, whoever asked.
 * Leaves out: the tables (tables.ts), states and threads (team.ts).
 */
import type { Ledger } from './ledger.js';
import type { Leaf } from './tree.js';
import type { Entry } from './tables-text.js';

/** What the reference engine records while it answers for other threads, too. */
export interface Capture {
  /** From here on into a record of its own. */
  begin(): void;
  /** That record as text; '' when there is nothing in it. */
  end(): string;
  /** As if it had been recorded just now. */
  merge(text: string): void;
}

interface Heard {
  readonly leaf: Leaf;
  readonly facts: string;
  readonly state: number;
}

/** The ledger is full: what this thread adds from now on others would not know. */
export class NoRoom extends Error {}

export class Sharing {
  /** The state under way, while several threads explore; else -1. */
  at = -1;
  /** Hears what is said of anything but tables. */
  told: (entry: Entry) => void = () => {};
  private isTaking = false;
  private isFull = false;
  private readonly heard: Heard[] = [];
  /** What earlier states have taken up counts already. */
  private readonly known = new Set<string>();

  /** `take` adds what another thread has added. */
  constructor(
    readonly ledger: Ledger,
    private readonly capture: Capture,
    private readonly take: (entry: Entry) => void,
  ) {}

  /** Nothing more can be shared. */
  get isOver(): boolean {
    return this.isFull;
  }

  /** Takes up what other threads have added. */
  catchUp(): void {
    if (this.isTaking || this.isFull) return;
    for (let text = this.ledger.read(); text !== null; text = this.ledger.read()) {
      const entry: Entry = JSON.parse(text);
      this.isTaking = true;
      try {
        this.take(entry);
      } finally {
        this.isTaking = false;
      }
    }
  }

  /** Adds something that others may be adding, too: by then it may be there. Throws NoRoom. */
  together(add: () => void): void {
    if (this.isTaking || this.isFull) {
      add();
      return;
    }
    this.ledger.exclusively(() => {
      this.catchUp();
      add();
    });
  }

  /** Writes down what is being added, before it is. Throws NoRoom. */
  note(entry: Entry): void {
    if (this.isTaking || this.isFull || this.ledger.write(JSON.stringify(entry))) return;
    this.isFull = true;
    // A thread that explores alone needs nobody to know.
    if (this.at >= 0) throw new NoRoom('the ledger is full');
  }

  /** Tells all threads, this one too, something that is not about tables. Throws NoRoom. */
  tell(entry: Entry): void {
    this.together(() => {
      this.note(entry);
      this.take(entry);
    });
  }

  /** Has an answer made; returns what was recorded meanwhile. */
  apart(answer: () => void): string {
    if (this.at < 0) {
      answer();
      return '';
    }
    this.capture.begin();
    let facts = '';
    try {
      answer();
    } finally {
      facts = this.capture.end();
    }
    return facts;
  }

  /** The state under way takes up what an answer recorded. */
  hear(leaf: Leaf): void {
    if (this.at < 0) this.capture.merge(leaf.facts);
    else if (!this.known.has(leaf.facts)) {
      this.heard.push({ leaf, facts: leaf.facts, state: this.at });
    }
    leaf.facts = '';
  }

  /** States from this one on were not done after all. */
  unhear(from: number): void {
    for (let last = this.heard.at(-1); last && last.state >= from; last = this.heard.at(-1)) {
      last.leaf.facts = last.facts;
      this.heard.pop();
    }
  }

  /** Tells what states have taken up since the last call. Throws NoRoom. */
  tellHeard(): void {
    if (this.heard.length === 0) return;
    this.tell(['heard', this.heard.map(({ state, facts }) => [state, facts] as const)]);
    for (const { facts } of this.heard) this.known.add(facts);
    this.heard.length = 0;
  }

  merge(facts: string): void {
    this.capture.merge(facts);
  }
}
