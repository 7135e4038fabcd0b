/**
 * Which values a read may return (model.md §1), from the whole history of a run: the events that
 * were executed, the edges between them, and the transitive closure taken anew at every read.
 * Nothing is forgotten and nothing is summarised.
 */
import type { Litmus } from './program.js';

/** `init`, `cpu 3`, or `device 1 0`: operation 0 of the device's run 1. */
export type EventName = string;

/** What a read returned: a write's event, or null for a value that no admissible write has. */
export interface ReadFrom {
  readonly read: EventName;
  readonly write: EventName | null;
  /** What comes after the write, if the read synchronises: itself, or where a late one was done. */
  readonly into: EventName;
}

/** How far the threads are; everything before that is executed. */
export interface Progress {
  readonly cpu: number;
  readonly run: number;
  readonly device: number;
  readonly reads: readonly ReadFrom[];
}

export interface Write {
  readonly event: EventName;
  readonly value: number;
}

export const cpuEvent = (index: number): EventName => `cpu ${index}`;
export const deviceEvent = (run: number, index: number): EventName => `device ${run} ${index}`;

export function bellsBefore({ cpu }: Litmus, index: number): number {
  return cpu.slice(0, index).filter(({ op }) => op === 'bell').length;
}

/** Events that come directly before this one. */
function edgesInto(litmus: Litmus, progress: Progress, event: EventName): readonly EventName[] {
  const [agent = '', ...numbers] = event.split(' ');
  if (agent === 'init') return [];
  const [first = 0, index = 0] = numbers.map(Number);
  const edges = agent === 'cpu' ? edgesOfCpu(litmus, first) : edgesOfDevice(litmus, first, index);
  return [...edges, ...learnedAt(litmus, progress, event)];
}

/** Program order, and from the device's run to its waiter. */
function edgesOfCpu(litmus: Litmus, index: number): EventName[] {
  const edges = [index === 0 ? 'init' : cpuEvent(index - 1)];
  if (litmus.cpu[index]?.op === 'wait') {
    edges.push(deviceEvent(bellsBefore(litmus, index) - 1, litmus.device.length - 1));
  }
  return edges;
}

/** Program order, and from a doorbell to the run it starts. */
function edgesOfDevice(litmus: Litmus, run: number, index: number): EventName[] {
  if (index > 0) return [deviceEvent(run, index - 1)];
  const bells = litmus.cpu.flatMap(({ op }, i) => (op === 'bell' ? [i] : []));
  const edges = [cpuEvent(bells[run] ?? -1)];
  if (run > 0) edges.push(deviceEvent(run - 1, litmus.device.length - 1));
  return edges;
}

/** The writes that synchronising reads returned whose values were there at this event. */
function learnedAt(litmus: Litmus, { reads }: Progress, event: EventName): readonly EventName[] {
  return reads.flatMap(({ read, write, into }) =>
    into === event && write !== null && isSync(litmus, read) ? [write] : [],
  );
}

function isSync(litmus: Litmus, read: EventName): boolean {
  const op = operationOf(litmus, read);
  return op !== undefined && 'sync' in op && op.sync;
}

function operationOf(litmus: Litmus, event: EventName) {
  const [agent, ...numbers] = event.split(' ');
  return agent === 'cpu' ? litmus.cpu[Number(numbers[0])] : litmus.device[Number(numbers[1])];
}

/**
 * Every event that happens before this one. The edges into an executed event never change, but for
 * what the synchronising reads returned: so closures are kept for each such history, for speed.
 */
function before(litmus: Litmus, progress: Progress, event: EventName): ReadonlySet<EventName> {
  const key = `${event}: ${syncReads(litmus, progress)}`;
  const known = kept(closures, litmus);
  const found = known.get(key) ?? closure(litmus, progress, event);
  known.set(key, found);
  return found;
}

const closures = new WeakMap<Litmus, Map<string, ReadonlySet<EventName>>>();

function kept<T>(cache: WeakMap<Litmus, Map<string, T>>, litmus: Litmus): Map<string, T> {
  const found = cache.get(litmus) ?? new Map<string, T>();
  cache.set(litmus, found);
  return found;
}

