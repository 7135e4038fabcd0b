/**
 * `node bench/trace-fuzz.mjs [RUNS [FIRST]]`: reads that many damaged traces (100,000 if not said),
 * made of the recordings in test/trace-data. Prints each that crashes, takes over five seconds, or
 * loses events without a word, and the largest memory; exits 1 when there is one, or when memory
 * passes 600 MB. All are read into a sink that looks at every argument, one in ten also
 * into the analysis with all its rules.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { root } from '../scripts/setup.mjs';
import { load } from './load.mjs';

const runs = Number(process.argv[2] ?? 100_000);
const first = Number(process.argv[3] ?? 1);
const secondsMax = 5;
const memoryMax = 600;
const sizeMax = 200_000;
const { analyseDamaged, mutate, readDamaged } = await load('test/trace-mutate.ts');

/**
 * Whether anything in a whole trace counts its events, so that a cut at the end of a line shows.
 * Damage to just that can still hide a cut: a run in a hundred thousand may say so.
 */
function countsItself(name, bytes) {
  if (readDamaged(bytes, 0).report.problems.length > 0) return false;
  if (!name.includes('.txt')) return !name.startsWith('instances');
  const cut = bytes.subarray(0, bytes.lastIndexOf(10, bytes.length - 2) + 1);
  return readDamaged(cut, 0).report.problems.some(({ message }) => /header counts/.test(message));
}

const folder = join(root, 'test', 'trace-data');
const bases = [];
for (const name of readdirSync(folder).filter((file) => file.endsWith('.gz'))) {
  const bytes = new Uint8Array(gunzipSync(readFileSync(join(folder, name))));
  // Large ones only take longer.
  if (bytes.length > sizeMax) continue;
  const events = countsItself(name, bytes) ? readDamaged(bytes, 0).report.events : 0;
  bases.push({ name: name.slice(0, -3), bytes, events });
  if (name.includes('.txt.')) bases.push({ name, bytes: gzipSync(bytes), events });
}

let bad = 0;
let refused = 0;
let told = 0;
let slowest = 0;
let memory = 0;
for (let run = 0; run < runs; run++) {
  const seed = first + run;
  const base = bases[run % bases.length];
  const other = bases[(run * 7 + 3) % bases.length];
  const bytes = mutate(base.bytes, other.bytes, seed);
  const begin = performance.now();
  const read = readDamaged(bytes, base.events);
  const { report } = read;
  const wrong = read.wrong === '' && run % 10 === 0 ? analyseDamaged(bytes) : read.wrong;
  const seconds = (performance.now() - begin) / 1000;
  slowest = Math.max(slowest, seconds);
  if (report === null) refused++;
  else if (report.problems.length > 0 || report.lostTimes > 0) told++;
  if (wrong !== '' || seconds > secondsMax) {
    bad++;
    process.stdout.write(`seed ${seed} of ${base.name}: ${wrong} (${seconds.toFixed(1)} s)\n`);
  }
  if (run % 50 === 0) memory = Math.max(memory, process.memoryUsage().rss / 2 ** 20);
  if (run % 5000 === 4999) process.stdout.write(`${run + 1} runs\n`);
}
process.stdout.write(
  `${runs} runs: ${bad} bad, ${refused} refused, ${told} told of damage, ` +
    `slowest ${slowest.toFixed(2)} s, memory ${memory.toFixed(0)} MB\n`,
);
if (bad > 0 || memory > memoryMax) process.exitCode = 1;
