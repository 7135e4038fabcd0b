/**
 * What follows from a step by itself: assignments and branches, the end of init, a device that
 * starts or ends, writes that nobody can read any more. Also when a run is complete.
 */
import { withItem } from '../base/lists.js';
import { type Clock, join, pruned, unwritten, type View } from '../ideal/word.js';
import { dmaDomain } from '../kernel/iommu.js';
import type { Layout } from '../kernel/layout.js';
import { booksWith, type KernelState, type Lock, type Port } from '../kernel/state.js';
import type { Value } from '../kernel/value.js';
import type { Program, ThreadCode } from '../litmus/program.js';
import type { Entry } from '../machine/store-buffer.js';
import type { Sites } from './sites.js';
import { copyOf, type NewThread, type Thread, type Unkeyed } from './state.js';
import { settle } from './thread.js';

/** A run is not over while a doorbell is under way or a device's cache is dirty (M11). */
function mustArrive(entry: Entry): boolean {
  return entry.kind === 'doorbell' || (entry.kind === 'store' && entry.device !== undefined);
}

/** What loads that were put off may still return. */
function delayedViews(thread: Thread, agent: number, cell: number): readonly View[] {
  return thread.delayed.flatMap(({ cell: mine, clock }) => {
    const before = { agent, count: clock[agent] ?? 0 };
    return mine === cell ? [{ clock, seen: thread.seen[cell], before }] : [];
  });
}

function begun(thread: Thread, pc: number, locals: readonly Value[], clock: Clock): NewThread {
  const after = copyOf(thread);
  after.pc = pc;
  after.locals = locals;
  after.clock = clock;
  return after;
}

/** A state with other threads and books. */
function stateOf(
  threads: readonly Thread[],
  { frames, words }: Unkeyed,
  kernel: KernelState,
): Unkeyed {
  return { threads, frames, words, kernel };
}

export class Progress {
  constructor(
    private readonly program: Program,
    private readonly layout: Layout,
    private readonly sites: Sites,
  ) {}

  initial(): Unkeyed {
    const state: Unkeyed = {
      threads: this.sites.threads.map((code) => this.newThread(code.locals.length)),
      frames: [],
      words: this.layout.cells.map(() => unwritten),
      kernel: this.newKernel(),
    };
    const threads = state.threads.slice();
    const [init] = threads;
    if (init !== undefined) threads[0] = begun(init, 0, init.locals, init.clock);
    return this.afterInit(this.settled(stateOf(threads, state, state.kernel), 0));
  }

  newThread(locals: number): Required<Thread> {
    return {
      pc: -1,
      locals: Array.from({ length: locals }, () => 0),
      clock: this.sites.threads.map(() => 0),
      seen: {},
      entries: [],
      work: [],
      site: -1,
      tickets: this.program.machine.devices.map(() => 1),
      touched: [],
      early: [],
      delayed: [],
      copied: 0,
    };
  }

  /** Every field is there from the start: the fast engine makes a component of each. */
  newKernel(): Required<KernelState> {
    const { devices } = this.program.machine;
    const clock: Clock = this.sites.threads.map(() => 0);
    const port: Port = { rung: 0, queue: [], done: 0, clock };
    const locks: Lock[] = this.program.locks.map(({ handle, kind }) => ({
      id: handle,
      kind,
      holder: -1,
      count: 0,
      clock,
    }));
    const handles: (Value | null)[] = this.program.handles.map(() => null);
    for (const { handle, kind } of this.program.locks) handles[handle] = { kind, id: handle };
    return {
      posted: [],
      iotlb: [],
      ptes: [],
      contexts: [],
      iommusOff: [],
      deviceLines: [],
      notifiers: [],
      invalidated: [],
      invalidating: [],
      pools: [],
      pagePools: [],
      gpuVas: [],
      lru: [],
      carveOuts: [],
      fences: [],
      masks: [],
      buffers: [],
      maps: [],
      sgts: [],
      mappings: [],
      iovas: [],
      files: [],
      attachments: [],
      locks,
      handles,
      domains: devices.flatMap((each, device) =>
        each.iommu ? [{ id: dmaDomain(device), device, entries: [], stale: [] }] : [],
      ),
      ports: devices.map(() => port),
    };
  }

