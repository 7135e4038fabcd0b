/**
 * Explorations of one scenario under different liberties (model.md §1, `needs`). Each is made at
 * most once. An access to a word not tracked yet throws NewCell out of here; check.ts starts over.
 */
import { explore, type Exploration, type ExploreOptions } from '../explore/bfs.js';
import { exploreTables } from '../fast/explore.js';
import type { Keeper } from '../fast/snapshot.js';
import { Ledger, type LedgerMemory, makeLedger } from '../fast/ledger.js';
import { Tables } from '../fast/tables.js';
import { type SetsWay, WAITS } from '../fast/whole.js';
import type { TeamSource } from '../fast/together.js';
import type { RawFinding } from '../kernel/context.js';
import type { Layout } from '../kernel/layout.js';
import type { Program } from '../litmus/program.js';
import type { State } from '../system/state.js';
import { System } from '../system/system.js';
import type { Named as Word } from '../reduce/words.js';
import { type Asked, clock, explorationOf } from './ahead.js';
import { lostWakeups, someoneWaits, type Stuck, waitsForEver } from './lost-wakeup.js';
import { type TeamHost, teamOf } from './joined.js';
import { Facts, Passing } from './recorder.js';
import { Kept } from './checkpoint.js';
import { Effort } from './effort.js';
import { AVOIDS, setsWay } from './sets-way.js';
import type { Liberty } from './result.js';
import type { Run, RunOptions, RunSource, Sets, Sighting } from './run.js';

export type { Engine, Likely, Run, RunOptions, RunSource, Shown, Sighting } from './run.js';

/** The part of the memory limit that tables may take as text for other threads. */
const LEDGER_PART = 4;

/** An exploration has more states than are worth doing as they stand. */
export class TooLarge extends Error {
  constructor(
    readonly layout: Layout,
    /** It was the first exploration already. */
    readonly first: boolean,
  ) {
    super('too large');
  }
}

type SearchOptions = ExploreOptions<RawFinding> & {
  readonly keeper?: Keeper | undefined;
  readonly liberties: readonly Liberty[];
};

export class Runs implements RunSource {
  private readonly done = new Map<string, Run>();
  /** Shared by all explorations: the liberties are part of what the tables look at. */
  private tables: Tables | undefined;
  private ledger: LedgerMemory | undefined;
  private readonly started: number;
  readonly effort = new Effort();
  private readonly kept: Kept | undefined;
  /** A limit that an exploration hit which `done` does not have. */
  private cut: Run['exploration']['stopped'] = null;
  /** By liberties: explorations that other threads were asked for. */
  private readonly asked = new Map<string, Asked>();
  /** Some exploration was large enough for other threads. */
  private isLarge = false;
  /** Why sets are of no use in this scenario; '': nothing is known against them. */
  private noSets = '';
  /** Threads can wait for ever: explorations since have all environment steps. */
  private waits = false;

  constructor(
    readonly program: Program,
    private readonly layout: Layout,
    readonly options: RunOptions,
    readonly facts = new Facts(),
  ) {
    this.started = options.begun ?? options.now();
    const { checkpoints, smallOnly } = options;
    if (checkpoints !== undefined && smallOnly !== true) this.kept = new Kept(checkpoints, layout);
    if (this.kept?.saved) facts.restore(this.kept.saved.facts);
  }

  /** Threads that may join in; undefined: none. */
  private get host(): TeamHost | undefined {
    return this.kept === undefined ? this.options.ahead?.team : undefined;
  }

  /** The same for one exploration. */
  private teamFor(system: System, liberties: readonly Liberty[]): TeamSource | undefined {
    const { host, ledger } = this;
    // What ranges name hangs on what was met before.
    if (host === undefined || ledger === undefined || this.layout.hasRanges) return undefined;
    const { roles = null, por = false } = this.options;
    const source = { machine: this.program.machine, roles, layout: this.layout.saved };
    return teamOf(host, { source, liberties, lazy: system.environment !== null, por, ledger });
  }

  private ownTables(): Tables {
    if (this.tables === undefined) {
      const lazy = this.options.por === true;
      const { layout, host } = this;
      const recorder = new Passing(this.facts, layout);
      this.tables = new Tables(this.program, layout, host ? recorder : this.facts, lazy);
      if (host) {
        this.ledger = makeLedger(this.options.limits.maxMemoryBytes / LEDGER_PART);
        this.tables.share(new Ledger(this.ledger), recorder);
      }
      if (this.kept?.saved) this.tables.restore(this.kept.saved.tables);
    }
    return this.tables;
  }

