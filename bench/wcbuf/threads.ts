/**
 * wcbuf by several threads over shared memory: `threads.mjs LINES WORKERS [FIX]`. Prints one line
 * of JSON with wall and user time. The bundle is its own worker.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { pack, type Searchable, searchable } from '../../src/fast/pack.js';
import {
  foundShared,
  makeShared,
  markLost,
  type Share,
  type Shared,
  searchShared,
} from '../../src/fast/shared.js';
import { wcbuf } from './model.js';

const limits = {
  maxStates: 2 ** 31,
  maxSeconds: 3600,
  maxMemoryBytes: 16 * 2 ** 30,
  now: () => performance.now() / 1000,
};

interface Start {
  /** Packed once, by the main thread. */
  readonly packed: Searchable;
  readonly shared: Shared;
  readonly id: number;
}

function inThread(start: Start): Promise<Share> {
  return new Promise((done, failed) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: start });
    let told = false;
    worker.on('message', (share: Share) => {
      told = true;
      done(share);
    });
    worker.on('error', failed);
    worker.on('exit', () => {
      if (told) return;
      markLost(start.shared);
      failed(new Error('a thread ended'));
    });
  });
}

async function main(): Promise<void> {
  const [, , lines = '2', workers = '2', fix = '1'] = process.argv;
  const fixed = fix === '1';
  const packed = pack(wcbuf(Number(lines), fixed));
  const shared = makeShared(packed, Number(workers), limits.maxMemoryBytes);
  const begun = performance.now();
  const shares = await Promise.all(
    Array.from({ length: Number(workers) }, (_, id) =>
      inThread({ packed: searchable(packed), shared, id }),
    ),
  );
  const wall = (performance.now() - begun) / 1000;
  const sum = (of: 'states' | 'transitions'): number =>
    shares.reduce((total, share) => total + share[of], 0);
  const { userCPUTime, maxRSS } = process.resourceUsage();
  const found = Object.fromEntries(foundShared(packed, shared));
  const stopped = shares.find((share) => share.stopped !== null)?.stopped ?? null;
  const result = { stopped, states: sum('states'), transitions: sum('transitions'), found };
  const parts = shares.map((share) => share.states);
  // Of each thread's time, what went by waiting for another at the end of a layer.
  const idle = shares.map((share) => share.waited / wall);
  const cost = { wall, user: userCPUTime / 1e6, rss: maxRSS * 1024 };
  console.log(JSON.stringify({ ...result, parts, idle, ...cost }));
}

if (isMainThread) await main();
else {
  const { packed, shared, id }: Start = workerData;
  parentPort?.postMessage(searchShared(packed, shared, id, limits));
}
