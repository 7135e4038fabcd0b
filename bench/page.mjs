/**
 * `node bench/page.mjs [WORD...]`: runs the commands named in docs/performance.md, one after the
 * other, all or those with one of the words in them, and puts what they print in their places. A
 * place is `<!-- run: COMMAND -->` … `<!-- end -->`. Load and what is free stand in the output of
 * each; have nothing else run meanwhile.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/setup.mjs';

const page = join(root, 'docs', 'performance.md');
const words = process.argv.slice(2);
const place = /<!-- run: ([^\n]+) -->\n[\s\S]*?<!-- end -->/g;

/** Output as Markdown: tables and prose are, anything else goes into a fence. */
function shown(output) {
  const text = output.trim();
  return /^\|/m.test(text) ? text : `\`\`\`text\n${text}\n\`\`\``;
}

function run(command) {
  console.error(command);
  const child = spawnSync('bash', ['-c', command], { cwd: root, encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${command}: ${child.stderr}`);
  return child.stdout;
}

const commands = [...readFileSync(page, 'utf8').matchAll(place)].map(([, command]) => command);
const chosen = commands.filter(
  (command) => words.length === 0 || words.some((word) => command.includes(word)),
);
if (chosen.length === 0) throw new Error(`no such command; there are:\n${commands.join('\n')}`);
for (const command of chosen) {
  const output = shown(run(command));
  // Read again each time: the page may have been edited during a long run.
  const text = readFileSync(page, 'utf8').replace(place, (old, each) =>
    each === command ? `<!-- run: ${command} -->\n\n${output}\n\n<!-- end -->` : old,
  );
  writeFileSync(page, text);
}
