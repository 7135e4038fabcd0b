/**
 * `node bench/trace-speed.mjs FILE.dat [RUNS]`: user CPU time of `civac trace`, all rules on, and
 * of civac's reader alone, against `trace-cmd report` on the same file. All are measured by bash's
 * `time`, one after the other and again, so that a busy machine slows them alike, and medians are
 * compared; memory is measured in a run of its own. Exits 1 when civac takes more than half of
 * trace-cmd's time, or over 300 MB of memory. Needs trace-cmd and bash.
 *
 * On a busy machine V8's compiler waits for its turn while slow code runs: ratios are then higher.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build as bundle } from 'esbuild';
import { build } from '../scripts/build.mjs';
import { root } from '../scripts/setup.mjs';
import { median } from './median.mjs';

const [file, runsText] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: trace-speed.mjs FILE.dat [RUNS]');
const runs = Number(runsText ?? 11);
const limit = 0.5;
const memoryMax = 300;

// With this set, as in some containers, every Node reads some hundred certificates first, which
// says nothing of civac.
delete process.env.NODE_EXTRA_CA_CERTS;

/** Node tells at its end how many kilobytes of memory it had. */
const usage =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("\\nMEMORY "+' +
  'process.resourceUsage().maxRSS))';

const readerSource = `
  import { openTrace } from './src/cli/trace-source.ts';
  import { readTrace } from './src/trace/read/read.ts';
  import { tellingSink } from './test/trace-sink.ts';
  const sink = tellingSink(() => {});
  for (const name of Object.keys(sink)) sink[name] = () => {};
  readTrace(openTrace(process.argv[2]), sink);
`;

/** Seconds of user CPU time of a program, whose exit status may be `statusMax`. */
function seconds([program, ...args], statusMax) {
  const script = 'TIMEFORMAT="TIME %U"; time "$@" >/dev/null 2>&1';
  const run = spawnSync('bash', ['-c', script, 'bash', program, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  const found = /TIME ([\d.]+)/.exec(run.stderr);
  if (found === null || run.status > statusMax) throw new Error(`${program}: ${run.stderr}`);
  return Number(found[1]);
}

/** Most memory that a program of Node has, in megabytes. */
function memory([program, ...args]) {
  const run = spawnSync(program, ['--import', usage, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  const found = /MEMORY (\d+)\s*$/.exec(run.stderr.toString());
  if (found === null) throw new Error(`${program}: ${run.stderr}`);
  return Number(found[1]) / 1024;
}

await build({ quiet: true });
const folder = mkdtempSync(join(tmpdir(), 'civac-bench-'));
const reader = join(folder, 'reader.mjs');
const made = await bundle({
  stdin: { contents: readerSource, resolveDir: root, loader: 'js' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
});
writeFileSync(reader, made.outputFiles[0].contents);

const input = resolve(file);
const programs = {
  'trace-cmd report': { command: ['trace-cmd', 'report', '-i', input], statusMax: 0 },
  'civac trace': { command: [process.execPath, 'dist/civac.mjs', 'trace', input], statusMax: 1 },
  'reader alone': { command: [process.execPath, reader, input], statusMax: 0 },
};
const times = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
for (let run = 0; run < runs; run++) {
  for (const [name, { command, statusMax }] of Object.entries(programs)) {
    times[name].push(seconds(command, statusMax));
  }
}
const megabytes = memory(programs['civac trace'].command);
rmSync(folder, { recursive: true, force: true });

const base = median(times['trace-cmd report']);
for (const [name, list] of Object.entries(times)) {
  const own = median(list);
  const range = `${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)}`;
  process.stdout.write(
    `${name}: ${own.toFixed(2)} s user (${range}), ratio ${(own / base).toFixed(2)}\n`,
  );
}
process.stdout.write(`civac trace: ${megabytes.toFixed(0)} MB\n`);
if (median(times['civac trace']) > base * limit || megabytes > memoryMax) process.exitCode = 1;
