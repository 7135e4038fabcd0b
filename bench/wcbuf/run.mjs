/**
 * `node bench/wcbuf/run.mjs [N [ROUNDS]]`: wcbuf with N lines (default 9), unreduced, by Spin, by
 * Rumur and by our engine, in turns so that a busy machine slows all alike. Spin and Rumur get the
 * sources written by hand and those that civac exports; ratios are to the faster of the two. User
 * CPU time of whole processes, medians; state and transition counts must agree. Needs spin, rumur,
 * gcc. `--ours` leaves Spin and Rumur out (for N they cannot do); `--sweep` runs the sweep alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { median } from '../median.mjs';

const numbers = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const lines = Number(numbers[0] ?? 9);
const rounds = Number(numbers[1] ?? 3);
const onlySweep = process.argv.includes('--sweep');
const others = !onlySweep && !process.argv.includes('--ours');
const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'wcbuf-'));

function must(command, args) {
  const run = spawnSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (run.error !== undefined) throw new Error(`${command}: ${run.error.message}`);
  if (run.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${run.stdout}${run.stderr}`);
  return run.stdout;
}

function makeSpin(source, name, defines) {
  must('spin', [...defines, '-a', source]);
  must('gcc', ['-O2', '-DSAFETY', '-DNOREDUCE', '-w', '-o', name, 'pan.c']);
}

function makeRumur(source, name) {
  const c = `${name}.c`;
  must('rumur', ['--deadlock-detection', 'off', '--threads', '1', '--output', c, source]);
  const flags = ['-std=c11', '-O3', '-march=native', '-mcx16', '-w'];
  must('gcc', [...flags, '-o', name, c, '-lpthread', '-latomic']);
}

function makeOthers() {
  must(process.execPath, ['export.mjs', String(lines), folder]);
  makeSpin(join(here, 'wcbuf.pml'), 'spin-hand', [`-DN=${lines}`, '-DFIX=1']);
  makeSpin('export.pml', 'spin-export', []);
  const text = readFileSync(join(here, 'wcbuf.m'), 'utf8').replace(/N: \d+;/, `N: ${lines};`);
  writeFileSync(join(folder, 'wcbuf.m'), text);
  makeRumur('wcbuf.m', 'rumur-hand');
  makeRumur('export.m', 'rumur-export');
}

/** Seconds of user time that a shell's children took, from its `times`. */
function timed(command) {
  const out = must('sh', ['-c', `${command}; times`]);
  const [minutes, seconds] = out.trim().split('\n').at(-1).split(' ')[0].split('m');
  return { out, user: 60 * Number(minutes) + Number.parseFloat(seconds) };
}

const spin = (name) => () => {
  // Room for a slot each: each line more means nearly five times as many states.
  const { out, user } = timed(`./${name} -m8000000 -w${lines >= 10 ? 27 : 24}`);
  const states = Number(/([\d.e+]+) states, stored/.exec(out)[1]);
  // Spin counts the initial state's arrival as a transition, and prints large numbers rounded.
  const transitions = Number(/([\d.e+]+) transitions/.exec(out)[1]) - 1;
  const rss = Number(/([\d.]+)\s+total actual memory/.exec(out)[1]) * 2 ** 20;
  return { states, transitions, user, rss };
};

const rumur = (name) => () => {
  const { out, user } = timed(`./${name}`);
  const [, states, transitions] = /(\d+) states, (\d+) rules fired/.exec(out);
  return { states: Number(states), transitions: Number(transitions), user, rss: Number.NaN };
};

const ours = (engine) => () =>
  JSON.parse(must(process.execPath, ['one.mjs', String(lines), engine]));

const tools = {
  ...(others
    ? {
        'Spin, written by hand': spin('spin-hand'),
        'Spin, our export': spin('spin-export'),
        'Rumur, written by hand': rumur('rumur-hand'),
        'Rumur, our export': rumur('rumur-export'),
      }
    : {}),
  ...(onlySweep
    ? {}
    : {
        'search, dense set': ours('dense'),
        'search, hashed set': ours('narrow'),
        'search, hashed set, wasm': ours('wasm'),
      }),
  sweep: ours('sweep'),
};

try {
  for (const name of others ? ['one', 'export'] : ['one']) {
    await build({
      entryPoints: [join(here, `${name}.ts`)],
      outfile: join(folder, `${name}.mjs`),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      logLevel: 'error',
    });
  }
  if (others) makeOthers();
  const load = loadavg()[0].toFixed(1);
  const results = Object.fromEntries(Object.keys(tools).map((name) => [name, []]));
  for (let i = 0; i < rounds; i += 1) {
    for (const [name, run] of Object.entries(tools)) results[name].push(run());
  }
  report(results, load);
} finally {
  rmSync(folder, { recursive: true });
}

function report(results, load) {
  const time = (name) => (results[name] ? median(results[name].map((r) => r.user)) : Number.NaN);
  const faster = (tool) => Math.min(time(`${tool}, written by hand`), time(`${tool}, our export`));
  const [base, second] = [faster('Spin'), faster('Rumur')];
  const counts = new Set();
  console.log(`wcbuf, ${lines} lines, median of ${rounds}; ${cpus()[0].model}, load ${load}`);
  for (const [name, list] of Object.entries(results)) {
    const [{ states, transitions }] = list;
    counts.add(states);
    const rate = transitions === undefined ? '' : `${(transitions / time(name) / 1e6).toFixed(1)}`;
    const memory = median(list.map((r) => r.rss));
    const bytes = Number.isNaN(memory) ? '' : `${(memory / states).toFixed(1)} bytes/state`;
    console.log(
      [
        name.padEnd(30),
        `${time(name).toFixed(2).padStart(7)} s`,
        `${states} states`,
        `${(states / time(name) / 1e6).toFixed(2)} Mstates/s`,
        rate === '' ? '' : `${rate} Mtransitions/s`,
        bytes,
        Number.isNaN(base) ? '' : `${(base / time(name)).toFixed(1)} x Spin`,
        Number.isNaN(second) ? '' : `${(second / time(name)).toFixed(1)} x Rumur`,
      ]
        .filter((each) => each !== '')
        .join('  '),
    );
  }
  // Spin rounds what it prints above a million million; anything else must be the same number.
  if (counts.size > 1) {
    console.log(`the state counts differ: ${[...counts].join(', ')}`);
    process.exitCode = 1;
  }
}
