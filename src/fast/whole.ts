/**
 * An exploration that is made by sets once it has become large: whether that can be, within which
 * limits, and what is known then of the whole.
 * Leaves out: how (by-sets.ts), and runs to what was found (explore.ts).
 */
import type { Will } from '../explore/model.js';
import { ScenarioError } from '../kernel/args.js';
import { MixedSize, NewCell } from '../kernel/layout.js';
import { TooManyLines } from '../kernel/ranges.js';
import type { State } from '../system/state.js';
import type { System } from '../system/system.js';
import { BySets, GivesUp } from './by-sets.js';
import type { Options } from './explore.js';
import { stateOf } from './restored.js';
import { allEnd } from './sets-end.js';
import type { Tables } from './tables.js';
import type { Ids } from './tree.js';

/** How an exploration may be made by sets. */
export interface SetsWay {
  /** From so many states on. */
  readonly from: number;
  /** What speaks against it whatever the states are; '': nothing. */
  readonly why: string;
  /** Who waits for ever is asked of the graph: kinds of steps that need not happen, each time. */
  readonly policies: readonly (readonly Will[])[];
  /** Names of what a state in which everything has run to its end shows; a run to it is wanted. */
  readonly shows: (state: State) => readonly string[];
  /** Called now and then; true stops it. */
  readonly tick: (states: number, transitions: number) => boolean;
}

/** All there is, by sets. */
export interface Whole {
  readonly states: number;
  readonly transitions: number;
  readonly findings: ReadonlySet<string>;
  /** What ends show. */
  readonly shown: ReadonlySet<string>;
  /** For each control point with an end, one: values by component. */
  readonly ends: readonly Int32Array[];
  readonly points: number;
  /** States of a point, at most. */
  readonly largest: number;
  /** Points taken up another time because more of their states turned up. */
  readonly again: number;
}

/** Fewer states to a point are not worth it, once there are so many points. */
const RATIO_MIN = 4;
const POINTS_MANY = 2000;
/** The part of what is left that sets may take: else it goes on one state at a time. */
const SHARE = 0.5;

/** What is left of the limits. */
export interface Left {
  readonly seconds: number;
  readonly bytes: number;
}

/** The reason why not, or everything. `initial`: the first state, with the liberties. */
export function exploreBySets(
  tables: Tables,
  system: System,
  initial: Ids,
  options: Options,
  left: Left,
  leafBytes: number,
): Whole | string {
  const { sets: way, now, limits } = options;
  if (way === undefined) return 'nobody asked';
  if (way.why !== '') return way.why;
  const { layout } = system;
  if (layout.hasRanges) return 'calls go over ranges, whose words hang on what was met before';
  const begun = now();
  const answers = tables.leaves;
  const check = (): void => {
    const { states, transitions, points } = sets;
    if (states > limits.maxStates) throw new GivesUp('there are more states than --max-states');
    if (now() - begun > SHARE * left.seconds) throw new GivesUp('half of the time left was over');
    const bytes = sets.bytes + leafBytes * (tables.leaves - answers);
    if (bytes > SHARE * left.bytes) throw new GivesUp('half of the memory left was full');
    if (way.tick(states, transitions)) throw new GivesUp('interrupted');
    if (points.length > POINTS_MANY && states < RATIO_MIN * points.length) {
      throw new GivesUp('there are few states to a control point');
    }
  };
  const sets: BySets = new BySets(tables, initial, (finding) => system.name(finding), check);
  try {
    sets.run();
    check();
    if (layout.hasRanges) throw new GivesUp('calls go over ranges');
    if (!allEnd(sets, way.policies)) throw new GivesUp(WAITS);
  } catch (error) {
    if (error instanceof GivesUp) return error.message;
    // It is met again, in the order of the states.
    const expected = [NewCell, ScenarioError, MixedSize, TooManyLines];
    if (expected.some((kind) => error instanceof kind)) return 'a step makes no sense';
    throw error;
  }
  return wholeOf(sets, (ids) => way.shows(stateOf(tables, system, ids)));
}

export const WAITS = 'threads may wait for ever, which is asked of the graph';

function wholeOf(sets: BySets, shows: (ids: Ids) => readonly string[]): Whole {
  const { states, transitions, findings, points } = sets;
  const ends = points.flatMap(({ end }) => end ?? []);
  const sum = (of: (point: (typeof points)[0]) => number): number =>
    points.reduce((total, point) => total + of(point), 0);
  return {
    states,
    transitions,
    findings,
    shown: new Set(ends.flatMap((ids) => shows(ids))),
    ends,
    points: points.length,
    largest: points.reduce((most, point) => Math.max(most, point.states), 0),
    again: sum(({ taken }) => Math.max(0, taken - 1)),
  };
}
