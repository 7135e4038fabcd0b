/**
 * `node bench/mend.mjs [--write] [FOLDER]`: mends every bug of litmus/bugs/ and compares with the
 * fix that stands beside it; with --write the table goes into docs/mend-results.md. Times are user
 * CPU seconds of one run in one process: the machine may be busy.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../scripts/build.mjs';
import { root } from '../scripts/setup.mjs';

await build();
const civac = await import(join(root, 'dist', 'index.mjs'));
const write = process.argv.includes('--write');
/** CPU seconds for one file, so that the load of the machine decides nothing. */
const maxSeconds = 10;
let [asked, told] = [-1, 0];
/** Asking costs as much as a few states: not more than once in two milliseconds. */
function cpuNow() {
  const now = performance.now();
  if (now - asked > 2) [asked, told] = [now, process.cpuUsage().user / 1e6];
  return told;
}
/** `--budget=600`: wall time after which no further bug is begun. */
const budget = Number(process.argv.find((arg) => arg.startsWith('--budget='))?.slice(9) ?? 3600);
const begun = performance.now();
const folder = process.argv.slice(2).find((arg) => !arg.startsWith('--')) ?? 'litmus/bugs';

function read(file) {
  return readFileSync(join(root, folder, file), 'utf8');
}

function checked(text, file) {
  const { program } = civac.compile(text, file);
  return program === null ? null : civac.check(program);
}

/** The scenarios beside a bug that show a fix: `.fix`, `.first-fix`, `.mend`. */
function fixesOf(bug, files) {
  const stem = bug.slice(0, bug.indexOf('.'));
  const own = files.filter((file) => file.startsWith(`${stem}.`) && !file.includes('.bug.'));
  if (own.length > 0) return own;
  // A bug in two settings may share the fix: b35-…-iommu.bug beside b35-….fix.
  return files.filter((file) => !file.includes('.bug.') && stem.startsWith(file.split('.')[0]));
}

/** A fix that stands beside another setting of the same bug, on this one's machine. */
function onMachineOf(bug, fix) {
  const block = /^machine \w+ \{[\s\S]*?^\}/m;
  const names = (text) => [...text.match(block)[0].matchAll(/device (\w+)/g)].map(([, n]) => n);
  const [own, others] = [names(bug), names(fix)];
  const renamed = others.reduce(
    (text, name, i) => text.replace(new RegExp(`\\b${name}\\b`, 'g'), own[i] ?? name),
    fix,
  );
  return renamed.replace(block, bug.match(block)[0]);
}

function cpuSeconds(work) {
  const before = process.cpuUsage();
  const value = work();
  const { user } = process.cpuUsage(before);
  return { value, seconds: user / 1e6 };
}

function needsText(finding) {
  if (finding.needs.some((set) => set.length === 0)) return 'always';
  return finding.needs.map((set) => set.join(' and ')).join(' or ') || 'not determined';
}

/** What remains wrong with a fix: the platform assumption it rests on. */
function assumption(result) {
  const all = result.hazards.filter(({ cause }) => cause);
  const told = new Map(
    all.map((finding) => [`${finding.id} needs ${needsText(finding)}`, finding]),
  );
  return [...told.keys()].join('; ');
}

function compareFix(text, file, mends, isShared) {
  const fix = isShared ? onMachineOf(text, read(file)) : read(file);
  const result = checked(fix, file);
  if (result === null) return { verdict: 'does not compile', cost: null };
  if (result.verdict !== 'coherent') return { verdict: assumption(result), cost: null };
  const index = mends.findIndex((each) => civac.sameScenario(each.text, fix));
  const far = civac.distance(text, fix, civac.DEFAULT_COSTS);
  if (far === null) return { verdict: 'coherent', cost: null, far: 'changes the use case' };
  const note = far.inVocabulary ? '' : ' (not all in the vocabulary)';
  return { verdict: 'coherent', cost: far.cost, same: index, far: far.edits.join('; ') + note };
}

function relation(best, fix) {
  if (fix.verdict !== 'coherent') return `not coherent: ${fix.verdict}`;
  if (fix.same >= 0) return `the same as answer ${fix.same + 1}`;
  if (fix.cost === null) return fix.far;
  const by = fix.cost - best.cost;
  if (by === 0) return `as cheap: ${fix.far}`;
  return by > 0 ? `dearer by ${by}: ${fix.far}` : `cheaper by ${-by}: ${fix.far}`;
}

