/**
 * Checks many scenarios, in order. Most take milliseconds and are done right here, where starting
 * a thread would cost more than the work; the first one that takes longer sends itself and all
 * that follow to worker threads, so that Ctrl-C and progress work for anything a person waits for.
 * Many short ones end up there too, where every core has a part of them.
 */
import { availableParallelism } from 'node:os';
import type { Outcome, Settings } from './check-one.js';
import type { Input } from './inputs.js';
import { Pool } from './pool.js';
import { checkWork, type Known, type Work } from './work.js';
import type { WorkerProgress } from './worker.js';

/** What is done here at most before threads take over; also the latency of Ctrl-C until then. */
const trialMs = 250;
/** After so much of it in all, threads are worth their start. */
const trialsMs = 1000;
/** With so many inputs they are so from the first one on. */
const many = 100;

export interface Interruption {
  /** Called once, as soon as it happens. */
  onInterrupt(handler: () => void): void;
  readonly happened: boolean;
}

/** Null when it would take longer than the trial. */
function tryHere<I extends Input, O>(work: Work<I, O>, input: I, settings: Settings): O | null {
  const started = performance.now();
  let gaveUp = false;
  const outcome = work.perform(input, settings, {
    interrupted: () => {
      gaveUp ||= performance.now() - started > trialMs;
      return gaveUp;
    },
  });
  return gaveUp ? null : outcome;
}

/** How far an input is, and what is known of it by then. */
export type OnProgress = (input: Input, progress: WorkerProgress, known: Known) => void;

export function checkAll(
  inputs: readonly Input[],
  settings: Settings,
  interruption: Interruption,
  onProgress: OnProgress,
): AsyncGenerator<Outcome> {
  return runAll(checkWork, inputs, settings, interruption, onProgress);
}

/** Threads that are left for a scenario besides its own, or why there are none. */
function helpersFor(
  { checkpoint, engine }: Settings,
  size: number,
  cores: number,
): number | string {
  if (engine === 'reference') return '--engine reference';
  if (checkpoint !== undefined) return '--checkpoint keeps one exploration at a time';
  if (cores === 1) return 'one core';
  return size > 1 ? 'other scenarios have the others' : cores - 1;
}

/** What comes of each input, in their order. */
export async function* runAll<I extends Input, O>(
  work: Work<I, O>,
  inputs: readonly I[],
  settings: Settings,
  interruption: Interruption,
  onProgress: OnProgress,
): AsyncGenerator<O> {
  const rest = [...inputs];
  const begun = performance.now();
  const cores = availableParallelism();
  for (let input = rest[0]; input !== undefined; input = rest[0]) {
    const long = settings.checkpoint !== undefined || (inputs.length >= many && cores > 1);
    if (long && !interruption.happened) break;
    if (interruption.happened) {
      yield work.skipped(input);
    } else {
      const outcome = tryHere(work, input, settings);
      if (outcome === null) break;
      yield outcome;
    }
    rest.shift();
    if (performance.now() - begun > trialsMs && rest.length >= 2 * cores) break;
    // A turn of the event loop, or no signal would ever arrive.
    if (rest.length > 0) await new Promise((turn) => setImmediate(turn));
  }
  if (rest.length === 0) return;
  const size = Math.min(rest.length, cores);
  const own = { ...settings, helpers: helpersFor(settings, size, cores) };
  const pool = new Pool(work, size, own, onProgress);
  interruption.onInterrupt(() => pool.interrupt());
  const outcomes = rest.map((input) => pool.submit(input));
  try {
    for (const outcome of outcomes) yield await outcome;
  } finally {
    await pool.close();
  }
}
