/**
 * A scenario as a Model: which steps the whole system may take from a state. Threads, their store
 * buffers, the cache on its own (M3, M4) and devices each contribute steps. Asked to, it leaves out
 * what lines do by themselves where nothing could tell (environment.ts).
 * Leaves out: every other reduction.
 */
import { withItem } from '../base/lists.js';
import type { Model, Transition } from '../explore/model.js';
import { KernelContext, type RawFinding, type Recorder } from '../kernel/context.js';
import { originOf } from '../kernel/ids.js';
import type { Layout } from '../kernel/layout.js';
import { hasCacheableAlias } from '../kernel/mismatch.js';
import type { Overrides } from '../kernel/overrides.js';
import { arrived, firstPosted } from '../kernel/posted.js';
import { fetchLine } from '../kernel/remoteproc.js';
import { lineCode, placeOf, type Touched } from '../kernel/touched.js';
import type { Program } from '../litmus/program.js';
import { type LineEvent, type RuleRow, rowsFor } from '../machine/cache-rules.js';
import { mayDrain, withoutEntry } from '../machine/store-buffer.js';
import { Choices, markAlternatives, placed } from './choices.js';
import { doDelayed, dueLoad } from './delayed.js';
import { drain } from './drain.js';
import { earlyReads, readEarly, readsEarly } from './early.js';
import { Environment, neededSteps, noteChanges, noteTables } from './environment.js';
import { HiddenReads } from './hidden-reads.js';
import { KeyMaker } from './keys.js';
import { OneStep } from './one-step.js';
import { overridesOf } from './overrides.js';
import { Progress } from './progress.js';
import { Sites } from './sites.js';
import { copyOf, type State, type Thread, type Unkeyed } from './state.js';
import { runThread } from './thread.js';

/** Who took a step, for the lanes of a trace. */
export interface Step extends Transition<State, RawFinding> {
  /** Thread index; -1 for the cache. */
  readonly agent: number;
  readonly kind: 'thread' | 'drain' | 'cache';
  readonly site: number;
  /** The word it read; -1 for none. */
  readonly judged: number;
  readonly said: readonly { readonly rule: string; readonly text: string }[];
  /** What a line did by itself; null in other steps. */
  readonly row: RuleRow | null;
}

/**
 * Steps that belong together: what a thread does in turn (`thread`), one read of it before its
 * turn (`early`, `at` its instruction), one entry of its buffer (`drain`, `at` its index), what a
 * line does by itself (`cache`, `agent` the frame), the arrival of a write at a device (`posted`,
 * `agent` the device), a fetch of another processor's cache (`fetch`, `agent` the device, `at` the
 * line).
 */
export interface Group {
  readonly kind: 'thread' | 'early' | 'drain' | 'cache' | 'posted' | 'fetch';
  readonly agent: number;
  readonly at: number;
}

export class System implements Model<State, RawFinding> {
  readonly sites: Sites;
  readonly environment: Environment | null;
  private keys: KeyMaker | undefined;
  private touched: Touched | null = null;
  private readonly progress: Progress;
  private readonly choices = new Choices();
  private readonly hiddenReads = new HiddenReads();

  private readonly overrides: Overrides;

  constructor(
    readonly program: Program,
    readonly layout: Layout,
    readonly liberties: ReadonlySet<string>,
    readonly recorder: Recorder,
    /** Without, states have no text of their own: for those who never compare them. */
    private readonly hasKeys = true,
    /** Leaves out what lines do by themselves where nothing could tell. */
    lazy = false,
  ) {
    const met = (liberty: string): void => recorder.met?.(liberty);
    this.environment = lazy ? new Environment(liberties, met) : null;
    this.sites = Sites.of(program);
    this.overrides = overridesOf(program);
    this.progress = new Progress(program, layout, this.sites);
  }

  complete(state: State): boolean {
    return this.progress.complete(state);
  }

  /** Threads that have not ended: what a trace or a note calls stuck. */
  unfinished(state: State): readonly number[] {
    return this.progress.unfinished(state);
  }

  key(state: State): string {
    return state.key;
  }

  name(finding: RawFinding): string {
    const at = this.sites.at(finding.site)?.instruction.at;
    return `${finding.id}|${finding.agent}|${at?.line}:${at?.column}`;
  }

  initial(): readonly State[] {
    return [this.keyed(this.progress.initial())];
  }

  keyed(state: Unkeyed, from?: State): State {
    const { threads, frames, words, kernel } = state;
    if (!this.hasKeys) return { threads, frames, words, kernel, key: '' };
    this.keys ??= new KeyMaker();
    return { threads, frames, words, kernel, key: this.keys.key(state, from) };
  }

  successors(state: State): readonly Step[] {
    const steps: Step[] = [];
    if (this.progress.complete(state)) return steps;
    if (this.environment === null) {
      this.touched = null;
      this.eachGroup(state, (kind, agent, at) => this.addSteps(state, kind, agent, at, steps));
      return steps;
    }
    const stepsOf = (group: Group, touched: Touched | null) => this.stepsOf(state, group, touched);
    return neededSteps(state, this.groups(state), this.environment, stepsOf);
  }

