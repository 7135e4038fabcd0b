/**
 * Breadth-first search of one packed network by several threads over shared memory, layer by
 * layer. The visited set is the dense one: a bit for each state, set by an atomic OR, so that
 * exactly one thread takes a state up, whoever that is. Every thread ends a layer before any
 * begins the next: number of states and transitions, and the length of the shortest run to each
 * finding, are those of one thread.
 * Leaves out: threads themselves (the caller has them), and networks that are not dense.
 */
import { indexOf, successors } from './expand.js';
import type { Searchable } from './pack.js';
import type { SearchLimits } from './search.js';

/** What all threads work on; can be sent to each. */
export interface Shared {
  readonly workers: number;
  readonly keys: SharedArrayBuffer;
  /** Two for each worker: the layer it finds, and the one that is expanded. */
  readonly queues: readonly SharedArrayBuffer[];
  readonly control: SharedArrayBuffer;
  /** By finding: steps of the shortest run to it; 0: not found. */
  readonly found: SharedArrayBuffer;
}

/** What one thread did; the sums over all are the search's. */
export interface Share {
  readonly stopped: 'states' | 'seconds' | 'memory' | null;
  readonly states: number;
  readonly transitions: number;
  /** Seconds of waiting for the others, at the ends of layers. */
  readonly waited: number;
}

/** Places in `control`; after them for each worker a cursor, two queue lengths, its states. */
const WAITING = 0;
const TURN = 1;
const STOP = 2;
const FIRST = 3;
const EACH = 4;
const WORDS = 4;
/** States that a thread takes at a time. */
const CHUNK = 512;
const STOPS = ['states', 'seconds', 'memory'] as const;
/** In place of a stop: a thread is gone, and what it knew with it. */
const LOST = 99;

export function makeShared(packed: Searchable, workers: number, maxMemoryBytes: number): Shared {
  const bits = 4 * packed.dense.words;
  const queueBytes = Math.min(4 * WORDS * (packed.bound + CHUNK), (maxMemoryBytes - bits) / 2);
  if (!(queueBytes > 0)) throw new Error('no room for a dense set');
  // Pages that nobody touches cost nothing.
  const states = Math.floor(queueBytes / workers / (4 * WORDS));
  return {
    workers,
    keys: new SharedArrayBuffer(bits),
    queues: Array.from({ length: 2 * workers }, () => new SharedArrayBuffer(4 * WORDS * states)),
    control: new SharedArrayBuffer(4 * (FIRST + EACH * workers)),
    found: new SharedArrayBuffer(4 * (packed.findings.length + 1)),
  };
}

/** To be called when a thread is gone: the others end with an error. */
export function markLost({ control }: Shared): void {
  const numbers = new Int32Array(control);
  Atomics.store(numbers, STOP, LOST);
  Atomics.notify(numbers, TURN);
}

class Worker {
  readonly control: Int32Array;
  readonly keys: Int32Array;
  readonly queues: readonly Int32Array[];
  readonly found: Int32Array;
  readonly seen: Uint8Array;
  readonly next: Int32Array;
  states = 0;
  transitions = 0;
  waited = 0;

  constructor(
    readonly packed: Searchable,
    readonly shared: Shared,
    readonly id: number,
    readonly limits: SearchLimits,
  ) {
    this.control = new Int32Array(shared.control);
    this.keys = new Int32Array(shared.keys);
    this.queues = shared.queues.map((queue) => new Int32Array(queue));
    this.found = new Int32Array(shared.found);
    this.seen = new Uint8Array(packed.findings.length + 1);
    this.next = new Int32Array(3 * packed.maxSteps);
  }

  private place(worker: number, what: number): number {
    return FIRST + EACH * worker + what;
  }

  private sum(what: number): number {
    let sum = 0;
    for (let w = 0; w < this.shared.workers; w++) {
      sum += Atomics.load(this.control, this.place(w, what));
    }
    return sum;
  }

  /** Waits for all threads. */
  private barrier(): void {
    const { control } = this;
    const turn = Atomics.load(control, TURN);
    if (Atomics.add(control, WAITING, 1) === this.shared.workers - 1) {
      Atomics.store(control, WAITING, 0);
      Atomics.add(control, TURN, 1);
      Atomics.notify(control, TURN);
      return;
    }
    const since = this.limits.now();
    while (Atomics.load(control, TURN) === turn) {
      if (Atomics.load(control, STOP) === LOST) throw new Error('another thread is gone');
      Atomics.wait(control, TURN, turn, 100);
    }
    this.waited += this.limits.now() - since;
  }

