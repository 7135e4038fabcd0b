/** A worker thread that is lost takes what it was at with it, and never makes it coherent. */
import { afterAll, describe, expect, it } from 'vitest';
import { Pool } from '../src/cli/pool.js';
import { checkWork, rowWork } from '../src/cli/work.js';
import { Bench } from './cli-run.js';
import { coherent, endless } from './cli-scenarios.js';

const bench = new Bench();
afterAll(() => bench.drop());

/** More states than any limit here, but not many words. */
const large = endless.replace(/cpu d \{[^}]*\}/, '').replace(/\tbuf\[\d+\] = [56];\n?/g, '');

const input = { file: 'endless.litmus', text: endless };
const unreduced = { projection: false };

describe('a lost worker', () => {
  it('leaves its scenario unknown', async () => {
    let begun = (): void => {};
    const running = new Promise<void>((done) => {
      begun = done;
    });
    const pool = new Pool(checkWork, 1, unreduced, () => begun());
    const outcome = pool.submit(input);
    await running;
    await pool.close();
    const reason = 'its worker thread was ended';
    expect(await outcome).toMatchObject({ kind: 'result', result: { verdict: 'unknown', reason } });
  });

  it('leaves the cells of its row open, but for those that were known', async () => {
    let begun = (): void => {};
    const running = new Promise<void>((done) => {
      begun = done;
    });
    const pool = new Pool(rowWork, 1, unreduced, () => begun());
    const outcome = pool.submit(input);
    await running;
    await pool.close();
    const found = await outcome;
    if (found.kind !== 'row') throw new Error(found.kind);
    const { written, others } = found.row;
    expect(others.length).toBe(4);
    expect([written, ...others].map(({ verdict }) => verdict)).not.toContain('coherent');
    expect(others.at(-1)).toMatchObject({
      verdict: 'unknown',
      reason: 'its worker thread was ended',
    });
  });

  it('goes on with the other scenarios', async () => {
    const pool = new Pool(checkWork, 1, unreduced, () => {});
    const first = pool.submit({ file: 'a.litmus', text: coherent });
    expect(await first).toMatchObject({ kind: 'result', result: { verdict: 'coherent' } });
    await pool.close();
    const second = await pool.submit({ file: 'b.litmus', text: coherent });
    expect(second).toMatchObject({ kind: 'result', result: { verdict: 'coherent' } });
    await pool.close();
  });

  it('without memory ends in unknown and exit status 3', () => {
    bench.write('endless.litmus', endless);
    const run = bench.civac(['check', '--brief', '--engine', 'reference', 'endless.litmus'], {
      env: { NODE_OPTIONS: '--max-old-space-size=40' },
    });
    expect(run.out).toContain('unknown: out of memory');
    expect(run.status).toBe(3);
  });
});

describe('a fault in a worker', () => {
  const long = ['check', '--brief', '--no-projection', 'endless.litmus'];
  it.each([
    ['throw', 70, /^$/, /internal error.*a fault on order/],
    ['exit', 3, /unknown: its worker thread was ended/, /^$/],
    ['memory', 3, /unknown: out of memory/, /^/],
  ])('%s: status %i, never coherent', (fault, status, out, err) => {
    bench.write('endless.litmus', endless);
    const env = { CIVAC_FAULT: `worker:${fault}`, NODE_OPTIONS: '--max-old-space-size=60' };
    const run = bench.civac(long, { env });
    expect(run.status).toBe(status);
    expect(run.out).toMatch(out);
    expect(run.err).toMatch(err);
    expect(run.out).not.toContain('coherent');
  });

  it('SIGINT at any time: 130, or killed before there was anything to say', async () => {
    bench.write('large.litmus', large);
    for (const afterMs of [30, 150, 400, 900, 1700]) {
      const run = await bench.interrupted(['check', '--brief', ...unreducedFlags], afterMs);
      // Null: Node had not come to our handler yet.
      expect([130, null]).toContain(run.status);
      expect(run.out).not.toContain('coherent');
    }
  });
});

const unreducedFlags = ['--no-projection', 'large.litmus'];

describe('every limit', () => {
  it.each([
    ['--max-states', '2000', 'gave up after 2000 states'],
    ['--max-seconds', '0.05', 'gave up after 0.05 seconds'],
    ['--max-memory', '1', 'gave up at 1 MiB'],
  ])('%s leaves the verdict unknown, alone and in a matrix', (option, value, reason) => {
    bench.write('large.litmus', large);
    const one = bench.civac(['check', '--no-projection', '--brief', option, value, 'large.litmus']);
    expect(one.status).toBe(3);
    expect(one.out).toContain(`unknown: ${reason}`);
    const row = bench.civac([
      'check',
      '--no-projection',
      '--matrix',
      option,
      value,
      'large.litmus',
    ]);
    expect(row.status).toBe(3);
    expect(row.out).toContain(`as written                 unknown: ${reason}`);
    expect(row.out).not.toMatch(/ coherent$/m);
  });
});