function row(bug, files) {
  const text = read(bug);
  const { value, seconds } = cpuSeconds(() => civac.mend(text, bug, { maxSeconds, now: cpuNow }));
  if (value.kind !== 'result') return { bug, seconds, found: 'does not compile', fixes: [] };
  const { result } = value;
  const [best] = result.mends;
  if (best === undefined) {
    return {
      bug,
      seconds,
      verdict: result.verdict,
      found: `${result.verdict}: ${result.why}`,
      fixes: [],
    };
  }
  const { mends } = result;
  const least = mends.reduce((a, b) => (b.cost < a.cost ? b : a));
  const fixes = fixesOf(bug, files).map((file) => {
    const kind = file.split('.').at(-2);
    const isShared = !file.startsWith(`${bug.slice(0, bug.indexOf('.'))}.`);
    return `${kind}: ${relation(least, compareFix(text, file, mends, isShared))}`;
  });
  const { effort } = result;
  const found = best.edits.map(({ title }) => title).join('; ');
  return {
    bug,
    seconds,
    verdict: result.verdict,
    found,
    best,
    least,
    fixes,
    effort,
    why: result.why,
  };
}

function escaped(text) {
  return text.replaceAll('|', '\\|');
}

function table(rows) {
  const head = [
    '| bug | first answer | cost | cheapest | tried, ruled out | upstream and other fixes | s |',
    '|---|---|---:|---:|---:|---|---:|',
  ];
  const lines = rows.map(({ bug, found, best, least, effort, fixes, seconds, why }) => {
    const name = bug.replace('.litmus', '');
    const cost = best === undefined ? '' : `${best.cost}, ${best.level}`;
    const low = least === undefined ? '' : `${least.cost}, ${least.level}`;
    const tried = effort === undefined ? '' : `${effort.explored}, ${effort.ruledOut}`;
    const told = fixes.length === 0 ? '' : fixes.join('<br>');
    const doubt = why ? ` (${why})` : '';
    const cells = [
      name,
      escaped(found) + doubt,
      cost,
      low,
      tried,
      escaped(told),
      seconds.toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [...head, ...lines].join('\n');
}

const files = readdirSync(join(root, folder)).filter((file) => file.endsWith('.litmus'));
const bugs = files.filter((file) => file.includes('.bug.')).sort();
const rows = bugs.flatMap((bug) => {
  if ((performance.now() - begun) / 1000 > budget) return [];
  const made = row(bug, files);
  console.error(`${bug}: ${made.found} (${made.seconds.toFixed(2)} s)`);
  return [made];
});
const times = rows.map(({ seconds }) => seconds).sort((a, b) => a - b);
const mended = rows.filter(({ verdict }) => verdict === 'mended').length;
const upstream = rows.filter(({ fixes }) =>
  fixes.some((fix) => /: (the same|as cheap|dearer)/.test(fix)),
).length;
const summary =
  `${rows.length} bugs, ${mended} mended; for ${upstream} of them a fix that is coherent is ` +
  `among the cheapest or dearer than mend's. CPU seconds a file: median ` +
  `${times[times.length >> 1].toFixed(2)}, worst ${times.at(-1).toFixed(2)}.`;
const missed = bugs.length - rows.length;
const left = missed > 0 ? `${missed} more bugs were not run.` : '';
console.log(table(rows));
console.log(`\n${summary}`);
if (write) {
  const page = `# What \`civac mend\` finds for the known bugs

Made by \`node bench/mend.mjs --write\`; do not edit. ${summary}

*First answer* is what \`civac mend\` shows first: API-level where there is one; *cheapest* is the
least cost at any level. *Tried* sets of edits were explored; *ruled out* are all that are as cheap
or cheaper. Of each fix that stands beside the bug: whether it is one of the answers, or how its
cost compares; where it is not coherent, what is still wrong and what the machine must do for it:
that is the assumption on which the fix is right. Costs are those of [mend.md](mend.md#costs).
Only the first eight answers are compared by text. Each file had ${maxSeconds} CPU
seconds: *unknown* and *not proved minimal* may mean no more than that. ${left}

${table(rows)}
`;
  writeFileSync(join(root, 'docs', 'mend-results.md'), page);
}