  /** The first limit that any exploration so far ran into. */
  get stopped(): Run['exploration']['stopped'] {
    const stops = [...this.done.values()].map((run) => run.exploration.stopped);
    return stops.find((each) => each !== null) ?? this.cut;
  }

  get words(): readonly Word[] {
    return this.layout.hasRanges ? [] : this.layout.words;
  }

  run(liberties: readonly Liberty[], next: Sets = []): Run {
    const key = liberties.join('+');
    let found = this.done.get(key);
    if (found === undefined) {
      found = this.fromOther(liberties) ?? this.explore(liberties, next);
      this.done.set(key, found);
    }
    return found;
  }

  expect(sets: Sets): void {
    const keys = new Set(sets.map((each) => each.join('+')));
    for (const [key, asked] of this.asked) {
      if (keys.has(key)) continue;
      asked.drop();
      this.asked.delete(key);
    }
    if (this.isLarge) for (const each of sets) this.ask(each);
  }

  /** Has another thread begin with an exploration, where there is one. */
  ask(liberties: readonly Liberty[]): void {
    const { ahead, order, limits, roles = null, engine } = this.options;
    const key = liberties.join('+');
    if (ahead === undefined || engine === 'reference') return;
    if (this.done.has(key) || this.asked.has(key)) return;
    const { machine } = this.program;
    const left = limits.maxSeconds - (this.options.now() - this.started);
    const source = { machine, roles, layout: this.layout.saved };
    const { lazy } = this;
    const deadline = clock() + left;
    const asked = ahead.ask({ source, liberties, order, limits, deadline, lazy });
    if (asked !== null) this.asked.set(key, asked);
  }

  /** The exploration as another thread made it; null: it has to be made here. */
  private fromOther(liberties: readonly Liberty[]): Run | null {
    const { effort, facts, options } = this;
    const key = liberties.join('+');
    const asked = this.asked.get(key);
    if (asked === undefined) return null;
    this.asked.delete(key);
    const begun = options.now();
    const answer = asked.take(this.exploreOptions(liberties).tick);
    effort.seconds += options.now() - begun;
    if (answer === null) return null;
    facts.merge(answer.facts);
    const system = this.system(liberties, answer.decided !== null);
    effort.environment(answer.decided);
    if (answer.waits) this.waitsAfterAll();
    const exploration = explorationOf(answer, this.program, this.layout, system, facts);
    effort.others++;
    effort.leaves += answer.leaves;
    effort.states += exploration.states;
    return runOf(liberties, system, exploration, answer.stuck);
  }

  /**
   * Can a run end without such a finding, or, where no run ends, get stuck without it? Null when a
   * limit was hit before an answer.
   */
  avoidable(
    liberties: readonly Liberty[],
    avoid: (finding: RawFinding) => boolean,
  ): boolean | null {
    const system = this.system(liberties);
    const exploration = this.search(system, {
      ...this.exploreOptions(liberties),
      avoid,
      untilComplete: true,
      keepGraph: true,
    });
    if (exploration.completeStates.length > 0) return true;
    if (exploration.stopped !== null) return null;
    return waitsForEver(system, exploration, avoid);
  }

  shows(liberties: readonly Liberty[], names: ReadonlySet<string>): ReadonlySet<string> {
    const options = { ...this.exploreOptions(liberties), untilAll: names };
    const { found, stopped, bySets } = this.search(this.system(liberties, this.lazy), options);
    this.cut ??= stopped;
    return new Set([...names].filter((name) => found.has(name) || bySets?.names.has(name)));
  }

  private search(system: System, options: SearchOptions): Exploration<State, RawFinding> {
    const { effort } = this;
    const begun = this.options.now();
    const before = this.tables?.leaves ?? 0;
    try {
      const found = this.byEngine(system, options);
      effort.states += found.states;
      if ((found.joined ?? 0) > 0) effort.joined++;
      effort.sets(found);
      if (found.notBySets === WAITS) this.noSets = WAITS;
      effort.environment(system.environment);
      return found;
    } finally {
      effort.seconds += this.options.now() - begun;
      effort.leaves += (this.tables?.leaves ?? 0) - before;
    }
  }

