/**
 * Scenarios of tens of thousands of states, as their headers say. They are kept out of litmus/,
 * whose scenarios the tests explore over and over, by the reference engine and without reductions.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { root } from './cli-run.js';
import { inOrder, outcomeOf } from './corpus-scenarios.js';

const folder = join(root, 'test', 'large');

describe('large scenarios', () => {
  it.each(readdirSync(folder))('%s is as its header says', (file) => {
    const { program } = compile(readFileSync(join(folder, file), 'utf8'), file);
    const result = program?.header.result ?? null;
    if (program === null || result === null) throw new Error(`${file} states nothing`);
    const stated = result === 'coherent' ? 'coherent' : inOrder(result);
    expect(outcomeOf(check(program))).toBe(stated);
  });
});
