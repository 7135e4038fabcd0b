/**
 * The engine on tables against the reference engine: the whole corpus and seeded random scenarios;
 * everything a result says must be equal, counts and lengths included. CIVAC_SCENARIOS sets how
 * many random ones (default 150), CIVAC_SEED the first seed.
 */
import { describe, expect, it } from 'vitest';
import { Layout, NewCell } from '../src/kernel/layout.js';
import type { Program } from '../src/litmus/program.js';
import { type CheckOptions, check, libertiesOf, ScenarioFault } from '../src/verdict/check.js';
import { Runs } from '../src/verdict/runs.js';
import { replay } from '../src/verdict/trace.js';
import { scenario, scenarios } from './corpus-scenarios.js';
import { everyScenario } from './mutation/everything.js';
import { randomPrograms } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_SCENARIOS ?? 150);
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();

/** The result as text, without the time; or what is wrong with the scenario. */
function told(program: Program, options: CheckOptions): string {
  try {
    const { reduction: _, ...said } = check(program, {
      ...options,
      projection: false,
      por: false,
    });
    return JSON.stringify({ ...said, seconds: 0 }, null, 1);
  } catch (error) {
    if (error instanceof ScenarioFault) return `${error.at.line}: ${error.message}`;
    // A fault of ours is no matter of this test, as long as both engines meet it.
    return `crash: ${error instanceof Error ? error.message : error}`;
  }
}

/** Runs of a scenario with all its words known, by tables. */
function runsOf(program: Program): Runs {
  const layout = new Layout(program.machine.pageSize, program.machine.lineSize);
  const limits = { maxStates: 1e6, maxSeconds: 60, maxMemoryBytes: 2 ** 30 };
  for (;;) {
    const runs = new Runs(program, layout, {
      limits,
      order: 'forward',
      engine: 'fast',
      tablesFrom: 0,
      now: () => 0,
      tick: () => false,
    });
    try {
      runs.run(libertiesOf(program));
      return runs;
    } catch (error) {
      if (!(error instanceof NewCell)) throw error;
      layout.add(error.buffer, error.byte, error.size);
    }
  }
}

describe('the engine on tables', () => {
  it('says unknown at a limit, never coherent', () => {
    const { program } = scenario('basics/ring-data-then-flag');
    const always = { engine: 'fast', tablesFrom: 0 } as const;
    expect(check(program, always).verdict).toBe('coherent');
    for (const limit of [{ maxMemoryBytes: 100 }, { maxSeconds: 1e-9 }, { maxStates: 20 }]) {
      const { verdict, reason } = check(program, { ...always, ...limit });
      expect([verdict, reason]).toEqual(['unknown', expect.stringContaining('gave up')]);
    }
    const { verdict } = check(program, { ...always, interrupted: () => true });
    expect(verdict).toBe('unknown');
  });

  it('refuses a counterexample that the reference engine does not confirm', () => {
    const { program } = scenario('basics/ring-no-dma-rmb');
    const runs = runsOf(program);
    const run = runs.run(libertiesOf(program));
    const [sighting] = run.sightings.values();
    if (sighting === undefined) throw new Error('no finding');
    expect(replay(run, sighting, runs.facts).finding?.id).toBe(sighting.id);
    const other = { ...sighting, name: 'H1|1|99:1' };
    expect(() => replay(run, other, runs.facts)).toThrow('does not replay');
    expect(() => replay(run, { ...sighting, action: 999 }, runs.facts)).toThrow('not replay');
  });

  it('says of every corpus scenario what the reference engine says', { timeout: 300_000 }, () => {
    for (const { name, program } of corpus) {
      const fast = told(program, { engine: 'fast', tablesFrom: 0 });
      expect(fast, name).toBe(told(program, { engine: 'reference' }));
    }
  });

  it('tries steps in either order', { timeout: 300_000 }, () => {
    for (const { name, program } of corpus.filter((_, i) => i % 10 === 0)) {
      const fast = told(program, { engine: 'fast', tablesFrom: 0, order: 'reverse' });
      expect(fast, name).toBe(told(program, { engine: 'reference', order: 'reverse' }));
    }
  });

  it(`agrees on ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    const seen = new Map<string, number>();
    for (const { seed, text, program } of randomPrograms(firstSeed, count, everyScenario())) {
      // A limit cuts both in the same place: they meet the same states in the same order.
      const limits = { maxStates: 2000 };
      const fast = told(program, { ...limits, engine: 'fast', tablesFrom: 0 });
      expect(fast, `seed ${seed}\n${text}`).toBe(told(program, { ...limits, engine: 'reference' }));
      const verdict = /"verdict": "(\w+)"/.exec(fast)?.[1] ?? 'fault';
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
    }
    // The random scenarios are worth something: all kinds of outcome come up.
    for (const verdict of ['coherent', 'hazard', 'fault']) {
      expect(seen.get(verdict) ?? 0, [...seen].join('; ')).toBeGreaterThan(count / 50);
    }
  });
});