  private byEngine(system: System, options: SearchOptions): Exploration<State, RawFinding> {
    const { engine, tablesFrom } = this.options;
    const { limits } = options;
    if (engine === 'reference' || limits.maxStates <= tablesFrom) {
      this.effort.reference++;
      return explore(system, options);
    }
    const { smallOnly, isLarge } = this.options;
    const tries = isLarge !== true && tablesFrom > 0 && !this.kept?.saved;
    if (this.tables === undefined && tries) {
      const few = explore(system, { ...options, limits: { ...limits, maxStates: tablesFrom } });
      if (few.stopped !== 'states') {
        this.effort.reference++;
        return few;
      }
      if (smallOnly === true) throw new TooLarge(this.layout, this.done.size === 0);
    }
    const tables = this.ownTables();
    this.effort.tables++;
    const team = this.teamFor(system, options.liberties);
    return exploreTables(tables, system, { ...options, team, sets: this.setsFor(options) });
  }

  /** How one exploration may be made by sets. */
  private setsFor(options: SearchOptions): SetsWay | undefined {
    const { program, noSets } = this;
    const { setsFrom: from, tick } = this.options;
    if (from === undefined) return undefined;
    const why = options.avoid !== undefined ? AVOIDS : noSets;
    return setsWay(program, { from, why }, tick, nameOf(options.liberties));
  }

  private system(liberties: readonly Liberty[], lazy = false): System {
    return new System(this.program, this.layout, new Set(liberties), this.facts, true, lazy);
  }

  private exploreOptions(liberties: readonly Liberty[], next: Sets = []) {
    const { order, now, tick, ahead } = this.options;
    // The time limit is the scenario's, shared by all its explorations.
    const maxSeconds = this.options.limits.maxSeconds - (now() - this.started);
    const limits = { ...this.options.limits, maxSeconds };
    const name = nameOf(liberties);
    return {
      liberties,
      limits,
      order,
      now,
      tick: (states: number, transitions: number, found = 0) => {
        if (ahead !== undefined && states >= ahead.from && !this.isLarge) {
          this.isLarge = true;
          if (found === 0) this.expect(next);
        }
        // What comes next is something else then; whoever is at it has a better use.
        if (found > 0 && this.asked.size > 0 && next.length > 0) this.expect([]);
        return tick(states, transitions, name);
      },
    };
  }

  /** Evictions and fills that nothing could tell are left out. */
  private get lazy(): boolean {
    return this.options.por === true && this.options.engine === 'fast' && !this.waits;
  }

  private waitsAfterAll(): void {
    this.waits = true;
    this.effort.waits = true;
  }

  private explore(liberties: readonly Liberty[], next: Sets): Run {
    const { lazy } = this;
    const system = this.system(liberties, lazy);
    const keeper = this.kept?.keeper(`${liberties.join('+')}${lazy ? ' lazy' : ''}`, () => {
      return { tables: this.ownTables().saved, facts: this.facts.saved };
    });
    const exploration = this.search(system, {
      ...this.exploreOptions(liberties, next),
      keeper,
      keepGraph: true,
      untilFound: this.options.stopAtFirst === true,
    });
    // Threads that never end show only when every state was seen.
    const partial =
      exploration.stopped !== null ||
      (this.options.stopAtFirst === true && exploration.found.size > 0);
    if (lazy && !partial && someoneWaits(system, exploration)) {
      // Which states a loop goes round in, and how soon, is asked of all there are.
      this.waitsAfterAll();
      return this.explore(liberties, next);
    }
    const stuck = partial || lazy ? [] : lostWakeups(system, exploration);
    return runOf(liberties, system, exploration, stuck);
  }
}

/** For progress. */
function nameOf(liberties: readonly Liberty[]): string {
  return liberties.length === 0 ? 'nothing' : liberties.join('+');
}

function runOf(
  liberties: readonly Liberty[],
  system: System,
  exploration: Exploration<State, RawFinding>,
  stuck: readonly Stuck[],
): Run {
  const sightings = new Map<string, Sighting>();
  for (const [name, { finding, state, action, depth }] of exploration.found) {
    sightings.set(name, { name, id: finding.id, finding, state, action, depth });
  }
  for (const each of stuck) {
    if (each.lost && !sightings.has(each.name)) {
      const { name, state, action, depth } = each;
      sightings.set(name, { name, id: 'H12', finding: null, state, action, depth });
    }
  }
  return { liberties, system, exploration, sightings, stuck };
}