  /**
   * The groups a state's steps come in, in the order of `successors`. Which groups of an agent
   * there are depends on that thread's record alone, and which of the cache on the frames alone;
   * groups that have no step now may be among them.
   */
  groups(state: Unkeyed): readonly Group[] {
    const groups: Group[] = [];
    this.eachGroup(state, (kind, agent, at) => groups.push({ kind, agent, at }));
    return groups;
  }

  private eachGroup(
    state: Unkeyed,
    use: (kind: Group['kind'], agent: number, at: number) => void,
  ): void {
    // Where every word is left out, nothing comes of an early read.
    const blind = this.layout.hidesNew && this.layout.cells.length === 0;
    const { profile } = this.program.machine;
    state.threads.forEach((thread, agent) => {
      const code = this.sites.threads[agent];
      if (thread.pc >= 0 && code !== undefined) {
        use('thread', agent, 0);
        if (!blind) for (const at of earlyReads(thread, code, profile)) use('early', agent, at);
      }
      for (let at = 0; at < thread.entries.length; at++) use('drain', agent, at);
    });
    state.frames.forEach((frame, agent) => {
      for (let at = 0; at < frame.lines.length; at++) use('cache', agent, at);
    });
    for (const device of this.sites.barDevices) use('posted', device, 0);
    for (const device of this.sites.processors) {
      state.frames.forEach((frame, index) => {
        for (let at = 0; at < frame.lines.length; at++) use('fetch', device, lineCode(index, at));
      });
    }
  }

  /**
   * The steps of one group; none when the state has no such group. `touched` is told what they have
   * to do with lines.
   */
  stepsOf(state: State, group: Group, touched: Touched | null = null): readonly Step[] {
    const { kind, agent, at } = group;
    const steps: Step[] = [];
    this.touched = touched;
    this.addSteps(state, kind, agent, at, steps);
    return steps;
  }

  private addSteps(
    state: State,
    kind: Group['kind'],
    agent: number,
    at: number,
    steps: Step[],
  ): void {
    if (kind === 'cache') this.cacheSteps(state, agent, at, steps);
    else if (kind === 'posted') this.postedSteps(state, agent, steps);
    else if (kind === 'fetch') this.fetchSteps(state, agent, at, steps);
    else if (agent === 0 || state.threads[0]?.pc === -2) {
      if (kind === 'drain') this.drainSteps(state, agent, at, steps);
      else if (kind === 'early') this.earlySteps(state, agent, at, steps);
      else this.threadSteps(state, agent, steps);
    }
  }

  private threadSteps(state: State, index: number, steps: Step[]): void {
    const thread = state.threads[index];
    const code = this.sites.threads[index];
    if (thread === undefined || code === undefined || thread.pc < 0) return;
    if (this.progress.ended(thread, index) && thread.work.length === 0) return;
    const due = dueLoad(thread, code, state.kernel, this.program.machine.profile);
    if (due !== undefined) {
      this.enumerate(state, index, this.sites.of(index, due.pc), 'thread', steps, (context) =>
        doDelayed(context, thread, due),
      );
      return;
    }
    const site = thread.work.length > 0 ? thread.site : this.sites.of(index, thread.pc);
    const delayable = this.sites.isDelayable(index, thread.pc);
    this.enumerate(state, index, site, 'thread', steps, (context) =>
      runThread(context, thread, code, this.program.handles, delayable),
    );
  }

  private earlySteps(state: State, index: number, pc: number, steps: Step[]): void {
    const thread = state.threads[index];
    const code = this.sites.threads[index];
    if (thread === undefined || code === undefined || thread.pc < 0) return;
    const { profile } = this.program.machine;
    if (!readsEarly(profile, code) || !this.liberties.has('reorder')) return;
    if (!earlyReads(thread, code, profile).includes(pc)) return;
    // Not where somebody wants to know what a step that does not happen looks at.
    if (this.touched === null && this.hiddenReads.has(state, index, pc)) return;
    const nowhere = (): void => {
      if (!this.choices.made) this.hiddenReads.add(state, index, pc);
    };
    this.enumerate(state, index, this.sites.of(index, pc), 'thread', steps, (context) =>
      readEarly(context, thread, code, pc, this.program.handles, nowhere),
    );
  }

  private drainSteps(state: State, index: number, at: number, steps: Step[]): void {
    const thread = state.threads[index];
    const entry = thread?.entries[at];
    if (thread === undefined || entry === undefined) return;
    const fifo = !this.liberties.has('reorder');
    if (!mayDrain(thread.entries, at, fifo, this.program.machine.profile)) return;
    this.enumerate(state, index, entry.at, 'drain', steps, (context) => {
      context.step.entries = withoutEntry(thread.entries, at, this.program.machine.profile);
      drain(context, entry, (frame, line) => this.lineName(state, frame, line));
      const after = copyOf(thread);
      after.entries = context.step.entries;
      return after;
    });
  }

  /** The first write that is on its way to a device arrives there. */
  private postedSteps(state: State, device: number, steps: Step[]): void {
    const write = firstPosted(state.kernel.posted, device);
    if (write === undefined) return;
    this.enumerate(state, write.agent, write.store.at, 'drain', steps, (context) => {
      arrived(context, write);
      drain(context, write.store, (frame, line) => this.lineName(state, frame, line), true);
      return null;
    });
  }

