/**
 * A trace as two Parquet tables: a row for each mapping, written as they close, and a row for each
 * finding. Columns are described in docs/trace-exports.md; they are only ever added. Leaves out
 * how Parquet is encoded (parquet-table.ts).
 */
import { attrNames, directionName } from '../judge/words.js';
import type { Finding, Mapping, TraceResult } from '../model.js';
import { type Columns, ParquetTable, type Row } from './parquet-table.js';
import type { ByteSink, Exporter } from './sink.js';

/** What stands in every row, to keep apart the files of a fleet. */
export interface RunFacts {
  /** The same for the same input and version of civac. */
  readonly runId: string;
  readonly toolVersion: string;
  /** SHA-256 of the input in hexadecimal; null when it was read from a pipe. */
  readonly sourceSha256: string | null;
  /** The driver of a device, from the sidecar; null when nothing tells. */
  driverOf(device: string): string | null;
}

export const mappingColumns = {
  run_id: 'text',
  mapping_id: 'int',
  device: 'text',
  kind: 'text',
  phys_addr: 'int?',
  dma_addr: 'int?',
  size_bytes: 'int?',
  direction: 'text',
  attrs: 'text',
  entries: 'int?',
  map_ts_ns: 'int',
  map_cpu: 'int',
  map_pid: 'int',
  map_comm: 'text',
  map_event: 'text',
  unmap_ts_ns: 'int?',
  unmap_cpu: 'int?',
  unmap_pid: 'int?',
  unmap_comm: 'text?',
  unmap_event: 'text?',
  bounced: 'bool',
  translated: 'bool?',
  page_table: 'bool',
  syncs_for_cpu: 'int',
  syncs_for_device: 'int',
  bytes_cleaned: 'int',
  bytes_invalidated: 'int',
  bytes_bounced: 'int',
  iotlb_invalidations: 'int',
} as const satisfies Columns;

export const findingColumns = {
  run_id: 'text',
  tool_version: 'text',
  source: 'text',
  source_sha256: 'text?',
  kernel_release: 'text',
  device: 'text',
  driver: 'text?',
  hazard_id: 'text',
  rule_id: 'text',
  severity: 'text',
  certainty: 'text',
  count: 'int',
  ts_ns: 'int',
  last_ts_ns: 'int',
  cpu: 'int',
  pid: 'int',
  comm: 'text',
  event: 'text',
  mapping_id: 'int?',
  dma_addr: 'int?',
  phys_addr: 'int?',
  size_bytes: 'int?',
  direction: 'text?',
  attrs: 'text?',
  map_ts_ns: 'int?',
  message: 'text',
  dma_debug: 'text?',
  evidence_json: 'text',
  fingerprint: 'text',
} as const satisfies Columns;

/** Mappings kept for the rows of findings, of each rule. */
const keptMax = 2000;

/** Of a mapping, what a finding's row repeats. */
type KeptMapping = Pick<
  Row<typeof findingColumns>,
  'mapping_id' | 'dma_addr' | 'phys_addr' | 'size_bytes' | 'direction' | 'attrs' | 'map_ts_ns'
>;

const attrTexts = new Map<number, string>();

/** attrNames, remembered: there are a handful of values and millions of rows. */
function attrText(attrs: number): string {
  const text = attrTexts.get(attrs) ?? attrNames(attrs);
  if (attrTexts.size < 1000) attrTexts.set(attrs, text);
  return text;
}

/** UNKNOWN and MAPPING_ERROR are no addresses. */
const known = (value: number) => (value < 0 ? null : value);

function kept(m: Mapping): KeptMapping {
  return {
    mapping_id: m.id,
    dma_addr: known(m.dma),
    phys_addr: known(m.phys),
    size_bytes: known(m.size),
    direction: directionName(m.direction),
    attrs: attrText(m.attrs),
    map_ts_ns: m.mappedAt,
  };
}

const noMapping: KeptMapping = {
  mapping_id: null,
  dma_addr: null,
  phys_addr: null,
  size_bytes: null,
  direction: null,
  attrs: null,
  map_ts_ns: null,
};

