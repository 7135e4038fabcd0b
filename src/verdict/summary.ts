/**
 * Verdict and hazard ids of a scenario, and nothing else: what a cell of a matrix needs. It takes
 * one or two explorations where `check` takes many. With it goes what the answer rests on: another
 * platform on which all of that is the same has the same answer, unexplored.
 * Leaves out: runs, what findings need, whether they are certain or portable (check.ts).
 */
import type { MachineConfig } from '../kernel/config.js';
import type { Program } from '../litmus/program.js';
import { judgeAssertions } from './assertions.js';
import { type CheckOptions, libertiesOf, onLayout, reasonText } from './check.js';
import { importersOf, resolved } from './importers.js';
import { VALUE_CAUSES } from './needs.js';
import type { Liberty, Verdict } from './result.js';
import type { Likely, Run, RunSource, Sighting } from './runs.js';

export interface Summary {
  readonly verdict: Verdict;
  /** As in CheckResult: causes first, then by place. Ids may come several times. */
  readonly hazards: readonly string[];
  readonly reason: string | null;
  readonly restsOn: Basis;
  readonly like: Likely;
}

/** Everything of a scenario and its machine that had a part in an answer. */
export interface Basis {
  /** The scenario without its machine, and without places in the text. */
  readonly code: string;
  /** Settings that were looked at, with what they were. */
  readonly settings: ReadonlyMap<string, string>;
  /** Liberties that a row of the cache table asked for, and whether the machine has them. */
  readonly liberties: ReadonlyMap<string, boolean>;
}

/** A finding as far as its id and its order among the others go. */
interface Seen {
  readonly id: string;
  readonly cause: boolean;
  readonly place: string;
}

/** Throws ScenarioFault as `check` does. */
export function summarise(program: Program, options: CheckOptions = {}): Summary {
  const importers = importersOf(program.machine);
  if (importers.length === 0) return summariseOne(program, options);
  const all = importers.map((each) => summariseOne(resolved(program, each), options));
  const verdicts = all.map(({ verdict }) => verdict);
  const worst = (['hazard', 'unknown'] as const).find((each) => verdicts.includes(each));
  return {
    verdict: worst ?? 'coherent',
    hazards: all.flatMap(({ hazards }) => hazards),
    reason: all.find(({ reason }) => reason !== null)?.reason ?? null,
    // What it rests on is known for each importer, not for all together: nothing else is alike.
    restsOn: { code: 'any device', settings: new Map(), liberties: new Map() },
    like: { words: [], isLarge: false },
  };
}

/** A program whose explorations write down what their answer rests on. */
export interface WatchedProgram {
  readonly program: Program;
  /** After all explorations that the answer takes; `met` as their Facts have it. */
  basis(met: ReadonlySet<string>): Basis;
}

export function watchedProgram(program: Program): WatchedProgram {
  const settings = new Map<string, string>();
  const on = { ...program, machine: watchedMachine(program.machine, settings) };
  const liberties = libertiesOf(program);
  const basis = (met: ReadonlySet<string>): Basis => {
    return { code: codeOf(program), settings, liberties: asked(met, liberties) };
  };
  return { program: on, basis };
}

function summariseOne(program: Program, options: CheckOptions): Summary {
  const watched = watchedProgram(program);
  const liberties = libertiesOf(program);
  return onLayout(watched.program, options, liberties, (runs) => {
    runs.facts.quiet = true;
    const full = runs.run(liberties);
    const seen = named(runs, liberties, [...full.sightings.values()]);
    const assertions = judgeAssertions(program, full).filter(
      ({ result, state }) => result.kind !== 'exists' && result.holds === false && state !== null,
    );
    const { stopped } = runs;
    const ids = ordered([...seen, ...broken(runs, full, seen)]);
    const hazards = [...ids, ...assertions.map(() => 'assertion')];
    return {
      verdict: hazards.length > 0 ? 'hazard' : stopped === null ? 'coherent' : 'unknown',
      hazards,
      reason: stopped === null ? null : reasonText(stopped, runs.options),
      restsOn: watched.basis(runs.facts.liberties),
      like: { words: runs.words, isLarge: runs.options.isLarge === true },
    };
  });
}

/** Contracts that are broken where a limit kept the exploration from coming to it. */
function broken(runs: RunSource, full: Run, seen: readonly Seen[]): readonly Seen[] {
  if (full.exploration.stopped === null) return [];
  const beside = runs.options.contracts?.()?.sightings.values() ?? [];
  return [...beside]
    .map(seenOf)
    .filter(({ id, place }) => !seen.some((each) => each.id === id && each.place === place));
}

function seenOf({ name, id, finding }: Sighting): Seen {
  return { id, cause: finding?.cause ?? true, place: name.slice(name.indexOf('|') + 1) };
}

/**
 * H13 in place of value causes that only reordering shows (needs.ts). A liberty adds steps and
 * takes none away, so what the largest set without `reorder` does not show, none without it does.
 */
