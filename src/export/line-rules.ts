/**
 * M2, M3, M4, M5, M6 and M9 said a second time, for exports: what a cache line does when an entry
 * of a store buffer arrives, when it is evicted, when it is fetched. Written from docs/model.md;
 * nothing here comes from src/machine, so that another checker's count is a second opinion on it.
 * Leaves out: loads and device accesses (they are tabulated with the thread that makes them).
 */
import { type Encoding, NOTHING } from './encode.js';
import { always, and, type Cond, type Statement } from './model.js';

/** What happened to the copy when a line lost it, or sent it out. */
export type Gone = 'written back' | 'thrown away' | null;

/** One of the things that may happen. */
export interface Way {
  readonly guard: Cond;
  readonly gone: Gone;
  /** A clean copy comes or goes by itself. */
  readonly moves?: true;
  readonly body: readonly Statement[];
  readonly text: string;
}

export type UnexpectedHit = 'ignore' | 'arch' | 'may-hit';

/** One line's variables. */
export class LineRules {
  constructor(
    private readonly encoding: Encoding,
    /** Component of the line. */
    readonly line: number,
    private readonly unexpectedHit: UnexpectedHit,
  ) {}

  private variable(path: string): number {
    return this.encoding.at(this.line, path);
  }

  dram(word: number): number {
    return this.variable(`dram.${word}`);
  }

  copy(word: number): number {
    return this.variable(`copy.${word}`);
  }

  /** Words of the line, for the owner of its frame that has most. */
  get words(): number {
    let words = 0;
    while (this.dram(words) >= 0) words++;
    return words;
  }

  is(state: string): Cond {
    return this.has('state', JSON.stringify(state));
  }

  /** The written words have this one among them. */
  wasWritten(word: number): Cond {
    return this.masks('written', (mask) => hasWord(mask, word));
  }

  private masks(path: string, wanted: (mask: number) => boolean): Cond {
    const variable = this.variable(path);
    const values = Array.from({ length: 2 ** this.words }, (_, mask) => mask)
      .filter(wanted)
      .map((mask) => this.encoding.numberOf(variable, String(mask)))
      .filter((value) => value >= 0);
    return { kind: 'in', variable, values };
  }

  private has(path: string, text: string): Cond {
    const variable = this.variable(path);
    const value = this.encoding.numberOf(variable, text);
    return { kind: 'in', variable, values: value < 0 ? [] : [value] };
  }

  /** Sets a variable to a value by its text. */
  set(path: string, text: string): Statement {
    const variable = this.variable(path);
    const value = this.encoding.numberOf(variable, text);
    return value < 0 ? { kind: 'wrong' } : { kind: 'set', variable, value };
  }

  private state(state: string): Statement {
    return this.set('state', JSON.stringify(state));
  }

  private all(make: (word: number) => Statement): Statement[] {
    return Array.from({ length: this.words }, (_, word) => make(word)).filter(
      (each) => each.kind !== 'copy' || (each.variable >= 0 && each.from >= 0),
    );
  }

  /** Nothing of the copy differs from memory any more. */
  private settled(): Statement[] {
    return [this.set('written', '0'), this.set('stopped', '0')];
  }

  /** M2: the whole line goes out, words that the CPU never wrote included. */
  private writeBack(): Statement[] {
    const out = this.all((w) => ({ kind: 'copy', variable: this.dram(w), from: this.copy(w) }));
    return [...out, ...this.settled()];
  }

  /** The copy is gone; what it had to settle was settled before. */
  private drop(): Statement[] {
    const words = Array.from({ length: this.words }, (_, w) => w);
    const gone = words.filter((w) => this.copy(w) >= 0).map((w) => this.set(`copy.${w}`, NOTHING));
    return [...gone, this.state('absent')];
  }

  private fill(): Statement[] {
    const copies = this.all((w) => ({ kind: 'copy', variable: this.copy(w), from: this.dram(w) }));
    return [...copies, ...this.settled()];
  }

  /** Adds a word to a mask, or takes it away; what is in it does not matter to the others. */
  private mark(path: string, word: number, there: boolean): Statement {
    const variable = this.variable(path);
    let chain: readonly Statement[] = [];
    for (let mask = 0; mask < 2 ** this.words; mask++) {
      if (hasWord(mask, word) === there) continue;
      const value = this.encoding.numberOf(variable, String(mask));
      if (value < 0) continue;
      const after = there ? mask + 2 ** word : mask - 2 ** word;
      const cond: Cond = { kind: 'in', variable, values: [value] };
      chain = [{ kind: 'if', cond, body: [this.set(path, String(after))], otherwise: chain }];
    }
    const [whole] = chain;
    return whole ?? { kind: 'if', cond: always, body: [], otherwise: [] };
  }

