/**
 * Reduced explorations against unreduced ones: the whole corpus and seeded random scenarios;
 * everything a result says must be equal but the numbers of states. CIVAC_SCENARIOS sets how many
 * random ones (default 150), CIVAC_SEED the first seed.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { check, type CheckOptions, ScenarioFault } from '../src/verdict/check.js';
import { scenarios } from './corpus-scenarios.js';
import { randomScenario } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_SCENARIOS ?? 150);
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();

interface Told {
  readonly text: string;
  /** Lines were told apart. */
  readonly reduced: boolean;
  readonly verdict: string;
}

/** What a result says, without how it was come by. */
function told(program: Program, options: CheckOptions): Told {
  try {
    const { reduction = [], ...result } = check(program, options);
    const said = { ...result, seconds: 0, states: 0, transitions: 0 };
    const aliases = said.aliases.map((each) => JSON.stringify(each)).sort();
    const text = JSON.stringify({ ...said, aliases }, null, 1);
    const reduced = reduction.some((line) => line.includes('projections'));
    return { text, reduced, verdict: result.verdict };
  } catch (error) {
    if (error instanceof ScenarioFault) {
      return { text: `${error.at.line}: ${error.message}`, reduced: false, verdict: 'fault' };
    }
    throw error;
  }
}

const WAYS: readonly CheckOptions[] = [{ projection: true }];

describe('reductions', () => {
  it('leave what is said of every corpus scenario as it is', { timeout: 600_000 }, () => {
    let reduced = 0;
    for (const { name, program } of corpus) {
      const plain = told(program, { projection: false });
      for (const way of WAYS) {
        const other = told(program, { ...way, reduceAll: true });
        expect(other.text, `${name} ${JSON.stringify(way)}`).toBe(plain.text);
        if (other.reduced) reduced++;
      }
    }
    expect(reduced).toBeGreaterThan(40);
  });

  it(`agree on ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    const seen = new Map<string, number>();
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const text = randomScenario(seed, corpus);
      const { program } = compile(text, 'random.litmus');
      if (program === null) continue;
      const limits = { maxStates: 20_000 };
      const plain = told(program, { ...limits, projection: false });
      if (plain.text.includes('gave up')) continue;
      for (const way of WAYS) {
        const other = told(program, { ...limits, ...way, reduceAll: true });
        expect(other.text, `seed ${seed} ${JSON.stringify(way)}\n${text}`).toBe(plain.text);
        if (other.reduced) seen.set(other.verdict, (seen.get(other.verdict) ?? 0) + 1);
      }
    }
    for (const verdict of ['coherent', 'hazard']) {
      expect(seen.get(verdict) ?? 0, [...seen].join('; ')).toBeGreaterThan(count / 100);
    }
  });
});
