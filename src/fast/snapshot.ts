/**
 * An exploration by tables as plain data, so that it can be kept and gone on with later. States,
 * parents and edges as they stand; of the tables only the numbers given to values, since what a
 * step does can be asked again.
 * Leaves out: files, and whether a snapshot belongs to a scenario (cli/checkpoint.ts).
 */
import type { Group } from '../system/system.js';
import type { Place } from './store.js';

/** What all explorations of a scenario share: which numbers stand for what. */
export interface TablesData {
  readonly names: readonly string[];
  /** Per component its values, as text, in the order of their numbers. */
  readonly values: readonly (readonly string[])[];
  readonly groups: readonly Group[];
}

/** The numbers of an exploration besides its arrays. */
export interface Position {
  readonly places: readonly Place[];
  readonly count: number;
  readonly transitions: number;
  readonly depth: number;
  readonly layerEnd: number;
  /** The next state to expand; `count` when it is complete. */
  readonly next: number;
  /** Findings with the state and step that show each first. */
  readonly found: readonly (readonly [name: string, state: number, step: number, depth: number])[];
}

export const ARRAYS = ['words', 'parent', 'action', 'edges', 'completeStates'] as const;

export interface Snapshot {
  readonly position: Position;
  readonly arrays: Readonly<Record<(typeof ARRAYS)[number], Int32Array>>;
}

/** Where an exploration leaves snapshots, and finds the one to go on from. */
export interface Keeper {
  readonly resume: Snapshot | null;
  /** It is time for another one. */
  due(): boolean;
  /** `stopped`: by a limit or an interruption. */
  save(snapshot: Snapshot, stopped: boolean): void;
}
