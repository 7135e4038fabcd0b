/**
 * The control of a scenario as a Model: with every word left out that decides nothing, most of what
 * threads do are accesses to such words. A state in which a thread makes one and nobody else can do
 * anything is passed through; only what lies behind it is a state of the exploration.
 * Leaves out: what is recorded meanwhile (analysis.ts); the argument is in docs/reductions.md.
 */
import type { State, Thread } from '../system/state.js';
import type { Step, System } from '../system/system.js';
import { WatchedSystem } from '../system/watched.js';

/** A loop over words that are left out has to meet a state of the exploration now and then. */
const PASSED_MAX = 1000;

export class Control extends WatchedSystem {
  /** States passed through so far. */
  passed = 0;

  /** `unkeyed`: the same system, whose states have no text of their own. */
  constructor(
    system: System,
    private readonly unkeyed: System,
  ) {
    super(system);
  }

  successors(state: State): readonly Step[] {
    const steps = this.system.successors(state);
    const [only] = steps;
    // A word of control might be read early in the middle of the way.
    if (only === undefined || steps.length > 1 || this.system.layout.cells.length > 0) return steps;
    return [this.behind(state, only)];
  }

  /** Goes on from the only step of a state as long as nobody but its thread can. */
  private behind(from: State, first: Step): Step {
    let [before, step] = [from, first];
    for (let i = 0; i < PASSED_MAX && passesBy(before, step); i++) {
      if (this.system.complete(step.next)) break;
      const { agent } = step;
      const group = { kind: 'thread', agent, at: 0 } as const;
      const [only, ...others] = this.unkeyed.stepsOf(step.next, group);
      if (only === undefined || others.length > 0 || only.findings.length > 0) break;
      before = step.next;
      step = only;
      this.passed++;
    }
    return step === first ? first : { ...step, next: this.system.keyed(step.next, from) };
  }
}

/** Only the thread's place changed, its locals, and how many events it has had, or its call. */
function passesBy({ threads, frames, words, kernel }: State, { next, agent, kind }: Step): boolean {
  if (kind !== 'thread') return false;
  if (next.kernel !== kernel || next.frames !== frames || next.words !== words) return false;
  return next.threads.every((thread, i) => {
    const old = threads[i];
    return thread === old || (i === agent && old !== undefined && isBeside(old, thread));
  });
}

function isBeside(old: Thread, now: Thread): boolean {
  return now.entries === old.entries && now.early === old.early && now.delayed === old.delayed;
}
