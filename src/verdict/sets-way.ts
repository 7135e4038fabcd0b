/**
 * How a scenario's explorations may be made by sets of states, and what speaks against it.
 * Leaves out: the sets (fast/whole.ts).
 */
import type { SetsWay } from '../fast/whole.js';
import type { Program } from '../litmus/program.js';
import { broken } from './assertions.js';
import { POLICIES } from './lost-wakeup.js';

export const AVOIDS = 'a run that avoids a finding is asked for';

/** `tick` and `name`: as of the exploration one state at a time. */
export function setsWay(
  program: Program,
  { from, why }: Pick<SetsWay, 'from' | 'why'>,
  tick: (states: number, transitions: number, name: string) => boolean,
  name: string,
): SetsWay {
  return {
    from,
    why,
    policies: POLICIES,
    shows: (state) => broken(program, state),
    tick: (states, transitions) => tick(states, transitions, name),
  };
}
