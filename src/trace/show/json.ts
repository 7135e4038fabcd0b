/**
 * The report of `civac trace --json`, version 1; docs/trace.md describes every field. Fields may
 * be added within a version, never renamed or removed. Copies field by field, so that a change of
 * our own types cannot change the document unnoticed. Times are nanoseconds of the trace's clock,
 * addresses hexadecimal strings as the kernel prints them.
 */
import { UNKNOWN } from '../events.js';
import { directionName, hex } from '../judge/words.js';
import type {
  BufferCost,
  Certainty,
  CoherenceSource,
  CostRow,
  DeviceFacts,
  Evidence,
  Finding,
  Moment,
  Saving,
  Severity,
  TraceResult,
} from '../model.js';

export interface JsonMoment {
  readonly time: number;
  readonly cpu: number;
  readonly task: string;
  readonly pid: number;
  readonly event: string;
}

export interface JsonEvidence extends JsonMoment {
  readonly role: string;
  readonly text: string;
}

export interface JsonTraceFinding {
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly device: string;
  readonly message: string;
  readonly count: number;
  readonly first: JsonMoment;
  readonly last: JsonMoment;
  readonly evidence: readonly JsonEvidence[];
  readonly mappings: readonly number[];
  readonly dmaDebug: string | null;
}

export interface JsonDevice {
  readonly name: string;
  readonly coherent: boolean | null;
  readonly coherenceFrom: CoherenceSource;
  readonly coherenceBecause: string;
  readonly translated: boolean | null;
  readonly pageTableWalker: boolean;
  readonly wholeLife: boolean;
  readonly maps: number;
  readonly live: number;
  readonly olderThanTrace: number;
}

export type JsonBuffer = Omit<BufferCost, 'phys' | 'direction'> & {
  readonly phys: string;
  readonly direction: string;
};

export interface JsonTrace {
  readonly version: 1;
  readonly source: {
    readonly file: string;
    readonly kernel: string | null;
    readonly events: number;
    /** null when events were lost and nothing says how many. */
    readonly lost: number | null;
    readonly first: number;
    readonly last: number;
  };
  readonly devices: readonly JsonDevice[];
  readonly findings: readonly JsonTraceFinding[];
  readonly costs: readonly CostRow[];
  readonly dearest: readonly JsonBuffer[];
  readonly savings: readonly Saving[];
  readonly notes: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

function moment({ time, cpu, task, pid, event }: Moment): JsonMoment {
  return { time, cpu, task, pid, event };
}

function evidence(each: Evidence): JsonEvidence {
  return { ...moment(each), role: each.role, text: each.text };
}

function finding(f: Finding): JsonTraceFinding {
  return {
    id: f.id,
    rule: f.rule,
    severity: f.severity,
    certainty: f.certainty,
    device: f.device,
    message: f.message,
    count: f.count,
    first: moment(f.first),
    last: moment(f.last),
    evidence: f.evidence.map(evidence),
    mappings: f.mappings,
    dmaDebug: f.dmaDebug === '' ? null : f.dmaDebug,
  };
}

function device(d: DeviceFacts): JsonDevice {
  return {
    name: d.name,
    coherent: d.coherent,
    coherenceFrom: d.coherenceFrom,
    coherenceBecause: d.coherenceBecause,
    translated: d.translated,
    pageTableWalker: d.pageTableWalker,
    wholeLife: d.wholeLife,
    maps: d.maps,
    live: d.live,
    olderThanTrace: d.olderThanTrace,
  };
}

function cost(row: CostRow): CostRow {
  return {
    device: row.device,
    task: row.task,
    maps: row.maps,
    unmaps: row.unmaps,
    mapsPerSecond: row.mapsPerSecond,
    bytesMapped: row.bytesMapped,
    lifetimeMean: row.lifetimeMean,
    lifetimeMedian: row.lifetimeMedian,
    lifetimeMax: row.lifetimeMax,
    syncsForCpu: row.syncsForCpu,
    syncsForDevice: row.syncsForDevice,
    bytesCleaned: row.bytesCleaned,
    bytesInvalidated: row.bytesInvalidated,
    bounces: row.bounces,
    bytesBounced: row.bytesBounced,
    invalidations: row.invalidations,
    bytesUntranslated: row.bytesUntranslated,
  };
}

function buffer(b: BufferCost): JsonBuffer {
  return {
    device: b.device,
    task: b.task,
    phys: hex(b.phys),
    size: b.size,
    direction: directionName(b.direction),
    maps: b.maps,
    bytesCleaned: b.bytesCleaned,
    bytesInvalidated: b.bytesInvalidated,
    bytesBounced: b.bytesBounced,
    invalidations: b.invalidations,
  };
}

function saving(s: Saving): Saving {
  const { device: name, task, change, maps, invalidations, bytesMaintained, bytesBounced } = s;
  return { device: name, task, change, maps, invalidations, bytesMaintained, bytesBounced };
}

export function traceJson(result: TraceResult): JsonTrace {
  const { source, costs } = result;
  return {
    version: 1,
    source: {
      file: source.file,
      kernel: source.kernel === '' ? null : source.kernel,
      events: source.events,
      lost: source.lost === UNKNOWN ? null : source.lost,
      first: source.first,
      last: source.last,
    },
    devices: result.devices.map(device),
    findings: result.findings.map(finding),
    costs: costs.rows.map(cost),
    dearest: costs.dearest.map(buffer),
    savings: costs.savings.map(saving),
    notes: result.notes,
    counts: Object.fromEntries(result.counts),
  };
}

export function traceJsonText(result: TraceResult): string {
  return `${JSON.stringify(traceJson(result), null, 2)}\n`;
}
