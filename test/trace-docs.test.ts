/** The pages of the rules are those the rules write; `npm run promote` rewrites them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rules } from '../src/trace/judge/rules.js';
import { ruleIndex, rulePage } from '../src/trace/show/rule-page.js';
import { root } from './cli-run.js';
import { expectGoldenFile } from './golden.js';

const folder = join(root, 'docs', 'trace-rules');

describe('docs/trace-rules', () => {
  it.each(rules.map((rule) => [rule.id, rule] as const))('%s has its page', (id, rule) => {
    expectGoldenFile(rulePage(rule), join(folder, `${id}.md`));
  });

  it('lists them all, and nothing else', () => {
    expectGoldenFile(ruleIndex(), join(folder, 'README.md'));
    const pages = readdirSync(folder).sort();
    expect(pages).toEqual(['README.md', ...rules.map(({ id }) => `${id}.md`)].sort());
  });

  it('says of every rule when it is silent', () => {
    for (const { limits, evidence, meaning, mend } of rules) {
      for (const text of [limits, evidence, meaning, mend]) expect(text.length).toBeGreaterThan(20);
    }
  });
});
