/**
 * Mutants: each row of the rule tables, and each thing that a kernel function does, taken out of
 * the model in turn. A scenario then is not as it states; or the mutant is on a reviewed list of
 * those that nothing can tell from the model. test/mutation/README.md says more.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allOperations } from '../src/kernel/registry.js';
import { root } from './cli-run.js';
import { equivalent, returnsOnly } from './mutation/equivalent.js';
import { everyScenario } from './mutation/everything.js';
import { functionScenarios } from './mutation/functions.js';
import { isWrong } from './mutation/judge.js';
import { kills, mutantsOf, searchKillers } from './mutation/search.js';

const file = join(root, 'test', 'mutation', 'kills.tsv');
const all = everyScenario();

function recorded(): readonly (readonly [string, string])[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): readonly [string, string] => {
      const [mutant = '', killer = ''] = line.split('\t');
      return [mutant, killer];
    });
}

describe.runIf(process.env.CIVAC_MUTANTS === 'search')('search (CIVAC_MUTANTS=search)', () => {
  it('leaves no survivor', { timeout: 7_200_000 }, () => {
    const { lines, survivors } = searchKillers(all, new Map(recorded()));
    writeFileSync(file, `${lines.join('\n')}\n`);
    expect(survivors).toEqual([]);
  });
});

describe('the scenarios that kill mutants', () => {
  it('are as they state, on the model as it is', () => {
    const made = new Set(functionScenarios().map(([name]) => name));
    const mine = all.filter(({ name }) => made.has(name) || name.startsWith('rules/'));
    expect(mine.filter(isWrong).map(({ name }) => name)).toEqual([]);
  });

  it('have names of their own', () => {
    const names = all.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

describe('mutants', () => {
  const mutants = recorded();
  // A hundred at a time, so that a failure says where and the time limit is that of a test.
  const parts = Array.from({ length: Math.ceil(mutants.length / 100) }, (_, i) => i * 100);

  it.each(parts)('are killed (from number %i)', { timeout: 300_000 }, (from) => {
    const alive = mutants
      .slice(from, from + 100)
      .filter(([mutant, killer]) => !kills(mutant, killer, all));
    expect(alive).toEqual([]);
  });

  it('are all on record, as killed or as equivalent', { timeout: 300_000 }, () => {
    const known = new Set([...mutants.map(([mutant]) => mutant), ...equivalent.keys()]);
    const there = [...mutantsOf(all).keys()];
    expect(there.filter((mutant) => !known.has(mutant))).toEqual([]);
    expect([...known].filter((mutant) => !there.includes(mutant))).toEqual([]);
  });

  it('are either killed or equivalent', () => {
    expect(mutants.filter(([mutant]) => equivalent.has(mutant))).toEqual([]);
    expect([...equivalent.values()].filter((why) => why.length < 40)).toEqual([]);
  });

  it('there are of every function, but for those that only return a value', () => {
    const names = new Set(mutants.map(([mutant]) => mutant.replace(/:.*/, '')));
    const without = allOperations()
      .map(({ name }) => name)
      .filter((name) => !names.has(name));
    expect(without.sort()).toEqual([...returnsOnly.keys()].sort());
  });
});
