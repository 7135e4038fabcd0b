/**
 * `node bench/ahead.mjs [LINES [ROUNDS]]`: `civac check --no-projection` of a streaming buffer of
 * so many lines (default 5) on one core and on all, in turns: with more than one, helper threads
 * make some explorations ahead. Medians of wall and user time, and what was free on the machine
 * before each run: on a busy one wall time says nothing. Needs taskset (util-linux) and bash.
 * Reports must be equal.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { free } from './free.mjs';
import { median } from './median.mjs';
import { streamed } from './streamed.mjs';

const lines = Number(process.argv[2] ?? 5);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'ahead-'));
const program = join(import.meta.dirname, '..', 'bin', 'civac.mjs');
const scenario = streamed(lines, { unmaps: true });

function run(cores) {
  const file = join(folder, 'lines.litmus');
  const check = [process.execPath, program, 'check', '--no-projection', '--json', file];
  const begun = performance.now();
  const timed = ['-c', 'TIMEFORMAT=user=%U; time "$@"', 'bash', 'taskset', '-c', cores, ...check];
  // Sets of states would leave nothing to be made ahead.
  const env = { ...process.env, CIVAC_SETS_FROM: '0' };
  const child = spawnSync('bash', timed, { encoding: 'utf8', env });
  const wall = (performance.now() - begun) / 1000;
  if (child.status !== 0) throw new Error(child.stderr || String(child.error));
  const user = Number(/user=([\d.]+)/.exec(child.stderr)?.[1]);
  const said = child.stdout.replace(/"seconds": [\d.]+/g, '');
  return { wall, user, said };
}

try {
  writeFileSync(join(folder, 'lines.litmus'), scenario);
  const ways = { 'one core': '0', 'all cores': `0-${cpus().length - 1}` };
  const all = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  const idle = [];
  for (let i = 0; i < rounds; i += 1) {
    for (const [way, cores] of Object.entries(ways)) {
      idle.push(await free());
      all[way].push(run(cores));
    }
  }
  const texts = new Set(Object.values(all).flatMap((list) => list.map(({ said }) => said)));
  if (texts.size > 1) throw new Error('the reports differ');
  console.log(`${lines} lines, median of ${rounds}; free before each run: ${idle.join(', ')} %;`);
  console.log(`load ${loadavg()[0].toFixed(1)}`);
  const [one, both] = Object.entries(all).map(([way, list]) => {
    const [wall, user] = ['wall', 'user'].map((what) => median(list.map((run) => run[what])));
    console.log(`${way.padEnd(10)} wall ${wall.toFixed(2)} s  user ${user.toFixed(2)} s`);
    return { wall, user };
  });
  const ratio = (what, a, b) => (a[what] / b[what]).toFixed(2);
  console.log(
    `wall one : all = ${ratio('wall', one, both)}; user all : one = ${ratio('user', both, one)}`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
