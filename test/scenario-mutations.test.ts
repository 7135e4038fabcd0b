/** Random scenarios reach every operation and every setting of the machine that there is. */
import { describe, expect, it } from 'vitest';
import { allOperations } from '../src/kernel/index.js';
import { operationsReference } from '../src/litmus/index.js';
import { everyScenario } from './mutation/everything.js';
import { operationsOf, randomPrograms } from './scenario-mutations.js';

const SEEDS = 3000;
const pool = everyScenario();
const programs = [...randomPrograms(1, SEEDS, pool)];
const operations = new Set(programs.flatMap(({ program }) => [...operationsOf(program)]));

describe('random scenarios', () => {
  it('compile, nearly all of them', () => {
    expect(programs.length).toBeGreaterThan(0.9 * SEEDS);
  });

  it('have every operation in them, be it that of a scenario of the pool', () => {
    const all = allOperations().map(({ name }) => name);
    const rare = all.filter((name) => !operations.has(name));
    expect(rare.length).toBeLessThan(0.05 * all.length);
    const inPool = new Set(pool.flatMap(({ program }) => [...operationsOf(program)]));
    expect(rare.filter((name) => !inPool.has(name))).toEqual([]);
  });

  it('have every setting of machines and devices in them', () => {
    const blocks = programs.map(({ text }) => text.slice(0, text.indexOf('\n}')));
    const found = new Set(
      blocks.flatMap((block) => [...block.matchAll(/(\.\w+) =/g)].map(([, name]) => name)),
    );
    const settings = operationsReference().matchAll(/^\| `(\.\w+)` \|/gm);
    const missing = [...settings].map(([, name]) => name).filter((name) => !found.has(name));
    expect(missing).toEqual([]);
    expect(found.size).toBeGreaterThan(30);
  });
});
