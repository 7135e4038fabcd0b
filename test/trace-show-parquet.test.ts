/** The Parquet export, read back by DuckDB. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attributeBits, Direction } from '../src/trace/events.js';
import {
  findingColumns,
  fingerprint,
  mappingColumns,
  parquetExporter,
} from '../src/trace/show/parquet.js';
import { groupRows } from '../src/trace/show/parquet-table.js';
import type { Exporter } from '../src/trace/show/sink.js';
import { madeFinding, madeMapping, madeResult, playTo } from './trace-made.js';

const work = mkdtempSync(join(tmpdir(), 'civac-parquet-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Writes both files; returns the sizes of the pieces they came in. */
function written(name: string, play: (exporter: Exporter) => void): Record<string, number[]> {
  const pieces: Record<string, number[]> = { mappings: [], findings: [] };
  const to = (kind: string) => {
    const file = join(work, `${name}.${kind}.parquet`);
    writeFileSync(file, '');
    return {
      write: (bytes: Uint8Array) => {
        pieces[kind]?.push(bytes.length);
        writeFileSync(file, bytes, { flag: 'a' });
      },
    };
  };
  const run = {
    runId: 'run1',
    toolVersion: '0.1.0',
    sourceSha256: null,
    driverOf: (device: string) => (device === '0000:00:01.0' ? 'nvme' : null),
  };
  play(parquetExporter({ mappings: to('mappings'), findings: to('findings') }, run));
  return pieces;
}

let query: (sql: string) => Promise<Record<string, unknown>[]>;
beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  query = async (sql) => {
    const reader = await connection.runAndReadAll(sql.replaceAll('$', `${work}/`));
    return reader.getRowObjects();
  };
});

describe('the Parquet export, as DuckDB reads it', () => {
  it('has the columns that are documented, of their types', async () => {
    written('made', (exporter) => playTo(exporter));
    const types = { int: 'BIGINT', text: 'VARCHAR', bool: 'BOOLEAN' };
    for (const [kind, columns] of [
      ['mappings', mappingColumns],
      ['findings', findingColumns],
    ] as const) {
      const rows = await query(`describe select * from '$made.${kind}.parquet'`);
      const told = Object.fromEntries(rows.map((row) => [row.column_name, row.column_type]));
      const wanted = Object.entries(columns).map(([name, type]) => [
        name,
        Object.entries(types).find(([start]) => type.startsWith(start))?.[1],
      ]);
      expect(told).toEqual(Object.fromEntries(wanted));
    }
  });

  it('has a row for each mapping, with null for what is not known', async () => {
    const rows = await query("select * from '$made.mappings.parquet' order by mapping_id");
    expect(rows).toHaveLength(3);
    expect(rows[1]).toEqual({
      run_id: 'run1',
      mapping_id: 2n,
      device: '0000:00:01.0',
      kind: 'page',
      phys_addr: 0x8000_1000n,
      dma_addr: 0xeee0_0000n,
      size_bytes: 4096n,
      direction: 'FROM_DEVICE',
      attrs: '',
      entries: 1n,
      map_ts_ns: 2000n,
      map_cpu: 1n,
      map_pid: 42n,
      map_comm: 'kworker/1:0',
      map_event: 'dma_map_phys',
      unmap_ts_ns: 7000n,
      unmap_cpu: 0n,
      unmap_pid: 0n,
      unmap_comm: '<idle>',
      unmap_event: 'dma_unmap_phys',
      bounced: false,
      translated: true,
      page_table: false,
      syncs_for_cpu: 0n,
      syncs_for_device: 1n,
      bytes_cleaned: 4096n,
      bytes_invalidated: 0n,
      bytes_bounced: 0n,
      iotlb_invalidations: 1n,
    });
    expect(rows[2]).toMatchObject({ phys_addr: null, unmap_ts_ns: null, unmap_event: null });
  });

  it('has a row for each finding, joined to its mapping', async () => {
    const rows = await query(
      "select f.*, m.map_comm from '$made.findings.parquet' f " +
        "join '$made.mappings.parquet' m using (run_id, mapping_id)",
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      rule_id: 'unmap-size',
      hazard_id: 'H11',
      severity: 'error',
      certainty: 'certain',
      driver: 'nvme',
      source_sha256: null,
      count: 3n,
      ts_ns: 7000n,
      direction: 'FROM_DEVICE',
      map_ts_ns: 2000n,
      map_comm: 'kworker/1:0',
      message: 'unmapped 512 bytes of a mapping of 1,024 <b>&"\'',
      fingerprint: fingerprint(madeFinding()),
    });
    expect(JSON.parse(String(rows[0]?.evidence_json))).toEqual(madeFinding().evidence);
  });

  it('is written in groups while the trace is read', async () => {
    const count = 2 * groupRows + 5;
    let before = 0;
    const pieces = written('many', (exporter) => {
      for (let id = 1; id <= count; id++) {
        const direction = id % 2 === 0 ? Direction.Bidirectional : Direction.None;
        const attrs = attributeBits.SKIP_CPU_SYNC ?? 0;
        exporter.observer.closed?.(madeMapping(id, { direction, attrs, translated: null }));
      }
      before = statSync(join(work, 'many.mappings.parquet')).size;
      exporter.finish(madeResult({ findings: [] }));
    });
    expect(before).toBeGreaterThan(0);
    expect(pieces.mappings).toHaveLength(4);
    const [row] = await query(
      'select count(*) n, min(mapping_id) lo, max(mapping_id) hi, ' +
        'sum(unmap_ts_ns - map_ts_ns) t, ' +
        "count(*) filter (direction = 'NONE') nones, count(translated) known, " +
        "count(distinct attrs) kinds from '$many.mappings.parquet'",
    );
    const n = BigInt(count);
    expect(row).toMatchObject({ n, lo: 1n, hi: n, nones: BigInt(groupRows + 3), known: 0n });
    expect(BigInt(String(row?.t))).toBe(n * 5000n);
    expect(await query("select * from '$many.findings.parquet'")).toEqual([]);
  });

  it('gives the same fingerprint for another worker, another for another rule', () => {
    const at = (task: string) => madeFinding({ first: { ...madeFinding().first, task } });
    expect(fingerprint(at('kworker/1:0'))).toBe(fingerprint(at('kworker/0:2')));
    expect(fingerprint(madeFinding())).not.toBe(fingerprint(madeFinding({ rule: 'leak' })));
    expect(fingerprint(madeFinding())).toMatch(/^[0-9a-f]{16}$/);
  });
});
