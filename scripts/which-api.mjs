/**
 * `npm run which-api`: writes docs/which-api.md, the answer to the thread of 2019, out of what
 * `civac compare` finds. Each statement of the page names the cells it rests on; when one of them
 * is found otherwise the page is not written. `--check` compares instead of writing; `--from FILE`
 * takes a document that was made before.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { root } from './setup.mjs';
import { advice, answers, statements } from './which-api-text.mjs';

const page = join(root, 'docs', 'which-api.md');
const program = join(root, 'bin', 'civac.mjs');

/** The document of `civac compare --json`: made now, or read from the file behind `--from`. */
function comparison() {
  const from = process.argv.indexOf('--from');
  if (from >= 0) return JSON.parse(readFileSync(process.argv[from + 1], 'utf8'));
  const args = [program, 'compare', 'litmus/designs', 'litmus/thread', '--json'];
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 };
  const run = spawnSync(process.execPath, args, options);
  // 1: some cell is unsafe, which is no surprise here.
  if (run.status !== 0 && run.status !== 1) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

/** What the reports are made from, out of the document. */
function matrixOf(document) {
  const cells = document.cells.map((cell) => ({
    ...cell,
    cost:
      cell.linesPerLife === null ? null : { life: cell.linesPerLife, frame: cell.linesPerFrame },
  }));
  return { ...document, cells };
}

/** `a b g` of a design, and the verdicts that a statement allows there. */
function isAsStated(matrix, { design, useCases, verdicts, setting }) {
  const keys = useCases === '*' ? matrix.useCases.map(({ key }) => key) : useCases.split(' ');
  return keys.every((key) => {
    const useCase = matrix.useCases.find((each) => each.key === key);
    const cell = matrix.cells.find(
      (each) => each.design === design && each.useCase === useCase?.name,
    );
    const turns = setting === undefined || cell?.unsafeIf.includes(setting);
    return cell !== undefined && verdicts.includes(cell.verdict) && turns;
  });
}

function refuted(matrix) {
  const told = advice.map(({ when, cells }) => ({ text: when, cells }));
  return [...told, ...statements, ...answers].flatMap(({ text, cells }) =>
    cells
      .filter((cell) => !isAsStated(matrix, cell))
      .map(({ design, useCases, verdicts }) => {
        const where = `${design} in ${useCases} is not ${verdicts.join(' or ')}`;
        return `${where}: "${text.slice(0, 60)}…"`;
      }),
  );
}

