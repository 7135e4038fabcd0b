/**
 * One run of our own engine on wcbuf, for run.mjs: `one.mjs N ENGINE`, where ENGINE is dense,
 * narrow, wide, wasm (the visited sets of the search) or sweep. Prints one line of JSON.
 */
import { pack } from '../../src/fast/pack.js';
import { search } from '../../src/fast/search.js';
import { sweep } from '../../src/fast/sweep.js';
import { wcbuf } from './model.js';

const [, , lines = '2', engine = 'dense'] = process.argv;
const model = wcbuf(Number(lines), true);
const limits = {
  maxStates: 2 ** 31,
  maxSeconds: 3600,
  maxMemoryBytes: 16 * 2 ** 30,
  now: () => performance.now() / 1000,
};

function run(): object {
  if (engine === 'sweep') return sweep(model, limits);
  if (engine !== 'dense' && engine !== 'narrow' && engine !== 'wide' && engine !== 'wasm') {
    throw new Error(`no engine ${engine}`);
  }
  return search(pack(model), limits, engine);
}

const result = run();
const { userCPUTime, maxRSS } = process.resourceUsage();
console.log(JSON.stringify({ ...result, user: userCPUTime / 1e6, rss: maxRSS * 1024 }));
