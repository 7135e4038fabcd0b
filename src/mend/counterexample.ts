/**
 * A counterexample: one run of a variant that ends in a hazard, in terms that hold for other
 * variants too. It says which edits can matter to it at all, and whether it still exists when
 * they are made: that is what spares exploring most sets of edits.
 */
import type { Layout } from '../kernel/layout.js';
import type { Instruction } from '../litmus/program.js';
import type { State } from '../system/state.js';
import type { Step, System } from '../system/system.js';
import type { Run, Sighting } from '../verdict/runs.js';
import type { Edit, Spot } from './edit.js';
import { lineStarts } from './source.js';
import type { Variant } from './variant.js';

/** A step by its name. */
export interface Label {
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
  /** Null where nothing is gained by beginning there. */
  readonly inInit: InInit | null;
}

/** Where a run stands before the step that ends init: the same in all that differs behind it. */
export interface InInit {
  readonly state: State;
  /** Steps taken. */
  readonly at: number;
  /** The variant's text up to the end of init. */
  readonly text: string;
  /** As `wordsOf` has them. */
  readonly words: string;
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
  let last: { state: State; at: number } | null = null;
  for (const action of actions) {
    const step: Step | undefined = state && system.successors(state)[action];
    if (state === undefined || step === undefined) throw new Error('the run does not replay');
    if (state.threads[0]?.pc !== -2) last = { state, at: labels.length };
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
    inInit: last === null ? null : endOfInit(variant, last.state, last.at),
  };
}

function endOfInit(variant: Variant, state: State, at: number): InInit | null {
  const text = textOfInit(variant);
  const words = wordsOf(variant.layout, variant.origins);
  const isPlain = state.threads[0]?.delayed.length === 0;
  return at === 0 || text === null || words === null || !isPlain
    ? null
    : { state, at, text, words };
}

/** A variant's text up to the end of init; null where the other threads do not come behind it. */
function textOfInit({ text, program }: Variant): string | null {
  const block = /^init\b[\s\S]*?^\}/mu.exec(text);
  if (block === null) return null;
  const end = block.index + block[0].length;
  const starts = lineStarts(text);
  const isBefore = ({ at }: Instruction): boolean => {
    return (starts[at.line - 1] ?? 0) + at.column - 1 < end;
  };
  const others = program.threads.flatMap(({ code }) => code);
  const isWhole = program.init.code.every(isBefore) && !others.some(isBefore);
  return isWhole ? text.slice(0, end) : null;
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
export function lineName(
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

export function changeOf(before: State, after: State, frame: number, line: number): string {
  const [from, to] = [before, after].map((each) => each.frames[frame]?.lines[line]?.state);
  return `${from} ${to}`;
}

/** Could the edit change this run at all? False only when the run is surely as before. */
export function touches(edit: Edit, run: Counterexample): boolean {
  if (!edit.spots.some((spot) => passed(spot, run))) return false;
  const isOrder = (): boolean => edit.spots.some((spot) => reordered(spot, run));
  // A barrier that has nothing to hold back does nothing, whatever goes wrong.
  if (run.replayable && edit.operation.endsWith('mb')) return isOrder();
  const isValue = valueHazards.has(run.id);
  if (edit.roots === null) return !edit.orders || !run.replayable || !isValue || isOrder();
  if (run.root === null || !isValue || edit.roots.includes(run.root)) return true;
  return edit.orders && isOrder();
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

/** What a state's words are, in their order. Null where that is not all a layout knows. */
export function wordsOf(layout: Layout, origins: readonly string[]): string | null {
  const { bare, hidden, ptes } = layout.saved;
  if (layout.hasRanges || bare.length + hidden.length + ptes.length > 0) return null;
  const words = layout.cells.map(({ buffer, page, offset, size }) => {
    return `${origins[buffer]} ${page} ${offset} ${size}`;
  });
  return words.join();
}
