/**
 * A counterexample: one run of a variant that ends in a hazard, in terms that hold for other
 * variants too. It says which edits can matter to it at all, and whether it still exists when
 * they are made: that is what spares exploring most sets of edits.
 */
import { ScenarioError } from '../kernel/args.js';
import { MixedSize, NewCell } from '../kernel/layout.js';
import { firstPosted } from '../kernel/posted.js';
import type { State } from '../system/state.js';
import { type Group, type Step, System } from '../system/system.js';
import { libertiesOf } from '../verdict/check.js';
import { Facts } from '../verdict/recorder.js';
import type { Run, Sighting } from '../verdict/runs.js';
import type { Edit, Spot } from './edit.js';
import type { Variant } from './variant.js';

/** Groups whose steps are of another kind (system/system.ts). */
const stepKinds: Readonly<Partial<Record<Group['kind'], Step['kind']>>> = {
  early: 'thread',
  posted: 'drain',
};

/** A step by its name. */
interface Label {
  readonly kind: Step['kind'];
  /** The thread; of a step of the cache, the line. */
  readonly agent: string;
  /** Its instruction, or that of the buffer entry; of the cache, the line's states around it. */
  readonly origin: string;
}

/** A step of a thread that the run took. */
interface Passage {
  /** Offset in the user's text; -1 for an inserted statement. */
  readonly offset: number;
  /** The thread's store buffer held something before this step. */
  readonly pending: boolean;
}

/** The thread that all others wait for. */
const INIT = 'init';

export interface Counterexample {
  readonly variant: Variant;
  readonly run: Run;
  readonly sighting: Sighting;
  /** Hazard id, or `assertion`. */
  readonly id: string;
  /** Who met it, and at which instruction. */
  readonly name: string;
  readonly labels: readonly Label[];
  /** Only runs that end in a wrong step can be followed in another variant. */
  readonly replayable: boolean;
  /** Where the memory it is about was allocated, as an offset in the user's text. */
  readonly root: number | null;
  readonly passages: ReadonlyMap<string, readonly Passage[]>;
}

/** Hazards of one word's value: only what reaches that memory, or an order, can mend them. */
const valueHazards: ReadonlySet<string> = new Set(['H1', 'H2', 'H3', 'H4', 'H10', 'H12']);

export function counterexample(variant: Variant, run: Run, sighting: Sighting): Counterexample {
  const { system, exploration } = run;
  const path = exploration.path(sighting.state);
  const actions = sighting.action < 0 ? path.actions : [...path.actions, sighting.action];
  const labels: Label[] = [];
  const passages = new Map<string, Passage[]>();
  let state = system.initial()[path.initial];
  for (const action of actions) {
    const step: Step | undefined = state && system.successors(state)[action];
    if (state === undefined || step === undefined) throw new Error('the run does not replay');
    labels.push(labelOf(variant, system, step, state));
    if (step.kind === 'thread') notePassage(variant, system, step, state, passages);
    state = step.next;
  }
  const cell = sighting.finding?.cell ?? -1;
  const buffer = system.layout.cells[cell]?.buffer;
  return {
    variant,
    run,
    sighting,
    id: sighting.id,
    name: nameOf(variant, system, sighting),
    labels,
    replayable: sighting.action >= 0,
    root: buffer === undefined ? null : rootOf(variant, buffer),
    passages,
  };
}

/**
 * Null for memory that no edit is known to concern: a bounce buffer, say, which stands for what
 * was mapped. Any edit may then matter.
 */
function rootOf(variant: Variant, buffer: number): number | null {
  const offset = oldOffset(variant.origins[buffer] ?? '');
  return offset !== null && variant.roots.has(offset) ? offset : null;
}

/** Offset in the user's text out of `o123#0`; null for text of an edit. */
function oldOffset(origin: string): number | null {
  return origin.startsWith('o') ? Number.parseInt(origin.slice(1), 10) : null;
}

function nameOf(variant: Variant, system: System, { id, finding }: Sighting): string {
  if (finding === null) return id;
  const thread = system.sites.threads[finding.agent]?.name ?? '?';
  return `${id}|${thread}|${variant.origins[finding.site]}`;
}

function notePassage(
  variant: Variant,
  system: System,
  step: Step,
  before: State,
  passages: Map<string, Passage[]>,
): void {
  const thread = system.sites.threads[step.agent]?.name ?? '';
  const list = passages.get(thread) ?? [];
  const offset = oldOffset(variant.origins[step.site] ?? '') ?? -1;
  list.push({ offset, pending: (before.threads[step.agent]?.entries.length ?? 0) > 0 });
  passages.set(thread, list);
}