  private put(word: number, value: number): Statement {
    return this.set(`copy.${word}`, String(value));
  }

  /** M3: a dirty line may go out and stay clean, or go; a clean one may go. */
  evictions(): readonly Way[] {
    return [
      {
        guard: this.is('dirty'),
        gone: 'written back',
        body: [...this.writeBack(), this.state('clean')],
        text: 'M3: dirty, written back and kept',
      },
      {
        guard: this.is('dirty'),
        gone: 'written back',
        moves: true,
        body: [...this.writeBack(), ...this.drop()],
        text: 'M3: dirty, written back and dropped',
      },
      {
        guard: this.is('clean'),
        gone: null,
        moves: true,
        body: [...this.settled(), ...this.drop()],
        text: 'M3: clean, dropped',
      },
    ];
  }

  /** M4: an absent line may be fetched; it is clean then. */
  fetch(): Way {
    const body = [...this.fill(), this.state('clean')];
    const text = 'M4: fetched speculatively';
    return { guard: this.is('absent'), gone: null, moves: true, body, text };
  }

  /** M5: a cacheable store makes the copy dirty; the line is fetched first when it is not there. */
  cachedStore(word: number, value: number): readonly Way[] {
    const write = [
      this.put(word, value),
      this.mark('written', word, true),
      this.mark('stopped', word, false),
      this.state('dirty'),
    ];
    const present: Cond = { kind: 'or', parts: [this.is('clean'), this.is('dirty')] };
    const text = 'M5: WB store';
    return [
      { guard: this.is('absent'), gone: null, body: [...this.fill(), ...write], text },
      { guard: present, gone: null, body: write, text },
    ];
  }

  /** M5, M10: memory alone is written, whatever is in the cache. */
  directStore(word: number, value: number): Way {
    const body = [this.set(`dram.${word}`, String(value))];
    return { guard: always, gone: null, body, text: 'M5: store to memory' };
  }

  /** M6: a non-cacheable store that meets a copy, and stops there. `own`: see M6 arch. */
  unexpectedHits(word: number, value: number, own: boolean): readonly Way[] {
    if (this.unexpectedHit === 'ignore') return [];
    const write = [
      this.put(word, value),
      this.mark('written', word, true),
      this.mark('stopped', word, true),
      this.state('dirty'),
    ];
    const text = 'M6: the store stops in the copy';
    const dirty: Way = { guard: this.is('dirty'), gone: null, body: write, text };
    const clean: Way = { guard: this.is('clean'), gone: null, body: write, text };
    return own || this.unexpectedHit === 'may-hit' ? [dirty, clean] : [dirty];
  }

  /** M9: maintenance to the Point of Coherency. */
  maintenance(op: 'clean' | 'invalidate' | 'clean+invalidate'): readonly Way[] {
    const [absent, clean, dirty] = ['absent', 'clean', 'dirty'].map((each) => this.is(each)) as [
      Cond,
      Cond,
      Cond,
    ];
    const nothing = (guard: Cond): Way => ({ guard, gone: null, body: [], text: `M9: ${op}` });
    const out = this.writeBack();
    const text = `M9: ${op}`;
    if (op === 'clean') {
      const body = [...out, this.state('clean')];
      return [nothing(absent), nothing(clean), { guard: dirty, gone: 'written back', body, text }];
    }
    const back: Way = {
      guard: dirty,
      gone: 'written back',
      body: [...out, ...this.drop()],
      text: `${text}, written back first`,
    };
    const away = [...this.settled(), ...this.drop()];
    const dropped: Way = { guard: clean, gone: null, body: away, text };
    if (op === 'clean+invalidate') return [nothing(absent), dropped, back];
    const lost: Way = {
      guard: dirty,
      gone: 'thrown away',
      body: away,
      text: `${text}, thrown away`,
    };
    return [nothing(absent), dropped, lost, back];
  }
}

function hasWord(mask: number, word: number): boolean {
  return Math.floor(mask / 2 ** word) % 2 === 1;
}

/** A way with more conditions, and with more to do first. */
export function also(way: Way, guard: Cond, first: readonly Statement[]): Way {
  return { ...way, guard: and([guard, way.guard]), body: [...first, ...way.body] };
}
