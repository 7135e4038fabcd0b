/**
 * H12, and threads that never end: sets of states that no necessary step leaves. A loop in such a
 * set that would end on the ideal values is a lost wake-up (model.md §4).
 */
import { type Exploration, type Graph, WILLS } from '../explore/bfs.js';
import type { Will } from '../explore/model.js';
import { terminalComponents } from '../explore/scc.js';
import { newest } from '../ideal/word.js';
import type { RawFinding } from '../kernel/context.js';
import type { State } from '../system/state.js';
import type { System } from '../system/system.js';

export interface Stuck {
  readonly name: string;
  readonly agent: number;
  readonly site: number;
  /** The state the loop goes round in, and the step that reads the stale value; -1 for none. */
  readonly state: number;
  readonly action: number;
  readonly depth: number;
  /** The word the loop reads; -1 when it reads none. */
  readonly cell: number;
  /** The ideal values would end the loop: H12. Otherwise the thread just waits for ever. */
  readonly lost: boolean;
}

/** The machine never takes a liberty, or always does where it can. */
export const POLICIES: readonly (readonly Will[])[] = [
  ['free', 'liberty'],
  ['free', 'plain'],
];

/** Those that tell anything apart: without liberties all come to the same. */
function policiesFor({ edges }: Graph): readonly (readonly Will[])[] {
  const free = WILLS.indexOf('free');
  for (let i = 2; i < edges.length; i += 3) if ((edges[i] ?? 0) > free) return POLICIES;
  return POLICIES.slice(0, 1);
}

/** Steps of one thread tried on ideal values before it counts as caught in its loop. */
const TRIES_MAX = 200;

export function lostWakeups(
  system: System,
  exploration: Exploration<State, RawFinding>,
): readonly Stuck[] {
  if (exploration.graph === null) return [];
  const found = new Map<string, Stuck>();
  for (const never of policiesFor(exploration.graph)) {
    for (const members of terminalComponents(exploration.graph, exploration.states, never)) {
      for (const stuck of stuckIn(system, exploration, members, never)) {
        const old = found.get(stuck.name);
        if (old === undefined || stuck.depth < old.depth) found.set(stuck.name, stuck);
      }
    }
  }
  return [...found.values()];
}

/** Some set of states that no necessary step leaves is no end of a run. */
export function someoneWaits(
  system: System,
  { graph, states, stateAt, completeStates }: Exploration<State, RawFinding>,
): boolean {
  if (graph === null) return false;
  return policiesFor(graph).some((never) => {
    // Nothing leaves a state in which all has ended: where every other one leads to such a state,
    // no set of others is left by nothing.
    if (allLeadTo(completeStates, graph, states, never)) return false;
    return terminalComponents(graph, states, never).some(([first = -1]) => {
      const state = stateAt(first);
      return state !== undefined && !system.complete(state);
    });
  });
}

/** Edges are gone over so often; nearly all lead to states found later, so that once is enough. */
const ROUNDS_MAX = 4;

/** From every state a way without steps of some will leads to one of these; false: maybe not. */
export function allLeadTo(
  ends: readonly number[],
  { edges }: Graph,
  states: number,
  never: readonly Will[],
): boolean {
  const left = WILLS.map((will) => never.includes(will));
  const leads = new Uint8Array(states);
  for (const end of ends) leads[end] = 1;
  let missing = states - ends.length;
  for (let round = 0; round < ROUNDS_MAX && missing > 0; round++) {
    const before = missing;
    for (let i = edges.length - 3; i >= 0; i -= 3) {
      const [from, to] = [edges[i] ?? 0, edges[i + 1] ?? 0];
      if (leads[from] === 1 || leads[to] === 0 || left[edges[i + 2] ?? 0]) continue;
      leads[from] = 1;
      missing--;
    }
    if (missing === before) break;
  }
  return missing === 0;
}

/** Some set of states that nothing leaves has no step with such a finding. */
export function waitsForEver(
  system: System,
  exploration: Exploration<State, RawFinding>,
  avoid: (finding: RawFinding) => boolean,
): boolean {
  const { graph, states } = exploration;
  if (graph === null) return false;
  return terminalComponents(graph, states, ['free', 'liberty']).some((members) =>
    members.every((index) => {
      const state = exploration.stateAt(index);
      return state !== undefined && !system.successors(state).some((s) => s.findings.some(avoid));
    }),
  );
}

function stuckIn(
  system: System,
  exploration: Exploration<State, RawFinding>,
  members: readonly number[],
  never: readonly Will[],
): readonly Stuck[] {
  const first = members[0];
  const state = first === undefined ? undefined : exploration.stateAt(first);
  if (first === undefined || state === undefined || system.complete(state)) return [];
  return system.unfinished(state).flatMap((agent) => {
    const stuck = examine(system, exploration, members, agent);
    // A thread that only a liberty keeps from going on is worth a word when a loop fails by it.
    return stuck === null || (!stuck.lost && never.includes('plain')) ? [] : [stuck];
  });
}

function examine(
  system: System,
  exploration: Exploration<State, RawFinding>,
  members: readonly number[],
  agent: number,
): Stuck | null {
  const states = members.flatMap((each) => exploration.stateAt(each) ?? []);
  const thread = states[0]?.threads[agent];
  if (thread === undefined || thread.pc < 0) return null;
  const site = system.sites.of(agent, thread.pc);
  const at = system.sites.at(site)?.instruction.at;
  if (at === undefined) return null;
  const loop = new Set(states.map((state) => state.threads[agent]?.pc));
  const lost = states[0] !== undefined && wouldLeave(system, states[0], agent, loop);
  const id = lost ? 'H12' : 'stuck';
  const name = `${id}|${agent}|${at.line}:${at.column}`;
  const polls = members.flatMap((index, i) => {
    const state = states[i];
    if (state === undefined) return [];
    const steps = system.successors(state);
    const action = steps.findIndex((each) => each.agent === agent && each.judged >= 0);
    return action < 0 ? [] : [{ index, action, cell: steps[action]?.judged ?? -1 }];
  });
  const poll = polls[0] ?? { index: members[0] ?? 0, action: -1, cell: -1 };
  const depth = exploration.path(poll.index).actions.length + (poll.action < 0 ? 0 : 1);
  const { action, cell } = poll;
  return { name, agent, site, state: poll.index, action, depth, lost, cell };
}

/** Lets one thread run on with memory and cache holding the ideal values. */
function wouldLeave(
  system: System,
  from: State,
  agent: number,
  loop: ReadonlySet<number | undefined>,
): boolean {
  let state = idealised(system, from);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const step = system
      .successors(state)
      .find((each) => each.agent === agent && each.will !== 'free');
    if (step === undefined) return false;
    const pc = step.next.threads[agent]?.pc;
    if (!loop.has(pc)) return true;
    state = idealised(system, step.next);
  }
  return false;
}

function idealised(system: System, state: State): State {
  const { layout } = system;
  const frames = state.frames.map((frame) => {
    if (frame.buffer < 0) return frame;
    const page = layout.pages(frame.buffer)[layout.pageIndex(frame.buffer, frame.page)];
    const lines = frame.lines.map((line, at) => {
      const cells = page?.lines[at]?.cells ?? [];
      const values = cells.map((cell, i) => {
        const word = state.words[cell.id];
        return newest(word?.writes ?? []).at(-1)?.value ?? line.dram[i] ?? 0;
      });
      return { ...line, dram: values, copy: line.copy.length > 0 ? values : [] };
    });
    return { ...frame, lines };
  });
  return { ...state, frames };
}