/** Names a step so that the same step of another variant has the same name. */
function labelOf(variant: Variant, system: System, step: Step, before: State): Label {
  if (step.kind !== 'cache') {
    const agent = system.sites.threads[step.agent]?.name ?? '?';
    return { kind: step.kind, agent, origin: variant.origins[step.site] ?? '?' };
  }
  const at = before.frames.findIndex((frame, i) => frame !== step.next.frames[i]);
  const line = before.frames[at]?.lines.findIndex((each, i) => {
    return each !== step.next.frames[at]?.lines[i];
  });
  return {
    kind: 'cache',
    agent: lineName(variant, system, before, at, line ?? -1),
    origin: changeOf(before, step.next, at, line ?? -1),
  };
}

/** A line by the buffer it belongs to: its allocation, page and number. */
function lineName(
  variant: Variant,
  system: System,
  state: State,
  frame: number,
  line: number,
): string {
  const { buffer, page } = state.frames[frame] ?? { buffer: -1, page: -1 };
  const layout = system.layout.pages(buffer)[system.layout.pageIndex(buffer, page)];
  return `${variant.origins[buffer]} ${page} ${layout?.lines[line]?.line}`;
}

function changeOf(before: State, after: State, frame: number, line: number): string {
  const [from, to] = [before, after].map((each) => each.frames[frame]?.lines[line]?.state);
  return `${from} ${to}`;
}

/** Could the edit change this run at all? False only when the run is surely as before. */
export function touches(edit: Edit, run: Counterexample): boolean {
  if (!edit.spots.some((spot) => passed(spot, run))) return false;
  if (edit.roots === null) {
    if (!edit.orders || !isBarriers(run, edit)) return true;
    return edit.spots.some((spot) => reordered(spot, run));
  }
  if (run.root === null || !valueHazards.has(run.id)) return true;
  if (edit.roots.includes(run.root)) return true;
  return edit.orders && edit.spots.some((spot) => reordered(spot, run));
}

/**
 * The run can be followed step by step, and an order is all the edit changes in it: of the values
 * of known memory, or, for a barrier, of what the kernel's books forbid, which no barrier alters.
 */
function isBarriers(run: Counterexample, { operation }: Edit): boolean {
  if (!run.replayable) return false;
  return valueHazards.has(run.id) || (run.id === 'H11' && operation.endsWith('mb'));
}

/** The run came by: it executed something behind the place, or the statement itself. */
function passed(spot: Spot, run: Counterexample): boolean {
  const steps = run.passages.get(spot.thread) ?? [];
  if (spot.kind === 'statement') {
    return steps.some(({ offset }) => offset >= spot.from && offset < spot.to);
  }
  // What anybody else does stands behind all of init.
  if (spot.thread === INIT && run.labels.at(-1)?.agent !== INIT) return true;
  const from = spot.loopFrom >= 0 ? spot.loopFrom : spot.at;
  return steps.some(({ offset }) => offset >= from);
}

/** A barrier there would have had something to hold back. */
function reordered(spot: Spot, run: Counterexample): boolean {
  const steps = run.passages.get(spot.thread) ?? [];
  if (spot.kind === 'statement' || spot.loopFrom >= 0) return true;
  const first = steps.findIndex(({ offset }) => offset >= spot.at);
  if (first < 0) return false;
  return steps.slice(first).some(({ offset, pending }, i) => {
    return (i === 0 && pending) || (offset >= 0 && offset < spot.at);
  });
}

/** States looked at before a run counts as gone; then the variant is explored instead. */
const REPLAY_STATES_MAX = 4000;

/** What becomes of a run in another variant; `senseless`: a step of it makes no sense there. */
export type Fate = 'exists' | 'gone' | 'senseless';

/**
 * Looks for the run in another variant: its steps in their order, with what edits inserted in
 * between at will and what they took away left out, on the platform of the run. `exists` is a
 * proof: the run was made.
 */
