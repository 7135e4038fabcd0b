/**
 * Explorations that another thread makes while this one is busy with an earlier one: what it needs
 * to know, how it explores, and what it hands over, all of it plain data. What is handed over has
 * the numbers, findings and recorded facts that the exploration would have had here.
 * Leaves out: threads (cli/helpers.ts), and which explorations will be asked for (runs.ts).
 */
import type { Exploration, Limits } from '../explore/bfs.js';
import { exploreTables, type Options } from '../fast/explore.js';
import { restored } from '../fast/restored.js';
import type { Snapshot, TablesData } from '../fast/snapshot.js';
import { Tables } from '../fast/tables.js';
import { ScenarioError } from '../kernel/args.js';
import type { RawFinding } from '../kernel/context.js';
import { type Layout, MixedSize, NewCell } from '../kernel/layout.js';
import { TooManyLines } from '../kernel/ranges.js';
import type { Program } from '../litmus/program.js';
import type { State } from '../system/state.js';
import { System } from '../system/system.js';
import { lostWakeups, someoneWaits, type Stuck } from './lost-wakeup.js';
import type { TeamHost } from './joined.js';
import { Facts, type FactsData } from './recorder.js';
import type { Liberty } from './result.js';
import { type Source, sceneOf } from './scene.js';


export interface Task {
  readonly source: Source;
  readonly liberties: readonly Liberty[];
  readonly order: 'forward' | 'reverse';
  readonly limits: Limits;
  /** When the time is up, in seconds since 1970: the task may have to wait for its turn. */
  readonly deadline: number;
  /** Evictions and fills that nothing could tell are left out. */
  readonly lazy: boolean;
}

export interface Answer {
  readonly snapshot: Snapshot;
  readonly stopped: Exploration<State, RawFinding>['stopped'];
  readonly stuck: readonly Stuck[];
  /** What was left out of it; null: nothing. */
  readonly decided: { readonly asked: number; readonly leftOut: number } | null;
  /** It was made with all steps although they were to be left out: threads can wait for ever. */
  readonly waits: boolean;
  readonly tables: TablesData;
  /** Answers of the reference engine that the tables are made of. */
  readonly leaves: number;
  readonly facts: FactsData;
}

/** A task that was asked for. */
export interface Asked {
  /**
   * Its answer, once it is there; null: it is not under way anywhere, and never will be. While
   * waiting, `tick` hears how far it is; when that says true, the answer is what is known by then.
   */
  take(tick: (states: number, transitions: number) => boolean): Answer | null;
  /** Nobody wants it any more. */
  drop(): void;
}

/** Other threads, as far as a check knows them. */
export interface Ahead {
  /** An exploration of so many states is worth another thread; smaller ones are over before. */
  readonly from: number;
  /** Null when it cannot be taken on. */
  ask(task: Task): Asked | null;
  /** Absent: none joins in. */
  readonly team?: TeamHost;
  /** Nobody wants anything of what was asked any more. */
  drop(): void;
  /** What went wrong with the other threads; null: nothing. What they owed is made here. */
  readonly trouble: string | null;
}

/** Seconds since 1970, by a clock that is not set. */
export function clock(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/** What the ranges of a layout have come to; an exploration that adds to it is no use elsewhere. */
function textOf(layout: Layout): string {
  return JSON.stringify(layout.saved);
}

/**
 * Makes an exploration for another thread. `written` is the scenario as compiled there. Null when
 * it has to be begun anew with more words, or makes no sense: the other thread will meet that.
 */
export function exploreFor(
  written: Program,
  task: Task,
  tick: (states: number, transitions: number) => boolean,
): Answer | null {
  try {
    return exploredFor(written, task, tick);
  } catch (error) {
    const expected = [NewCell, ScenarioError, MixedSize, TooManyLines];
    if (expected.some((kind) => error instanceof kind)) return null;
    throw error;
  }
}

function exploredFor(
  written: Program,
  { source, liberties, order, limits, deadline, lazy }: Task,
  tick: (states: number, transitions: number) => boolean,
): Answer | null {
  const { program, layout } = sceneOf(written, source);
  const before = textOf(layout);
  const facts = new Facts();
  const tables = new Tables(program, layout, facts, lazy);
  let snapshot: Snapshot | undefined;
  const options: Options = {
    limits: { ...limits, maxSeconds: deadline - clock() },
    order,
    now: clock,
    tick,
    keepGraph: true,
    keeper: {
      resume: null,
      due: () => false,
      save: (last) => {
        snapshot = last;
      },
    },
  };
  const explored = (few: boolean) => {
    const system = new System(program, layout, new Set(liberties), facts, true, few);
    return { system, exploration: exploreTables(tables, system, options) };
  };
  const first = explored(lazy);
  const complete = first.exploration.stopped === null;
  const waits = lazy && complete && someoneWaits(first.system, first.exploration);
  // Which states a loop goes round in, and how soon, is asked of all there are.
  const { system, exploration } = waits ? explored(false) : first;
  const { environment } = system;
  const { stopped } = exploration;
  const stuck = stopped === null && environment === null ? lostWakeups(system, exploration) : [];
  if (snapshot === undefined || textOf(layout) !== before) return null;
  const { saved, leaves } = tables;
  const decided = environment && { asked: environment.asked, leftOut: environment.leftOut };
  const found = { snapshot: own(snapshot), stopped, stuck, decided, waits };
  return { ...found, tables: saved, leaves, facts: facts.saved };
}

/** With arrays of the right length, and without edges, which only `stuck` was made of. */
function own({ position, arrays }: Snapshot): Snapshot {
  const { words, parent, action, completeStates } = arrays;
  return {
    position,
    arrays: {
      words: words.slice(),
      parent: parent.slice(),
      action: action.slice(),
      edges: new Int32Array(0),
      completeStates,
    },
  };
}

/** The exploration as it would have been here; its graph stays where it was made. */
export function explorationOf(
  { snapshot, stopped, tables }: Answer,
  program: Program,
  layout: Layout,
  system: System,
  facts: Facts,
): Exploration<State, RawFinding> {
  const made = (): Tables => {
    const own = new Tables(program, layout, facts);
    own.restore(tables);
    return own;
  };
  return restored(snapshot, stopped, made, system);
}
