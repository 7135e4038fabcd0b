/**
 * `npm run bench:startup [-- FILE [RUNS]]`: how long from the shell to the verdict on one
 * scenario, against `node -e 0`, which is what Node itself takes. The commands run in turns, so
 * that a busy machine slows them alike; medians are compared. Exits 1 above three times.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../scripts/build.mjs';
import { root } from '../scripts/setup.mjs';
import { median } from './median.mjs';

const limit = 3;
const file = process.argv[2] ?? 'litmus/thread/a-wc-mmap-before-map.broken.litmus';
const runs = Number(process.argv[3] ?? 31);

const commands = {
  'node -e 0': ['-e', '0'],
  'civac --version': ['dist/civac.mjs', '--version'],
  'civac check (dist)': ['dist/civac.mjs', 'check', file],
  'civac check (bin, in a checkout)': ['bin/civac.mjs', 'check', file],
};

function wallMs(args) {
  const begin = performance.now();
  const run = spawnSync(process.execPath, args, { cwd: root, stdio: 'pipe' });
  const end = performance.now();
  if (run.status === null || run.status > 1) throw new Error(`${args.join(' ')}: ${run.stderr}`);
  return end - begin;
}

if (!existsSync(join(root, file))) throw new Error(`no such scenario: ${file}`);
await build();
const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
for (let i = 0; i < runs; i += 1) {
  for (const [name, args] of Object.entries(commands)) times[name].push(wallMs(args));
}
const base = median(times['node -e 0']);
let worst = 0;
for (const name of Object.keys(commands)) {
  const ratio = median(times[name]) / base;
  worst = Math.max(worst, ratio);
  console.log(
    `${name.padEnd(34)} ${median(times[name]).toFixed(1).padStart(7)} ms  ${ratio.toFixed(2)}x`,
  );
}
console.log(`median of ${runs} runs each; at most ${limit}x is promised`);
process.exitCode = worst > limit ? 1 : 0;