  /**
   * When init has ended and its stores are out, every other thread begins, knowing all of it; after
   * a fault in init (beyond its end) none does.
   */
  afterInit(state: Unkeyed): Unkeyed {
    const init = state.threads[0];
    const code = this.sites.threads[0]?.code ?? [];
    if (init === undefined || init.pc < code.length) return state;
    if (init.entries.length > 0 || init.work.length > 0) return state;
    if (this.sites.barDevices.length > 0 && state.kernel.posted.length > 0) return state;
    const started = state.threads.map((thread, i): Thread => {
      if (i === 0) {
        const over = begun(thread, -2, [], thread.clock);
        over.seen = {};
        return over;
      }
      const pc = init.pc > code.length ? this.over(i) : this.start(i);
      return begun(thread, pc, thread.locals, join(thread.clock, init.clock));
    });
    let next = stateOf(started, state, state.kernel);
    for (let i = 1; i < started.length; i++) {
      if (started[i]?.pc === 0) next = this.settled(next, i);
    }
    return next;
  }

  private start(index: number): number {
    const thread = this.sites.threads[index];
    const runs = thread?.kind === 'cpu' || !this.isRung(thread?.device ?? -1);
    return runs ? 0 : -1;
  }

  /** Where a thread stands that has ended. */
  private over(index: number): number {
    const thread = this.sites.threads[index];
    return thread?.kind === 'cpu' ? thread.code.length : -1;
  }

  /** Some thread rings this device's doorbell; a device nobody rings runs once, from the start. */
  isRung(device: number): boolean {
    if (this.program.machine.devices[device]?.rogue === true) return false;
    return this.sites.threads.some((thread) =>
      thread.code.some(
        (each) =>
          each.op === 'call' &&
          ['submit', 'writel', 'writel_relaxed'].includes(each.operation.name) &&
          each.args.some(
            (arg) =>
              arg.kind === 'value' && arg.value.kind === 'device' && arg.value.index === device,
          ),
      ),
    );
  }

  ended(thread: Thread, index: number): boolean {
    const code = this.sites.threads[index];
    if (code?.kind === 'device') return thread.pc < 0;
    return thread.pc === code?.code.length && thread.delayed.length === 0;
  }

  complete(state: Unkeyed): boolean {
    if (this.sites.barDevices.length > 0 && state.kernel.posted.length > 0) return false;
    const { threads } = state;
    for (let i = 0; i < threads.length; i++) {
      const thread = threads[i];
      if (thread === undefined) continue;
      const ended = i === 0 ? thread.pc === -2 : this.ended(thread, i);
      if (!ended || thread.work.length > 0 || thread.entries.some(mustArrive)) return false;
    }
    return true;
  }

  /** Threads that have not ended: what a trace or a note calls stuck. */
  unfinished(state: Unkeyed): readonly number[] {
    return state.threads.flatMap((thread, i) =>
      i > 0 && (thread.work.length > 0 || !this.ended(thread, i)) ? [i] : [],
    );
  }

  /** Runs what needs no memory: assignments, branches; and a device's end. */
  settled(state: Unkeyed, index: number): Unkeyed {
    const code = this.sites.threads[index];
    const thread = state.threads[index];
    if (code === undefined || thread === undefined) return state;
    const site = this.sites.of(index, Math.max(0, thread.pc));
    const { handles, machine } = this.program;
    const after = settle(thread, code, state.kernel, handles, site, machine.profile);
    let next = state;
    if (after.thread !== thread || after.kernel !== state.kernel) {
      const threads = withItem(state.threads, index, after.thread);
      next = stateOf(threads, state, after.kernel);
    }
    const over = after.thread.pc >= code.code.length && after.thread.work.length === 0;
    if (code.kind === 'device' && over) {
      next = this.completionWaits(after.thread, code.device)
        ? this.waiting(next, index)
        : this.deviceEnds(next, index);
    }
    return next;
  }

