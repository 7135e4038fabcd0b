/**
 * Explorations that other threads join: what a check says is the same, byte for byte, whatever the
 * threads do when. CIVAC_AHEAD sets how many random scenarios (default 20) and adds the whole
 * corpus, CIVAC_SEED the first seed.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import type { Ahead } from '../src/verdict/ahead.js';
import { check, type CheckOptions, ScenarioFault } from '../src/verdict/check.js';
import { scenarios } from './corpus-scenarios.js';
import { randomScenario } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_AHEAD ?? 20);
const everything = process.env.CIVAC_AHEAD !== undefined;
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();

/** Explores in rounds, by one thread. */
class Rounds implements Ahead {
  readonly from = 1;
  readonly trouble = null;
  called = 0;
  readonly team = {
    from: 1,
    soloStates: 1,
    idle: true,
    eager: 'alone',
    lost: false,
    call: () => {
      this.called++;
    },
  } as const;

  ask(): null {
    return null;
  }

  drop(): void {}
}

function told(program: Program, options: CheckOptions): string {
  try {
    const { reduction: _, ...said } = check(program, { ...options, tablesFrom: 0 });
    return JSON.stringify({ ...said, seconds: 0 }, null, 1);
  } catch (error) {
    if (error instanceof ScenarioFault) return `${error.at.line}: ${error.message}`;
    throw error;
  }
}

function agrees(program: Program | null, options: CheckOptions, name: string): number {
  if (program === null) return 0;
  const ahead = new Rounds();
  expect(told(program, { ...options, ahead }), name).toBe(told(program, options));
  return ahead.called;
}

describe('explorations in rounds', () => {
  it('leave what is said of the corpus as it is', { timeout: 600_000 }, () => {
    let called = 0;
    for (const { name, program } of corpus.filter((_, i) => everything || i % 12 === 5)) {
      called += agrees(program, { projection: false }, name);
      called += agrees(program, { projection: false, por: false, order: 'reverse' }, name);
      agrees(program, { reduceAll: true }, `${name}, reduced`);
    }
    expect(called).toBeGreaterThan(100);
  });

  it(`leave what is said of ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    let called = 0;
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const { program } = compile(randomScenario(seed, corpus), 'random.litmus');
      // A limit cuts both in the same place.
      for (const maxStates of [40, 2000]) {
        called += agrees(program, { maxStates, projection: false }, `seed ${seed}`);
      }
    }
    expect(called).toBeGreaterThan(count);
  });
});
