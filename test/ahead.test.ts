/**
 * Explorations that another thread makes ahead of time: what a check says is the same, byte for
 * byte, whether they are, come too late, or are lost. CIVAC_AHEAD sets how many random scenarios
 * (default 20) and adds the whole corpus, CIVAC_SEED the first seed.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { type Ahead, type Asked, exploreFor, type Task } from '../src/verdict/ahead.js';
import { check, type CheckOptions, ScenarioFault } from '../src/verdict/check.js';
import { Bench } from './cli-run.js';
import { scenarios } from './corpus-scenarios.js';
import { byPool, large, resultOf, unmap } from './large-check.js';
import { randomScenario } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_AHEAD ?? 20);
const everything = process.env.CIVAC_AHEAD !== undefined;
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();
const bench = new Bench();
afterAll(() => bench.drop());

/** Makes what is asked for when it is asked for, and hands over a copy, as from a thread. */
class Eager implements Ahead {
  readonly from = 1;
  readonly trouble = null;
  made = 0;
  constructor(private readonly text: string) {}

  ask(task: Task): Asked | null {
    const { program } = compile(this.text, 'scenario.litmus');
    if (program === null) throw new Error('not a scenario');
    const answer = exploreFor(program, structuredClone(task), () => false);
    return {
      take: () => {
        if (answer !== null) this.made++;
        return structuredClone(answer);
      },
      drop: () => {},
    };
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

/** How many explorations of it came from elsewhere. */
function agrees(text: string, options: CheckOptions, name: string): number {
  const { program } = compile(text, 'scenario.litmus');
  if (program === null) return 0;
  const ahead = new Eager(text);
  expect(told(program, { ...options, ahead }), name).toBe(told(program, options));
  return ahead.made;
}

describe('explorations made ahead', () => {
  it('leave what is said of the corpus as it is', { timeout: 600_000 }, () => {
    let [whole, parts] = [0, 0];
    for (const { name, text } of corpus.filter((_, i) => everything || i % 12 === 0)) {
      whole += agrees(text, { projection: false }, name);
      parts += agrees(text, { reduceAll: true }, `${name}, reduced`);
    }
    expect(whole).toBeGreaterThan(40);
    expect(parts).toBeGreaterThan(3);
  });

  it(`leave what is said of ${count} random scenarios`, { timeout: 3_600_000 }, () => {
    let made = 0;
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const text = randomScenario(seed, corpus);
      const limits = { maxStates: 2000 };
      made += agrees(text, { ...limits, projection: false }, `seed ${seed}\n${text}`);
      agrees(text, { ...limits, reduceAll: true }, `seed ${seed}, reduced\n${text}`);
    }
    expect(made).toBeGreaterThan(count / 5);
  });
});

const eager = { eagerHelpers: 600, maxMemoryBytes: 2 ** 27 };

describe('helper threads', () => {
  it.each([
    ['coherent', large(unmap)],
    ['a hazard', large('')],
  ])('say the same: %s', { timeout: 300_000 }, async (verdict, text) => {
    const alone = resultOf(await byPool(text, { ...eager, helpers: 'because' }));
    expect(alone.how).toContain('one thread: because');
    const helped = resultOf(await byPool(text, { ...eager, helpers: 2 }));
    expect(helped.said).toBe(alone.said);
    if (verdict === 'coherent') expect(helped.how).toContain('in other threads: 1 of these');
  });

  it.each(['throw', 'exit', 'memory'])(
    'that fail (%s) leave their work to the check',
    { timeout: 300_000 },
    async (fault) => {
      const alone = resultOf(await byPool(large(unmap), { ...eager, helpers: 'because' }));
      process.env.CIVAC_FAULT = `helper:${fault}`;
      try {
        const helped = resultOf(await byPool(large(unmap), { ...eager, helpers: 1 }));
        expect(helped.said).toBe(alone.said);
        expect(helped.how).toMatch(/made here instead: (a fault on order|a thread was lost)/);
      } finally {
        delete process.env.CIVAC_FAULT;
      }
    },
  );
});
