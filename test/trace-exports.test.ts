/** `civac trace --format html|perfetto|parquet` on a real recording, as a person runs it. */
import { existsSync, readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './cli-run.js';
import { recording } from './trace-files.js';

const bench = new Bench();
afterAll(() => bench.drop());
beforeAll(() => {
  bench.write('boot.dat', recording('k612-boot.dat'));
});

function exported(format: string, output: string): Buffer[] {
  const { status, err, out } = bench.civac(['trace', '--format', format, '-o', output, 'boot.dat']);
  expect({ err, out }).toEqual({ err: '', out: '' });
  expect(status).toBeLessThanOrEqual(1);
  const names = [output, `${output}.findings.parquet`, `${output}.mappings.parquet`];
  return names
    .filter((name) => existsSync(bench.path(name)))
    .map((name) => {
      return readFileSync(bench.path(name));
    });
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(sql.replaceAll('$', `${bench.folder}/`));
  return reader.getRowObjects();
}

interface Counts {
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly { readonly rule: string }[];
}

describe('exports of a recording', () => {
  it('are the same each time, byte for byte', () => {
    for (const format of ['html', 'perfetto', 'parquet']) {
      const first = exported(format, `a-${format}`);
      const second = exported(format, `b-${format}`);
      expect(first.map((file) => file.length > 0)).not.toContain(false);
      expect(second).toEqual(first);
    }
    const page = exported('html', 'page.html')[0]?.toString() ?? '';
    expect([page.startsWith('<!doctype html>'), page.endsWith('</html>\n')]).toEqual([true, true]);
  });

  it('have a row for every map event that gave a mapping, and for every finding', async () => {
    exported('parquet', 'run');
    const json = bench.civac(['trace', '--json', 'boot.dat']);
    const told = JSON.parse(json.out) as Counts;
    const rows = await query(
      "select map_event, count(*)::int n from '$run.mappings.parquet' group by all",
    );
    const perEvent = Object.fromEntries(rows.map((row) => [row.map_event, row.n]));
    // No map of this boot failed.
    for (const event of ['dma_map_page', 'dma_map_sg', 'dma_alloc']) {
      expect([event, perEvent[event]]).toEqual([event, told.counts[event]]);
    }
    const found = await query("select rule_id from '$run.findings.parquet'");
    expect(found.map((row) => row.rule_id)).toEqual(told.findings.map(({ rule }) => rule));
    const [ids] = await query(
      'select count(distinct run_id)::int n, min(length(source_sha256))::int hash ' +
        "from '$run.findings.parquet' f join '$run.mappings.parquet' m using (run_id)",
    );
    expect(ids).toEqual({ n: 1, hash: 64 });
  });

  it('go to a pipe, but two files do not', () => {
    const args = ['trace', '--format', 'html', 'boot.dat'];
    expect(bench.civac(args).out).toBe(exported('html', 'piped.html')[0]?.toString());
    const parquet = bench.civac(['trace', '--format', 'parquet', 'boot.dat']);
    expect(parquet.err).toBe(
      'civac: trace: --format parquet writes two files; name them with -o\n',
    );
    expect(parquet.status).toBe(2);
  });

  it('never overwrite the trace, and say so when they cannot be written', () => {
    const over = bench.civac(['trace', '--format', 'html', '-o', 'boot.dat', 'boot.dat']);
    expect(over.err).toBe('civac: cannot write boot.dat: it is an input\n');
    const nowhere = bench.civac(['trace', '--format', 'perfetto', '-o', 'no/x', 'boot.dat']);
    expect(nowhere.err).toBe('civac: cannot write no/x: no such file or directory\n');
    const missing = bench.civac(['trace', '--format', 'parquet', '-o', 'x', 'none.dat']);
    expect(missing.err).toBe('civac: none.dat: no such file or directory\n');
    expect([over.status, nowhere.status, missing.status]).toEqual([2, 2, 2]);
    expect(readFileSync(bench.path('boot.dat'))).toEqual(Buffer.from(recording('k612-boot.dat')));
  });
});
