/**
 * `node bench/together.mjs [LINES [ROUNDS]]`: `check --no-projection` of a streaming buffer of so
 * many lines (default 6: more than a million states) whose unmap is missing, by one thread and by
 * two that explore together, in turns. Medians of wall and user time, of the CPU time of the
 * busiest thread, and what was free on the machine before each run: on a busy one wall time says
 * nothing. The second thread is called from as many states on as `check` does; with
 * `--from N,N,...` from others, so that it shows from where on that pays. Reports must be equal. Linux only.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { free } from './free.mjs';
import { median } from './median.mjs';
import { streamed } from './streamed.mjs';

const plain = process.argv.slice(2).filter((each) => /^\d+$/.test(each));
const [lines, rounds] = [Number(plain[0] ?? 6), Number(plain[1] ?? 1)];
const order = process.argv.indexOf('--from');
const froms = order < 0 ? ['50000'] : process.argv[order + 1].split(',');
const folder = mkdtempSync(join(tmpdir(), 'together-'));
const program = join(import.meta.dirname, '..', 'bin', 'civac.mjs');
const scenario = streamed(lines, {
  unmaps: false,
  beside: 'cpu other {\n\tsmp_mb();\n}\n',
});

/** User time of each thread of a process so far, in seconds. */
function threadTimes(pid, times) {
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      times.set(thread, Number(fields[11]) / 100);
    }
  } catch {
    // It has just ended.
  }
}

function run(from) {
  const file = join(folder, 'lines.litmus');
  const env = { ...process.env, CIVAC_TOGETHER_FROM: from, CIVAC_AHEAD_FROM: '0', CIVAC_SETS_FROM: '0' };
  const begun = performance.now();
  const args = [program, 'check', '--no-projection', '--json', file];
  const child = spawn(process.execPath, args, { env });
  const times = new Map();
  const timer = setInterval(() => threadTimes(child.pid, times), 20);
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  return new Promise((done) => {
    child.on('close', () => {
      clearInterval(timer);
      const wall = (performance.now() - begun) / 1000;
      const user = [...times.values()].reduce((sum, time) => sum + time, 0);
      const busiest = Math.max(...times.values());
      done({ wall, user, busiest, said: said.replace(/"seconds": [\d.]+/g, '') });
    });
  });
}

try {
  writeFileSync(join(folder, 'lines.litmus'), scenario);
  const all = new Map(['0', ...froms].map((from) => [from, []]));
  const idle = [];
  for (let i = 0; i < rounds; i += 1) {
    for (const [from, list] of all) {
      idle.push(await free());
      list.push(await run(from));
    }
  }
  const texts = new Set([...all.values()].flatMap((list) => list.map(({ said }) => said)));
  if (texts.size > 1) throw new Error('the reports differ');
  const [text] = texts;
  const states = /"states": (\d+)/.exec(text)?.[1];
  console.log(`${lines} lines, ${states} states, median of ${rounds};`);
  console.log(`free before each run: ${idle.join(', ')} %; load ${loadavg()[0].toFixed(1)}`);
  const of = (list, what) => median(list.map((one) => one[what]));
  const one = all.get('0');
  for (const [from, list] of all) {
    const [wall, user, busiest] = ['wall', 'user', 'busiest'].map((what) => of(list, what));
    const name = from === '0' ? '1 thread' : `2 threads from ${from} states`;
    const ratio = (what) => (of(one, what) / of(list, what)).toFixed(2);
    console.log(
      `${name.padEnd(28)} wall ${wall.toFixed(2)} s (${ratio('wall')}x)  user ${user.toFixed(2)} s`,
      `(${ratio('user')}x)  busiest thread ${busiest.toFixed(2)} s (${ratio('busiest')}x)`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