  /** The cache of a processor outside the CPUs' domain fetches a line (M4). */
  private fetchSteps(state: State, device: number, code: number, steps: Step[]): void {
    if (!this.liberties.has('speculation') || state.threads[0]?.pc !== -2) return;
    const { frame, line } = placeOf(code);
    this.enumerate(state, -1, -1, 'cache', steps, (context) => {
      fetchLine(context, device, frame, line);
      return null;
    });
  }

  private cacheSteps(state: State, index: number, at: number, steps: Step[]): void {
    const line = state.frames[index]?.lines[at];
    if (line === undefined) return;
    const events: LineEvent[] = [];
    if (this.liberties.has('eviction')) events.push('evict');
    const fills = this.liberties.has('speculation') && state.frames[index]?.table !== true;
    if (fills && this.speculates(state, index)) {
      events.push('speculate');
    }
    for (const event of events) {
      for (const row of rowsFor(line.state, event)) {
        // Only its walker looks at a table: whether a clean copy is there makes no difference.
        if (state.frames[index]?.table === true && row.next === 'absent') continue;
        const own = (context: KernelContext) => {
          context.apply(index, at, row);
          context.say(row.rule, () => `${this.lineName(state, index, at)}: ${row.text}`);
          return null;
        };
        this.enumerate(state, -1, -1, 'cache', steps, own, row);
      }
    }
  }

  /** A line as the scenario names it: `bo+0x40`. */
  lineName(state: State, frame: number, at: number): string {
    const { buffer, page } = state.frames[frame] ?? { buffer: -1, page: -1 };
    const pages = this.layout.pages(buffer);
    const line = pages[this.layout.pageIndex(buffer, page)]?.lines[at]?.line ?? 0;
    const { pageSize, lineSize } = this.program.machine;
    const byte = page * pageSize + line * lineSize;
    return `${this.bufferName(buffer)}+0x${byte.toString(16)}`;
  }

  /** The name the scenario gave to what a call made, else the call's own name. */
  bufferName(buffer: number): string {
    const { site: call, nth } = originOf(buffer);
    const site = this.sites.at(call);
    if (site?.instruction.op !== 'call') return `buffer${buffer}`;
    // A call that makes several: page tables.
    if (nth > 0) return `${site.instruction.operation.name}#${nth}`;
    const { target, operation } = site.instruction;
    const name =
      target === undefined
        ? undefined
        : target.kind === 'handle'
          ? this.program.handles[target.index]
          : this.sites.threads[site.thread]?.locals[target.index];
    return name ?? operation.name;
  }

  /** M4: any live cacheable mapping of the page allows speculation. */
  private speculates({ kernel, frames }: State, frame: number): boolean {
    return hasCacheableAlias(kernel, frames[frame], frame);
  }

  /**
   * Runs one step for every sequence of choices it asks for. `run` gives the thread's next record;
   * `blocked` in the context means that the step cannot happen now.
   */
  private enumerate(
    state: State,
    agent: number,
    site: number,
    kind: Step['kind'],
    steps: Step[],
    run: (context: KernelContext) => Thread | null,
    row: RuleRow | null = null,
  ): void {
    const first = steps.length;
    const { choices } = this;
    choices.begin();
    do {
      const step = new OneStep(state, this.sites, agent, site);
      const context = new KernelContext(
        this.program.machine,
        this.layout,
        this.liberties,
        step,
        this.recorder,
        choices.choose,
        this.overrides,
        this.touched,
      );
      const thread = placed(site, context, run);
      if (context.blocked) continue;
      const next = this.finish(state, step, kind, thread);
      const { findings, said, judged } = context;
      const will = kind === 'cache' ? 'free' : context.tookLiberty ? 'liberty' : 'must';
      if (this.touched !== null) noteChanges(state, next, this.touched);
      steps.push({ next, findings, will, agent, kind, site, said, judged, row });
    } while (choices.another());
    if (this.touched !== null) noteTables(state, this.layout, this.touched);
    if (steps.length > first) markAlternatives(steps, first);
  }

  private finish(state: State, step: OneStep, kind: Step['kind'], thread: Thread | null): State {
    const { agent } = step;
    let { threads } = state;
    if (thread !== null) {
      threads = withItem(threads, agent, kind === 'thread' ? step.after(thread) : thread);
    }
    let next: Unkeyed = { threads, frames: step.frames, words: step.words, kernel: step.kernel };
    if (kind === 'thread') next = this.progress.settled(next, agent);
    next = this.progress.startDevices(this.progress.afterInit(next));
    if (next.words !== state.words || isOneWiser(state, next)) next = this.progress.prune(next);
    return this.keyed(next, state);
  }
}

/** Some thread knows more than it did. */
function isOneWiser(state: Unkeyed, next: Unkeyed): boolean {
  for (let i = 0; i < next.threads.length; i++) {
    if (next.threads[i]?.clock !== state.threads[i]?.clock) return true;
  }
  return false;
}
