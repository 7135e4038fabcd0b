/** Every kind of malformed input through the real command line: told, never a stack trace. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Bench, root } from './cli-run.js';

const bench = new Bench(join(root, 'test', 'malformed'));
const files = readdirSync(bench.folder).filter((name) => name.endsWith('.litmus'));

describe('civac check of malformed input', () => {
  it('has at least twenty kinds', () => {
    expect(files.length).toBeGreaterThanOrEqual(20);
  });

  it.each(files)('%s', (file) => {
    const run = bench.civac(['check', file]);
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err.split('\n')[0]).toMatch(new RegExp(`^(civac: )?${file}:`));
    expect(run.err).not.toMatch(/^ +at |internal error/m);
  });
});