  private stop(why: (typeof STOPS)[number]): void {
    Atomics.compareExchange(this.control, STOP, 0, 1 + STOPS.indexOf(why));
  }

  start(): void {
    const { packed, keys, queues } = this;
    const [low, high] = packed.initial;
    if (this.id === 0) {
      keys[packed.dense.base[0] ?? 0] = 1;
      queues[0]?.set([low, high, indexOf(packed, low, high)]);
      Atomics.store(this.control, this.place(0, 1), 1);
      this.states = 1;
    }
    this.barrier();
  }

  run(): Share {
    const started = this.limits.now();
    this.start();
    for (let depth = 1; ; depth++) {
      const to = depth & 1;
      this.layer(1 - to, to, started);
      this.noteFindings(depth);
      Atomics.store(this.control, this.place(this.id, 3), this.states);
      this.barrier();
      // All have seen the layer's end: what follows is the same for every thread.
      const waiting = this.sum(1 + to);
      if (this.sum(3) > this.limits.maxStates) this.stop('states');
      Atomics.store(this.control, this.place(this.id, 0), 0);
      this.barrier();
      const why = Atomics.load(this.control, STOP);
      if (why === LOST) throw new Error('another thread is gone');
      if (why > 0 || waiting === 0) {
        const { states, transitions, waited } = this;
        return { stopped: STOPS[why - 1] ?? null, states, transitions, waited };
      }
    }
  }

  /** Expands a layer, this thread's own part first, then what others have not come to. */
  private layer(from: number, to: number, started: number): void {
    const { shared, control, id, limits } = this;
    const mine = this.queues[2 * id + to];
    if (mine === undefined) throw new Error(`no worker ${id}`);
    let tail = 0;
    for (let i = 0; i < shared.workers; i++) {
      const owner = (id + i) % shared.workers;
      const queue = this.queues[2 * owner + from];
      const length = Atomics.load(control, this.place(owner, 1 + from));
      while (queue !== undefined && Atomics.load(control, STOP) === 0) {
        const begin = Atomics.add(control, this.place(owner, 0), CHUNK);
        if (begin >= length) break;
        tail = this.expand(queue, begin, Math.min(length, begin + CHUNK), mine, tail);
        if (limits.now() - started > limits.maxSeconds) this.stop('seconds');
      }
    }
    this.states += tail;
    Atomics.store(control, this.place(id, 1 + to), tail);
  }

  /** Returns the new length of `mine`. */
  private expand(
    queue: Int32Array,
    begin: number,
    end: number,
    mine: Int32Array,
    length: number,
  ): number {
    const { packed, keys, seen, next } = this;
    const { pointShift, pointMask } = packed;
    const { base } = packed.dense;
    const room = mine.length / WORDS - packed.maxSteps;
    let tail = length;
    let transitions = 0;
    for (let state = begin; state < end; state++) {
      if (tail > room) {
        this.stop('memory');
        break;
      }
      const at = WORDS * state;
      const made = successors(packed, seen, queue[at]!, queue[at + 1]!, queue[at + 2]!, next);
      transitions += made / 3;
      for (let i = 0; i < made; i += 3) {
        const low = next[i]!;
        const index = next[i + 2]!;
        const word = base[(low >>> pointShift) & pointMask]! + (index >>> 5);
        const bit = 1 << (index & 31);
        // A look first: most successors are known, and an atomic OR is dear.
        if ((keys[word]! & bit) !== 0) continue;
        if ((Atomics.or(keys, word, bit) & bit) !== 0) continue;
        mine[WORDS * tail] = low;
        mine[WORDS * tail + 1] = next[i + 1]!;
        mine[WORDS * tail + 2] = index;
        tail++;
      }
    }
    this.transitions += transitions;
    return tail;
  }

  private noteFindings(depth: number): void {
    for (let i = 1; i < this.seen.length; i++) {
      if (this.seen[i] === 1) Atomics.compareExchange(this.found, i, 0, depth);
    }
  }
}

/** One thread's part in a search; returns when all have ended. Throws when one is lost. */
export function searchShared(
  packed: Searchable,
  shared: Shared,
  id: number,
  limits: SearchLimits,
): Share {
  return new Worker(packed, shared, id, limits).run();
}

/** Finding → steps of the shortest run to it, after the search. */
export function foundShared(
  { findings }: Searchable,
  { found }: Shared,
): ReadonlyMap<string, number> {
  const depths = new Int32Array(found);
  return new Map(
    findings.flatMap((name, i) => {
      const depth = depths[i + 1] ?? 0;
      return depth > 0 ? [[name, depth] as const] : [];
    }),
  );
}
