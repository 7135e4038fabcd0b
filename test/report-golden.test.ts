/**
 * The corpus against its golden output: for every shelf one page that a person can review, a few
 * lines per scenario, and some reports in full. `npm run promote` rewrites them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { briefText, fullText } from '../src/report/text.js';
import { needsInWords } from '../src/report/words.js';
import { check } from '../src/verdict/check.js';
import type { CheckResult, Finding } from '../src/verdict/result.js';
import { root } from './cli-run.js';
import { expectGolden } from './golden.js';
import { problemsOfDocument } from './json-shape.js';
import { jsonDocument } from '../src/report/json.js';

const plain = { width: 100, color: false, stats: false };

/** Reports that show each kind of thing a report can hold. */
const inFull = [
  'thread/a-wc-mmap-before-map.broken',
  'thread/a-wc-mmap-before-map.right',
  'thread/b-ring-vmap.broken',
  'thread/f-free-before-sync.broken',
  'bugs/b35-msm-sync-unmapped-sg.bug',
  'basics/poll-by-coherent-device-stale-clean-copy',
];

function load(name: string): { result: CheckResult; text: string } {
  const file = `litmus/${name}.litmus`;
  const text = readFileSync(join(root, file), 'utf8');
  const { program, diagnostics } = compile(text, file);
  if (program === null) throw new Error(`${file}: ${diagnostics[0]?.message}`);
  return { result: check(program), text };
}

function shelves(): string[] {
  const items = readdirSync(join(root, 'litmus'), { withFileTypes: true });
  const folders = items.filter((item) => item.isDirectory()).map((item) => item.name);
  // The designs of `civac compare` are no scenarios.
  return folders.filter((name) => scenarios(name).length > 0);
}

function scenarios(shelf: string): string[] {
  const names = readdirSync(join(root, 'litmus', shelf)).filter((n) => n.endsWith('.litmus'));
  return names.sort().map((name) => `${shelf}/${name.replace(/\.litmus$/, '')}`);
}

function findingLine(finding: Finding): string {
  const role = finding.cause ? 'cause' : 'consequence';
  const sure = finding.certain ? 'certain' : 'possible';
  const { at, trace } = finding;
  const place = `${at.agent} ${at.line}:${at.column}`;
  const values = `expected ${finding.expected}, got ${finding.actual}`;
  const needs = needsInWords(finding.needs).replace(/^needs nothing:.*/, 'needs nothing');
  return `  ${finding.id} ${role} at ${place}, ${sure}, ${needs}, ${trace.length} steps; ${values}`;
}

function pageOf(results: readonly CheckResult[]): string {
  const entries = results.map((result) => [
    briefText(result, plain),
    ...result.hazards.map(findingLine),
    ...result.notes.map((note) => `  ${note.kind} ${note.rule} ${note.operation} ${note.line}`),
    ...result.aliases.map((a) => `  alias ${a.buffer}: ${a.first} beside ${a.second}`),
  ]);
  return `${entries.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

describe('the corpus is as reviewed', () => {
  it.each(shelves())('shelf %s', (shelf) => {
    const results = scenarios(shelf).map((name) => load(name).result);
    expect(problemsOfDocument(structuredClone(jsonDocument(results, [])))).toEqual([]);
    expectGolden(pageOf(results), `corpus/${shelf}.txt`);
  });

  it.each(inFull)('%s in full', (name) => {
    const { result, text } = load(name);
    expectGolden(fullText(result, text, plain), `full/${name.replace('/', '-')}.txt`);
  });
});
