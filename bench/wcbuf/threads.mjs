/**
 * `node bench/wcbuf/threads.mjs [N [ROUNDS]]`: wcbuf with N lines (default 9) by one and by two
 * threads over shared memory, in turns. Medians of wall and user time, their ratios, and what was
 * free on the machine before and after: on a busy one wall time says nothing of the program.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { free } from '../free.mjs';
import { median } from '../median.mjs';

const [lines = '9', rounds = '3'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'wcbuf-'));
const program = join(folder, 'threads.mjs');

function run(workers) {
  const child = spawnSync(process.execPath, [program, lines, workers], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

try {
  await build({
    entryPoints: [join(import.meta.dirname, 'threads.ts')],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'error',
  });
  const idle = [];
  const all = { 1: [], 2: [] };
  for (let i = 0; i < Number(rounds); i += 1) {
    for (const workers of Object.keys(all)) {
      idle.push(await free());
      all[workers].push(run(workers));
    }
  }
  const counts = new Set(
    Object.values(all).flatMap((list) => list.map((r) => `${r.states} ${r.transitions}`)),
  );
  if (counts.size > 1) throw new Error(`counts differ: ${[...counts].join(', ')}`);
  const [states] = all[1].map((r) => r.states);
  const cores = availableParallelism();
  console.log(`wcbuf, ${lines} lines, ${states} states, median of ${rounds}; ${cores} cores,`);
  console.log(`free before each run: ${idle.join(', ')} %; load ${loadavg()[0].toFixed(1)}`);
  const of = (workers, what) => median(all[workers].map((r) => r[what]));
  for (const workers of Object.keys(all)) {
    const [wall, user] = ['wall', 'user'].map((what) => of(workers, what).toFixed(2));
    const name = `${workers} thread${workers === '1' ? ' ' : 's'}`;
    const waits = all[workers].flatMap((r) => r.idle.map((each) => Math.round(100 * each)));
    console.log(`${name}  wall ${wall} s  user ${user} s  waiting ${waits.join(', ')} %`);
  }
  const speedUp = of(1, 'wall') / of(2, 'wall');
  const dearer = of(2, 'user') / of(1, 'user');
  console.log(`wall 1 : 2 = ${speedUp.toFixed(2)}; user 2 : 1 = ${dearer.toFixed(2)}`);
} finally {
  rmSync(folder, { recursive: true });
}
