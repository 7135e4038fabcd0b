/**
 * An exploration that other threads join when it has become large: hands it over to a leading
 * thread's rounds (lead.ts) and takes it back, complete or to be gone on with by one thread.
 * Leaves out: threads, and which of them have nothing else to do.
 */
import { type Found, hasAll } from '../explore/bfs.js';
import type { RawFinding } from '../kernel/context.js';
import type { System } from '../system/system.js';
import type { Options } from './explore.js';
import { Lead, type Led } from './lead.js';
import type { IntList, StateStore } from './store.js';
import type { Tables } from './tables.js';
import { findingOf } from './tables-text.js';
import { Member } from './team.js';
import { C, controlOf, makeTeam, type TeamMemory, type TeamWay } from './team-memory.js';

/** Other threads, as far as an exploration knows them. */
export interface TeamSource {
  /** An exploration of so many states is worth it. */
  readonly from: number;
  /** A round of fewer states is not. */
  readonly soloStates: number;
  /** Some thread has nothing else to do. */
  readonly idle: boolean;
  /** For tests: no state is taken up before a thread has come; or none has to come at all. */
  readonly eager: 'waits' | 'alone' | null;
  /** Threads are to come; those that have something else to do, later. */
  call(memory: TeamMemory, way: TeamWay): void;
  /** One of those that came is gone. */
  readonly lost: boolean;
}

/** What one thread has, and gets back. */
export interface Alone {
  readonly store: StateStore;
  readonly parent: IntList;
  readonly action: IntList;
  readonly edges: IntList;
  readonly completeStates: number[];
  readonly found: Map<string, Found<RawFinding>>;
  transitions: number;
  at: number;
  depthOf(state: number): number;
}

/** More states have no place in an array of 2^32 words. */
const STATES_MAX = 2 ** 27;
/** What a state takes at least. */
const STATE_BYTES = 48;
/** What a step takes: from where to where, and whether it has to be. */
const STEP_BYTES = 12;
const waitMs = 50;
const WAITS_MAX = 400;

export class Together {
  private memory: TeamMemory | null = null;
  private isOver: boolean;
  /** Threads that came. */
  joined = 0;

  constructor(
    private readonly source: TeamSource,
    private readonly tables: Tables,
    private readonly system: System,
    private readonly options: Options,
    private readonly leafBytes: number,
  ) {
    const { avoid, untilComplete, keeper } = options;
    const own = avoid !== undefined || untilComplete === true || keeper !== undefined;
    this.isOver = own || tables.sharing === null;
  }

  /** Null: nobody has come yet. Else how it ended; `alone`: it is to be gone on with. */
  explore(alone: Alone, started: number): Led['outcome'] | null {
    const { source, tables } = this;

    if (this.isOver || alone.store.count < source.from) return null;
    if (tables.sharing === null || tables.sharing.isOver) return null;
    const way: TeamWay = {
      order: this.options.order ?? 'forward',
      keepGraph: this.options.keepGraph === true,
      places: alone.store.saved.places,
    };
    if (this.memory === null) {
      if (!source.idle) return null;
      this.memory = this.make();
      if (this.memory === null) return null;
      source.call(this.memory, way);
    }
    const control = controlOf(this.memory);
    for (let i = 0; source.eager === 'waits' && i < WAITS_MAX && !source.lost; i++) {
      if (Atomics.wait(control, C.JOINED, 0, waitMs) !== 'timed-out') break;
    }
    if (Atomics.load(control, C.JOINED) === 0 && source.eager !== 'alone') return null;
    this.isOver = true;
    return this.lead(this.memory, way, alone, started);
  }

  /** Nobody is to come any more; to be called in the end. */
  close(): void {
    if (this.memory === null || this.isOver) return;
    Atomics.store(controlOf(this.memory), C.JOINED, -1_000_000);
  }

  private make(): TeamMemory | null {
    const { maxStates, maxMemoryBytes } = this.options.limits;
    const states = Math.min(maxStates, maxMemoryBytes / STATE_BYTES, STATES_MAX);
    try {
      const bytes = this.options.keepGraph === true ? maxMemoryBytes : 0;
      return makeTeam(Math.ceil(states) + 1, Math.floor(bytes / STEP_BYTES));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.isOver = true;
      return null;
    }
  }

  private lead(memory: TeamMemory, way: TeamWay, alone: Alone, started: number): Led['outcome'] {
    const { tables, system, options } = this;
    const { environment } = system;
    const before = { asked: environment?.asked ?? 0, leftOut: environment?.leftOut ?? 0 };
    const member = new Member(memory, tables, system, way);
    const { store, at } = alone;
    const { saved, count } = store;
    member.words.set(saved.words);
    member.parent.set(alone.parent.used);
    member.action.set(alone.action.used);
    member.edges.set(alone.edges.used);
    const lead = new Lead(
      member,
      {
        limits: options.limits,
        now: options.now,
        started,
        tick: (...known) => options.tick?.(...known) ?? false,
        lost: () => this.source.lost,
        enough: (found) => {
          const all = new Map<string, unknown>([...alone.found, ...found]);
          return (options.untilFound === true && all.size > 0) || hasAll(all, options.untilAll);
        },
        leafBytes: this.leafBytes,
        soloStates: this.source.soloStates,
      },
      { at, count, transitions: alone.transitions, places: saved.places },
    );
    const led = lead.run();
    this.joined = led.joined;
    if (environment !== null) {
      environment.asked = before.asked + led.asked;
      environment.leftOut = before.leftOut + led.leftOut;
    }
    this.takeBack(alone, member, led, at);
    return led.outcome;
  }

  private takeBack(alone: Alone, member: Member, led: Led, from: number): void {
    const { count, places, outcome, transitions } = led;
    const { store, parent, action, edges } = alone;
    const words = member.words.subarray(0, member.width * count);
    const lists = [
      [parent, member.parent, count],
      [action, member.action, count],
      [edges, member.edges, member.way.keepGraph ? 3 * transitions : 0],
    ] as const;
    if (outcome === 'alone') store.restore(places, words, count);
    else store.adopt(places, words, count);
    for (const [list, items, length] of lists) {
      if (outcome === 'alone') list.fill(items.subarray(0, length));
      else list.adopt(items, length);
    }
    alone.at = led.at;
    alone.transitions = transitions;
    for (let state = from; state < led.at; state++) {
      if (member.ended[state] === 1) alone.completeStates.push(state);
    }
    for (const [name, { finding, state, action: step }] of led.found) {
      if (alone.found.has(name)) continue;
      const depth = alone.depthOf(state) + 1;
      alone.found.set(name, { finding: findingOf(finding), state, action: step, depth });
    }
  }
}
