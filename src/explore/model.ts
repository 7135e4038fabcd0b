/**
 * All that the explorer knows of a problem. Whatever it explores (a scenario, a toy in a test)
 * answers these questions; the explorer knows no domain word.
 */
/**
 * `must`: happens some time. `free`: the machine need never take it (an eviction, a fill).
 * `liberty` and `plain` are alternatives of one step: one that takes a liberty, and one that does
 * not where another could; the machine may choose the same way for ever.
 */
export type Will = 'must' | 'free' | 'liberty' | 'plain';

export interface Transition<S, F> {
  readonly next: S;
  /** What was found in this step; empty nearly always. */
  readonly findings: readonly F[];
  /** What kind of step it is when asking whether a loop can end (H12). */
  readonly will: Will;
}

export interface Model<S, F> {
  initial(): readonly S[];
  /** In an order that depends on the state alone, so that an index names a step. */
  successors(state: S): readonly Transition<S, F>[];
  /** Equal keys mean equal states; exact, never a hash. */
  key(state: S): string;
  /** Everything has run to its end. */
  complete(state: S): boolean;
  /** Names a finding: two with one name are the same finding. */
  name(finding: F): string;
}
