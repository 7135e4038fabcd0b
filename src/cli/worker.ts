/**
 * A worker thread that checks one scenario after the other, so that the main thread stays free
 * for Ctrl-C and progress. The interruption arrives through shared memory: a thread that explores
 * reads no messages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { checkOne, type Outcome, type Settings } from './check-one.js';
import type { Input } from './inputs.js';

export interface WorkerStart {
  readonly settings: Settings;
  readonly flag: SharedArrayBuffer;
}
export interface WorkerProgress {
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  readonly run: string;
}
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly progress: WorkerProgress }
  | { readonly kind: 'outcome'; readonly outcome: Outcome };

const progressMs = 200;

function isStart(data: unknown): data is WorkerStart {
  return typeof data === 'object' && data !== null && 'flag' in data && 'settings' in data;
}

function serve(start: WorkerStart): void {
  const flag = new Int32Array(start.flag);
  let told = 0;
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  parentPort?.on('message', (input: Input) => {
    const outcome = checkOne(input, start.settings, {
      interrupted: () => Atomics.load(flag, 0) !== 0,
      onProgress: (progress) => {
        const now = performance.now();
        if (now - told < progressMs) return;
        told = now;
        post({ kind: 'progress', progress });
      },
    });
    post({ kind: 'outcome', outcome });
  });
}

if (isStart(workerData)) serve(workerData);
