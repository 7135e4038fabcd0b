/**
 * Breadth-first exploration of a scenario by tables: the same states in the same order as the
 * reference explorer (explore/bfs.ts), hence the same findings, shortest runs and counts, but on
 * packed states.
 * Leaves out: reductions.
 */
import {
  type Exploration,
  type ExploreOptions,
  type Found,
  hasAll,
  WILLS,
} from '../explore/bfs.js';
import type { RawFinding } from '../kernel/context.js';
import type { State } from '../system/state.js';
import type { System } from '../system/system.js';
import { findingAt, pathTo, stateOf } from './restored.js';
import type { Keeper, Snapshot } from './snapshot.js';
import { IntList, StateStore } from './store.js';
import { Steps } from './steps.js';
import type { Tables } from './tables.js';
import { Together, type TeamSource } from './together.js';
import type { TabledStep } from './tree.js';

/**
 * What an answer of the reference engine costs in the tables: 0.8 to 2.4 KiB of heap on scenarios
 * with 200 to 900 of them, measured after a collection; rounded up.
 */
const LEAF_BYTES = 3072;
const CHECK_EVERY = 256;

export type Options = ExploreOptions<RawFinding> & {
  readonly keeper?: Keeper | undefined;
  /** Other threads that may join in. */
  readonly team?: TeamSource | undefined;
};
type Stopped = Exploration<State, RawFinding>['stopped'];

class Search {
  readonly store: StateStore;
  readonly parent = new IntList();
  readonly action = new IntList();
  readonly edges = new IntList();
  readonly completeStates: number[] = [];
  readonly found = new Map<string, Found<RawFinding>>();
  transitions = 0;
  private depth = 0;
  private layerEnd = 1;
  /** The next state to expand. */
  at = 0;
  private ids: Int32Array;
  private values = 0;
  private readonly liberties: number;
  private readonly steps: Steps;
  private readonly team: Together | null;

  constructor(
    readonly tables: Tables,
    readonly system: System,
    readonly options: Options,
  ) {
    const { team } = options;
    this.team = team ? new Together(team, tables, system, options, LEAF_BYTES) : null;
    this.steps = new Steps(tables, system.environment);
    this.liberties = tables.libertiesOf(system.liberties);
    this.ids = new Int32Array(tables.parts.names.length);
    for (const [component, text] of tables.initial) {
      this.ids[component] = tables.local(component).id(text);
    }
    this.store = new StateStore(tables.sizes());
    this.values = tables.values;
    this.store.add(this.ids);
    this.parent.push(-1);
    this.action.push(-1);
    const resume = options.keeper?.resume ?? null;
    if (resume !== null) this.restore(resume);
  }

  private restore({ position, arrays }: Snapshot): void {
    const { places, count, transitions, depth, layerEnd, next, found } = position;
    this.store.restore(places, arrays.words, count);
    this.parent.fill(arrays.parent);
    this.action.fill(arrays.action);
    this.edges.fill(arrays.edges);
    for (const state of arrays.completeStates) this.completeStates.push(state);
    this.transitions = transitions;
    this.depth = depth;
    this.layerEnd = layerEnd;
    this.at = next;
    for (const [name, state, action, deep] of found) {
      const finding = findingAt(this.system, name, this.path(state), action);
      this.found.set(name, { finding, state, action, depth: deep });
    }
  }

  private save(stopped: boolean): void {
    const { keeper } = this.options;
    if (keeper === undefined) return;
    const { store, parent, action, edges, transitions, depth, layerEnd, at: next } = this;
    const { places, words } = store.saved;
    const found = [...this.found].map(
      ([name, each]) => [name, each.state, each.action, each.depth] as const,
    );
    const completeStates = Int32Array.from(this.completeStates);
    keeper.save(
      {
        position: { places, count: store.count, transitions, depth, layerEnd, next, found },
        arrays: {
          words,
          parent: parent.used,
          action: action.used,
          edges: edges.used,
          completeStates,
        },
      },
      stopped,
    );
  }

  /** Unpacks a state; the array is good until the next call. */
  read(state: number): Int32Array {
    const { tables } = this;
    if (this.ids.length < tables.parts.names.length) {
      this.ids = new Int32Array(tables.parts.names.length);
    }
    this.store.read(state, this.ids);
    this.ids[tables.liberties] = this.liberties;
    return this.ids;
  }

