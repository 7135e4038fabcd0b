/** `--shard i/n`: the parts are a partition, whatever the order. Progress, beside it. */
import { afterAll, describe, expect, it } from 'vitest';
import { readInputs } from '../src/cli/inputs.js';
import { labelsOf } from '../src/cli/matrix-row.js';
import { Progress } from '../src/cli/progress.js';
import { shardFiles, shardRows } from '../src/cli/shard.js';
import { Bench, root } from './cli-run.js';
import { coherent, hazard } from './cli-scenarios.js';

const bench = new Bench();
afterAll(() => bench.drop());
const { inputs } = readInputs([`${root}/litmus/thread`]);
const parts = (of: number) => Array.from({ length: of }, (_, i) => ({ part: i + 1, of }));

describe('--shard', () => {
  it.each([1, 2, 3, 7])('%i parts hold every scenario once, and differ by one at most', (of) => {
    const all = parts(of).map((shard) => shardFiles(inputs, shard));
    expect(
      all
        .flat()
        .map(({ file }) => file)
        .sort(),
    ).toEqual(inputs.map(({ file }) => file).sort());
    const sizes = all.map((part) => part.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it('does not depend on the order of the scenarios', () => {
    const shuffled = [...inputs].reverse();
    for (const shard of parts(3)) {
      const names = (list: typeof inputs) => shardFiles(list, shard).map(({ file }) => file);
      expect(names(shuffled)).toEqual(names(inputs).reverse());
    }
  });

  it('holds every cell of a matrix once', () => {
    const few = inputs.slice(0, 12);
    const found = parts(5).flatMap((shard) =>
      shardRows(few, shard).flatMap(({ file, only }) => only?.map((label) => `${file} ${label}`)),
    );
    const wanted = few.flatMap((input) => labelsOf(input).map((label) => `${input.file} ${label}`));
    expect(found.sort()).toEqual(wanted.sort());
  });

  it('splits the cells of a single scenario', () => {
    bench.write('one.litmus', hazard);
    const rows = parts(2).map(({ part }) => {
      const run = bench.civac([
        'check',
        '--matrix',
        '--json',
        `--shard`,
        `${part}/2`,
        'one.litmus',
      ]);
      expect(run.status).toBe(1);
      const report: { matrix: { cells: { setting: string }[] }[] } = JSON.parse(run.out);
      return report.matrix.flatMap(({ cells }) => cells.map(({ setting }) => setting));
    });
    const [first = [], second = []] = rows;
    expect(first.filter((setting) => second.includes(setting))).toEqual(['as written']);
    expect(new Set([...first, ...second]).size).toBe(
      1 + labelsOf({ file: 'one.litmus', text: hazard }).length,
    );
  });

  it('may leave a part with nothing to do', () => {
    bench.write('good.litmus', coherent);
    const runs = parts(2).map(({ part }) =>
      bench.civac(['check', '--json', '--shard', `${part}/2`, 'good.litmus']),
    );
    expect(runs.map(({ status }) => status)).toEqual([0, 0]);
    const counts = runs.map(({ out }): number => JSON.parse(out).results.length);
    expect(counts.sort()).toEqual([0, 1]);
  });

  it.each(['0/2', '3/2', '1/0', '1', 'a/b', '1/2/3', '-1/2', '1.5/2', '1/10001'])(
    'refuses %s',
    (value) => {
      const run = bench.civac(['check', `--shard=${value}`, 'good.litmus']);
      expect(run).toMatchObject({ status: 2, out: '' });
      expect(run.err).toContain('Expected i/n, the i-th of n parts');
    },
  );
});

describe('progress', () => {
  it('tells states, rate and what is left, on a terminal only', () => {
    for (const isTTY of [true, false]) {
      const said: string[] = [];
      let now = 0;
      const terminal = { isTTY, columns: 200, write: (text: string) => said.push(text) };
      const one = new Progress(
        1,
        false,
        { maxStates: 100_000, maxSeconds: 600 },
        terminal,
        () => now,
      );
      one.update('a.litmus', { states: 1000, transitions: 1, seconds: 0.5, run: 'eviction' });
      now = 2000;
      one.update('a.litmus', { states: 4000, transitions: 1, seconds: 2, run: 'eviction' });
      one.clear();
      if (!isTTY) expect(said).toEqual([]);
      else {
        expect(said[0]).toContain(
          'a.litmus: 4,000 states at 2,000/s, 2 s, --max-states in 48 s at the latest (eviction)',
        );
        expect(said).toHaveLength(2);
      }
    }
  });

  it('estimates many scenarios by those that are done', () => {
    const said: string[] = [];
    let now = 0;
    const terminal = { isTTY: true, columns: 200, write: (text: string) => said.push(text) };
    const many = new Progress(10, false, {}, terminal, () => now);
    now = 5000;
    for (let i = 0; i < 5; i++) many.finished();
    many.update('b.litmus', { states: 10, transitions: 1, seconds: 1, run: 'nothing' });
    expect(said.at(-1)).toContain('6/10 b.litmus: 10 states, 1 s, about 5 s left (nothing)');
  });
});
