/**
 * `node bench/trace-check.mjs FILE.dat...`: events per type as the reader counts them against what
 * `trace-cmd report` prints for the same file, and against the text X.txt.gz or X.txt beside X.dat
 * where there is one. Exits 1 when any number differs. Needs trace-cmd.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { load } from './load.mjs';

const { bytesSource, readTrace } = await load('src/trace/read/read.ts');
const { tellingSink } = await load('test/trace-sink.ts');
const files = process.argv.slice(2);
if (files.length === 0) throw new Error('usage: trace-check.mjs FILE.dat...');

const sink = tellingSink(() => {});

function countsOf(path) {
  return readTrace(bytesSource(new Uint8Array(readFileSync(path)), path), sink).counts;
}

/** Types by the lines of trace-cmd, which has the name after the time. */
function reported(path) {
  const run = spawnSync('trace-cmd', ['report', '-i', path], { maxBuffer: 2 ** 31 - 1 });
  if (run.status !== 0) throw new Error(`trace-cmd report ${path}: ${run.stderr}`);
  const counts = new Map();
  for (const [, name] of run.stdout.toString('latin1').matchAll(/^.*? \d+\.\d+: (\S+?): /gm)) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** The kernel's text names notes after their writers. */
function lumpNotes(counts) {
  const lumped = new Map();
  for (const [name, times] of counts) {
    const note = ['print', 'bprint', 'tracing_mark_write'].includes(name) ? 'notes' : name;
    lumped.set(note, (lumped.get(note) ?? 0) + times);
  }
  return lumped;
}

function compare(what, ours, theirs) {
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  const wrong = names.filter((name) => (ours.get(name) ?? 0) !== (theirs.get(name) ?? 0));
  for (const name of wrong) {
    process.stdout.write(`  ${name}: ${ours.get(name) ?? 0}, ${what} ${theirs.get(name) ?? 0}\n`);
  }
  if (wrong.length > 0) process.exitCode = 1;
  return wrong.length === 0 ? `equal to ${what}` : `DIFFERENT from ${what}`;
}

for (const path of files) {
  const ours = countsOf(path);
  const events = [...ours.values()].reduce((sum, times) => sum + times, 0);
  const told = [compare('trace-cmd report', ours, reported(path))];
  for (const text of [path.replace(/dat$/, 'txt.gz'), path.replace(/dat$/, 'txt')]) {
    if (text === path || !existsSync(text)) continue;
    told.push(compare('its text', lumpNotes(ours), lumpNotes(countsOf(text))));
  }
  process.stdout.write(`${path}: ${events} events of ${ours.size} types, ${told.join(', ')}\n`);
}
