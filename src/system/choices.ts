/**
 * The choices inside a step: in which order all sequences of answers are gone through, and which of
 * the steps that come of them are alternatives to a liberty.
 * Leaves out: what is chosen.
 */
import type { Will } from '../explore/model.js';

/** Where one way of a step takes a liberty, the others are plain alternatives to it. */
export function markAlternatives<S extends { readonly will: Will }>(
  steps: S[],
  first: number,
): void {
  const group = steps.slice(first);
  if (!group.some((each) => each.will === 'liberty')) return;
  group.forEach((each, i) => {
    if (each.will === 'must') steps[first + i] = { ...each, will: 'plain' };
  });
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
