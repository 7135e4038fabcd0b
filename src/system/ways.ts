/**
 * The ways a step may go, tried one after the other, and what is known of its instruction.
 * Leaves out the steps themselves (system.ts).
 */
import { MixedSize, NewCell } from '../kernel/layout.js';
import type { Step } from './system.js';

/** The options of a call; none for any other instruction. */
export function kindOf(instruction: { op: string } | undefined): {
  options: Readonly<Record<string, number>>;
  sync: boolean;
} {
  const call = instruction as { options?: Record<string, number>; sync?: boolean } | undefined;
  return { options: call?.options ?? {}, sync: call?.sync ?? false };
}

/** Where one way of a step takes a liberty, the others are plain alternatives to it. */
export function markAlternatives(steps: Step[], first: number): void {
  const group = steps.slice(first);
  if (!group.some((each) => each.will === 'liberty')) return;
  group.forEach((each, i) => {
    if (each.will === 'must') steps[first + i] = { ...each, will: 'plain' };
  });
}

/** Runs a step; what it meets for the first time remembers the instruction. */
export function placed<T>(site: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof NewCell || error instanceof MixedSize) error.site = site;
    throw error;
  }
}

/** Next sequence of choices, last one fastest; false when all were tried. */
export function advance(taken: number[], ways: readonly number[]): boolean {
  while (taken.length > 0) {
    const last = taken.length - 1;
    const next = (taken[last] ?? 0) + 1;
    if (next < (ways[last] ?? 1)) {
      taken[last] = next;
      return true;
    }
    taken.pop();
  }
  return false;
}
