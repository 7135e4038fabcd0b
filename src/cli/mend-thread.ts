/**
 * One search of `civac mend` in a thread of its own, so that the main thread stays free for Ctrl-C
 * and progress. Leaves out: several files at once; mend takes one.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MendOutcome, MendProgress } from '../mend/mend.js';
import type { Input } from './inputs.js';
import type { MendMessage, MendSettings, MendStart } from './mend-worker.js';
import { packageRoot } from './package-root.js';
import type { Interruption } from './runner.js';

/** How long the thread may take to hand over what it knows. */
const graceMs = 3000;

/** Null when it was interrupted and did not answer in time. Rejects when the search fails. */
export function mendInThread(
  { text, file }: Input,
  options: MendSettings,
  interruption: Interruption,
  onProgress: (progress: MendProgress) => void,
): Promise<MendOutcome | null> {
  const flag = new SharedArrayBuffer(4);
  const workerData: MendStart = { text, file, options, flag };
  const worker = new Worker(join(packageRoot(), 'dist', 'mend-worker.mjs'), { workerData });
  return new Promise<MendOutcome | null>((done, fail) => {
    interruption.onInterrupt(() => {
      Atomics.store(new Int32Array(flag), 0, 1);
      setTimeout(() => done(null), graceMs).unref();
    });
    worker.on('error', fail);
    worker.on('message', (message: MendMessage) => {
      if (message.kind === 'progress') onProgress(message.progress);
      else done(message.outcome);
    });
  }).finally(() => void worker.terminate());
}
