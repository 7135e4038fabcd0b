/**
 * `node bench/trace-speed.mjs FILE.dat [RUNS]`: user CPU time of `civac trace`, all rules on, and
 * of civac's reader alone, against `trace-cmd report` on the same file. The programs run in turns,
 * so that a busy machine slows them alike; medians are compared. Exits 1 when civac takes more
 * than half of trace-cmd's time, or over 300 MB of memory. Needs trace-cmd.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as bundle } from 'esbuild';
import { build } from '../scripts/build.mjs';
import { root } from '../scripts/setup.mjs';

const [file, runsText] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: trace-speed.mjs FILE.dat [RUNS]');
const runs = Number(runsText ?? 5);
const limit = 0.5;
const memoryMax = 300;

// With this set, as in some containers, every Node reads some hundred certificates first, which
// says nothing of civac.
delete process.env.NODE_EXTRA_CA_CERTS;

/** Node tells of itself at its end: microseconds of user CPU, kilobytes of memory. */
const usage =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("\\nUSAGE "+' +
  'process.resourceUsage().userCPUTime+" "+process.resourceUsage().maxRSS))';

const readerSource = `
  import { openTrace } from './src/cli/trace-source.ts';
  import { readTrace } from './src/trace/read/read.ts';
  import { tellingSink } from './test/trace-sink.ts';
  const sink = tellingSink(() => {});
  for (const name of Object.keys(sink)) sink[name] = () => {};
  readTrace(openTrace(process.argv[2]), sink);
`;

function node(program, args) {
  const run = spawnSync(process.execPath, ['--import', usage, program, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  const found = /USAGE (\d+) (\d+)\s*$/.exec(run.stderr.toString());
  if (found === null || run.status > 1) throw new Error(`${program}: ${run.stderr}`);
  return { seconds: Number(found[1]) / 1e6, megabytes: Number(found[2]) / 1024 };
}

function traceCmd() {
  const script = 'TIMEFORMAT="TIME %U"; time trace-cmd report -i "$1" >/dev/null 2>&1';
  const run = spawnSync('bash', ['-c', script, 'bash', file], { encoding: 'utf8' });
  const found = /TIME ([\d.]+)/.exec(run.stderr);
  if (found === null || run.status !== 0) throw new Error(`trace-cmd report: ${run.stderr}`);
  return { seconds: Number(found[1]), megabytes: 0 };
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

const programs = {
  'trace-cmd report': traceCmd,
  'civac trace': () => node('dist/civac.mjs', ['trace', file]),
  'reader alone': () => node(pathToFileURL(reader).pathname, [file]),
};
const results = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
for (let run = 0; run < runs; run++) {
  for (const [name, measure] of Object.entries(programs)) results[name].push(measure());
}
rmSync(folder, { recursive: true, force: true });

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const base = median(results['trace-cmd report'].map(({ seconds }) => seconds));
for (const [name, list] of Object.entries(results)) {
  const seconds = median(list.map((one) => one.seconds));
  const memory = Math.max(...list.map(({ megabytes }) => megabytes));
  const ratio = (seconds / base).toFixed(2);
  const room = memory > 0 ? `, at most ${memory.toFixed(0)} MB` : '';
  process.stdout.write(`${name}: ${seconds.toFixed(2)} s user, ratio ${ratio}${room}\n`);
  if (name === 'civac trace' && (seconds > base * limit || memory > memoryMax)) {
    process.exitCode = 1;
  }
}
