/**
 * One run for reduce.mjs: `FILE WAY`. Checks a scenario several times in one process and prints a
 * line of JSON: verdict, states, user CPU seconds of the first time and of a later one.
 */
import { readFileSync } from 'node:fs';
import { compile } from '../src/litmus/index.js';
import { type CheckOptions, check } from '../src/verdict/check.js';

const ways: Readonly<Record<string, CheckOptions>> = {
  none: { projection: false, por: false },
  por: { projection: false },
  projection: { symmetry: false },
  all: {},
};
const [, , file = '', way = 'all', times = '1', verdictOnly = ''] = process.argv;
const text = readFileSync(file, 'utf8');
const options = { ...ways[way], verdictOnly: verdictOnly === 'verdict' };

interface Times {
  readonly user: number;
  readonly compile: number;
}

/** Nothing of a result is kept, so that the heap of the next run is as it was. */
function once() {
  const compiled = process.cpuUsage().user;
  const { program, diagnostics } = compile(text, file);
  if (program === null) throw new Error(`${file}: ${diagnostics[0]?.message}`);
  const before = process.cpuUsage().user;
  const result = check(program, options);
  const user = (process.cpuUsage().user - before) / 1e6;
  return { result, user, compile: (before - compiled) / 1e6 };
}

const first = once();
const runs: Times[] = [first];
while (runs.length < Number(times)) {
  const { user, compile: compiling } = once();
  runs.push({ user, compile: compiling });
}
const half = Math.min(runs.length - 1, runs.length >> 1);
const middle = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1];
const later = runs.slice(half);
const warm = middle(later.map(({ user }) => user));
/** While V8 still optimises: the second eighth. */
const soon = middle(runs.slice(half >> 2, (half >> 1) + 1).map(({ user }) => user));
const compiling = middle(later.map((run) => run.compile));
const { verdict, states, hazards, reduction } = first.result;
const ids = hazards.map(({ id, needs }) => `${id} ${JSON.stringify(needs)}`).join('; ');
console.log(
  JSON.stringify({ verdict, ids, states, cold: first.user, warm, soon, compiling, reduction }),
);
