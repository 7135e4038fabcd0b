/**
 * An exploration by tables that was made elsewhere, out of its snapshot: counts, findings and
 * paths, and states when somebody asks for one.
 * Leaves out: the graph, and going on with it (explore.ts does that).
 */
import type { Exploration, Found } from '../explore/bfs.js';
import type { RawFinding } from '../kernel/context.js';
import type { State } from '../system/state.js';
import type { System } from '../system/system.js';
import type { Snapshot } from './snapshot.js';
import { unpack } from './store.js';
import type { Tables } from './tables.js';

type Path = ReturnType<Exploration<State, RawFinding>['path']>;

/** The steps that lead from the first state to one. */
export function pathTo(parent: Int32Array, action: Int32Array, state: number): Path {
  const actions: number[] = [];
  for (let at = state; at > 0; at = parent[at] ?? 0) actions.push(action[at] ?? 0);
  return { initial: 0, actions: actions.reverse() };
}

/** What a step found, by taking all steps to it again. Throws when it is not there. */
export function findingAt(system: System, name: string, path: Path, action: number): RawFinding {
  let [here] = system.initial();
  for (const each of path.actions) here = here && system.successors(here)[each]?.next;
  const last = here && system.successors(here)[action];
  const found = last?.findings.find((each) => system.name(each) === name);
  if (found === undefined) throw new Error(`the snapshot does not lead to ${name}`);
  return found;
}

/** A state as the reference engine has it; its key is made when somebody asks. */
export function stateOf(tables: Tables, system: System, ids: Int32Array): State {
  const state = tables.assemble(ids);
  let key: string | undefined;
  return Object.defineProperty({ ...state, key: '' }, 'key', {
    enumerable: true,
    get: () => (key ??= system.keyed(state).key),
  });
}

/** `makeTables`: tables with the numbers that the snapshot has. */
export function restored(
  { position, arrays }: Snapshot,
  stopped: Exploration<State, RawFinding>['stopped'],
  makeTables: () => Tables,
  system: System,
): Exploration<State, RawFinding> {
  const { places, count, transitions } = position;
  const { words, parent, action, completeStates } = arrays;
  const width = 1 + Math.max(0, ...places.map(({ word }) => word));
  const path = (state: number): Path => pathTo(parent, action, state);
  const found = new Map<string, Found<RawFinding>>();
  for (const [name, state, step, depth] of position.found) {
    const finding = findingAt(system, name, path(state), step);
    found.set(name, { finding, state, action: step, depth });
  }
  let tables: Tables | undefined;
  return {
    stopped,
    states: count,
    transitions,
    found,
    completeStates: [...completeStates],
    graph: null,
    path,
    stateAt: (index) => {
      if (index < 0 || index >= count) return undefined;
      tables ??= makeTables();
      const ids = new Int32Array(tables.parts.names.length);
      unpack(words, width * index, places, ids);
      return stateOf(tables, system, ids);
    },
  };
}
