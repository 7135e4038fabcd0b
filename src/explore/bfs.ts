/**
 * Plain breadth-first exploration: every reachable state, and for every finding the first, hence
 * shortest, step sequence that shows it. A run goes on after a finding.
 * Leaves out: reductions, parallelism, packed states: this is the readable reference.
 */
import type { Model, Will } from './model.js';

export interface Limits {
  readonly maxStates: number;
  readonly maxSeconds: number;
  readonly maxMemoryBytes: number;
}

export interface ExploreOptions<F> {
  readonly limits: Limits;
  /** `reverse` tries the steps of a state last to first: same findings, same lengths. */
  readonly order?: 'forward' | 'reverse';
  /** Keeps the edges, for questions about cycles. */
  readonly keepGraph?: boolean;
  /** Steps with such a finding are not taken: is there a way round it? */
  readonly avoid?: (finding: F) => boolean;
  /** Stops at the first complete state. */
  readonly untilComplete?: boolean;
  /** Stops behind the first state with a finding: its run is as short as any. */
  readonly untilFound?: boolean;
  /** Stops as soon as all of these were found, by name. */
  readonly untilAll?: ReadonlySet<string>;
  /** Wall clock in seconds, for the limit. */
  readonly now: () => number;
  /** Called now and then; true stops the exploration. */
  readonly tick?: (states: number, transitions: number, found: number) => boolean;
}

export interface Found<F> {
  readonly finding: F;
  /** The state before the step, and the index of the step among its successors. */
  readonly state: number;
  readonly action: number;
  readonly depth: number;
}

/** Edges as flat triples: from, to, index of the will in WILLS. */
export const WILLS: readonly Will[] = ['must', 'free', 'liberty', 'plain'];

export interface Graph {
  readonly edges: ArrayLike<number>;
}

/** What sets of states tell of an exploration. */
export interface BySetsFound {
  /** Of all findings, also where their runs were not asked for. */
  readonly names: ReadonlySet<string>;
  readonly points: number;
  /** States of a point, at most. */
  readonly largest: number;
  /** Points taken up another time because more of their states turned up. */
  readonly again: number;
}

export interface Exploration<S, F> {
  readonly stopped: 'states' | 'seconds' | 'memory' | 'interrupted' | null;
  readonly states: number;
  readonly transitions: number;
  readonly found: ReadonlyMap<string, Found<F>>;
  readonly completeStates: readonly number[];
  readonly graph: Graph | null;
  /** Threads that joined in; absent: none. */
  readonly joined?: number;
  /** How it was made by sets: states and transitions are then those of the whole. */
  readonly bySets?: BySetsFound;
  /** Why it was not, where that was tried. */
  readonly notBySets?: string;
  /** Step indices that lead from an initial state to a state; the initial state's index first. */
  path(state: number): { readonly initial: number; readonly actions: readonly number[] };
  /** The states themselves; only with keepGraph. */
  stateAt(index: number): S | undefined;
}

/** Bytes a visited state costs: its key, its map entry, three numbers; measured, rounded up. */
const STATE_OVERHEAD_BYTES = 160;
const CHECK_EVERY = 256;

class Search<S, F> {
  readonly indexOf = new Map<string, number>();
  readonly parent: number[] = [];
  readonly action: number[] = [];
  readonly depth: number[] = [];
  readonly found = new Map<string, Found<F>>();
  readonly completeStates: number[] = [];
  readonly edges: number[] = [];
  readonly queue: (S | undefined)[] = [];
  transitions = 0;
  bytes = 0;

  constructor(
    readonly model: Model<S, F>,
    readonly options: ExploreOptions<F>,
  ) {}

  visit(state: S, parent: number, action: number, depth: number): number {
    const key = this.model.key(state);
    const known = this.indexOf.get(key);
    if (known !== undefined) return known;
    const index = this.parent.length;
    this.indexOf.set(key, index);
    this.parent.push(parent);
    this.action.push(action);
    this.depth.push(depth);
    this.queue.push(state);
    this.bytes += STATE_OVERHEAD_BYTES + 2 * key.length;
    return index;
  }

  expand(index: number, state: S): void {
    const steps = this.model.successors(state);
    const last = steps.length - 1;
    for (let i = 0; i <= last; i++) {
      const action = this.options.order === 'reverse' ? last - i : i;
      const step = steps[action];
      if (step === undefined) continue;
      this.transitions++;
      if (this.options.avoid !== undefined && step.findings.some(this.options.avoid)) continue;
      const depth = (this.depth[index] ?? 0) + 1;
      for (const finding of step.findings) {
        const name = this.model.name(finding);
        if (!this.found.has(name)) this.found.set(name, { finding, state: index, action, depth });
      }
      const next = this.visit(step.next, index, action, depth);
      if (this.options.keepGraph) this.edges.push(index, next, WILLS.indexOf(step.will));
    }
  }

  limitHit(started: number): 'states' | 'seconds' | 'memory' | 'interrupted' | null {
    const { limits, now, tick } = this.options;
    if (this.parent.length > limits.maxStates) return 'states';
    if (this.bytes > limits.maxMemoryBytes) return 'memory';
    if (now() - started > limits.maxSeconds) return 'seconds';
    const { found, transitions } = this;
    return tick?.(this.parent.length, transitions, found.size) ? 'interrupted' : null;
  }
}

/** False when there is nothing to wait for. */
export function hasAll(
  found: ReadonlyMap<string, unknown>,
  wanted: ReadonlySet<string> | undefined,
): boolean {
  if (wanted === undefined || found.size < wanted.size) return false;
  return [...wanted].every((name) => found.has(name));
}

export function explore<S, F>(model: Model<S, F>, options: ExploreOptions<F>): Exploration<S, F> {
  const search = new Search(model, options);
  const started = options.now();
  for (const [i, state] of model.initial().entries()) search.visit(state, -1 - i, -1, 0);
  let stopped: Exploration<S, F>['stopped'] = null;
  for (let index = 0; index < search.queue.length; index++) {
    const state = search.queue[index];
    if (state === undefined) continue;
    if (search.parent.length > options.limits.maxStates || index % CHECK_EVERY === 0) {
      stopped = search.limitHit(started);
      if (stopped !== null) break;
    }
    if (!options.keepGraph) search.queue[index] = undefined;
    if (model.complete(state)) {
      search.completeStates.push(index);
      if (options.untilComplete) break;
    }
    search.expand(index, state);
    if (options.untilFound && search.found.size > 0) break;
    if (hasAll(search.found, options.untilAll)) break;
  }
  return result(search, stopped);
}

function result<S, F>(
  search: Search<S, F>,
  stopped: Exploration<S, F>['stopped'],
): Exploration<S, F> {
  const { parent, action, found, completeStates, queue, transitions, edges, options } = search;
  return {
    stopped,
    states: parent.length,
    transitions,
    found,
    completeStates,
    graph: options.keepGraph ? { edges } : null,
    path: (state) => {
      const actions: number[] = [];
      let at = state;
      while ((parent[at] ?? -1) >= 0) {
        actions.push(action[at] ?? 0);
        at = parent[at] ?? -1;
      }
      return { initial: -1 - (parent[at] ?? -1), actions: actions.reverse() };
    },
    stateAt: (index) => queue[index],
  };
}
