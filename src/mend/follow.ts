/**
 * Does a run still exist in another variant? Its steps are made there one by one, with what edits
 * inserted in between at will and what they took away left out. This spares exploring most sets
 * of edits, and is where a search spends most of its time.
 * Leaves out: runs that fetch lines into another processor's cache; such a run counts as gone.
 */
import { ScenarioError } from '../kernel/args.js';
import { MixedSize, NewCell } from '../kernel/layout.js';
import { firstPosted } from '../kernel/posted.js';
import { isCopy } from '../system/instruction-traits.js';
import type { State } from '../system/state.js';
import { type Group, type Step, System } from '../system/system.js';
import { libertiesOf } from '../verdict/check.js';
import { Facts } from '../verdict/recorder.js';
import {
  type Counterexample,
  changeOf,
  type InInit,
  type Label,
  lineName,
  wordsOf,
} from './counterexample.js';
import type { Variant } from './variant.js';

/** States looked at before a run counts as gone; then the variant is explored instead. */
const REPLAY_STATES_MAX = 4000;

/** What becomes of a run in another variant; `senseless`: a step of it makes no sense there. */
export type Fate = 'exists' | 'gone' | 'senseless';

/**
 * Looks for the run in another variant, on the platform of the run. `exists` is a proof: the run
 * was made.
 */
export function follow(given: Variant, run: Counterexample): Fate {
  const variant = given.on(run.variant.platform);
  if (!run.replayable || variant === null) return 'gone';
  const known = new Set(variant.origins);
  const gone = run.labels.map(({ kind, origin }) => kind !== 'cache' && !known.has(origin));
  for (;;) {
    try {
      return exists(variant, run, gone) ? 'exists' : 'gone';
    } catch (error) {
      if (error instanceof ScenarioError || error instanceof MixedSize) return 'senseless';
      if (!(error instanceof NewCell)) return 'gone';
      if (variant.layout.cells.length > run.variant.layout.cells.length + 64) return 'gone';
      try {
        variant.layout.add(error.buffer, error.byte, error.size);
      } catch {
        return 'senseless';
      }
    }
  }
}

function exists(variant: Variant, run: Counterexample, gone: readonly boolean[]): boolean {
  const { inInit } = run;
  if (inInit !== null && startsAlike(variant, run, inInit)) {
    const found = new Follower(variant, run, gone).from(inInit);
    // Ranges that init went over would be unknown to the layout.
    if (!variant.layout.hasRanges) return found;
  }
  return new Follower(variant, run, gone).run();
}

/** Up to the end of init the variant is what the run was made in, word for word. */
function startsAlike(variant: Variant, { variant: own }: Counterexample, inInit: InInit): boolean {
  const [here, there] = [variant.program, own.program];
  return (
    variant.text.startsWith(inInit.text) &&
    here.init.code.length === there.init.code.length &&
    here.threads.length === there.threads.length &&
    here.handles.length === there.handles.length &&
    here.handles.every((name, i) => name === there.handles[i]) &&
    wordsOf(variant.layout, variant.origins) === inInit.words
  );
}

/**
 * How far each thread is, and what it and memory hold. Two states of one run that agree in this
 * are nearly always the same; where they are not, a run may be called gone that is not, and its
 * variant is then explored.
 */
function progressOf({ threads, frames }: State): string {
  let text = '';
  for (const { pc, locals, work, entries, early } of threads) {
    text += `${pc}.${work.length}.${early.length}.`;
    if (locals.length > 0) text += JSON.stringify(locals);
    if (entries.length > 0) text += JSON.stringify(entries);
  }
  for (const { lines } of frames) {
    for (const { state, dram, copy } of lines) text += ` ${state}${dram.join()}/${copy.join()}`;
  }
  return text;
}

class Follower {
  private readonly system: System;
  private readonly seen = new Set<string>();
  private readonly agents = new Map<string, number>();

  constructor(
    private readonly variant: Variant,
    private readonly target: Counterexample,
    private readonly gone: readonly boolean[],
  ) {
    const liberties = new Set<string>(libertiesOf(variant.program));
    this.system = new System(variant.program, variant.layout, liberties, new Facts(), false);
    this.system.sites.threads.forEach(({ name }, agent) => {
      this.agents.set(name, agent);
    });
  }

  run(): boolean {
    return this.system.initial().some((state) => this.follow(state, 0));
  }

  /** From where init was about to end: other threads have not begun there. */
  from({ state, at }: InInit): boolean {
    return this.system.initial().some((initial) => {
      const [init] = state.threads;
      if (init === undefined) return false;
      return this.follow({ ...state, threads: initial.threads.with(0, init) }, at);
    });
  }

