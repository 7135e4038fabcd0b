/**
 * Lists of answers: in which order they are told, each once, and what is not proved of them.
 */
import type { CheckResult } from '../verdict/result.js';
import type { Mend } from './outcome.js';
import type { Answer, Found } from './search.js';

/** Of answers that cost the same, first what a driver would do. */
export function usualFirst(answers: readonly Answer[]): readonly Answer[] {
  const usual = ({ edits }: Answer): number => edits.filter((edit) => edit.isUsual).length;
  return [...answers].sort((a, b) => usual(b) - usual(a) || a.edits.length - b.edits.length);
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

/** Each text once; what comes right because a call is made to do nothing comes last. */
export function soundFirst(mends: readonly Mend[]): readonly Mend[] {
  const each = [...new Map(mends.map((mend) => [mend.text, mend])).values()];
  return each.sort((a, b) => a.idle.length - b.idle.length);
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
