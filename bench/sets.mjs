/**
 * `node bench/sets.mjs [LINES,LINES,... [ROUNDS]]`: `check --no-projection` of scenarios with so
 * many lines (default 4,5,6) with sets of states and without, in turns: user CPU of the process and
 * its largest memory, medians. `streaming`: a buffer mapped, written and read by CPU and device;
 * `streaming, no unmap`: the same with a hazard; `wcbuf`: written through a cacheable and a
 * write-combine alias. Reports must be equal but for the number of states, which is of all of them
 * where sets made the exploration. Linux, GNU time.
 * `--from N,N,...`: from so many states on, each beside none.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { aliased } from './aliased.mjs';
import { median } from './median.mjs';
import { streamed } from './streamed.mjs';

const args = process.argv.slice(2);
const at = args.indexOf('--from');
const froms = at < 0 ? [''] : args.splice(at, 2)[1].split(',');
const [lines = '4,5,6', rounds = '1'] = args;
const folder = mkdtempSync(join(tmpdir(), 'sets-'));
const program = join(import.meta.dirname, '..', 'bin', 'civac.mjs');

const kinds = [
  ['streaming', (count) => streamed(count, { unmaps: true })],
  ['streaming, no unmap', (count) => streamed(count, { unmaps: false })],
  ['wcbuf', aliased],
];

/** One check in a process of its own, by one thread. */
function run(file, from) {
  const env = { ...process.env, CIVAC_AHEAD_FROM: '0', CIVAC_TOGETHER_FROM: '0' };
  if (from !== '') env.CIVAC_SETS_FROM = from;
  const command = ['-v', process.execPath, program, 'check', '--no-projection', '--json', file];
  const { stdout, stderr } = spawnSync('/usr/bin/time', command, {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const number = (label) => Number(new RegExp(`${label}[^:]*: ([\\d.]+)`).exec(stderr)?.[1]);
  return {
    user: number('User time'),
    mib: number('Maximum resident set size') / 1024,
    states: Number(/"states": (\d+)/.exec(stdout)?.[1]),
    verdict: /"verdict": "(\w+)"/.exec(stdout)?.[1],
    said: stdout.replace(/"(seconds|states|transitions)": [\d.]+/g, ''),
  };
}

try {
  console.log(`median of ${rounds}; load ${loadavg()[0].toFixed(1)}`);
  for (const count of lines.split(',').map(Number)) {
    for (const [name, text] of kinds) {
      const file = join(folder, 'lines.litmus');
      writeFileSync(file, text(count));
      const all = new Map(['0', ...froms].map((from) => [from, []]));
      for (let i = 0; i < Number(rounds); i++) {
        for (const [from, list] of all) list.push(run(file, from));
      }
      const one = all.get('0');
      for (const from of froms) {
        const sets = all.get(from);
        if (sets[0].said !== one[0].said) console.log(`${name}: the reports differ`);
        const [slow, fast] = [one, sets].map((list) => median(list.map(({ user }) => user)));
        const mib = [one, sets].map((list) => Math.round(median(list.map((each) => each.mib))));
        console.log(
          `${`${name}, ${count} lines`.padEnd(30)} ${sets[0].verdict.padEnd(9)}`,
          `${one[0].states} / ${sets[0].states} states`.padEnd(28),
          `${slow.toFixed(2)} s ${mib[0]} MiB  sets ${fast.toFixed(2)} s ${mib[1]} MiB`,
          ` ${(slow / fast).toFixed(1)}x${from === '' ? '' : ` from ${from}`}`,
        );
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
