/**
 * A cheap pass for calls that break the contract of their API (H11): one run of the scenario on
 * the machine without liberties, its agents in turns. It takes a step for each of that run's and
 * keeps no states, so that it ends where exploring everything hits a limit; what it finds is true
 * whatever was not explored.
 * Leaves out: other hazards, and contracts that only other orders break.
 */
import { MixedSize } from '../kernel/layout.js';
import { ScenarioError } from '../kernel/args.js';
import type { Program } from '../litmus/program.js';
import { System } from '../system/system.js';
import { TooManyWords, withEveryWord } from './reduced.js';
import { Facts } from './recorder.js';
import type { Run, Sighting } from './run.js';

/** A loop that waits for another thread comes back; one that never ends must not hold us up. */
const STEPS_MAX = 5000;

/** The run and its H11 findings; null where the scenario itself makes no sense on the way. */
export function contractPass(program: Program): Run | null {
  const facts = new Facts();
  try {
    return withEveryWord(program, (layout) => {
      return oneRun(new System(program, layout, new Set(), facts), facts);
    });
  } catch (error) {
    const isFault = error instanceof ScenarioError || error instanceof MixedSize;
    if (isFault || error instanceof TooManyWords) return null;
    throw error;
  }
}

function oneRun(system: System, facts: Facts): Run {
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
  const exploration: Run['exploration'] = {
    stopped: null,
    states: actions.length + 1,
    transitions: actions.length,
    found: new Map(),
    completeStates: [],
    graph: null,
    path: (to) => ({ initial: 0, actions: actions.slice(0, to) }),
    stateAt: () => undefined,
  };
  return { liberties: [], system, exploration, sightings, stuck: [], apart: facts };
}
