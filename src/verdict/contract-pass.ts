/**
 * A cheap first pass for calls that break the contract of their API (H11). It follows the books:
 * runs of the machine without liberties, where what a CPU sent to memory arrives at once, and of
 * the states with the same threads and the same books only the first goes on, whatever memory and
 * caches hold. Each of its runs is one of the scenario's, so that what it finds is true whatever
 * was not explored; most of what nobody can tell by the books is left out, so that it ends where
 * exploring everything takes long, or hits a limit.
 * Leaves out: other hazards, and contracts that only stale values or late stores break.
 */
import { type Exploration, explore } from '../explore/bfs.js';
import type { Model } from '../explore/model.js';
import { MixedSize } from '../kernel/layout.js';
import { ScenarioError } from '../kernel/args.js';
import type { RawFinding } from '../kernel/context.js';
import { TooManyLines } from '../kernel/ranges.js';
import type { Program } from '../litmus/program.js';
import { KeyMaker } from '../system/keys.js';
import { copyOf, type State, type Thread } from '../system/state.js';
import { type Step, System } from '../system/system.js';
import { TooManyWords, withEveryWord } from './reduced.js';
import { Facts } from './recorder.js';
import type { Run, Sighting } from './run.js';

/** So many states of threads and books are followed; then one run is taken to its end. */
const BOOKS_MAX = 500;
/** A loop that waits for another thread comes back; one that never ends must not hold us up. */
const STEPS_MAX = 5000;

type Found = Exploration<State, RawFinding>;

/** Runs and their H11 findings; null where the scenario itself makes no sense on the way. */
export function contractPass(program: Program): Run | null {
  const facts = new Facts();
  try {
    return withEveryWord(program, (layout) => {
      return passOver(new System(program, layout, new Set(), facts, false), facts);
    });
  } catch (error) {
    const expected = [ScenarioError, MixedSize, TooManyLines, TooManyWords];
    if (expected.some((kind) => error instanceof kind)) return null;
    throw error;
  }
}

function passOver(system: System, facts: Facts): Run {
  const books = new Books(system);
  const limits = { maxStates: BOOKS_MAX, maxSeconds: Infinity, maxMemoryBytes: Infinity };
  const found = explore(books, { limits, now: () => 0 });
  const run = { liberties: [], system, stuck: [], apart: facts };
  const near = { ...run, exploration: inTheSystem(books, found), sightings: books.broken(found) };
  if (found.stopped === null) return near;
  // Breadth first, the ends of the threads may not have come into sight.
  const far = { ...run, ...oneRun(system) };
  const later = [...far.sightings].filter(([name]) => !near.sightings.has(name));
  const sightings = new Map([...near.sightings, ...later]);
  return { ...near, sightings, origins: new Map(later.map(([name]) => [name, far])) };
}

type Path = ReturnType<Found['path']>;

/** The exploration with paths of the system's own steps. */
function inTheSystem(books: Books, found: Found): Found {
  return { ...found, path: (to) => books.own(found.path(to)) };
}

interface Open {
  readonly step: Step;
  /** Its index among the steps of the system. */
  readonly action: number;
}

/** The system as far as its books tell its states apart. */
class Books implements Model<State, RawFinding> {
  private readonly keys = new KeyMaker();

  constructor(private readonly system: System) {}

  initial(): readonly State[] {
    return this.system.initial();
  }

  complete(state: State): boolean {
    return this.system.complete(state);
  }

  name(finding: RawFinding): string {
    return this.system.name(finding);
  }

  key({ threads, kernel }: State): string {
    return this.keys.key({ threads: threads.map(plain), kernel, words: [], frames: [] });
  }

  successors(state: State): readonly Step[] {
    return this.open(state).map(({ step }) => step);
  }

  /** What is under way to memory first, then stores: others need not come in between. */
  private open(state: State): readonly Open[] {
    const all = this.system.successors(state).map((step, action) => ({ step, action }));
    const arrives = all.find(({ step }) => step.kind === 'drain');
    if (arrives !== undefined) return [arrives];
    const isStore = (site: number): boolean =>
      this.system.sites.at(site)?.instruction.op === 'store';
    const store = all.find(({ step }) => isStore(step.site));
    if (store === undefined) return all;
    return all.filter(({ step }) => step.agent === store.step.agent);
  }

  /** A path of these steps as one of the system's. */
  own({ initial, actions }: Path): Path {
    let state = this.initial()[initial];
    const own: number[] = [];
    for (const action of actions) {
      const open = state === undefined ? undefined : this.open(state)[action];
      if (open === undefined) throw new Error('a run of the books is lost');
      own.push(open.action);
      state = open.step.next;
    }
    return { initial, actions: own };
  }

  broken(found: Found): ReadonlyMap<string, Sighting> {
    const sightings = new Map<string, Sighting>();
    for (const [name, { finding, state, action, depth }] of found.found) {
      if (finding.id !== 'H11') continue;
      const { initial, actions } = found.path(state);
      const own = this.own({ initial, actions: [...actions, action] }).actions.at(-1) ?? 0;
      sightings.set(name, { name, id: 'H11', finding, state, action: own, depth });
    }
    return sightings;
  }
}

const NOTHING: readonly never[] = [];
const NOBODY = {};

/** What a thread knows, and what it took before its turn, is no part of the books. */
function plain(thread: Thread): Thread {
  const copy = copyOf(thread);
  copy.clock = NOTHING;
  copy.seen = NOBODY;
  copy.touched = NOTHING;
  return copy;
}

/** One run to its end, its agents in turns: what it breaks, and it. */
function oneRun(system: System): Pick<Run, 'exploration' | 'sightings'> {
  const sightings = new Map<string, Sighting>();
  const actions: number[] = [];
  let [state] = system.initial();
  while (state !== undefined && actions.length < STEPS_MAX) {
    const steps = system.successors(state);
    const at = actions.length;
    // In turns: a thread that waits in a loop must not keep the others from running.
    const action = steps.length === 0 ? 0 : at % steps.length;
    const step = steps[action];
    if (step === undefined) break;
    for (const finding of step.findings) {
      const name = system.name(finding);
      if (finding.id !== 'H11' || sightings.has(name)) continue;
      sightings.set(name, { name, id: 'H11', finding, state: at, action, depth: at + 1 });
    }
    actions.push(action);
    state = step.next;
  }
  const exploration: Found = {
    stopped: null,
    states: actions.length + 1,
    transitions: actions.length,
    found: new Map(),
    completeStates: [],
    graph: null,
    path: (to) => ({ initial: 0, actions: actions.slice(0, to) }),
    stateAt: () => undefined,
  };
  return { exploration, sightings };
}
