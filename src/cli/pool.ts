/**
 * Worker threads that share a queue of scenarios. A worker that dies takes only its own scenario
 * with it. After an interruption the queue is dropped, the running ones are asked to stop, and
 * those that do not in time are stopped from outside.
 */
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { Settings } from './check-one.js';
import { errorCode } from './errors.js';
import { type HelperStart, type HelpersWanted, markGone } from './helpers.js';
import type { Input } from './inputs.js';
import { packageRoot } from './package-root.js';
import type { Known, Work } from './work.js';
import type { WorkerMessage, WorkerProgress, WorkerStart } from './worker.js';

interface Job<I, O> {
  readonly input: I;
  readonly done: (outcome: O) => void;
  readonly known: Known;
}

/** Room for what a step makes and drops at once; less of it costs a twentieth more CPU time. */
const youngMb = 96;

/**
 * Of many scenarios each runs other code, every worker compiles all of it for itself, and what
 * compiles has no core of its own then. V8 is told to optimise a function when it has run eight
 * times as much as V8's own measure says: a fifth less CPU time for a matrix of 300 scenarios.
 * Measured with Node 20; later ones have another compiler in between.
 */
function optimiseLater(): void {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=528000');
}

/** How long a worker may take to hand over what it knows. */
const graceMs = 3000;

export class Pool<I extends Input, O> {
  private readonly queue: Job<I, O>[] = [];
  private readonly running = new Map<Worker, Job<I, O>>();
  private readonly idle: Worker[] = [];
  /** By the worker that asked for them, until its scenario is done. */
  private readonly helpers = new Map<Worker, readonly Worker[]>();
  private readonly flag = new SharedArrayBuffer(4);
  private stopped = false;

  constructor(
    private readonly work: Work<I, O>,
    private readonly size: number,
    private readonly settings: Settings,
    private readonly onProgress: (input: Input, progress: WorkerProgress, known: Known) => void,
  ) {
    if (size > 1) optimiseLater();
  }

  submit(input: I): Promise<O> {
    return new Promise((done) => {
      if (this.stopped) {
        done(this.work.skipped(input));
        return;
      }
      this.queue.push({ input, done, known: { cells: [], broken: [] } });
      this.feed();
    });
  }

  /** Asks every worker to stop and to say what it knows. */
  interrupt(): void {
    if (this.stopped) return;
    this.stopped = true;
    Atomics.store(new Int32Array(this.flag), 0, 1);
    for (const job of this.queue.splice(0)) job.done(this.work.skipped(job.input));
    const timer = setTimeout(() => {
      for (const worker of [...this.running.keys()]) this.lose(worker, 'interrupted');
    }, graceMs);
    timer.unref();
  }

  async close(): Promise<void> {
    const helpers = [...this.helpers.values()].flat();
    const all = [...this.idle, ...this.running.keys(), ...helpers];
    await Promise.all(all.map((worker) => worker.terminate()));
  }

  private feed(): void {
    while (this.queue.length > 0) {
      const worker = this.idle.pop() ?? (this.running.size < this.size ? this.start() : undefined);
      if (worker === undefined) return;
      const job = this.queue.shift();
      if (job === undefined) return;
      this.running.set(worker, job);
      worker.postMessage(job.input);
    }
  }

  private start(): Worker {
    const { name: work } = this.work;
    const workerData: WorkerStart = { work, settings: this.settings, flag: this.flag };
    const worker = this.thread({ workerData });
    worker.on('message', (message: WorkerMessage<O>) => this.receive(worker, message));
    worker.on('error', (error) => this.fail(worker, error));
    // Ended from outside, with no word why: what it was at is open.
    worker.on('exit', () => {
      const at = this.idle.indexOf(worker);
      if (at >= 0) this.idle.splice(at, 1);
      this.lose(worker, 'its worker thread was ended');
    });
    return worker;
  }

  private thread(options: WorkerOptions): Worker {
    const { maxMemoryBytes } = this.settings;
    // The heap must hold what the limit allows, and something for the program itself.
    const heapMb = maxMemoryBytes === undefined ? undefined : maxMemoryBytes / 2 ** 20 + 256;
    return new Worker(join(packageRoot(), 'dist', 'worker.mjs'), {
      ...options,
      resourceLimits: {
        maxYoungGenerationSizeMb: youngMb,
        ...(heapMb === undefined ? {} : { maxOldGenerationSizeMb: heapMb }),
      },
    });
  }

  /** Starts threads that explore ahead for a worker; one that goes leaves its work to that. */
  private startHelpers(worker: Worker, input: Input, { ports, control }: HelpersWanted): void {
    const helpers = ports.map((port, index) => {
      const workerData: HelperStart = { kind: 'helper', input, port, control, index };
      const helper = this.thread({ workerData, transferList: [port] });
      // Why is of no interest: the worker meets it too if it is in the scenario.
      helper.on('error', () => markGone(control, index));
      helper.on('exit', () => markGone(control, index));
      return helper;
    });
    this.helpers.set(worker, helpers);
  }

  private endHelpers(worker: Worker): void {
    for (const helper of this.helpers.get(worker) ?? []) void helper.terminate();
    this.helpers.delete(worker);
  }

  private receive(worker: Worker, message: WorkerMessage<O>): void {
    const job = this.running.get(worker);
    if (job === undefined) return;
    if (message.kind === 'progress') {
      this.onProgress(job.input, message.progress, job.known);
      return;
    }
    if (message.kind === 'cell') {
      job.known.cells.push(message.cell);
      return;
    }
    if (message.kind === 'broken') {
      job.known.broken.push(...message.findings);
      return;
    }
    if (message.kind === 'helpers') {
      this.startHelpers(worker, job.input, message.wanted);
      return;
    }
    this.endHelpers(worker);
    this.running.delete(worker);
    this.idle.push(worker);
    job.done(message.outcome);
    this.feed();
  }

  private fail(worker: Worker, error: Error): void {
    if (errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY') {
      this.lose(worker, 'out of memory');
      return;
    }
    const job = this.running.get(worker);
    this.endHelpers(worker);
    this.running.delete(worker);
    job?.done(this.work.crashed(job.input, error));
    this.feed();
  }

  private lose(worker: Worker, reason: string): void {
    const job = this.running.get(worker);
    if (job === undefined) return;
    this.endHelpers(worker);
    this.running.delete(worker);
    void worker.terminate();
    job.done(this.work.lost(job.input, reason, job.known));
    this.feed();
  }
}