export function follow(given: Variant, run: Counterexample): Fate {
  const variant = given.on(run.variant.platform);
  if (!run.replayable || variant === null) return 'gone';
  const known = new Set(variant.origins);
  const gone = run.labels.map(({ kind, origin }) => kind !== 'cache' && !known.has(origin));
  for (;;) {
    try {
      return new Follower(variant, run, gone).run() ? 'exists' : 'gone';
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

/**
 * How far each thread is, and what it and memory hold. Two states of one run that agree in this
 * are nearly always the same; where they are not, a run may be called gone that is not, and its
 * variant is then explored.
 */
function progressOf({ threads, frames }: State): string {
  const parts = threads.map(
    ({ pc, locals, work, entries, early }) =>
      `${pc}.${work.length}.${locals.length === 0 ? '' : JSON.stringify(locals)}.` +
      `${entries.length === 0 ? '' : JSON.stringify(entries)}.${early.length}`,
  );
  const lines = frames.flatMap((frame) =>
    frame.lines.map(({ state, dram, copy }) => `${state}${dram.join()}/${copy.join()}`),
  );
  return `${parts.join(' ')} ${lines.join(' ')}`;
}

class Follower {
  private readonly system: System;
  private readonly seen = new Set<string>();

  constructor(
    private readonly variant: Variant,
    private readonly target: Counterexample,
    private readonly gone: readonly boolean[],
  ) {
    const liberties = new Set<string>(libertiesOf(variant.program));
    this.system = new System(variant.program, variant.layout, liberties, new Facts(), false);
  }

  run(): boolean {
    return this.system.initial().some((state) => this.follow(state));
  }

  /** Depth first, the run's own steps before inserted ones. */
  private follow(first: State): boolean {
    const stack: { state: State; at: number }[] = [{ state: first, at: 0 }];
    while (stack.length > 0 && this.seen.size < REPLAY_STATES_MAX) {
      const top = stack.pop();
      if (top === undefined) break;
      const key = `${top.at} ${progressOf(top.state)}`;
      if (this.seen.has(key)) continue;
      this.seen.add(key);
      if (this.expand(top.state, top.at, stack)) return true;
    }
    return false;
  }

  private expand(state: State, at: number, stack: { state: State; at: number }[]): boolean {
    const label = this.target.labels[at];
    if (label === undefined) return false;
    if (this.gone[at] === true) stack.push({ state, at: at + 1 });
    const isLast = at === this.target.labels.length - 1;
    for (const group of this.system.groups(state)) {
      const origin = this.originOf(state, group);
      const isNext = this.isNext(state, group, label, origin);
      if (!isNext && !origin.startsWith('n')) continue;
      for (const step of this.system.stepsOf(state, group)) {
        if (!isNext) stack.push({ state: step.next, at });
        else if (group.kind !== 'cache' || this.isChange(state, step, group, label)) {
          if (isLast && this.isSame(step)) return true;
          stack.push({ state: step.next, at: at + 1 });
        }
      }
    }
    return false;
  }

  /** The instruction a group's steps belong to; empty for the cache. */
  private originOf(state: State, { kind, agent, at }: Group): string {
    const thread = state.threads[agent];
    if (kind === 'posted') {
      const write = firstPosted(state.kernel.posted, agent);
      return this.variant.origins[write?.store.at ?? -1] ?? '';
    }
    if (kind === 'cache' || thread === undefined) return '';
    const { sites } = this.system;
    if (kind === 'early') return this.variant.origins[sites.of(agent, at)] ?? '';
    if (kind === 'drain') return this.variant.origins[thread.entries[at]?.at ?? -1] ?? '';
    const site = thread.work.length > 0 ? thread.site : sites.of(agent, thread.pc);
    return this.variant.origins[site] ?? '';
  }

  private isNext(state: State, group: Group, label: Label, origin: string): boolean {
    const { kind, agent, at } = group;
    if ((stepKinds[kind] ?? kind) !== label.kind) return false;
    if (kind === 'posted') {
      const sender = firstPosted(state.kernel.posted, agent)?.agent ?? -1;
      return origin === label.origin && this.system.sites.threads[sender]?.name === label.agent;
    }
    if (kind === 'cache') {
      return lineName(this.variant, this.system, state, agent, at) === label.agent;
    }
    return origin === label.origin && this.system.sites.threads[agent]?.name === label.agent;
  }

  private isChange(state: State, step: Step, { agent, at }: Group, label: Label): boolean {
    return changeOf(state, step.next, agent, at) === label.origin;
  }

  private isSame(step: Step): boolean {
    return step.findings.some((finding) => {
      const thread = this.system.sites.threads[finding.agent]?.name ?? '?';
      const name = `${finding.id}|${thread}|${this.variant.origins[finding.site]}`;
      return name === this.target.name;
    });
  }
}
