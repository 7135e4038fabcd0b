/**
 * What the README shows is what the program prints: its sessions are run, its scenario compared
 * (`npm run promote` writes both anew). And the links of all documents lead somewhere.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Bench, root } from './cli-run.js';

const bench = new Bench(root);
const path = join(root, 'README.md');
const readme = readFileSync(path, 'utf8');

/** Rewrites every block of a language, without its fences. */
function mapBlocks(text: string, language: string, rewrite: (block: string) => string): string {
  const fence = new RegExp(`(^\`\`\`${language}\n)([\\s\\S]*?)(^\`\`\`$)`, 'gm');
  return text.replace(fence, (_all, open: string, block: string, close: string) => {
    return open + rewrite(block) + close;
  });
}

function blocks(language: string): string[] {
  const found: string[] = [];
  mapBlocks(readme, language, (block) => {
    found.push(block);
    return block;
  });
  return found;
}

/** The session as it would run now. */
function rerun(session: string): string {
  const command = session.split('\n')[0] ?? '';
  expect(command).toMatch(/^\$ civac /);
  const run = bench.civac(command.replace(/^\$ civac /, '').split(' '));
  expect(run.err).toBe('');
  return `${command}\n${run.out}`;
}

/** The scenario that the first session checks. */
function scenario(): string {
  const [file = ''] = /litmus\/\S+\.litmus/.exec(blocks('console')[0] ?? '') ?? [];
  return readFileSync(join(root, file), 'utf8');
}

describe('the README', () => {
  it('shows sessions as they run and the scenario as it is', () => {
    const now = mapBlocks(mapBlocks(readme, 'console', rerun), 'c', scenario);
    if (process.env.CIVAC_PROMOTE === '1') writeFileSync(path, now);
    else expect(readme).toBe(now);
    expect(blocks('console').length).toBeGreaterThan(1);
    expect(blocks('c')).toHaveLength(1);
  });

  it('names no command that does not exist', () => {
    const help = bench.civac(['--help']).out;
    const inTable = [...readme.matchAll(/^\| `civac ([a-z]+)/gm)].map((match) => match[1] ?? '');
    expect(inTable.length).toBeGreaterThan(4);
    for (const verb of inTable) expect(help).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
  });
});

describe('the documents', () => {
  const pages = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);

  it.each(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pages])(
    '%s has live links',
    (page) => {
      const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
      const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map((match) => match[1] ?? '');
      const local = links.filter((link) => !/^[a-z]+:/.test(link));
      const dead = local.filter((link) => !existsSync(join(root, dirname(page), link)));
      expect(dead).toEqual([]);
    },
  );
});
