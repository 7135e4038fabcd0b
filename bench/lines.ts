/**
 * One run for lines.mjs: `FILE ENGINE`. Checks a scenario and prints a line of JSON: the verdict,
 * counts, user CPU seconds and the largest memory of the process.
 */
import { readFileSync } from 'node:fs';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';

const [, , file = '', engine = 'fast'] = process.argv;
const { program, diagnostics } = compile(readFileSync(file, 'utf8'), file);
if (program === null) throw new Error(`${file}: ${diagnostics[0]?.message}`);
const before = process.cpuUsage().user;
const result = check(program, {
  engine: engine === 'reference' ? 'reference' : 'fast',
  projection: false,
  por: false,
});
const user = (process.cpuUsage().user - before) / 1e6;
const { verdict, states, transitions } = result;
const rss = process.resourceUsage().maxRSS * 1024;
const ids = result.hazards.map(({ id, needs }) => `${id} ${JSON.stringify(needs)}`).join('; ');
console.log(JSON.stringify({ verdict, ids, states, transitions, user, rss }));
