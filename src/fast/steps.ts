/**
 * The steps of a state, by tables, in the order of the reference engine; where environment steps
 * are left out, without those of lines that no other step could tell.
 * Leaves out: what becomes of them (explore.ts, team.ts).
 */
import type { Touched } from '../kernel/touched.js';
import { type Environment, isNeeded } from '../system/environment.js';
import type { Tables } from './tables.js';
import type { Ids, Leaf, TabledStep } from './tree.js';

export class Steps {
  private readonly steps: TabledStep[] = [];
  private readonly touched: Touched[] = [];
  private readonly leaves: (Leaf | null)[] = [];

  constructor(
    private readonly tables: Tables,
    /** Null: all steps. */
    private readonly environment: Environment | null,
  ) {}

  /** Good until the next call. Throws what the reference engine throws. */
  of(ids: Ids): readonly TabledStep[] {
    const { tables, steps } = this;
    steps.length = 0;
    tables.takeUp();
    const groups = tables.tables.length;
    if (this.environment === null) {
      for (let group = 0; group < groups; group++) {
        for (const step of tables.steps(group, ids).steps) steps.push(step);
      }
    } else this.ask(groups, ids, this.environment);
    return steps;
  }

  /** Takes up all steps but those of lines that no other step could tell. */
  private ask(groups: number, ids: Ids, environment: Environment): void {
    const { tables, steps, leaves, touched } = this;
    leaves.length = 0;
    touched.length = 0;
    for (let group = 0; group < groups; group++) {
      const own = tables.tables[group]?.group?.kind === 'cache';
      const leaf = own ? null : tables.steps(group, ids);
      leaves.push(leaf);
      if (leaf?.touched) touched.push(leaf.touched);
    }
    leaves.forEach((leaf, group) => {
      const { agent = 0, at = 0 } = tables.tables[group]?.group ?? {};
      if (leaf !== null) {
        for (const step of leaf.steps) steps.push(step);
        return;
      }
      const line = tables.line(ids, agent, at);
      const needed = line && environment.needed(line, agent, at, touched);
      if (needed === null || (needed !== 'all' && needed.size === 0)) return;
      for (const step of tables.steps(group, ids).steps) {
        if (isNeeded(step, needed)) steps.push(step);
      }
    });
  }
}
