/**
 * The worker thread of `civac mend`: searches, tells how far it is, and hands over what it found.
 * The interruption arrives through shared memory: a thread that searches reads no messages.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { importerSettings } from '../compare/settings.js';
import { compile } from '../litmus/index.js';
import { platformsOf } from '../matrix/platforms.js';
import { type MendOptions, type MendOutcome, type MendProgress, mend } from '../mend/mend.js';

/** The part of the options that can be sent to a thread. */
export type MendSettings = Omit<MendOptions, 'platformsOf'> & {
  readonly forAllPlatforms?: boolean;
};

export interface MendStart {
  readonly text: string;
  readonly file: string;
  readonly options: MendSettings;
  readonly flag: SharedArrayBuffer;
}
export type MendMessage =
  | { readonly kind: 'progress'; readonly progress: MendProgress }
  | { readonly kind: 'outcome'; readonly outcome: MendOutcome };

const progressMs = 200;

function isStart(data: unknown): data is MendStart {
  return typeof data === 'object' && data !== null && 'flag' in data && 'options' in data;
}

/** An `any` device asks for an answer that holds for every importer, whoever asks for more. */
function platformsFor(text: string, file: string, all: boolean): Pick<MendOptions, 'platformsOf'> {
  if (all) return { platformsOf };
  const { program } = compile(text, file);
  const isAny = program !== null && importerSettings(program).length > 0;
  return isAny ? { platformsOf: importerSettings } : {};
}

function serve({ text, file, options, flag }: MendStart): void {
  const interrupted = new Int32Array(flag);
  const post = (message: MendMessage): void => parentPort?.postMessage(message);
  let told = 0;
  const outcome = mend(text, file, {
    ...options,
    ...platformsFor(text, file, options.forAllPlatforms === true),
    interrupted: () => Atomics.load(interrupted, 0) !== 0,
    onProgress: (progress) => {
      const now = performance.now();
      if (now - told < progressMs) return;
      told = now;
      post({ kind: 'progress', progress });
    },
  });
  post({ kind: 'outcome', outcome });
}

if (isStart(workerData)) serve(workerData);