  /** Its writes are not in memory yet, and its interrupt does not overtake them (M10). */
  private completionWaits(thread: Thread, device: number): boolean {
    if (!this.sites.posting.has(device)) return false;
    const { unorderedInterrupt } = this.program.machine.devices[device] ?? {};
    return unorderedInterrupt !== true && thread.entries.length > 0;
  }

  private waiting(state: Unkeyed, index: number): Unkeyed {
    const threads = state.threads.map((each, i): Thread => {
      if (i !== index) return each;
      const last = (this.sites.threads[index]?.code.length ?? 1) - 1;
      const after = copyOf(each);
      after.work = [{ do: 'arrived' }];
      after.site = this.sites.of(index, last);
      return after;
    });
    return stateOf(threads, state, state.kernel);
  }

  deviceEnds(state: Unkeyed, index: number): Unkeyed {
    const thread = state.threads[index];
    const code = this.sites.threads[index];
    if (thread === undefined || code === undefined) return state;
    const ports = state.kernel.ports.map((port, i) =>
      i === code.device
        ? { ...port, done: port.done + 1, clock: join(port.clock, thread.clock) }
        : port,
    );
    const threads = state.threads.slice();
    const idle = copyOf(thread);
    idle.pc = -1;
    idle.early = [];
    threads[index] = idle;
    return stateOf(threads, state, booksWith(state.kernel, { ports }));
  }

  /** An idle device takes the next doorbell at once: waiting longer changes nothing it can see. */
  startDevices(state: Unkeyed): Unkeyed {
    // What init rang is in the queue until init is over.
    if (state.threads[0]?.pc !== -2) return state;
    let next = state;
    const { threads } = this.sites;
    for (let i = 0; i < threads.length; i++) {
      const code = threads[i];
      if (code === undefined || code.kind !== 'device') continue;
      let bell = this.heard(next, i, code.device);
      for (; bell !== undefined; bell = this.heard(next, i, code.device)) {
        next = this.started(next, i, code, bell);
      }
    }
    return next;
  }

  /** The doorbell that an idle device takes next. */
  private heard({ threads, kernel }: Unkeyed, index: number, device: number): Clock | undefined {
    return threads[index]?.pc === -1 ? kernel.ports[device]?.queue[0] : undefined;
  }

  private started(state: Unkeyed, index: number, code: ThreadCode, bell: Clock): Unkeyed {
    const ports = state.kernel.ports.map((port, d) =>
      d === code.device ? { ...port, queue: port.queue.slice(1) } : port,
    );
    const threads = state.threads.slice();
    const locals = code.locals.map(() => 0);
    const thread = threads[index];
    if (thread === undefined) return state;
    threads[index] = begun(thread, 0, locals, join(thread.clock, bell));
    return this.settled(stateOf(threads, state, booksWith(state.kernel, { ports })), index);
  }

  prune(state: Unkeyed): Unkeyed {
    let { words } = state;
    state.words.forEach((word, cell) => {
      if (word.writes.length <= 1) return;
      const views: View[] = [];
      state.threads.forEach((thread, i) => {
        if (i > 0 && this.sites.threads[i]?.kind === 'cpu' && this.ended(thread, i)) return;
        views.push({ clock: thread.clock, seen: thread.seen[cell] });
        if (thread.delayed.length > 0) views.push(...delayedViews(thread, i, cell));
      });
      const kept = pruned(word, views);
      if (kept === word) return;
      if (words === state.words) words = state.words.slice();
      (words as (typeof kept)[])[cell] = kept;
    });
    if (words === state.words) return state;
    const { threads, frames, kernel } = state;
    return { threads, frames, words, kernel };
  }
}
