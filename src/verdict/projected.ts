/**
 * Explorations of a scenario one group of lines at a time, with the lines of control in each
 * (reduce/). A finding belongs to the scenario when it belongs to one of the projections; what it
 * needs is asked of all of them. The run that is shown is one of the whole scenario again.
 * Leaves out: which lines belong together; reduce/analysis.ts says so.
 */
import type { RawFinding } from '../kernel/context.js';
import type { Layout } from '../kernel/layout.js';
import type { Program } from '../litmus/program.js';
import type { Analysis, DataLine } from '../reduce/analysis.js';
import { equalGroups } from '../reduce/equal.js';
import { Roles } from '../reduce/roles.js';
import { withStubs } from '../reduce/stubs.js';
import { layoutOf, type Named as Word } from '../reduce/words.js';
import { System } from '../system/system.js';
import { Facts } from './recorder.js';
import type { Liberty } from './result.js';
import {
  type Run,
  Runs,
  type RunOptions,
  type RunSource,
  type Shown,
  type Sighting,
} from './runs.js';
import { Effort } from './effort.js';
import type { Stuck } from './lost-wakeup.js';

/** A whole scenario of at most so many states is searched once more for the shortest run. */
const SEARCHED_AGAIN = 50_000;
/** So many groups are explored together to ask whether a run avoids a finding on all of them. */
const TOGETHER = 3;
/** Projections are many and alike; tables of each are worth it only for large ones. */
const PART_TABLES_FROM = 5000;

/** One exploration that stands for one group of lines, or for several equal ones. */
interface Part {
  readonly runs: Runs;
  /** The groups it stands for; the first of them is explored. */
  readonly groups: readonly (readonly DataLine[])[];
}

export class ProjectedRuns implements RunSource {
  readonly facts = new Facts();
  private readonly parts: readonly Part[];
  /** The part on which assertions are decided. */
  private readonly speaker: number;
  private readonly named: readonly Word[];
  private readonly done = new Map<string, Run>();
  /** All lines, or as many as stand for all. */
  private readonly layout: Layout;
  private readonly whole: Runs;
  private readonly roles: Roles;

  constructor(
    readonly program: Program,
    readonly options: RunOptions,
    private readonly analysis: Analysis,
    symmetry: boolean,
  ) {
    this.roles = new Roles(program, analysis);
    const { control, groups } = analysis;
    this.named = [...control, ...groups.flat().flatMap((line) => line.words)];
    for (const all of analysis.operated.values()) for (const each of all) this.facts.operated(each);
    const classes = symmetry
      ? equalGroups(program, analysis, this.roles)
      : groups.map((group) => [group]);
    this.parts = classes.map((members) => ({
      groups: members,
      runs: this.runsOn(members[0] ?? []),
    }));
    this.speaker = Math.max(
      0,
      classes.findIndex(([group]) => group === groups[analysis.speaking]),
    );
    const limits = { ...options.limits };
    limits.maxStates = Math.min(limits.maxStates, SEARCHED_AGAIN);
    this.layout = layoutOf(program, this.named, () => true, analysis.layout);
    this.whole = new Runs(program, this.layout, { ...options, limits, isLarge: false });
  }

  private runsOn(lines: readonly DataLine[]): Runs {
    const { analysis } = this;
    const { control } = analysis;
    const shown = new Set([...lines.flatMap((line) => line.words), ...control]);
    const layout = layoutOf(
      this.program,
      this.named,
      (word) => shown.has(word),
      this.analysis.layout,
    );
    const { options } = this;
    const tablesFrom = Math.max(options.tablesFrom, PART_TABLES_FROM);
    const own = {
      ...options,
      tablesFrom: options.tablesFrom === 0 ? 0 : tablesFrom,
      // The parts of what is large are not.
      isLarge: false,
    };
    const roles = this.roles.on(lines);
    const program = withStubs(this.program, (site) => roles[site] ?? 'kept');
    return new Runs(program, layout, { ...own, roles }, this.facts);
  }

  get words(): readonly Word[] {
    if (this.analysis.layout.hasRanges) return [];
    return this.named.filter(({ size }) => size > 0);
  }

  get projections(): number {
    return this.parts.length;
  }

  get effort(): Effort {
    const sum = new Effort();
    for (const { effort } of [...this.parts.map(({ runs }) => runs), this.whole]) sum.add(effort);
    return sum;
  }

  get stopped(): Run['exploration']['stopped'] {
    for (const { runs } of this.parts) if (runs.stopped !== null) return runs.stopped;
    return null;
  }

