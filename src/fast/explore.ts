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
import { exploreBySets, type SetsWay, type Whole } from './whole.js';

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
  /** It may be made by sets when it is large. */
  readonly sets?: SetsWay | undefined;
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
  /** All there is, or why sets did not find it; null: not tried. */
  whole: Whole | string | null = null;
  /** What ends have shown, while that is waited for. */
  private readonly shown = new Set<string>();

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
    // What a checkpoint has may be gone on with where sets come to nothing.
    if (options.keepGraph && (!this.isWhole || options.keeper !== undefined)) {
      this.edges.push(state);
      this.edges.push(next);
      this.edges.push(WILLS.indexOf(step.will));
    }
  }

  private get bytes(): number {
    const { store, parent, action, edges } = this;
    const arrays = store.bytes + parent.bytes + action.bytes + edges.bytes;
    return arrays + LEAF_BYTES * this.tables.leaves;
  }

  private limitHit(started: number): Stopped {
    const { limits, now, tick } = this.options;
    const { store, bytes } = this;
    if (store.count > limits.maxStates) return 'states';
    if (bytes > limits.maxMemoryBytes) return 'memory';
    if (now() - started > limits.maxSeconds) return 'seconds';
    return tick?.(store.count, this.transitions, this.found.size) ? 'interrupted' : null;
  }

  /** Everything is known, but perhaps not yet the runs to it. */
  get isWhole(): boolean {
    return this.whole !== null && typeof this.whole !== 'string';
  }

  /** Tries sets, when it is time to; true when nothing is left to be done. */
  private bySets(started: number): boolean {
    const { options, store, tables, system } = this;
    const { sets, limits } = options;
    if (sets === undefined || this.whole !== null) return false;
    if (store.count < sets.from || store.count > limits.maxStates) return false;
    const left = {
      seconds: limits.maxSeconds - (options.now() - started),
      bytes: limits.maxMemoryBytes - this.bytes,
    };
    const first = this.read(0).slice();
    this.whole = exploreBySets(tables, system, first, options, left, LEAF_BYTES);
    this.values = -1;
    for (const state of this.completeStates) this.note(state);
    return this.hasMetAll();
  }

  /** Every finding has been met, and a state for everything that ends show. */
  private hasMetAll(): boolean {
    const { whole } = this;
    if (whole === null || typeof whole === 'string') return false;
    if (!hasAll(this.found, whole.findings)) return false;
    return [...whole.shown].every((name) => this.shown.has(name));
  }

  /** What a state shows in which everything has run to its end. */
  private note(state: number): void {
    const { whole, options } = this;
    if (whole === null || typeof whole === 'string' || whole.shown.size === this.shown.size) return;
    const at = this.stateAt(state);
    for (const name of (at && options.sets?.shows(at)) ?? []) this.shown.add(name);
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
        if (this.bySets(started)) return null;
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
        this.note(state);
        if (options.untilComplete) return null;
      } else this.expand(state);
      if (options.untilFound && this.found.size > 0) return null;
      if (hasAll(this.found, options.untilAll) || this.hasMetAll()) return null;
      this.at++;
    }
    this.compare();
    return null;
  }

  /** All was explored one state at a time after all: then it is what sets found. */
  private compare(): void {
    const { whole, system, store, transitions } = this;
    if (whole === null || typeof whole === 'string') return;
    const all = system.environment === null;
    const differs =
      !this.hasMetAll() ||
      this.found.size !== whole.findings.size ||
      (all && (store.count !== whole.states || transitions !== whole.transitions));
    if (differs) throw new Error('sets and single states differ');
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
  const { found, completeStates, edges, store, whole } = search;
  const plain = {
    stopped,
    found,
    joined: search.joined,
    path: (state: number) => search.path(state),
  };
  if (whole === null || typeof whole === 'string' || stopped !== null) {
    return {
      ...plain,
      states: store.count,
      transitions: search.transitions,
      completeStates,
      notBySets: typeof whole === 'string' ? whole : '',
      graph: options.keepGraph ? { edges: edges.items.subarray(0, edges.length) } : null,
      stateAt: (index) => search.stateAt(index),
    };
  }
  const { states, transitions, ends, findings } = whole;
  const { count } = store;
  return {
    ...plain,
    states,
    transitions,
    // Those met one at a time, which have a run, before those that only sets have met.
    completeStates: [...completeStates, ...ends.map((_, i) => count + i)],
    bySets: { ...whole, names: findings },
    graph: null,
    stateAt: (index) => {
      const end = ends[index - count];
      return end === undefined ? search.stateAt(index) : stateOf(tables, system, end);
    },
  };
}
