/** What the README shows is what the program prints: its sessions are run, its files compared. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Bench, root } from './cli-run.js';

const bench = new Bench(root);
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Blocks of a language, without their fences. */
function blocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...readme.matchAll(fence)].map((match) => match[1] ?? '');
}

describe('the README', () => {
  const sessions = blocks('console');

  it('has sessions', () => {
    expect(sessions.length).toBeGreaterThan(1);
  });

  it.each(sessions)('session %#', (session) => {
    const [command = '', ...output] = session.split('\n');
    expect(command).toMatch(/^\$ civac /);
    const run = bench.civac(command.replace(/^\$ civac /, '').split(' '));
    expect(run.err).toBe('');
    expect(run.out).toBe(output.join('\n'));
  });

  it('shows the scenario that its session checks', () => {
    const [file = ''] = /litmus\/\S+\.litmus/.exec(sessions[0] ?? '') ?? [];
    expect(blocks('c')).toContain(readFileSync(join(root, file), 'utf8'));
  });

  it('names no command that does not exist', () => {
    const help = bench.civac(['--help']).out;
    const inTable = [...readme.matchAll(/^\| `civac ([a-z]+)/gm)].map((match) => match[1] ?? '');
    expect(inTable.length).toBeGreaterThan(4);
    for (const verb of inTable) expect(help).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
  });

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)[^)]*\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) expect(() => readFileSync(join(root, link)), link).not.toThrow();
  });
});
