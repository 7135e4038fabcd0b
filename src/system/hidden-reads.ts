/**
 * Early reads that come to nothing because the word is left out of the exploration (a projection,
 * the control of a scenario). Where such a read goes depends on the kernel's books, the frames and
 * the thread's locals; while these stay the very same records, it need not be found out again. A
 * thread that goes over a thousand hidden words has up to 24 of them ahead at each.
 */
import type { Frame, KernelState } from '../kernel/state.js';
import type { Value } from '../kernel/value.js';
import type { State } from './state.js';

interface Known {
  readonly kernel: KernelState;
  readonly frames: readonly Frame[];
  readonly locals: readonly Value[];
  /** Places of the instructions. */
  readonly pcs: Set<number>;
}

export class HiddenReads {
  /** By thread: what is known of the records that it was last asked with. */
  private readonly last: (Known | undefined)[] = [];

  private known(state: State, agent: number): Known | undefined {
    const known = this.last[agent];
    if (known === undefined || known.kernel !== state.kernel) return undefined;
    const same = known.frames === state.frames && known.locals === state.threads[agent]?.locals;
    return same ? known : undefined;
  }

  has(state: State, agent: number, pc: number): boolean {
    return this.known(state, agent)?.pcs.has(pc) === true;
  }

  /** The read was tried, asked for no choice, and its word is hidden. */
  add(state: State, agent: number, pc: number): void {
    const { kernel, frames, threads } = state;
    const locals = threads[agent]?.locals ?? [];
    const known = this.known(state, agent) ?? { kernel, frames, locals, pcs: new Set() };
    this.last[agent] = known;
    known.pcs.add(pc);
  }
}
