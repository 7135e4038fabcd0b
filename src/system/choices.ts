/**
 * The choices inside a step: it asks for one with `choose(n)`, and is run again for every sequence
 * of answers, the last one fastest. Where one way takes a liberty, the others are plain
 * alternatives to it.
 * Leaves out: what there is to choose (kernel/, machine/).
 */
import type { KernelContext } from '../kernel/context.js';
import { MixedSize, NewCell } from '../kernel/layout.js';
import type { Thread } from './state.js';
import type { Step } from './system.js';

/** Sequences of answers, one after the other, the last answer fastest. */
export class Choices {
  private readonly taken: number[] = [];
  private readonly ways: number[] = [];
  /** So many answers are given; those behind them are of an earlier run. */
  private given = 0;
  private asked = 0;

  /** A number from 0 to `ways` - 1. */
  readonly choose = (ways: number): number => {
    const at = this.asked++;
    this.ways[at] = ways;
    if (at >= this.given) {
      this.taken[at] = 0;
      this.given = at + 1;
    }
    return this.taken[at] ?? 0;
  };

  /** The step has asked, in this run of it. */
  get made(): boolean {
    return this.asked > 0;
  }

  /** Before a step is run for the first time. */
  begin(): void {
    this.asked = 0;
    this.given = 0;
  }

  /** After a run: false when all sequences were tried; else the step is to be run again. */
  another(): boolean {
    const { taken, ways } = this;
    this.given = this.asked;
    this.asked = 0;
    for (; this.given > 0; this.given--) {
      const last = this.given - 1;
      const next = (taken[last] ?? 0) + 1;
      if (next >= (ways[last] ?? 1)) continue;
      taken[last] = next;
      return true;
    }
    return false;
  }
}

/** Where one way of a step takes a liberty, the others are plain alternatives to it. */
export function markAlternatives(steps: Step[], first: number): void {
  let open = false;
  for (let i = first; i < steps.length; i++) open ||= steps[i]?.will === 'liberty';
  for (let i = first; open && i < steps.length; i++) {
    const each = steps[i];
    if (each?.will === 'must') steps[i] = { ...each, will: 'plain' };
  }
}

/** Runs a step; what it meets for the first time remembers the instruction. */
export function placed(
  site: number,
  context: KernelContext,
  run: (context: KernelContext) => Thread | null,
): Thread | null {
  try {
    return run(context);
  } catch (error) {
    if (error instanceof NewCell || error instanceof MixedSize) error.site = site;
    throw error;
  }
}
