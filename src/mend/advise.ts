/**
 * What each sync and barrier of a scenario is worth, in four words. *Needed*: without it something
 * goes wrong that did not. *Redundant*: without it nothing changes. *Dearer*: it is needed, but
 * a cheaper operation in its place does. *Destructive*: without it something comes right.
 * Each but `redundant` comes with the run that proves it; that one takes all runs.
 */

import { ScenarioError } from '../kernel/args.js';
import { Layout, MixedSize, NewCell } from '../kernel/layout.js';
import { findOperation } from '../kernel/registry.js';
import { compile, type RemovableCall, removableCalls, withoutCall } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { type CheckOptions, DEFAULT_LIMITS, libertiesOf, TABLES_FROM } from '../verdict/check.js';
import { importersOf } from '../verdict/importers.js';
import type { Note, TraceStep, Worth } from '../verdict/result.js';
import { type Run, type RunOptions, Runs, type Sighting } from '../verdict/runs.js';
import { replay } from '../verdict/trace.js';
import { DEFAULT_COSTS } from './costs.js';
import type { Edit } from './edit.js';
import { headerPatches } from './header.js';
import { hanging, refute } from './refute.js';
import { lineStarts } from './source.js';
import { AS_WRITTEN, Variants } from './variant.js';
import { vocabularyOf } from './vocabulary.js';

/** `waste`: only what is redundant or destructive, which nothing cheaper has to be sought for. */
export type Advice = 'all' | 'waste';

/** Empty for a text that does not compile, and from a limit on: what is not known is not said. */
export function advise(
  text: string,
  file: string,
  options: CheckOptions = {},
  advice: Advice = 'all',
): readonly Note[] {
  const { program } = compile(text, file);
  // What a sync is worth differs from importer to importer.
  if (program === null || importersOf(program.machine).length > 0) return [];
  return new Adviser(text, file, program, options, advice).run();
}

/** A scenario explored completely. */
interface Explored {
  readonly run: Run;
  readonly runs: Runs;
  readonly program: Program;
  /** Findings by place: `agent|line:column`. */
  readonly byPlace: ReadonlyMap<string, Sighting>;
}

class Adviser {
  private readonly options: RunOptions;
  private readonly started = performance.now() / 1000;
  private readonly maxSeconds: number;

  constructor(
    private readonly text: string,
    private readonly file: string,
    private readonly program: Program,
    given: CheckOptions,
    private readonly advice: Advice,
  ) {
    this.maxSeconds = given.maxSeconds ?? DEFAULT_LIMITS.maxSeconds;
    this.options = {
      order: 'forward',
      engine: 'fast',
      tablesFrom: TABLES_FROM,
      por: true,
      limits: {
        maxStates: given.maxStates ?? DEFAULT_LIMITS.maxStates,
        maxSeconds: this.maxSeconds,
        maxMemoryBytes: given.maxMemoryBytes ?? DEFAULT_LIMITS.maxMemoryBytes,
      },
      now: () => performance.now() / 1000,
      tick: () => given.interrupted?.() ?? false,
    };
  }

  run(): readonly Note[] {
    const base = this.explored(this.program);
    if (base === null) return [];
    return removableCalls(this.program).flatMap((call) => {
      if (performance.now() / 1000 - this.started > this.maxSeconds) return [];
      const without = this.explored(withoutCall(this.program, call.operation, call.occurrence));
      return without === null ? [] : (this.judged(call, base, without) ?? []);
    });
  }

  private judged(call: RemovableCall, base: Explored, without: Explored): Note | null {
    const caused = [...without.byPlace].find(([place]) => !base.byPlace.has(place));
    const cured = [...base.byPlace].find(([place]) => !without.byPlace.has(place));
    const left = leftOut(call);
    const sighting = cured?.[1] ?? this.kept(base, without);
    if (sighting !== null) {
      const then = caused?.[1] ?? this.changed(base, without);
      const also = then === null ? '' : `; but then ${placed(without, then)}`;
      const message = `destructive: ${left} there is no ${placed(base, sighting)}${also}`;
      return note(call, 'destructive', message, stepsOf(base, sighting));
    }
    const other = caused?.[1] ?? this.changed(base, without);
    if (other === null) {
      return note(call, 'redundant', `redundant: ${left} every run is as right or wrong`, []);
    }
    if (this.advice === 'waste') return null;
    const cheaper = base.byPlace.size === 0 ? this.cheaper(call) : null;
    const needed = `${left} ${placed(without, other)}`;
    const steps = stepsOf(without, other);
    if (cheaper === null) return note(call, 'needed', `needed: ${needed}`, steps);
    const message = `sufficient but dearer than ${cheaper.title}; ${needed}`;
    return note(call, 'dearer', message, steps);
  }

