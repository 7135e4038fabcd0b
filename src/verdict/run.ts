/**
 * An exploration of a scenario, what to know for making it, and what `check` asks of all that a
 * scenario has. Leaves out how they are made (runs.ts, projected.ts).
 */
import type { Exploration, Limits } from '../explore/bfs.js';
import type { RawFinding } from '../kernel/context.js';
import type { Program } from '../litmus/program.js';
import type { Role } from '../reduce/stubs.js';
import type { Named as Word } from '../reduce/words.js';
import type { State } from '../system/state.js';
import type { System } from '../system/system.js';
import type { Ahead } from './ahead.js';
import type { Checkpoints } from './checkpoint.js';
import type { Effort } from './effort.js';
import type { Stuck } from './lost-wakeup.js';
import type { Facts } from './recorder.js';
import type { Liberty } from './result.js';

export type Engine = 'reference' | 'fast';

export interface RunOptions {
  readonly limits: Limits;
  readonly order: 'forward' | 'reverse';
  /** `fast` explores by tables made from the reference engine; same results, sooner. */
  readonly engine: Engine;
  /** Explorations of at most so many states are not worth tables; from the first larger one on. */
  readonly tablesFrom: number;
  readonly now: () => number;
  /** When the time limit began to run; absent: with the explorations. */
  readonly begun?: number;
  readonly tick: (states: number, transitions: number, run: string) => boolean;
  /** Explorations of so many states are tried by sets; absent: none is. */
  readonly setsFrom?: number;
  /** Stops at the first finding: for a caller that only asks whether there is one. */
  readonly stopAtFirst?: boolean;
  /** Leaves out environment steps that nothing could tell; only with the engine `fast`. */
  readonly por?: boolean;
  /** Throws TooLarge where an exploration is worth tables: for a caller that would reduce it. */
  readonly smallOnly?: boolean;
  /** The first exploration is known, or on another platform was, to be worth tables. */
  readonly isLarge?: boolean;
  /** The scenario on another platform. */
  readonly like?: Likely | undefined;
  /** Keeps long explorations of the scenario as it stands. */
  readonly checkpoints?: Checkpoints | undefined;
  /** Other threads, which make some explorations ahead of time. */
  readonly ahead?: Ahead | undefined;
  /** What the pass for broken contracts found, made at most once; absent: there is none. */
  readonly contracts?: (() => Run | null) | undefined;
  /** Of a projection: what each site does in it. */
  readonly roles?: readonly Role[];
}

/** What a scenario most likely shares with itself on another platform. */
export interface Likely {
  /** Words that it names. */
  readonly words: readonly Word[];
  /** Its explorations were worth tables. */
  readonly isLarge: boolean;
}

export type Sets = readonly (readonly Liberty[])[];

/** What `check` asks of the explorations of a scenario; Runs has one of each, projections many. */
export interface RunSource {
  readonly program: Program;
  /** Words that its explorations have met; none where ranges name some. */
  readonly words: readonly Word[];
  readonly facts: Facts;
  readonly options: RunOptions;
  readonly stopped: Run['exploration']['stopped'];
  readonly effort: Effort;
  /** `next`: what will be asked for after it unless there is a finding. */
  run(liberties: readonly Liberty[], next?: Sets): Run;
  /** What will be asked for, in that order: other threads may begin with it. */
  expect(sets: Sets): void;
  avoidable(liberties: readonly Liberty[], avoid: (finding: RawFinding) => boolean): boolean | null;
  /** Those of some findings, by name, that show with these liberties; absent: as `run` has it. */
  shows?(liberties: readonly Liberty[], names: ReadonlySet<string>): ReadonlySet<string>;
  /** The run to show of a finding; absent: the one that found it. */
  shown?(run: Run, sighting: Sighting): Shown;
  /** Of projections: the whole scenario explored, with its recorder; null where it is too large. */
  unprojected?(liberties: readonly Liberty[]): Pick<Shown, 'run' | 'facts'> | null;
}

/** A finding, and the exploration and recorder that can replay it. */
export interface Shown {
  readonly run: Run;
  readonly sighting: Sighting;
  readonly facts: Facts;
}

/** Where a finding first shows: the state before the step, and the step's index. */
export interface Sighting {
  readonly name: string;
  readonly id: string;
  readonly finding: RawFinding | null;
  readonly state: number;
  /** -1: no further step, the finding is about the state (an assertion). */
  readonly action: number;
  readonly depth: number;
}

export interface Run {
  readonly liberties: readonly Liberty[];
  readonly system: System;
  readonly exploration: Exploration<State, RawFinding>;
  readonly sightings: ReadonlyMap<string, Sighting>;
  readonly stuck: readonly Stuck[];
  /** By the name of a finding: which of several explorations it is from. Absent: this one. */
  readonly origins?: ReadonlyMap<string, Run>;
  /** Made apart from the scenario's other explorations: the recorder that it is replayed with. */
  readonly apart?: Facts;
}