function syncReads(litmus: Litmus, { reads }: Progress): string {
  const hasSync = [...litmus.cpu, ...litmus.device].some((op) => 'sync' in op && op.sync);
  return hasSync ? reads.map(({ read, write, into }) => `${read}<${write}>${into}`).join() : '';
}

function closure(litmus: Litmus, progress: Progress, event: EventName): ReadonlySet<EventName> {
  const found = new Set<EventName>();
  const open = [event];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const edge of edgesInto(litmus, progress, next)) {
      if (found.has(edge)) continue;
      found.add(edge);
      open.push(edge);
    }
  }
  return found;
}

/** All writes of a word so far, the zeroing in init first. */
function writesOf(litmus: Litmus, progress: Progress, word: number): readonly Write[] {
  const writes: Write[] = [{ event: 'init', value: 0 }];
  litmus.cpu.slice(0, progress.cpu).forEach((op, i) => {
    if (op.op === 'store' && op.word === word) writes.push({ event: cpuEvent(i), value: op.value });
  });
  for (let run = 0; run <= progress.run; run++) {
    const executed = run < progress.run ? litmus.device.length : progress.device;
    litmus.device.slice(0, executed).forEach((op, i) => {
      if (op.op !== 'write' || op.word !== word) return;
      writes.push({ event: deviceEvent(run, i), value: op.value });
    });
  }
  return writes;
}

/** The writes of a word that no other write of it comes after: one, or several that race. */
export function newestWrites(litmus: Litmus, progress: Progress, word: number): readonly Write[] {
  const { cpu, run, device } = progress;
  const key = `${word} ${cpu} ${run} ${device}: ${syncReads(litmus, progress)}`;
  const known = kept(newestKnown, litmus);
  const found = known.get(key) ?? newestNow(litmus, progress, word);
  known.set(key, found);
  return found;
}

const newestKnown = new WeakMap<Litmus, Map<string, readonly Write[]>>();

function newestNow(litmus: Litmus, progress: Progress, word: number): readonly Write[] {
  return newestAmong(litmus, progress, writesOf(litmus, progress, word));
}

/** Those of several writes that none of them comes after. */
export function newestAmong(
  litmus: Litmus,
  progress: Progress,
  writes: readonly Write[],
): readonly Write[] {
  return writes.filter(
    ({ event }) => !writes.some((other) => before(litmus, progress, other.event).has(event)),
  );
}

/** The writes that a read, about to be executed, may return. */
export function admissible(
  litmus: Litmus,
  progress: Progress,
  read: EventName,
  word: number,
): readonly Write[] {
  const writes = writesOf(litmus, progress, word);
  const past = before(litmus, progress, read);
  const isSuperseded = (event: EventName): boolean =>
    writes.some(
      (later) => past.has(later.event) && before(litmus, progress, later.event).has(event),
    );
  const returned = progress.reads.flatMap((earlier) =>
    earlier.write !== null && isSameReader(litmus, earlier.read, read, word) ? [earlier.write] : [],
  );
  const goesBack = (event: EventName): boolean =>
    returned.some((write) => before(litmus, progress, write).has(event));
  // What came of a store or doorbell behind a late load is not for it (M8).
  const comesOf = (event: EventName): boolean => before(litmus, progress, event).has(read);
  return writes.filter(({ event }) => !isSuperseded(event) && !goesBack(event) && !comesOf(event));
}

/** Whether an earlier read was made by the same agent, of the same word. */
function isSameReader(litmus: Litmus, earlier: EventName, read: EventName, word: number): boolean {
  if (earlier.split(' ')[0] !== read.split(' ')[0]) return false;
  const op = operationOf(litmus, earlier);
  return op !== undefined && 'word' in op && op.word === word;
}

/** The newest of several admissible writes: the one that all others happen before. */
export function newestOf(litmus: Litmus, progress: Progress, writes: readonly Write[]): Write {
  const newest = writes.find(({ event }) =>
    writes.every(
      (other) => other.event === event || before(litmus, progress, event).has(other.event),
    ),
  );
  if (newest === undefined) throw new Error('equal values of racing writes: not generated');
  return newest;
}
