/**
 * `node bench/matrix.mjs [ROUNDS]`: `civac check --matrix litmus`, the whole corpus under every
 * setting, on all cores: wall and user time of each run, and what was free on the machine before.
 */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { build } from '../scripts/build.mjs';
import { root } from '../scripts/setup.mjs';
import { free } from './free.mjs';

const rounds = Number(process.argv[2] ?? 3);
const program = join(root, 'bin', 'civac.mjs');
await build({ quiet: true });

/** One run; the time of the shell says what all threads used. */
function timed() {
  const begun = performance.now();
  const check = [process.execPath, program, 'check', '--matrix', 'litmus'];
  const args = ['-c', 'TIMEFORMAT=user=%U; time "$@"', 'bash', ...check];
  const child = spawnSync('bash', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  const wall = (performance.now() - begun) / 1000;
  // Hazards are found: most scenarios of the corpus are there to show one.
  if (child.status !== 1) throw new Error(child.stderr || String(child.error));
  const user = Number(/user=([\d.]+)/.exec(child.stderr)?.[1]);
  return { wall, user, summary: child.stdout.trim().split('\n').at(-1) };
}

console.log(`load ${loadavg()[0].toFixed(1)}, ${cpus().length} cores`);
let summary = '';
for (let i = 0; i < rounds; i += 1) {
  const idle = await free();
  const run = timed();
  summary = run.summary ?? '';
  console.log(`${idle} % free  wall ${run.wall.toFixed(1)} s  user ${run.user.toFixed(1)} s`);
}
console.log(summary);