/** The section of a Markdown page with this heading, without the heading. */
function section(markdown, heading) {
  const from = markdown.indexOf(`${heading}\n`);
  const rest = markdown.slice(from + heading.length + 1);
  const to = rest.search(/^## /mu);
  return (to < 0 ? rest : rest.slice(0, to)).trim();
}

function run(matrix, design, key) {
  const useCase = matrix.useCases.find((each) => each.key === key);
  const cell = matrix.cells.find(
    (each) => each.design === design && each.useCase === useCase?.name,
  );
  const [hazard] = cell.hazards;
  const steps = hazard.trace.map(({ agent, text, file, fileLine, event }, index) => {
    const place = file === null ? '' : `${file.replace(/^.*\//u, '')}:${fileLine}`;
    const cells = [index + 1, agent, text, event ?? '', place];
    return `| ${cells.map((each) => String(each).replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    `Expected ${hazard.expected}, got ${hazard.actual}: ${hazard.id}, ${hazard.message}.`,
    ['| | agent | step | event | written in |', '| --- | --- | --- | --- | --- |', ...steps].join(
      '\n',
    ),
    `Again: \`npx ${cell.replay.replace('| civac', '| npx civac')}\`.`,
  ];
}

function list(items) {
  return items.map(({ text }) => `- ${text}`).join('\n');
}

/** Cache lines of a design, at most, where it is safe: in a buffer's life, and for each frame. */
function linesOf(matrix, name) {
  const mine = matrix.cells.filter(
    ({ design, verdict }) => design === name && (verdict === 'safe' || verdict === 'core'),
  );
  const parts = mine.map(({ linesPerLife, linesPerFrame }) => [linesPerLife, linesPerFrame]);
  return [0, 1].map((part) => {
    const lines = Math.max(...parts.map((each) => each[part]));
    return Number.isInteger(lines) ? lines : lines.toFixed(1);
  });
}

function adviceTable(matrix) {
  const rows = advice.map(({ when, advised, design }) => {
    const [life, frame] = linesOf(matrix, design);
    return `| ${when} | ${advised} | \`${design}\` | ${life} + ${frame} |`;
  });
  const head = '| your buffer | what to do | shown by | lines |\n| --- | --- | --- | --- |';
  return [head, ...rows].join('\n');
}

function pageOf(matrix, markdown) {
  const [designs, useCases] = [matrix.designs.length, matrix.useCases.length];
  return [
    '# Which API is right?',
    'Generated by `npm run which-api`, which refuses to when a statement is refuted: do not edit.',
    'A driver shares memory between CPUs and a device that does not look into their caches. Which' +
      ' functions should it call, and when? The thread "[PATCH 1/2] drm: add cache support for' +
      ' arm64" asked that in August 2019 and ended without an answer; the bug that it was about' +
      ' came back in another driver six years later (CVE-2025-40276). Here is the answer.',
    adviceTable(matrix),
    'Lines: cache lines maintained for a buffer of one page (64 lines), in its life + for each' +
      ' frame, at most. Whatever you do, never `dma_sync_*()` without a mapping, and never' +
      ' `drm_clflush_*()` on arm64, where it does nothing.',
    `How this is known: ${designs} designs (what a driver does at each event of a buffer's life)` +
      ` were put into ${useCases} use cases of the thread, and *every* run of each was explored:` +
      ' all interleavings, evictions, speculative fetches and store buffers. A cell that is not' +
      ' safe comes with the shortest run that breaks it, which anybody can replay.',
    '## What it rests on',
    list(statements),
    '## The whole matrix',
    section(markdown, '# Designs and use cases'),
    '## The questions of the thread',
    answers.map(({ question, text }) => `**${question}** ${text}`).join('\n\n'),
    '## Why `drm_gem_shmem` is not safe where user space maps first',
    ...run(matrix, 'shmem_helper', 'a'),
    '## The use cases',
    section(markdown, '## Use cases'),
    '## The designs',
    section(markdown, '## Designs'),
    '## Cells that are not simply safe',
    section(markdown, '## Cells that are not simply safe'),
    '## Check it yourself',
    '`npx civac compare litmus/designs litmus/thread --format html -o which-api.html` makes' +
      ' this matrix, with the shortest run for each unsafe cell. A design is a page of text:' +
      " write your driver's and compare it ([compare.md](compare.md)). What the model claims," +
      ' rule by rule, is in [model.md](model.md); what it can hide or invent, in' +
      ' [warts.md](warts.md).',
  ]
    .join('\n\n')
    .concat('\n');
}

await build({ quiet: true });
const { matrixMarkdown } = await import(pathToFileURL(join(root, 'dist', 'index.mjs')).href);
const matrix = comparison();
const wrong = refuted(matrix);
if (wrong.length > 0) {
  const told = 'scripts/which-api-text.mjs states what is not found:';
  process.stderr.write(`${told}\n${wrong.join('\n')}\n`);
  process.exitCode = 1;
} else {
  const text = pageOf(matrix, matrixMarkdown(matrixOf(matrix)));
  if (!process.argv.includes('--check')) writeFileSync(page, text);
  else if (readFileSync(page, 'utf8') !== text) {
    process.stderr.write("docs/which-api.md is out of date: 'npm run which-api' writes it\n");
    process.exitCode = 1;
  }
}
