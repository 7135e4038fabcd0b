/**
 * Breadth-first search of a packed network, one state at a time: visited set and frontier in typed
 * arrays, every state kept exactly, so nothing is ever taken for visited that was not.
 * Leaves out: traces; a finding is given with the length of the shortest run that shows it.
 */
import { indexOf, type Work } from './expand.js';
import type { Packed } from './pack.js';
import { chooseSet, makeSet, type SetKind, type Visited } from './visited.js';

export interface SearchLimits {
  readonly maxStates: number;
  readonly maxSeconds: number;
  /** Of visited set and frontier. */
  readonly maxMemoryBytes: number;
  /** Wall clock in seconds. */
  readonly now: () => number;
}

export interface SearchResult {
  readonly stopped: 'states' | 'seconds' | 'memory' | null;
  readonly states: number;
  readonly transitions: number;
  /** Finding → steps of the shortest run to it. */
  readonly found: ReadonlyMap<string, number>;
  /** Visited set and frontier, at their largest. */
  readonly bytes: number;
  readonly set: SetKind;
}

/** States expanded between two looks at limits and room; entered anew, so that V8 optimises. */
const CHUNK = 2048;

/** States that the queue has room for at first; it doubles when that is too few. */
function queueStates(packed: Packed, limits: SearchLimits): number {
  const states = Math.min(packed.bound / 16, limits.maxMemoryBytes / 256);
  return 2 ** Math.max(14, Math.ceil(Math.log2(states)));
}

class Search {
  readonly found = new Map<string, number>();
  readonly work: Work;
  readonly visited: Visited;
  states = 1;
  bytes = 0;

  constructor(
    readonly packed: Packed,
    readonly limits: SearchLimits,
    set?: SetKind,
  ) {
    const kind = chooseSet(packed, limits.maxMemoryBytes, set);
    const { visited, keys, slotBits, distanceBits } = makeSet(kind, packed, limits.maxMemoryBytes);
    this.visited = visited;
    this.work = {
      keys,
      slotBits,
      distanceBits,
      queue: new Int32Array(visited.queueWords * queueStates(packed, limits)),
      head: 0,
      tail: 1,
      transitions: 0,
      overflow: false,
      seen: new Uint8Array(packed.findings.length + 1),
    };
    visited.start(this.work);
    const [low, high] = packed.initial;
    this.work.queue.set([low, high]);
    if (visited.queueWords > 2) this.work.queue[2] = indexOf(packed, low, high);
  }

  private growQueue(): void {
    const { queue, head, tail } = this.work;
    const { queueWords } = this.visited;
    const waiting = (tail - head) >>> 0;
    const size = queue.length / queueWords;
    const larger = new Int32Array(2 * queue.length);
    const begin = head & (size - 1);
    const upper = Math.min(waiting, size - begin);
    larger.set(queue.subarray(queueWords * begin, queueWords * (begin + upper)));
    larger.set(queue.subarray(0, queueWords * (waiting - upper)), queueWords * upper);
    this.work.queue = larger;
    this.work.head = 0;
    this.work.tail = waiting;
  }

  /** Makes room for the successors of a chunk. */
  private makeRoom(): void {
    const { work, visited } = this;
    const most = CHUNK * this.packed.maxSteps;
    let more = 0;
    if (work.overflow || !visited.holds(work, this.states + most)) more = visited.grow(work);
    work.overflow = false;
    const waiting = (work.tail - work.head) >>> 0;
    while (waiting + most > work.queue.length / visited.queueWords) this.growQueue();
    this.bytes = Math.max(this.bytes, work.keys.byteLength + work.queue.byteLength + more);
  }

  run(): SearchResult['stopped'] {
    const { limits, work, packed, visited } = this;
    const started = limits.now();
    const next = new Int32Array(3 * packed.maxSteps);
    for (let depth = 1; work.head !== work.tail; depth++) {
      let layer = (work.tail - work.head) >>> 0;
      while (layer > 0) {
        if (this.states > limits.maxStates) return 'states';
        if (limits.now() - started > limits.maxSeconds) return 'seconds';
        this.makeRoom();
        if (this.bytes > limits.maxMemoryBytes) return 'memory';
        const { head, tail } = work;
        visited.expand(packed, work, Math.min(layer, CHUNK), next);
        layer -= (work.head - head) >>> 0;
        this.states += (work.tail - tail) >>> 0;
      }
      this.findings(depth);
    }
    return null;
  }

  private findings(depth: number): void {
    this.packed.findings.forEach((name, i) => {
      if (this.work.seen[i + 1] === 1 && !this.found.has(name)) this.found.set(name, depth);
    });
  }
}

/** Explores a packed network completely, or up to a limit; `set` overrides the choice of set. */
export function search(packed: Packed, limits: SearchLimits, set?: SetKind): SearchResult {
  const run = new Search(packed, limits, set);
  const stopped = run.run();
  const { states, found, bytes, work, visited } = run;
  const { transitions } = work;
  return { stopped, states, transitions, found, bytes, set: visited.kind };
}
