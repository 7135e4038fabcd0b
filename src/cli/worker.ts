/**
 * A worker thread that checks one scenario, or row of a matrix, after the other, so that the main
 * thread stays free for Ctrl-C and progress; or a helper that explores ahead for one of these. The
 * interruption arrives through shared memory: a thread that explores reads no messages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { MatrixCell } from '../matrix/cells.js';
import type { Finding } from '../verdict/result.js';
import type { Settings } from './check-one.js';
import { faultOnOrder } from './faults.js';
import { type HelperStart, type HelpersWanted, help } from './helpers.js';
import type { Input } from './inputs.js';
import { checkWork, rowWork, type WorkName } from './work.js';

export interface WorkerStart {
  readonly work: WorkName;
  readonly settings: Settings;
  readonly flag: SharedArrayBuffer;
}
export interface WorkerProgress {
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  readonly run: string;
}
/** `O` is what the work comes to. */
export type WorkerMessage<O> =
  | { readonly kind: 'progress'; readonly progress: WorkerProgress }
  | { readonly kind: 'cell'; readonly cell: MatrixCell }
  | { readonly kind: 'broken'; readonly findings: readonly Finding[] }
  | { readonly kind: 'helpers'; readonly wanted: HelpersWanted }
  | { readonly kind: 'outcome'; readonly outcome: O };

const progressMs = 200;

function isStart(data: unknown): data is WorkerStart {
  return typeof data === 'object' && data !== null && 'flag' in data && 'settings' in data;
}

function isHelper(data: unknown): data is HelperStart {
  return typeof data === 'object' && data !== null && 'kind' in data && data.kind === 'helper';
}

function serve(start: WorkerStart): void {
  const flag = new Int32Array(start.flag);
  let told = 0;
  const post = (message: WorkerMessage<unknown>) => parentPort?.postMessage(message);
  const onBroken = (findings: readonly Finding[]) => post({ kind: 'broken', findings });
  // A row has a word for each of its cells.
  const contracts = start.work === 'check' ? { onBroken } : {};
  const { perform } = start.work === 'row' ? rowWork : checkWork;
  parentPort?.on('message', (input: Input) => {
    faultOnOrder('worker');
    const outcome = perform(input, start.settings, {
      ...contracts,
      interrupted: () => Atomics.load(flag, 0) !== 0,
      onProgress: (progress) => {
        const now = performance.now();
        if (now - told < progressMs) return;
        told = now;
        post({ kind: 'progress', progress });
      },
      startHelpers: (wanted) =>
        parentPort?.postMessage({ kind: 'helpers', wanted }, [...wanted.ports]),
      onCell: (cell) => post({ kind: 'cell', cell }),
    });
    post({ kind: 'outcome', outcome });
  });
}

if (isHelper(workerData)) help(workerData);
else if (isStart(workerData)) serve(workerData);