  /** Depth first, the run's own steps before inserted ones. */
  private follow(first: State, from: number): boolean {
    const stack: { state: State; at: number }[] = [{ state: first, at: from }];
    for (let states = 0; states < REPLAY_STATES_MAX; states++) {
      const top = stack.pop();
      if (top === undefined) break;
      // Where there was no other way there is none to meet again.
      if (stack.length > 0 || this.seen.size > 0) {
        const key = `${top.at} ${progressOf(top.state)}`;
        if (this.seen.has(key)) continue;
        this.seen.add(key);
      }
      if (this.expand(top.state, top.at, stack)) return true;
    }
    return false;
  }

  private expand(state: State, at: number, stack: { state: State; at: number }[]): boolean {
    const label = this.target.labels[at];
    if (label === undefined) return false;
    if (this.gone[at] === true) stack.push({ state, at: at + 1 });
    for (const group of this.inserted(state)) {
      for (const { next, site } of this.system.stepsOf(state, group)) {
        if (this.isNew(site)) stack.push({ state: next, at });
      }
    }
    const isLast = at === this.target.labels.length - 1;
    for (const group of this.own(state, label)) {
      for (const step of this.system.stepsOf(state, group)) {
        if (!this.isLabelled(state, step, group, label)) continue;
        if (isLast && this.isSame(step)) return true;
        stack.push({ state: step.next, at: at + 1 });
      }
    }
    return false;
  }

  /** Steps that belong to what edits inserted. */
  private inserted({ threads, kernel }: State): readonly Group[] {
    const found: Group[] = [];
    threads.forEach((thread, agent) => {
      if (thread.pc >= 0 && this.isNew(this.siteOf(thread, agent))) {
        found.push({ kind: 'thread', agent, at: 0 });
      }
      thread.entries.forEach((entry, at) => {
        if (this.isNew(entry.at)) found.push({ kind: 'drain', agent, at });
      });
    });
    for (const agent of this.system.sites.barDevices) {
      const write = firstPosted(kernel.posted, agent);
      if (write !== undefined && this.isNew(write.store.at)) {
        found.push({ kind: 'posted', agent, at: 0 });
      }
    }
    return found;
  }

  private isNew(site: number): boolean {
    return this.variant.origins[site]?.startsWith('n') === true;
  }

  /** The instruction that a thread is at, or in. */
  private siteOf({ work, site, pc }: State['threads'][number], agent: number): number {
    return work.length > 0 ? site : this.system.sites.of(agent, pc);
  }

  /** Steps that may be the run's next one. */
  private own(state: State, { kind, agent: name, origin }: Label): readonly Group[] {
    if (kind === 'cache') return this.changesOf(state, name);
    const agent = this.agents.get(name) ?? -1;
    const site = this.variant.siteOf.get(origin) ?? -1;
    const thread = state.threads[agent];
    if (thread === undefined || site < 0) return [];
    if (kind === 'drain') return this.drainsOf(state, agent, site);
    if (thread.pc < 0) return [];
    const found: Group[] = [];
    const { instruction, pc } = this.system.sites.at(site) ?? { instruction: undefined, pc: -1 };
    // Where it stands a thread reads nothing early but the later words of a copy, or of a loop.
    const isEarly = pc !== thread.pc || (instruction !== undefined && isCopy(instruction));
    if (isEarly) found.push({ kind: 'early', agent, at: pc });
    // A load that was put off is made when it is due, wherever the thread stands by then.
    const isDue = thread.delayed.some((load) => load.pc === pc);
    if (isDue || this.siteOf(thread, agent) === site) found.push({ kind: 'thread', agent, at: 0 });
    return found;
  }

  private drainsOf({ threads, kernel }: State, agent: number, site: number): readonly Group[] {
    const found: Group[] = [];
    threads[agent]?.entries.forEach((entry, at) => {
      if (entry.at === site) found.push({ kind: 'drain', agent, at });
    });
    for (const device of this.system.sites.barDevices) {
      const write = firstPosted(kernel.posted, device);
      if (write?.store.at === site && write.agent === agent) {
        found.push({ kind: 'posted', agent: device, at: 0 });
      }
    }
    return found;
  }

  private changesOf(state: State, name: string): readonly Group[] {
    return state.frames.flatMap(({ lines }, agent) =>
      lines.flatMap((_, at): readonly Group[] => {
        const isIt = lineName(this.variant, this.system, state, agent, at) === name;
        return isIt ? [{ kind: 'cache', agent, at }] : [];
      }),
    );
  }

  private isLabelled(state: State, step: Step, { kind, agent, at }: Group, label: Label): boolean {
    if (kind === 'cache') return changeOf(state, step.next, agent, at) === label.origin;
    return this.variant.origins[step.site] === label.origin;
  }

  private isSame(step: Step): boolean {
    return step.findings.some((finding) => {
      const thread = this.system.sites.threads[finding.agent]?.name ?? '?';
      const name = `${finding.id}|${thread}|${this.variant.origins[finding.site]}`;
      return name === this.target.name;
    });
  }
}