  expand(state: number): void {
    const { tables, options, store } = this;
    const steps = this.steps.of(this.ids);
    if (tables.values !== this.values) {
      this.values = tables.values;
      store.fit(tables.sizes());
    }
    const last = steps.length - 1;
    for (let i = 0; i <= last; i++) {
      const action = options.order === 'reverse' ? last - i : i;
      const step = steps[action];
      if (step !== undefined) this.take(state, action, step);
    }
  }

  private take(state: number, action: number, step: TabledStep): void {
    const { options, store } = this;
    this.transitions++;
    if (step.findings.length > 0) {
      if (options.avoid !== undefined && step.findings.some(options.avoid)) return;
      const depth = this.depth + 1;
      for (const finding of step.findings) {
        const name = this.system.name(finding);
        if (!this.found.has(name)) this.found.set(name, { finding, state, action, depth });
      }
    }
    const before = store.count;
    const next = store.step(state, step.components, step.ids);
    if (next === before) {
      this.parent.push(state);
      this.action.push(action);
    }
    if (options.keepGraph) {
      this.edges.push(state);
      this.edges.push(next);
      this.edges.push(WILLS.indexOf(step.will));
    }
  }

  private limitHit(started: number): Stopped {
    const { limits, now, tick } = this.options;
    const { store, parent, action, edges } = this;
    const arrays = store.bytes + parent.bytes + action.bytes + edges.bytes;
    const bytes = arrays + LEAF_BYTES * this.tables.leaves;
    if (store.count > limits.maxStates) return 'states';
    if (bytes > limits.maxMemoryBytes) return 'memory';
    if (now() - started > limits.maxSeconds) return 'seconds';
    return tick?.(store.count, this.transitions, this.found.size) ? 'interrupted' : null;
  }

  run(): Stopped {
    try {
      const stopped = this.explore();
      this.save(stopped !== null);
      return stopped;
    } finally {
      this.team?.close();
    }
  }

  private explore(): Stopped {
    const { options, store, tables } = this;
    const started = options.now();
    while (this.at < store.count) {
      const state = this.at;
      if (state === this.layerEnd) {
        this.depth++;
        this.layerEnd = store.count;
      }
      if (store.count > options.limits.maxStates || state % CHECK_EVERY === 0) {
        const stopped = this.limitHit(started);
        if (stopped !== null) return stopped;
        if (options.keeper?.due() === true) this.save(false);
        const led = this.team?.explore(this, started) ?? null;
        if (led === 'alone') {
          this.findLayer();
          continue;
        }
        if (led !== null) return led === 'complete' ? null : led;
      }
      if (tables.isComplete(this.read(state))) {
        this.completeStates.push(state);
        if (options.untilComplete) return null;
      } else this.expand(state);
      if (options.untilFound && this.found.size > 0) return null;
      if (hasAll(this.found, options.untilAll)) return null;
      this.at++;
    }
    return null;
  }

  /** Where the layer of the next state ends. */
  private findLayer(): void {
    this.depth = this.depthOf(this.at);
    let [low, high] = [this.at, this.store.count];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.depthOf(middle) > this.depth) high = middle;
      else low = middle;
    }
    this.layerEnd = high;
  }

  /** Threads that joined in. */
  get joined(): number {
    return this.team?.joined ?? 0;
  }

  depthOf(state: number): number {
    return this.path(state).actions.length;
  }

  path(state: number): { initial: number; actions: readonly number[] } {
    return pathTo(this.parent.items, this.action.items, state);
  }

  stateAt(index: number): State | undefined {
    if (index < 0 || index >= this.store.count) return undefined;
    return stateOf(this.tables, this.system, this.read(index));
  }
}

/** Explores with the liberties of `system`, which also names findings and keys states. */
export function exploreTables(
  tables: Tables,
  system: System,
  options: Options,
): Exploration<State, RawFinding> {
  const search = new Search(tables, system, options);
  const stopped = search.run();
  const { found, completeStates, transitions, edges, store } = search;
  return {
    stopped,
    states: store.count,
    transitions,
    found,
    completeStates,
    joined: search.joined,
    graph: options.keepGraph ? { edges: edges.items.subarray(0, edges.length) } : null,
    path: (state) => search.path(state),
    stateAt: (index) => search.stateAt(index),
  };
}
