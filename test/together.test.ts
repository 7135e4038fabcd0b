/**
 * Explorations that other threads join: what a check says is the same, byte for byte, whatever the
 * threads do when. CIVAC_AHEAD sets how many random scenarios (default 20) and adds the whole
 * corpus, CIVAC_SEED the first seed.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { type HelperStart, Helpers } from '../src/cli/helpers.js';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import type { Ahead } from '../src/verdict/ahead.js';
import { check, type CheckOptions, ScenarioFault } from '../src/verdict/check.js';
import { Bench, root } from './cli-run.js';
import { scenarios } from './corpus-scenarios.js';
import { byPool, large, resultOf, unmap } from './large-check.js';
import { randomScenario } from './scenario-mutations.js';

const count = Number(process.env.CIVAC_AHEAD ?? 20);
const everything = process.env.CIVAC_AHEAD !== undefined;
const firstSeed = Number(process.env.CIVAC_SEED ?? 1);
const corpus = scenarios();
const bench = new Bench();
afterAll(() => bench.drop());

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

/** The same with threads: these join in before anything is explored. */
async function agreesThreaded(text: string, options: CheckOptions, name: string): Promise<boolean> {
  const { program } = compile(text, 'scenario.litmus');
  if (program === null) return false;
  const threads: Worker[] = [];
  const helpers = new Helpers(
    2,
    ({ ports, control }) => {
      ports.forEach((port, index) => {
        const input = { file: 'scenario.litmus', text };
        const workerData: HelperStart = { kind: 'helper', input, port, control, index };
        const file = join(root, 'dist', 'worker.mjs');
        threads.push(new Worker(file, { workerData, transferList: [port] }));
      });
    },
    undefined,
    1,
  );
  const said = told(program, { ...options, ahead: helpers });
  helpers.close();
  await Promise.all(threads.map((thread) => thread.terminate()));
  expect(said, name).toBe(told(program, options));
  return threads.length > 0;
}

describe('explorations that threads join', () => {
  it('leave what is said of scenarios as it is', { timeout: 600_000 }, async () => {
    let joined = 0;
    const some = corpus.filter((_, i) => (everything ? i % 4 === 0 : i % 50 === 7));
    for (const { name, text } of some) {
      const por = name.length % 2 === 0;
      if (await agreesThreaded(text, { projection: false, por }, name)) joined++;
    }
    expect(joined).toBeGreaterThan(some.length / 2);
  });
});

const memory = { maxMemoryBytes: 2 ** 28 };

describe('threads of the command line', () => {
  const together = { helpers: 2, eagerTeam: 600 };

  it.each([
    ['coherent', large(unmap), {}],
    ['a hazard', large(''), {}],
    ['too many states', large(unmap), { maxStates: 1500 }],
  ])('say the same together: %s', { timeout: 300_000 }, async (_, text, more) => {
    const alone = resultOf(await byPool(text, { ...memory, ...more, helpers: 'because' }));
    const joined = resultOf(await byPool(text, { ...memory, ...more, ...together }));
    expect(joined.said).toBe(alone.said);
    expect(joined.how).toMatch(/by several threads together: \d+ of these/);
  });

  it.each(['helper:throw', 'helper:exit', 'member:throw', 'member:exit', 'member:memory'])(
    'that are lost (%s) leave the rest to the check',
    { timeout: 300_000 },
    async (fault) => {
      const alone = resultOf(await byPool(large(unmap), { ...memory, helpers: 'because' }));
      process.env.CIVAC_FAULT = fault;
      try {
        const joined = resultOf(await byPool(large(unmap), { ...memory, ...together }));
        expect(joined.said).toBe(alone.said);
        expect(joined.how).toContain('made here instead');
      } finally {
        delete process.env.CIVAC_FAULT;
      }
    },
  );

  it('are never coherent at a limit', { timeout: 300_000 }, async () => {
    // Nothing is wrong with it: a broken contract would be told at a limit, too.
    const right = large(unmap.replace('192', '256'));
    for (const limit of [{ maxSeconds: 0.05 }, { maxMemoryBytes: 2 ** 21 }]) {
      const outcome = await byPool(right, { ...memory, ...together, ...limit });
      if (outcome.kind !== 'result') throw new Error(JSON.stringify(outcome));
      expect([outcome.result.verdict, outcome.result.reason]).toEqual([
        'unknown',
        expect.stringContaining('gave up'),
      ]);
    }
  });
});
