/**
 * Checks many scenarios, in order. Most take milliseconds and are done right here, where starting
 * a thread would cost more than the work; the first one that takes longer sends itself and all
 * that follow to worker threads, so that Ctrl-C and progress work for anything a person waits for.
 * Many short ones end up there too, where every core has a part of them.
 */
import { availableParallelism } from 'node:os';
import { checkOne, type Outcome, type Settings } from './check-one.js';
import type { Input } from './inputs.js';
import { Pool } from './pool.js';
import type { WorkerProgress } from './worker.js';

/** What is done here at most before threads take over; also the latency of Ctrl-C until then. */
const trialMs = 250;
/** After so much of it in all, threads are worth their start. */
const trialsMs = 1000;

export interface Interruption {
  /** Called once, as soon as it happens. */
  onInterrupt(handler: () => void): void;
  readonly happened: boolean;
}

/** Null when it would take longer than the trial. */
function tryHere(input: Input, settings: Settings): Outcome | null {
  const started = performance.now();
  let gaveUp = false;
  const outcome = checkOne(input, settings, {
    interrupted: () => {
      gaveUp ||= performance.now() - started > trialMs;
      return gaveUp;
    },
  });
  return gaveUp ? null : outcome;
}

export async function* checkAll(
  inputs: readonly Input[],
  settings: Settings,
  interruption: Interruption,
  onProgress: (input: Input, progress: WorkerProgress) => void,
): AsyncGenerator<Outcome> {
  const rest = [...inputs];
  const begun = performance.now();
  for (let input = rest[0]; input !== undefined; input = rest[0]) {
    if (interruption.happened) {
      yield { kind: 'skipped', input };
    } else {
      const outcome = tryHere(input, settings);
      if (outcome === null) break;
      yield outcome;
    }
    rest.shift();
    if (performance.now() - begun > trialsMs && rest.length >= 2 * availableParallelism()) break;
    // A turn of the event loop, or no signal would ever arrive.
    if (rest.length > 0) await new Promise((turn) => setImmediate(turn));
  }
  if (rest.length === 0) return;
  const pool = new Pool(Math.min(rest.length, availableParallelism()), settings, onProgress);
  interruption.onInterrupt(() => pool.interrupt());
  const outcomes = rest.map((input) => pool.submit(input));
  try {
    for (const outcome of outcomes) yield await outcome;
  } finally {
    await pool.close();
  }
}
