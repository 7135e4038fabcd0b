/**
 * The documents tell the truth: the reference page is the one the tables give, every scenario
 * compiles and is what its header states, every session shows what the program prints, every
 * link and every file that is named exists. `npm run promote` rewrites the reference page.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { operationsReference, removableCalls, withoutCall } from '../src/litmus/index.js';
import { citedRules } from '../src/report/rules.js';
import { check } from '../src/verdict/check.js';
import { hazards } from '../src/verdict/hazards.js';
import { Bench, root } from './cli-run.js';
import { expectGoldenFile } from './golden.js';
import { compiled } from './litmus-helper.js';

const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.md'))
    .sort(),
];

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** Fenced blocks of a page, with the line their content begins on. */
function blocksOf(page: string): Block[] {
  const found: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  read(page)
    .split('\n')
    .forEach((line, i) => {
      const fence = /^```(\w*)$/.exec(line);
      if (fence === null) {
        open?.lines.push(line);
      } else if (open === undefined) {
        open = { language: fence[1] ?? '', line: i + 2, lines: [] };
      } else {
        const { language, line: start, lines } = open;
        found.push({ page, line: start, language, text: `${lines.join('\n')}\n` });
        open = undefined;
      }
    });
  expect(open, `${page}: a block is never closed`).toBeUndefined();
  return found;
}

const blocks = pages.flatMap(blocksOf);
const scenarios = blocks
  .filter(({ language, text }) => language === 'c' && /^(cpu|device) /m.test(text))
  .map((block) => ({ name: `${block.page}:${block.line}`, text: block.text }));

function ids(program: Parameters<typeof check>[0]): string[] {
  return [...new Set(check(program).hazards.map(({ id }) => id))].sort();
}

describe('the reference page', () => {
  it('is what `civac reference` prints', () => {
    expectGoldenFile(operationsReference(), join(root, 'docs', 'reference.md'));
  });
});

describe('scenarios in the documents', () => {
  it('are there', () => {
    expect(scenarios.length).toBeGreaterThan(3);
  });

  it.each(scenarios)('$name compiles and is as its header states', ({ text }) => {
    const program = compiled(text);
    const result = check(program);
    expect(result.reason).toBeNull();
    expect(result.asExpected).not.toBe(false);
    const { without } = program.header;
    for (const { operation, occurrence, hazards: stated } of without) {
      const found = ids(withoutCall(program, operation, occurrence));
      expect(found, `without ${operation}#${occurrence}`).toEqual(
        stated === 'redundant' ? [] : [...stated].sort(),
      );
    }
    if (without.length > 0) expect(without.length).toBe(removableCalls(program).length);
  });
});

const bench = new Bench(root);
const sessions = blocks
  .filter(({ language, page }) => language === 'console' && page.startsWith('docs/'))
  .map(({ page, line, text }) => ({ name: `${page}:${line}`, text }));

/** What a session shows, in pieces: a line `[...]` stands for whatever is left out. */
function piecesOf(shown: string): string[] {
  return shown.split(/^\[\.\.\.\]\n/m).filter((piece) => piece !== '');
}

describe('sessions in the documents', () => {
  it('are there', () => {
    expect(sessions.length).toBeGreaterThan(2);
  });

  it.each(sessions)('$name shows what is printed', ({ text }) => {
    const [command = '', ...shown] = text.split('\n');
    expect(command).toMatch(/^\$ civac /);
    const { out, err } = bench.civac(command.replace(/^\$ civac /, '').split(' '));
    expect(err).toBe('');
    const body = shown.join('\n');
    const pieces = piecesOf(body);
    if (!body.startsWith('[...]\n')) expect(out.startsWith(pieces[0] ?? '')).toBe(true);
    if (!body.endsWith('[...]\n')) expect(out.endsWith(pieces.at(-1) ?? '')).toBe(true);
    let from = 0;
    for (const piece of pieces) {
      const at = out.indexOf(piece, from);
      // On a mismatch the whole output is what the author needs to see.
      if (at < 0) expect(out).toContain(piece);
      from = at + piece.length;
    }
  });
});

/** Anchors that a page's headings give, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

function deadLinks(page: string): string[] {
  const text = read(page).replace(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
}

/** Files of this repository that a page names in backticks; `*` stands for part of a name. */
function missingFiles(page: string): string[] {
  const named = [...read(page).matchAll(/`((?:src|test|litmus|scripts|docs)\/[\w./*-]+)`/g)];
  return named
    .map((match) => match[1] ?? '')
    .filter((path) => {
      if (!path.includes('*')) return !existsSync(join(root, path));
      const parts = basename(path)
        .split('*')
        .map((part) => part.replaceAll('.', '\\.'));
      const pattern = new RegExp(`^${parts.join('.*')}$`);
      return !readdirSync(join(root, dirname(path))).some((name) => pattern.test(name));
    });
}

describe('pages', () => {
  it.each(pages)('%s links and names what exists', (page) => {
    expect(deadLinks(page)).toEqual([]);
    expect(missingFiles(page)).toEqual([]);
  });

  it('the model page has every rule and every hazard', () => {
    const model = read('docs/model.md');
    const rules = [...model.matchAll(/^\*\*([MK]\d+) /gm)].map((match) => match[1] ?? '');
    const numbers = (letter: string, last: number) =>
      Array.from({ length: last }, (_, i) => `${letter}${i + 1}`);
    expect(rules).toEqual([...numbers('M', 18), ...numbers('K', 9)]);
    expect(citedRules(rules)).toEqual(rules);
    const rows = [...model.matchAll(/^\| (H\d+) \|/gm)].map((match) => match[1] ?? '');
    expect(rows).toEqual(Object.keys(hazards));
  });
});