function named(runs: RunSource, all: readonly Liberty[], sightings: readonly Sighting[]): Seen[] {
  const seen = sightings.map(seenOf);
  const isValue = ({ id }: Seen): boolean => VALUE_CAUSES.includes(id);
  const values = new Set(seen.filter(isValue).map(({ id, place }) => `${id}|${place}`));
  if (values.size === 0) return seen;
  const less = all.filter((each) => each !== 'reorder');
  const inOrder = runs.shows?.(less, values) ?? runs.run(less).sightings;
  const isPlain = ({ id, place }: Seen): boolean => inOrder.has(`${id}|${place}`);
  const settled = new Set(seen.filter((each) => isValue(each) && isPlain(each)).map(placeOf));
  return seen.flatMap((each): Seen[] => {
    if (!isValue(each) || isPlain(each)) return [each];
    // Beside a cause that shows without reordering, one that needs it says nothing new.
    if (settled.has(each.place)) return [];
    settled.add(each.place);
    return [{ ...each, id: 'H13' }];
  });
}

function placeOf({ place }: Seen): string {
  return place;
}

/** As a report has them, and then causes first. */
function ordered(seen: readonly Seen[]): readonly string[] {
  const causes = new Set(seen.filter(({ cause }) => cause).map(placeOf));
  const all = seen.map(({ id, cause, place }) => {
    const [line = 0, column = 0] = place
      .slice(place.indexOf('|') + 1)
      .split(':')
      .map(Number);
    // H12 is a cause unless the same place has another one.
    const others = seen.some((each) => each.place === place && each.id !== id && each.cause);
    return { id, line, column, cause: cause && causes.has(place) && !(id === 'H12' && others) };
  });
  all.sort((a, b) => Number(b.cause) - Number(a.cause) || a.line - b.line || a.column - b.column);
  return all.map(({ id }) => id);
}

/** What the rows of the cache table asked for; `arch-hit` rows are open under M6 in two ways. */
function asked(met: ReadonlySet<string>, all: readonly Liberty[]): Basis['liberties'] {
  const names = [...met];
  if (names.includes('arch-hit')) names.push('may-hit');
  return new Map(names.map((name) => [name, all.some((each) => each === name)]));
}

/** Of an operation the name tells; places move when a setting is written into the text. */
const UNTOLD: ReadonlySet<string> = new Set(['at', 'doc', 'source', 'rules', 'params']);

/** The scenario as text, with nothing of its machine but what is looked at everywhere. */
function codeOf(program: Program): string {
  const { lineSize, pageSize, devices } = program.machine;
  const names = devices.map(({ name }) => name);
  return `${JSON.stringify({ names, lineSize, pageSize })} ${textOf(program)}`;
}

interface Text {
  readonly of: Pick<Program, 'init' | 'assertions'>;
  readonly text: string;
}

/** By their threads: platforms of one scenario have the same. */
const texts = new WeakMap<Program['threads'], Text>();

function textOf(program: Program): string {
  const { init, threads, assertions, locks, handles } = program;
  const known = texts.get(threads);
  if (known?.of.init === init && known.of.assertions === assertions) return known.text;
  const code = { init, threads, assertions, locks, handles };
  const text = JSON.stringify(code, (key, value: unknown) => (UNTOLD.has(key) ? undefined : value));
  texts.set(threads, { of: { init, assertions }, text });
  return text;
}

/** Told by `codeOf`, or read by nobody who explores. */
const PLAIN: ReadonlySet<string> = new Set(['profile', 'name', 'at', 'lineSize', 'pageSize']);

/** A copy of a record that calls `note` when a field is read for the first time. */
function watched<T extends object>(record: T, note: (key: string, value: unknown) => void): T {
  const copy = { ...record };
  for (const [key, value] of Object.entries(record)) {
    if (PLAIN.has(key)) continue;
    let noted = false;
    const get = (): unknown => {
      if (!noted) note(key, value);
      noted = true;
      return value;
    };
    Object.defineProperty(copy, key, { enumerable: true, get });
  }
  return copy;
}

/** The machine, as one that writes down each setting somebody looks at. */
function watchedMachine(machine: MachineConfig, settings: Map<string, string>): MachineConfig {
  const devices = machine.devices.map((device, i) =>
    watched(device, (key, value) => settings.set(`${i} ${key}`, JSON.stringify(value))),
  );
  return watched({ ...machine, devices }, (key, value) => {
    if (key !== 'devices') settings.set(key, JSON.stringify(value));
  });
}

/** Whether an answer is this scenario's answer too: nothing that it rests on is different. */
export function restsAlike({ code, settings, liberties }: Basis, program: Program): boolean {
  const { machine } = program;
  const now = libertiesOf(program);
  const setting = (key: string): unknown => {
    const [first = '', second] = key.split(' ');
    const owner: object | undefined =
      second === undefined ? machine : machine.devices[Number(first)];
    return owner === undefined ? undefined : Reflect.get(owner, second ?? first);
  };
  return (
    [...liberties].every(([name, had]) => now.some((each) => each === name) === had) &&
    [...settings].every(([key, value]) => JSON.stringify(setting(key)) === value) &&
    code === codeOf(program)
  );
}
