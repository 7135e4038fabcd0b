/**
 * Decides how a scenario is explored: as it stands, or reduced (reduce/, docs/reductions.md), and
 * says why. A scenario that turns out small is done as it stands; what cannot be reduced as well.
 */
import { ScenarioError } from '../kernel/args.js';
import { Layout, MixedSize, NewCell } from '../kernel/layout.js';
import type { Program } from '../litmus/program.js';
import { analyse, type Analysis, RANGE_READS } from '../reduce/analysis.js';
import { type Named, wordsOf } from '../reduce/words.js';
import { ProjectedRuns } from './projected.js';
import type { Liberty } from './result.js';
import { type RunOptions, Runs, type RunSource, TooLarge } from './runs.js';

/** Which reductions are on; each may be switched off. */
export interface Reductions {
  /** One group of lines at a time. */
  readonly projection: boolean;
  /** Lines that nothing tells apart are explored as one; only where lines are projected. */
  readonly symmetry: boolean;
  /** Reduces every scenario, however small it is. */
  readonly always: boolean;
}

/** More words than this in one scenario is a mistake, not a scenario. */
const CELLS_MAX = 2048;
/** Control with more states is no basis for anything. */
const CONTROL_STATES = 20_000;
/** A scenario with more accesses in its text is reduced without trying it first. */
const ACCESSES = 24;

/** What came of it, and for --stats how it was explored. */
export interface Reduced<T> {
  readonly value: T;
  readonly how: readonly string[];
}

/** Explores as it stands. `known`: a layout that has words of it already. */
export function plainly<T>(
  program: Program,
  options: RunOptions,
  use: (runs: RunSource) => T,
  known = layoutFor(program, options),
): T {
  const work = (layout: Layout): T => {
    options.ahead?.drop();
    const runs = new Runs(program, layout, options);
    const value = use(runs);
    if (layout.hasGuesses && runs.stopped === null) throw new GuessedWrong();
    return value;
  };
  try {
    return withEveryWord(program, work, known);
  } catch (error) {
    // What makes no sense may do so only with a word that is none of the scenario's.
    const again = error instanceof ScenarioError || error instanceof MixedSize;
    if (!known.hasGuesses || !(again || error instanceof GuessedWrong)) throw error;
    return withEveryWord(program, work);
  }
}

/** A word was guessed that no run of the scenario names. */
class GuessedWrong extends Error {}

/** With what a checkpoint knows, or with words that another platform has. */
function layoutFor({ machine }: Program, { smallOnly, checkpoints, like }: RunOptions): Layout {
  const layout = new Layout(machine.pageSize, machine.lineSize);
  const saved = smallOnly === true ? undefined : checkpoints?.saved?.layout;
  if (saved !== undefined) layout.restore(saved);
  else if (like !== undefined) layout.guess(like.words);
  return layout;
}

/** Each word that turns up is added, and all begins anew. */
export function withEveryWord<T>(
  program: Program,
  work: (layout: Layout) => T,
  layout = new Layout(program.machine.pageSize, program.machine.lineSize),
): T {
  for (;;) {
    try {
      return work(layout);
    } catch (error) {
      if (!(error instanceof NewCell)) throw error;
      if (layout.cells.length >= CELLS_MAX) throw new TooManyWords(CELLS_MAX);
      addCell(layout, error);
    }
  }
}

export class TooManyWords extends Error {
  constructor(readonly most: number) {
    super('too many words');
  }
}

function addCell(layout: Layout, cell: NewCell): void {
  try {
    for (const { buffer, byte, size } of wordsOf(cell)) layout.add(buffer, byte, size);
  } catch (error) {
    if (error instanceof MixedSize) error.site = cell.site;
    throw error;
  }
}

/** Throws what makes no sense in the scenario (ScenarioError, MixedSize, TooManyWords). */
export function explored<T>(
  program: Program,
  options: RunOptions,
  reductions: Reductions,
  liberties: readonly Liberty[],
  use: (runs: RunSource) => T,
): Reduced<T> {
  if (!reductions.projection) return whole(program, options, use, 'projection is off');
  if (program.machine.profile !== 'arm64') {
    return whole(program, options, use, 'the argument for reductions is about arm64');
  }
  if (options.engine === 'reference') {
    return whole(program, options, use, 'the reference engine reduces nothing');
  }
  let tried: TooLarge | undefined;
  const wasLarge = options.like?.isLarge === true;
  if (!reductions.always && !wasLarge && !isLong(program)) {
    try {
      return whole(program, { ...options, smallOnly: true }, use, 'a small scenario');
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      tried = error;
    }
  }
  const begun = options.now();
  const isLarge = wasLarge || tried?.first === true;
  const found: Named[] = [];
  for (;;) {
    try {
      const analysis = analyse(program, analysisOptions(options, reductions, liberties), found);
      const why = whyWhole(analysis);
      if (analysis.kind === 'coupled' || why !== null) {
        const own = { ...options, begun, isLarge };
        return whole(program, own, use, why ?? '', tried?.layout);
      }
      const own = { ...options, begun, isLarge, checkpoints: undefined };
      options.ahead?.drop();
      const runs = new ProjectedRuns(program, own, analysis, reductions.symmetry);
      return { value: use(runs), how: howProjected(analysis, runs.projections) };
    } catch (error) {
      // What makes no sense is told as the exploration without reductions meets it.
      if (error instanceof ScenarioError || error instanceof MixedSize) {
        const own = { ...options, isLarge };
        return whole(program, own, use, 'a step makes no sense', tried?.layout);
      }
      if (!(error instanceof NewCell)) throw error;
      found.push(...wordsOf(error));
    }
  }
}

function whole<T>(
  program: Program,
  options: RunOptions,
  use: (runs: RunSource) => T,
  why: string,
  known?: Layout,
): Reduced<T> {
  return { value: plainly(program, options, use, known), how: [`all lines together: ${why}`] };
}

function whyWhole(analysis: ReturnType<typeof analyse>): string | null {
  if (analysis.kind === 'coupled') return analysis.why;
  if (analysis.groups.length < 2) return 'no two lines beside those of control';
  return null;
}

function howProjected(
  { control, groups, couplings, states }: Analysis,
  projections: number,
): readonly string[] {
  const lines = groups.flat().length;
  const words = control.filter(({ size }) => size > 0).length;
  return [
    `${lines} lines, ${groups.length} groups, ${projections} projections`,
    `control in each: ${words} words`,
    `control alone: ${states} states`,
    ...couplings.map((why) => `together: ${why}`),
  ];
}

function analysisOptions(
  options: RunOptions,
  { symmetry }: Reductions,
  liberties: readonly Liberty[],
) {
  const { now, tick } = options;
  const limits = { ...options.limits, maxStates: CONTROL_STATES };
  return {
    limits,
    now,
    everyLine: !symmetry,
    // Whether the result is portable is asked with `arch-hit`, whatever the machine has.
    liberties: [...new Set([...liberties, 'arch-hit'])],
    tick: (states: number, transitions: number) => tick(states, transitions, 'control'),
  };
}

/** It goes over ranges, or has many accesses: trying it as it stands would take too long. */
function isLong(program: Program): boolean {
  let accesses = 0;
  for (const { code } of [program.init, ...program.threads]) {
    for (const each of code) {
      if (each.op === 'load' || each.op === 'store') accesses++;
      if (each.op !== 'call') continue;
      if (RANGE_READS.includes(each.operation.name)) return true;
      if (each.operation.where === 'device') accesses++;
    }
  }
  return accesses > ACCESSES;
}
