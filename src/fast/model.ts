/**
 * What the packed engine is asked to explore: a network of components. Each component has a local
 * value; each group of steps says what it does after reading a few of them. The engine finds the
 * local values, tabulates every group and packs states by itself.
 * Leaves out: how the tables are made (tabulate.ts) and searched (search.ts, sweep.ts).
 */

/** A component's local value; equal JSON text means equal value. */
export type Local = string | number | readonly Local[];

/** What a step makes of one component: a value, or a function of the component's old value. */
export interface Write {
  readonly component: number;
  readonly to: Local | ((old: Local) => Local);
}

export interface NetworkStep {
  readonly writes: readonly Write[];
  /** Name of what is found in this step; '' for nothing. */
  readonly finding: string;
}

export interface NetworkModel {
  /** One name for each component. */
  readonly components: readonly string[];
  initial(): readonly Local[];
  readonly groups: number;
  /**
   * The steps of a group. It may depend on nothing but what `read` returned, and must answer for
   * every combination of values that the components may have one by one, reachable or not.
   * Functions in writes depend on the component's old value alone.
   */
  steps(group: number, read: (component: number) => Local): readonly NetworkStep[];
}
