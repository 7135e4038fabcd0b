/**
 * The choices inside a step: every sequence of answers is tried, the last one fastest, and where
 * one way takes a liberty the others are plain alternatives to it.
 * Leaves out: what there is to choose (kernel/, machine/).
 */
import { MixedSize, NewCell } from '../kernel/layout.js';
import type { Step } from './system.js';

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
