/**
 * Explorations that leave out evictions and fills against those that make all of them: the whole
 * corpus and seeded random scenarios. Verdicts, findings, needs, certainty, notes and the lengths
 * of the shortest runs must be equal, in both engines. CIVAC_REDUCTIONS sets how many random ones
 * (default 100), CIVAC_SEED the first seed.
 */
import { describe, expect, it } from 'vitest';
import type { Program } from '../src/litmus/program.js';
import { type CheckOptions, check, ScenarioFault } from '../src/verdict/check.js';
import { scenarios } from './corpus-scenarios.js';
import { everyScenario } from './mutation/everything.js';
import { randomPrograms } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_REDUCTIONS ?? 100);
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();

interface Told {
  readonly text: string;
  readonly verdict: string;
  readonly states: number;
  readonly transitions: number;
}

/** What a result says; of the runs it shows how long they are, since some steps may swap. */
function told(program: Program, options: CheckOptions): Told {
  try {
    const {
      reduction: _,
      states,
      transitions,
      ...result
    } = check(program, {
      projection: false,
      ...options,
    });
    const hazards = result.hazards.map(({ trace, message: _text, actual: _value, ...each }) =>
      JSON.stringify({ ...each, steps: trace.length }, null, 1),
    );
    hazards.sort();
    const aliases = result.aliases.map((each) => JSON.stringify(each)).sort();
    const text = JSON.stringify({ ...result, hazards, aliases, seconds: 0 }, null, 1);
    return { text, verdict: result.verdict, states, transitions };
  } catch (error) {
    if (!(error instanceof ScenarioFault)) throw error;
    const text = `${error.at.line}: ${error.message}`;
    return { text, verdict: 'fault', states: 0, transitions: 0 };
  }
}

describe('leaving out environment steps', () => {
  it('leaves what is said of every corpus scenario as it is', { timeout: 600_000 }, () => {
    const sum = { all: 0, left: 0 };
    for (const { name, program } of corpus) {
      const all = told(program, { por: false });
      const few = told(program, { por: true });
      expect(few.text, name).toBe(all.text);
      const tables = told(program, { por: true, tablesFrom: 0 });
      expect(tables, name).toEqual(few);
      sum.all += all.transitions;
      sum.left += few.transitions;
    }
    expect(sum.all / sum.left).toBeGreaterThan(3);
  });

  it(`agrees on ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    const seen = new Map<string, number>();
    for (const { seed, text, program } of randomPrograms(firstSeed, count, everyScenario())) {
      const limits = { maxStates: 20_000 };
      const all = told(program, { ...limits, por: false });
      if (/gave up|"portable": null/.test(all.text)) continue;
      const few = told(program, { ...limits, por: true, tablesFrom: seed % 2 === 0 ? 0 : 500 });
      expect(few.text, `seed ${seed}\n${text}`).toBe(all.text);
      if (few.states < all.states) seen.set(few.verdict, (seen.get(few.verdict) ?? 0) + 1);
    }
    // A few dozen need not have all kinds.
    for (const verdict of count < 100 ? [] : ['coherent', 'hazard']) {
      expect(seen.get(verdict) ?? 0, [...seen].join('; ')).toBeGreaterThan(count / 20);
    }
  });
});
