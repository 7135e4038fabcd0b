/**
 * A counterexample: one run of a variant that ends in a hazard, in terms that hold for other
 * variants too. It says which edits can matter to it at all, and whether it still exists when
 * they are made: that is what spares exploring most sets of edits.
 */
import { NewCell } from '../kernel/layout.js';
import type { State } from '../system/state.js';
import { System, type Step } from '../system/system.js';
import { libertiesOf } from '../verdict/check.js';
import { Facts } from '../verdict/recorder.js';
import type { Run, Sighting } from '../verdict/runs.js';
import type { Edit, Spot } from './edit.js';
import type { Variant } from './variant.js';

/** A step of a thread that the run took. */
interface Passage {
  /** Offset in the user's text; -1 for an inserted statement. */
  readonly offset: number;
  /** The thread's store buffer held something before this step. */
  readonly pending: boolean;
}

export interface Counterexample {
  readonly variant: Variant;
  readonly run: Run;
  readonly sighting: Sighting;
  /** Hazard id, or `assertion`. */
  readonly id: string;
  /** Who met it, and at which instruction. */
  readonly name: string;
  readonly labels: readonly string[];
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
  const labels: string[] = [];
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
    root: buffer === undefined ? null : oldOffset(variant.origins[buffer] ?? ''),
    passages,
  };
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
function labelOf(variant: Variant, system: System, step: Step, before: State): string {
  if (step.kind === 'cache') return cacheLabel(variant, system, step, before);
  const thread = system.sites.threads[step.agent]?.name ?? '?';
  return `${step.kind} ${thread} ${variant.origins[step.site] ?? '?'}`;
}

function cacheLabel(variant: Variant, system: System, step: Step, before: State): string {
  const at = before.frames.findIndex((frame, i) => frame !== step.next.frames[i]);
  const frame = before.frames[at];
  if (frame === undefined) return 'cache';
  const line = frame.lines.findIndex((each, i) => each !== step.next.frames[at]?.lines[i]);
  const pages = system.layout.pages(frame.buffer);
  const layout = pages[system.layout.pageIndex(frame.buffer, frame.page)]?.lines[line];
  const [from, to] = [frame.lines[line]?.state, step.next.frames[at]?.lines[line]?.state];
  const origin = variant.origins[frame.buffer] ?? '?';
  return `cache ${origin} ${frame.page} ${layout?.line ?? -1} ${from} ${to}`;
}

/** Could the edit change this run at all? False only when the run is surely as before. */
export function touches(edit: Edit, run: Counterexample): boolean {
  if (!edit.spots.some((spot) => passed(spot, run))) return false;
  if (edit.roots === null) {
    return !edit.orders || !isPlainValue(run) || edit.spots.some((spot) => reordered(spot, run));
  }
  if (run.root === null || !valueHazards.has(run.id)) return true;
  if (edit.roots.includes(run.root)) return true;
  return edit.orders && edit.spots.some((spot) => reordered(spot, run));
}

/** A wrong value of known memory in a run that can be followed step by step. */
function isPlainValue(run: Counterexample): boolean {
  return run.replayable && valueHazards.has(run.id);
}

/** The run came by: it executed something behind the place, or the statement itself. */
function passed(spot: Spot, run: Counterexample): boolean {
  const steps = run.passages.get(spot.thread) ?? [];
  if (spot.kind === 'statement') {
    return steps.some(({ offset }) => offset >= spot.from && offset < spot.to);
  }
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

/**
 * Does the run exist in another variant? Its steps in their order, with what edits inserted in
 * between at will and what they took away left out. A true answer is a proof: the run was made.
 */
export function replays(variant: Variant, run: Counterexample): boolean {
  if (!run.replayable) return false;
  const known = new Set(variant.origins);
  const gone = run.labels.map((label) => {
    const origin = label.split(' ')[2] ?? '';
    return !label.startsWith('cache') && !known.has(origin);
  });
  for (;;) {
    try {
      return new Follower(variant, run, gone).run();
    } catch (error) {
      if (!(error instanceof NewCell)) return false;
      if (variant.layout.cells.length > run.variant.layout.cells.length + 64) return false;
      variant.layout.add(error.buffer, error.byte, error.size);
    }
  }
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
    this.system = new System(variant.program, variant.layout, liberties, new Facts());
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
      const key = `${top.at} ${top.state.key}`;
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
    for (const step of this.system.successors(state)) {
      if (labelOf(this.variant, this.system, step, state) === label) {
        if (isLast && this.isSame(step)) return true;
        stack.push({ state: step.next, at: at + 1 });
      } else if (step.site >= 0 && (this.variant.origins[step.site] ?? '').startsWith('n')) {
        stack.push({ state: step.next, at });
      }
    }
    return false;
  }

  private isSame(step: Step): boolean {
    return step.findings.some((finding) => {
      const thread = this.system.sites.threads[finding.agent]?.name ?? '?';
      const name = `${finding.id}|${thread}|${this.variant.origins[finding.site]}`;
      return name === this.target.name;
    });
  }
}
