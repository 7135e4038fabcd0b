/** The scenarios of litmus/, compiled, for the tests that run over all of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { check } from '../src/verdict/check.js';
import type { CheckResult } from '../src/verdict/result.js';
import { root } from './cli-run.js';

export interface Scenario {
  /** `thread/a-wc-mmap-before-map.broken` */
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly program: Program;
}

/** Every scenario, in the order of names; throws when one does not compile. */
export function scenarios(): readonly Scenario[] {
  return readdirSync(join(root, 'litmus'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.litmus'))
    .map((path) => path.replaceAll('\\', '/').replace(/\.litmus$/, ''))
    .sort()
    .map(scenario);
}

export function scenario(name: string): Scenario {
  const file = `litmus/${name}.litmus`;
  const text = readFileSync(join(root, file), 'utf8');
  const { program, diagnostics } = compile(text, file);
  if (program === null) {
    throw new Error(`${file}:${diagnostics[0]?.span.line}: ${diagnostics[0]?.message}`);
  }
  return { name, file, text, program };
}

/** What a result comes to: `coherent`, or `H2 H6` in order of id; `unknown: why` at a limit. */
export function outcomeOf({ verdict, hazards, reason }: CheckResult): string {
  if (verdict === 'unknown' || reason !== null) return `unknown: ${reason}`;
  return verdict === 'coherent' ? 'coherent' : inOrder(hazards.map(({ id }) => id));
}

/** The outcome of a text that compiles, the same from both engines. */
export function outcomeOnBoth(text: string): string {
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  const [reference, fast] = (['reference', 'fast'] as const).map((engine) =>
    outcomeOf(check(program, { engine, tablesFrom: 0 })),
  );
  expect(fast).toBe(reference);
  return reference ?? '';
}

export function inOrder(ids: readonly string[]): string {
  return [...new Set(ids)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).join(' ');
}

/** `H2 nothing; H3 eviction, reorder or speculation`, as the READMEs of the shelves have it. */
export function needsCell({ hazards }: CheckResult): string {
  const byId = new Map<string, Set<string>>();
  for (const { id, needs } of hazards) {
    const sets = needs.map((set) => set.join('+') || 'nothing').join(' or ');
    byId.set(id, (byId.get(id) ?? new Set()).add(sets));
  }
  return [...byId]
    .map(([id, sets]) => `${id} ${[...sets].join(', ')}`)
    .join('; ')
    .trim();
}

/** The rows of a shelf's README, by scenario: its other cells. */
export function rowsOf(shelf: string): ReadonlyMap<string, readonly string[]> {
  const lines = readFileSync(join(root, 'litmus', shelf, 'README.md'), 'utf8').split('\n');
  const rows = lines
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(rows.map(([, name = '', ...cells]) => [`${shelf}/${name}`, cells]));
}
