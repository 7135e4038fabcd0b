/**
 * The shell that one step works in: what the running thread and the shared state look like now,
 * begun with the records of the state that it starts from. Made for every step that is tried.
 * Leaves out: what happens in it (kernel/context.ts), and the state that comes of it (system.ts).
 */
import type { Clock, Word } from '../ideal/word.js';
import type { EarlyRead, StepState } from '../kernel/context.js';
import type { Frame, KernelState } from '../kernel/state.js';
import type { Instruction } from '../litmus/program.js';
import type { Entry } from '../machine/store-buffer.js';
import type { Sites } from './sites.js';
import { copyOf, type State, type Thread } from './state.js';

const NOTHING: readonly never[] = [];
const NO_OPTIONS: Readonly<Record<string, number>> = {};
const NOTHING_SEEN: Readonly<Record<number, Clock>> = {};

export class OneStep implements StepState {
  readonly options: Readonly<Record<string, number>>;
  readonly sync: boolean;
  readonly device: number;
  readonly posts: boolean;
  readonly anyPosts: boolean;
  readonly hasBars: boolean;
  touched: readonly number[];
  copied: number;
  early: readonly EarlyRead[];
  tickets: readonly number[];
  frames: readonly Frame[];
  words: readonly Word[];
  kernel: KernelState;
  clock: Clock;
  seen: Readonly<Record<number, Clock>>;
  entries: readonly Entry[];

  /** `agent` -1: the cache by itself, `site` then too. */
  constructor(
    private readonly state: State,
    private readonly sites: Sites,
    readonly agent: number,
    readonly site: number,
  ) {
    const thread = state.threads[agent];
    const instruction = sites.at(site)?.instruction;
    this.options = optionsOf(instruction);
    this.sync = instruction !== undefined && 'sync' in instruction && instruction.sync === true;
    this.device = sites.threads[agent]?.device ?? -1;
    this.anyPosts = sites.posting.size > 0;
    this.posts = this.anyPosts && sites.posting.has(this.device);
    this.hasBars = sites.barDevices.length > 0;
    this.frames = state.frames;
    this.words = state.words;
    this.kernel = state.kernel;
    this.tickets = thread?.tickets ?? NOTHING;
    this.touched = thread?.touched ?? NOTHING;
    this.copied = thread?.copied ?? 0;
    this.early = thread?.early ?? NOTHING;
    this.clock = thread?.clock ?? NOTHING;
    this.seen = thread?.seen ?? NOTHING_SEEN;
    this.entries = thread?.entries ?? NOTHING;
  }

  isDevice(agent: number): boolean {
    return this.sites.threads[agent]?.kind === 'device';
  }

  endOf(agent: number): Clock | null {
    const thread = this.state.threads[agent];
    const { code } = this.sites.threads[agent] ?? {};
    if (thread === undefined || thread.pc !== code?.length) return null;
    const busy = thread.work.length > 0 || thread.delayed.length > 0;
    const stores = thread.entries.some(({ kind }) => kind === 'store' || kind === 'doorbell');
    return busy || stores ? null : thread.clock;
  }

  allBuffers(): readonly (readonly Entry[])[] {
    const { state, agent, entries } = this;
    const all = state.threads.map((each, i) => (i === agent ? entries : each.entries));
    return this.hasBars ? [...all, this.kernel.posted.map(({ store }) => store)] : all;
  }

  /** What the thread is after the step, given what the step made of its place and its locals. */
  after(thread: Thread): Thread {
    const after = copyOf(thread);
    after.clock = this.clock;
    after.seen = this.seen;
    after.entries = this.entries;
    after.tickets = this.tickets;
    after.touched = this.touched;
    after.early = this.early;
    after.copied = this.copied;
    return after;
  }
}

function optionsOf(instruction: Instruction | undefined): Readonly<Record<string, number>> {
  return instruction?.op === 'call' ? instruction.options : NO_OPTIONS;
}
