/**
 * The system as a Model whose steps somebody looks at or changes on the way: all of it but
 * `successors` is the system's own. Leaves out: what is done with the steps.
 */
import type { Model } from '../explore/model.js';
import type { RawFinding } from '../kernel/context.js';
import type { State } from './state.js';
import type { Step, System } from './system.js';

export abstract class WatchedSystem implements Model<State, RawFinding> {
  constructor(protected readonly system: System) {}

  abstract successors(state: State): readonly Step[];

  initial(): readonly State[] {
    return this.system.initial();
  }

  key(state: State): string {
    return state.key;
  }

  complete(state: State): boolean {
    return this.system.complete(state);
  }

  name(finding: RawFinding): string {
    return this.system.name(finding);
  }
}
