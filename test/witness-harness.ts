/**
 * The reference explorer, the export and other checkers on one scenario, and what is left of a
 * scenario on which they disagree when every statement is taken out that can be.
 */
import { explore } from '../src/explore/bfs.js';
import type { ExportModel } from '../src/export/model.js';
import { exportScenario, NotExportable } from '../src/export/scenario.js';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { System } from '../src/system/system.js';
import { check, libertiesOf, ScenarioFault, withWords } from '../src/verdict/check.js';
import { Facts } from '../src/verdict/recorder.js';
import { byRumur, bySpin, type Count } from './witness-tools.js';
import { walk } from './witness-walk.js';

const now = (): number => 0;

export interface Trial {
  readonly text: string;
  readonly model: ExportModel;
  /** What the reference explorer says, with every liberty. */
  readonly reference: Count;
}

/** What the reference explorer says of a scenario; null above the limit. */
export function reference(program: Program, maxStates: number): Count | null {
  return withWords(program, (layout) => {
    const system = new System(program, layout, new Set(libertiesOf(program)), new Facts());
    const limits = { maxStates, maxSeconds: 600, maxMemoryBytes: 2 ** 31 };
    const { stopped, states, transitions, found } = explore(system, { limits, now });
    return stopped === null ? { states, transitions, hazards: [...found.keys()].sort() } : null;
  });
}

/** What the scenario's own conditions come to, as the export names them. */
function breaches(program: Program): readonly string[] {
  if (program.assertions.length === 0) return [];
  const { assertions } = check(program, { engine: 'reference', verdictOnly: true });
  return assertions
    .filter(({ kind, holds }) => kind !== 'exists' && holds === false)
    .map(({ kind, line }) => `${kind}, line ${line}`);
}

/** A scenario ready for the checkers, or why it is none: it does not compile, or is too large. */
export function trial(text: string, maxStates = 3000): Trial | string {
  const { program } = compile(text, 'random.litmus');
  if (program === null) return 'does not compile';
  try {
    const counted = reference(program, maxStates);
    if (counted === null) return 'too large';
    const limits = { maxStates: 2 * maxStates, maxSeconds: 600, maxMemoryBytes: 2 ** 31, now };
    const hazards = [...counted.hazards, ...breaches(program)].sort();
    return {
      text,
      model: exportScenario(program, limits),
      reference: { ...counted, hazards },
    };
  } catch (error) {
    if (error instanceof ScenarioFault || error instanceof NotExportable) return 'faulty';
    throw error;
  }
}

export type Checker = (models: readonly ExportModel[]) => readonly Count[];

export const checkers: Readonly<Record<string, Checker>> = {
  walk: (models) => models.map((model) => walk(model)),
  Spin: bySpin,
  Rumur: byRumur,
};

function said({ states, transitions, hazards }: Count, withTransitions: boolean): string {
  return JSON.stringify({ states, hazards, ...(withTransitions ? { transitions } : {}) });
}

/** Null when both say the same; a count of transitions is compared where there is one. */
export function difference(a: Count, b: Count): string | null {
  const both = a.transitions >= 0 && b.transitions >= 0;
  const [x, y] = [said(a, both), said(b, both)];
  return x === y ? null : `${x} and ${y}`;
}

export interface Disagreement {
  readonly index: number;
  readonly told: string;
}

/** Where a checker says other than the reference explorer. */
export function disagreements(trials: readonly Trial[], checker: Checker): Disagreement[] {
  let counts: readonly Count[];
  try {
    counts = checker(trials.map(({ model }) => model));
  } catch (error) {
    // One of them has a rule that disagrees, or is none of the checker's language: which?
    if (trials.length === 1) return [{ index: 0, told: String(error).slice(0, 2000) }];
    return trials.flatMap((each, index) =>
      disagreements([each], checker).map(({ told }) => ({ index, told })),
    );
  }
  return trials.flatMap((each, index) => {
    const count = counts[index];
    const told = count === undefined ? 'nothing' : difference(each.reference, count);
    return told === null ? [] : [{ index, told }];
  });
}

type Smaller = (text: string) => readonly string[];

/** Where the block that a line opens ends; -1 where it opens none. */
function blockEnd(lines: readonly string[], at: number): number {
  let depth = 0;
  for (let i = at; i < lines.length; i++) {
    for (const brace of (lines[i] ?? '').match(/[{}]/g) ?? []) depth += brace === '{' ? 1 : -1;
    if (depth <= 0) return i > at && /^\s*\}/.test(lines[i] ?? '') ? i : -1;
  }
  return -1;
}

/** Without a block, or without its braces alone. */
const withoutBlocks: Smaller = (text) => {
  const lines = text.split('\n');
  return lines.flatMap((_, at) => {
    const end = blockEnd(lines, at);
    if (end < 0) return [];
    const inner = lines.slice(at + 1, end);
    return [[], inner].map((kept) => lines.toSpliced(at, end - at + 1, ...kept).join('\n'));
  });
};

const withoutLines: Smaller = (text) => {
  const lines = text.split('\n');
  return lines.map((_, i) => lines.toSpliced(lines.length - 1 - i, 1).join('\n'));
};

/** Without one setting of the machine, of a device or of a call. */
const withoutSettings: Smaller = (text) =>
  [...text.matchAll(/(, )?\.\w+ = [^,;{})]+[,;]? ?/g)].map(
    ({ index, 0: { length } }) => text.slice(0, index) + text.slice(index + length),
  );

function greedily(text: string, smaller: Smaller, disagrees: (text: string) => boolean): string {
  let now = text;
  let all = smaller(now);
  for (let i = 0; i < all.length; ) {
    const less = all[i] ?? now;
    if (disagrees(less)) {
      now = less;
      all = smaller(now);
    } else i++;
  }
  return now;
}

/** Without every block, line and setting that the disagreement does not need. */
export function shrunk(text: string, disagrees: (text: string) => boolean): string {
  let now = text;
  for (let before = ''; before !== now; ) {
    before = now;
    for (const smaller of [withoutBlocks, withoutLines, withoutSettings]) {
      now = greedily(now, smaller, disagrees);
    }
  }
  return now;
}

/** What a checker says otherwise of a scenario alone; null for nothing, or where it is no trial. */
function alone(text: string, checker: Checker): string | null {
  try {
    const small = trial(text);
    return typeof small === 'string' ? null : (disagreements([small], checker)[0]?.told ?? null);
  } catch {
    // What is left over may be nonsense that only a shrinker writes.
    return null;
  }
}

/** Fails with the smallest scenario found on which the checker disagrees. */
export function expectAgreement(trials: readonly Trial[], name: string, checker: Checker): void {
  const [first] = disagreements(trials, checker);
  const found = trials[first?.index ?? -1];
  if (first === undefined || found === undefined) return;
  const says = `the reference explorer and ${name} disagree`;
  if (alone(found.text, checker) === null) {
    throw new Error(`${says}, but not on this scenario alone: ${first.told}\n${found.text}`);
  }
  const small = shrunk(found.text, (text) => alone(text, checker) !== null);
  throw new Error(`${says}: ${alone(small, checker)}\n${small}`);
}