  run(liberties: readonly Liberty[]): Run {
    const key = liberties.join('+');
    let found = this.done.get(key);
    if (found === undefined) {
      found = this.union(
        liberties,
        this.parts.map((part, i) => this.partRun(part, i, liberties)),
      );
      this.done.set(key, found);
    }
    return found;
  }

  /** The first tells whether the others are worth other threads. */
  private partRun({ runs }: Part, index: number, liberties: readonly Liberty[]): Run {
    const { ahead } = this.options;
    const run = runs.run(liberties);
    if (index === 0 && ahead && run.exploration.states * this.parts.length >= ahead.from) {
      for (const part of this.parts.slice(1)) part.runs.ask(liberties);
    }
    return run;
  }

  expect(): void {
    // Each exploration is many already, which are asked for once it is begun.
  }

  private union(liberties: readonly Liberty[], all: readonly Run[]): Run {
    const speaker = all[this.speaker];
    if (speaker === undefined) throw new Error('no projection');
    const sightings = new Map<string, Sighting>();
    const origins = new Map<string, Run>();
    const stuck = new Map<string, Stuck>();
    for (const run of all) {
      for (const [name, sighting] of run.sightings) {
        const known = sightings.get(name);
        if (known !== undefined && known.depth <= sighting.depth) continue;
        sightings.set(name, sighting);
        origins.set(name, run);
      }
      for (const each of run.stuck) if (!stuck.has(each.name)) stuck.set(each.name, each);
    }
    const sum = (of: 'states' | 'transitions'): number =>
      all.reduce((total, { exploration }) => total + exploration[of], 0);
    const exploration = {
      ...speaker.exploration,
      stopped: all.find((run) => run.exploration.stopped !== null)?.exploration.stopped ?? null,
      states: sum('states'),
      transitions: sum('transitions'),
    };
    // What is decided on one projection is shown on it where the whole is too large; places have
    // the names of the whole.
    origins.set('assertion', speaker);
    const system = new System(this.program, this.layout, new Set(liberties), this.facts);
    const soonest = [...sightings].sort(([, one], [, other]) => one.depth - other.depth);
    return {
      liberties,
      system,
      exploration,
      sightings: new Map(soonest),
      origins,
      stuck: [...stuck.values()],
    };
  }

  /**
   * Where one projection cannot avoid it, nor can the scenario. Where several lines have it and
   * each alone can, one run has to do so for all: they are explored together, a few at most.
   */
  avoidable(
    liberties: readonly Liberty[],
    avoid: (finding: RawFinding) => boolean,
  ): boolean | null {
    const showing: (readonly DataLine[])[] = [];
    let open = false;
    for (const part of this.parts) {
      const { sightings } = part.runs.run(liberties);
      const shows = [...sightings.values()].some(({ finding }) => finding && avoid(finding));
      if (!shows) continue;
      const alone = part.runs.avoidable(liberties, avoid);
      if (alone === false) return false;
      open ||= alone === null;
      showing.push(...part.groups);
    }
    if (open) return null;
    if (showing.length < 2) return true;
    const few = showing.slice(0, TOGETHER);
    const answer = this.runsOn(few.flat()).avoidable(liberties, avoid);
    return answer === true && few.length < showing.length ? null : answer;
  }

  /** The shortest run of the whole scenario with the same liberties, where it can be searched. */
  shown(run: Run, sighting: Sighting): Shown {
    const whole = this.unprojected(run.liberties);
    if (whole === null) return { run, sighting, facts: this.facts };
    const again = whole.run.sightings.get(sighting.name);
    if (again !== undefined) return { ...whole, sighting: again };
    if (whole.run.exploration.stopped === null) {
      throw new Error(`a projection found ${sighting.name} and the whole scenario has it not`);
    }
    return { run, sighting, facts: this.facts };
  }

  unprojected(liberties: readonly Liberty[]): Pick<Shown, 'run' | 'facts'> | null {
    if (this.product(liberties) > SEARCHED_AGAIN) return null;
    return { run: this.whole.run(liberties), facts: this.whole.facts };
  }

  /** About as many states as the whole scenario has: lines meet in control only. */
  private product(liberties: readonly Liberty[]): number {
    const control = Math.max(1, this.analysis.states);
    const factors = this.parts.flatMap(({ runs, groups }) =>
      groups.map(() => runs.run(liberties).exploration.states / control),
    );
    return factors.reduce((product, each) => product * Math.max(1, each), control);
  }
}