  /** A value that is lost with the call and not without it, even if its reader then errs else. */
  private kept(base: Explored, without: Explored): Sighting | null {
    const names = new Set(without.run.sightings.keys());
    const lost = [...base.run.sightings].find(
      ([name, { id }]) => (id === 'H3' || id === 'H10') && !names.has(name),
    );
    return lost?.[1] ?? null;
  }

  /** At the same places, but something else goes wrong. */
  private changed(base: Explored, without: Explored): Sighting | null {
    const names = new Set(base.run.sightings.keys());
    const other = [...without.run.sightings].find(([name]) => !names.has(name));
    return other?.[1] ?? null;
  }

  /** The change or move of this call that saves most and leaves the scenario coherent. */
  private cheaper(call: RemovableCall): Edit | null {
    const starts = lineStarts(this.text);
    const from = starts[call.at.line - 1] ?? 0;
    const variants = new Variants(this.file, this.text, headerPatches(this.text));
    const base = variants.make([]);
    if (base === null) return null;
    const mayHang = new Set(hanging(base, AS_WRITTEN, this.options).names);
    const offset = from + call.at.column - 1;
    const candidates = vocabularyOf(this.text, this.program, DEFAULT_COSTS)
      .filter((edit) => edit.saves > 0 && isAbout(edit, offset))
      .filter((edit) => !edit.patches.some(({ text }) => this.isMadeUp(text)))
      .sort((a, b) => b.saves - a.saves);
    for (const edit of candidates) {
      const variant = variants.make([edit], base);
      if (variant === null) continue;
      if (refute(variant, this.options, mayHang).kind === 'coherent') return edit;
    }
    return null;
  }

  /** A size out of the few words that a scenario names, which stand for a whole buffer. */
  private isMadeUp(text: string): boolean {
    return /^\d+$/u.test(text) && !new RegExp(`\\b${text}\\b`, 'u').test(this.text);
  }

  /** Null when a limit was hit, or a step without the call makes no sense. */
  private explored(program: Program): Explored | null {
    const layout = new Layout(program.machine.pageSize, program.machine.lineSize);
    for (;;) {
      const runs = new Runs(program, layout, this.options);
      try {
        const run = runs.run(libertiesOf(program));
        if (run.exploration.stopped !== null) return null;
        return { run, runs, program, byPlace: placesOf(run) };
      } catch (error) {
        if (error instanceof ScenarioError || error instanceof MixedSize) return null;
        if (!(error instanceof NewCell)) throw error;
        layout.add(error.buffer, error.byte, error.size);
      }
    }
  }
}

/** Of a call that maps as well only the maintenance is left out: what it gives is still needed. */
function leftOut({ operation }: RemovableCall): string {
  const isPart = findOperation(operation)?.removable === 'skip-sync';
  return isPart ? 'without its cache maintenance' : 'without it';
}

/** A change of the call at that offset, or a move of the statement it is in. */
function isAbout(edit: Edit, offset: number): boolean {
  if (edit.kind !== 'change' && edit.kind !== 'move') return false;
  const [spot] = edit.spots;
  return spot?.kind === 'statement' && spot.from <= offset && offset < spot.to;
}

/** At each place the shortest run, causes before what follows from them. */
function placesOf(run: Run): ReadonlyMap<string, Sighting> {
  const rank = (each: Sighting): number => (each.finding?.cause === false ? 1e9 : 0) + each.depth;
  const all = [...run.sightings.values()].sort((a, b) => rank(a) - rank(b));
  const places = new Map<string, Sighting>();
  for (const sighting of all) {
    const place = sighting.name.slice(sighting.name.indexOf('|') + 1);
    if (!places.has(place)) places.set(place, sighting);
  }
  return places;
}

/** `H3 at line 16 (irq)`. */
function placed({ run }: Explored, { id, name }: Sighting): string {
  const [, agent = '', at = ''] = name.split('|');
  const thread = run.system.sites.threads[Number(agent)]?.name ?? '?';
  return `${id} at line ${at.split(':')[0]} (${thread})`;
}

function stepsOf({ run, runs }: Explored, sighting: Sighting): readonly TraceStep[] {
  return replay(run, sighting, runs.facts).steps;
}

function note(
  call: RemovableCall,
  kind: Worth,
  message: string,
  trace: readonly TraceStep[],
): Note {
  return { kind, rule: '', operation: call.operation, line: call.at.line, message, trace };
}