function mappingRow(m: Mapping, runId: string): Row<typeof mappingColumns> {
  const closed = m.unmappedAt >= 0;
  return {
    run_id: runId,
    mapping_id: m.id,
    device: m.device,
    kind: m.kind,
    phys_addr: known(m.phys),
    dma_addr: known(m.dma),
    size_bytes: known(m.size),
    direction: directionName(m.direction),
    attrs: attrText(m.attrs),
    entries: known(m.entries),
    map_ts_ns: m.mappedAt,
    map_cpu: m.mapCpu,
    map_pid: m.mapPid,
    map_comm: m.mapTask,
    map_event: m.mapEvent,
    unmap_ts_ns: closed ? m.unmappedAt : null,
    unmap_cpu: closed ? m.unmapCpu : null,
    unmap_pid: closed ? m.unmapPid : null,
    unmap_comm: closed ? m.unmapTask : null,
    unmap_event: closed ? m.unmapEvent : null,
    bounced: m.bounced,
    translated: m.translated,
    page_table: m.pageTable,
    syncs_for_cpu: m.syncsForCpu,
    syncs_for_device: m.syncsForDevice,
    bytes_cleaned: m.bytesCleaned,
    bytes_invalidated: m.bytesInvalidated,
    bytes_bounced: m.bytesBounced,
    iotlb_invalidations: m.invalidations,
  };
}

/** FNV-1a of 32 bits (draft-eastlake-fnv); `seed` is the offset basis. */
function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x0100_0193);
  }
  return hash >>> 0;
}

/**
 * The same for the same finding in another recording: of rule, device, certainty, event and task,
 * without the numbers of workers and CPUs. 16 hexadecimal digits.
 */
export function fingerprint({ rule, device, certainty, first }: Finding): string {
  const task = first.task.replace(/\d+/g, '');
  const text = [rule, device, certainty, first.event, task].join('\n');
  return [0x811c_9dc5, 0x0123_4567]
    .map((seed) => fnv1a(text, seed).toString(16).padStart(8, '0'))
    .join('');
}

function findingRow(
  finding: Finding,
  mapping: KeptMapping,
  { source }: TraceResult,
  run: RunFacts,
): Row<typeof findingColumns> {
  const { first } = finding;
  return {
    run_id: run.runId,
    tool_version: run.toolVersion,
    source: source.file,
    source_sha256: run.sourceSha256,
    kernel_release: source.kernel,
    device: finding.device,
    driver: run.driverOf(finding.device),
    hazard_id: finding.id,
    rule_id: finding.rule,
    severity: finding.severity,
    certainty: finding.certainty,
    count: finding.count,
    ts_ns: first.time,
    last_ts_ns: finding.last.time,
    cpu: first.cpu,
    pid: first.pid,
    comm: first.task,
    event: first.event,
    ...mapping,
    message: finding.message,
    dma_debug: finding.dmaDebug === '' ? null : finding.dmaDebug,
    evidence_json: JSON.stringify(finding.evidence),
    fingerprint: fingerprint(finding),
  };
}

/** Begins both files. */
export function parquetExporter(
  sinks: { readonly mappings: ByteSink; readonly findings: ByteSink },
  run: RunFacts,
): Exporter {
  const about = { civac: run.toolVersion, run_id: run.runId };
  const table = new ParquetTable(mappingColumns, sinks.mappings, about);
  const concerned = new Map<string, Map<number, KeptMapping>>();
  return {
    observer: {
      closed: (mapping) => table.add(mappingRow(mapping, run.runId)),
      matched: (rule, _at, _detail, mappings) => {
        const ofRule = concerned.get(rule) ?? new Map<number, KeptMapping>();
        concerned.set(rule, ofRule);
        if (ofRule.size >= keptMax) return;
        for (const mapping of mappings) ofRule.set(mapping.id, kept(mapping));
      },
    },
    finish(result) {
      table.finish();
      const findings = new ParquetTable(findingColumns, sinks.findings, about);
      for (const finding of result.findings) {
        const ofRule = concerned.get(finding.rule);
        const mapping = finding.mappings.map((id) => ofRule?.get(id)).find((one) => one);
        findings.add(findingRow(finding, mapping ?? noMapping, result, run));
      }
      findings.finish();
    },
  };
}
