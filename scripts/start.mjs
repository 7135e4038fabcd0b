/**
 * `npm start`: set-up, then what civac is for: a one-line verdict for each scenario of the thread
 * shelf, one counterexample in full, and where to go from there. Exits 0 when every verdict is
 * what its file states.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './setup.mjs';

const shelf = 'litmus/thread';
const favourite = `${shelf}/a-wc-mmap-before-map.broken.litmus`;

function civac(...args) {
  const program = join(root, 'dist', 'civac.mjs');
  const run = spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' });
  return run.status ?? 1;
}

/** The favourite, or the first scenario that states a hazard. */
function counterexample() {
  if (existsSync(join(root, favourite))) return favourite;
  const names = readdirSync(join(root, shelf)).filter((name) => name.endsWith('.litmus'));
  const broken = names
    .sort()
    .find((name) => /^\/\/\s*Result:\s*H/m.test(readFileSync(join(root, shelf, name), 'utf8')));
  return broken === undefined ? undefined : `${shelf}/${broken}`;
}

await build();
console.log(`civac check --expect ${shelf}\n`);
let status = civac('check', '--expect', shelf);

const example = status <= 1 ? counterexample() : undefined;
if (example !== undefined) {
  console.log(`\n${'='.repeat(72)}\ncivac check ${example}\n`);
  // 1 is what check says when it finds a hazard, and this file is there to show one.
  if (civac('check', example) !== 1) status = 1;
}

if (status === 0) {
  console.log(`
${'='.repeat(72)}
What next:
  npx civac check FILE.litmus   check a scenario of your own; copy one of ${shelf}/
  npx civac compare litmus/designs litmus/thread   which API is right, and where
  npx civac explain H2          what a hazard is, how it happens, what mends it
  npx civac reference           every kernel operation a scenario may call
  docs/README.md                who you are, and what to read`);
}
process.exitCode = status;
