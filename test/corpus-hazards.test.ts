/**
 * Every hazard of the model is shown by at least three scenarios, and has at least three near
 * misses: coherent scenarios that one call keeps from it (a `Without` line names it), or that are
 * the right half of a pair whose other half shows it. Counted from the headers, which
 * corpus.test.ts holds against the checker.
 */
import { describe, expect, it } from 'vitest';
import { hazards } from '../src/verdict/hazards.js';
import { type Scenario, scenarios } from './corpus-scenarios.js';

const LEAST = 3;

const all = scenarios();

const otherHalf: ReadonlyMap<string, string> = new Map([
  ['fix', 'bug'],
  ['right', 'broken'],
  ['safe', 'hazard'],
]);

function shown({ program }: Scenario): readonly string[] {
  const { result } = program.header;
  return result === null || result === 'coherent' ? [] : result;
}

/** Hazards that this coherent scenario is next to. */
function missed({ name, program }: Scenario): readonly string[] {
  if (program.header.result !== 'coherent') return [];
  const claims = program.header.without.flatMap(({ hazards: ids }) =>
    ids === 'redundant' ? [] : ids,
  );
  const stem = name.replace(/\.[^.]*$/u, '');
  const wrong = `${stem}.${otherHalf.get(name.slice(stem.length + 1)) ?? 'none'}`;
  const pair = all.find((each) => each.name === wrong);
  return [...claims, ...(pair === undefined ? [] : shown(pair))];
}

describe('the corpus', () => {
  it.each(Object.keys(hazards))('shows %s and its near misses', (id) => {
    const showing = all.filter((each) => shown(each).includes(id));
    const missing = all.filter((each) => missed(each).includes(id));
    expect([id, showing.length >= LEAST, missing.length >= LEAST]).toEqual([id, true, true]);
  });
});
