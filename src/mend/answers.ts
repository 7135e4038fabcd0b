/**
 * Lists of answers: in which order they are told, each once, and what is not proved of them.
 */
import type { CheckResult } from '../verdict/result.js';
import type { Edit } from './edit.js';
import type { Mend } from './outcome.js';
import type { Answer, Found } from './search.js';

/** Of answers that cost the same, first what a driver would do, and what stays in its thread. */
export function usualFirst(answers: readonly Answer[]): readonly Answer[] {
  const usual = ({ edits }: Answer): number => edits.filter((edit) => edit.isUsual).length;
  const away = ({ edits }: Answer): number => edits.filter(leavesThread).length;
  return [...answers].sort(
    (a, b) => usual(b) - usual(a) || a.edits.length - b.edits.length || away(a) - away(b),
  );
}

function leavesThread({ spots }: Edit): boolean {
  return spots.some(({ thread }) => thread !== spots[0]?.thread);
}

/** Operations that have no effect any more (M17), each as often as that is new. */
export function idleAfter(before: CheckResult, after: CheckResult): readonly string[] {
  const idle = ({ notes }: CheckResult): string[] =>
    notes.flatMap(({ kind, operation }) => (kind === 'no-op' ? [operation] : []));
  const known = idle(before);
  return idle(after).filter((operation) => {
    const at = known.indexOf(operation);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}

/**
 * Each text once. What throws data away comes after the others (of its level, unless all levels
 * are alike), and what comes right because a call is made to do nothing comes last.
 */
export function soundFirst(mends: readonly Mend[], areAlike: boolean): readonly Mend[] {
  const each = [...new Map(mends.map((mend) => [mend.text, mend])).values()];
  const isRaw = ({ level }: Mend): number => Number(level === 'raw' && !areAlike);
  return each.sort(
    (a, b) =>
      a.idle.length - b.idle.length || isRaw(a) - isRaw(b) || a.discards.length - b.discards.length,
  );
}

/** Each set of edits once. */
export function distinct(answers: readonly Answer[]): readonly Answer[] {
  const seen = new Set<string>();
  return answers.filter(({ edits }) => {
    const key = edits.map((edit) => edit.id).join(',');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export function doubts(runs: readonly Found[]): string {
  const open = runs.some(
    ({ answers, undecidedCost }) =>
      undecidedCost !== null && undecidedCost <= (answers[0]?.cost ?? undecidedCost),
  );
  if (open) return 'not proved minimal: some cheaper sets of edits were too large to explore';
  const stopped = runs.some(({ ended }) => ['seconds', 'sets', 'interrupted'].includes(ended));
  return stopped ? 'not proved minimal: the search hit a limit' : '';
}

/** How many sets of at most `maxEdits` edits cost less than `bound`, or as much. */
export function countSets(costs: readonly number[], bound: number, maxEdits: number): number {
  const ways = Array.from({ length: maxEdits + 1 }, () => new Map<number, number>());
  ways[0]?.set(0, 1);
  for (const cost of costs) {
    for (let size = maxEdits - 1; size >= 0; size--) {
      for (const [sum, count] of ways[size] ?? []) {
        if (sum + cost > bound) continue;
        const target = ways[size + 1];
        target?.set(sum + cost, (target.get(sum + cost) ?? 0) + count);
      }
    }
  }
  return ways.slice(1).reduce((all, by) => all + [...by.values()].reduce((a, b) => a + b, 0), 0);
}
