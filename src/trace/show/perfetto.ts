/**
 * A trace as a Perfetto trace: a group of tracks for each device, with a track for each buffer
 * whose slices are its mappings, counters of live mappings and bytes, and the findings, tied by
 * flows to the mappings concerned. Mappings are written as they close, so that memory depends on
 * how many are live. Leaves out the encoding (perfetto-writer.ts).
 */
import { attrNames, directionName } from '../judge/words.js';
import type { Finding, Mapping, Moment, TraceObserver, TraceResult } from '../model.js';
import { DeviceLanes, type Lane } from './perfetto-tracks.js';
import { type Annotations, PerfettoWriter } from './perfetto-writer.js';
import type { ByteSink, Exporter } from './sink.js';
import { bytesShort } from './units.js';

/** Instants of one rule, and mappings remembered for the arrows of its findings. */
const matchesMax = 5000;
/** Counters change at most that often, in ns: a million maps a second would drown the rest. */
const counterEvery = 1000;

/** Positions among a device's tracks. */
const rank = { findings: 1, matches: 2, mappings: 3, bytes: 4 } as const;

/** A mapping that is on a track now. */
interface Placed {
  readonly device: DeviceTracks;
  readonly lane: Lane;
}

/** Where a mapping began, for the arrow of a finding. */
interface Place {
  readonly track: number;
  readonly time: number;
}

class DeviceTracks {
  readonly uuid: number;
  readonly lanes: DeviceLanes;
  private readonly counters: { readonly mappings: number; readonly bytes: number };
  private live = 0;
  private liveBytes = 0;
  /** Time of the counters' last change, and of the last one written. */
  private changedAt = -1;
  private writtenAt = -1;
  private matches = 0;
  private findings = 0;

  constructor(
    private readonly writer: PerfettoWriter,
    name: string,
  ) {
    this.uuid = writer.track(name);
    const parent = this.uuid;
    this.lanes = new DeviceLanes((label, at) => writer.track(label, { parent, rank: at }));
    this.counters = {
      mappings: writer.track('live mappings', { parent, rank: rank.mappings, counter: 'count' }),
      bytes: writer.track('live bytes', { parent, rank: rank.bytes, counter: 'bytes' }),
    };
  }

  count(time: number, mappings: number, bytes: number): void {
    if (time - this.writtenAt >= counterEvery && this.changedAt > this.writtenAt) {
      this.writeCounters(this.changedAt);
    }
    this.live += mappings;
    this.liveBytes += bytes;
    this.changedAt = Math.max(time, this.changedAt);
    if (time - this.writtenAt >= counterEvery) this.writeCounters(time);
  }

  /** The last change, which may be pending. */
  finish(): void {
    if (this.changedAt > this.writtenAt) this.writeCounters(this.changedAt);
  }

  private writeCounters(time: number): void {
    this.writer.counter(this.counters.mappings, time, this.live);
    this.writer.counter(this.counters.bytes, time, this.liveBytes);
    this.writtenAt = time;
  }

  matchTrack(): number {
    this.matches ||= this.writer.track('rules matched', { parent: this.uuid, rank: rank.matches });
    return this.matches;
  }

  findingTrack(): number {
    this.findings ||= this.writer.track('findings', { parent: this.uuid, rank: rank.findings });
    return this.findings;
  }
}

const sides: Readonly<Record<string, string>> = {
  BIDIRECTIONAL: 'both ways',
  TO_DEVICE: 'to device',
  FROM_DEVICE: 'from device',
};

function nameOf(mapping: Mapping): string {
  const side = sides[directionName(mapping.direction)];
  const kind = mapping.kind === 'page' || mapping.kind === 'sg' ? '' : `${mapping.kind} `;
  return `${kind}${bytesShort(mapping.size)}${side === undefined ? '' : ` ${side}`}`;
}

const address = (value: number) => (value < 0 ? null : { address: value });
const some = (value: number) => (value > 0 ? value : null);

function about(m: Mapping): Annotations {
  const open = m.unmappedAt < 0;
  return {
    mapping: m.id,
    dma_addr: address(m.dma),
    phys_addr: address(m.phys),
    size: some(m.size),
    direction: directionName(m.direction),
    attrs: attrNames(m.attrs) || null,
    entries: m.entries > 1 ? m.entries : null,
    map_event: m.mapEvent,
    map_cpu: m.mapCpu,
    map_task: taskOf(m.mapTask, m.mapPid),
    unmap_event: open ? 'none until the end of the trace' : m.unmapEvent,
    unmap_task: open ? null : taskOf(m.unmapTask, m.unmapPid),
    bounced: m.bounced || null,
    translated: m.translated,
    page_table: m.pageTable || null,
    syncs_for_cpu: some(m.syncsForCpu),
    syncs_for_device: some(m.syncsForDevice),
    bytes_cleaned: some(m.bytesCleaned),
    bytes_invalidated: some(m.bytesInvalidated),
    bytes_bounced: some(m.bytesBounced),
    iotlb_invalidations: some(m.invalidations),
  };
}

function taskOf(task: string, pid: number): string {
  return `${task || '?'}-${pid}`;
}

class PerfettoExport implements Exporter {
  private readonly writer: PerfettoWriter;
  private readonly devices = new Map<string, DeviceTracks>();
  private readonly placed = new Map<number, Placed>();
  private readonly places = new Map<number, Place>();
  private readonly matches = new Map<string, number>();
  readonly observer: TraceObserver;

  constructor(sink: ByteSink) {
    this.writer = new PerfettoWriter(sink);
    this.observer = {
      opened: (mapping) => this.opened(mapping),
      closed: (mapping) => this.closed(mapping),
      synced: (mapping, at, forCpu, offset, size) => this.synced(mapping, at, forCpu, offset, size),
      matched: (rule, at, detail, mappings) => this.matched(rule, at, detail, mappings),
    };
  }

  private device(name: string): DeviceTracks {
    const known = this.devices.get(name);
    if (known !== undefined) return known;
    const made = new DeviceTracks(this.writer, name || 'unknown device');
    this.devices.set(name, made);
    return made;
  }

  private opened(mapping: Mapping): void {
    const device = this.device(mapping.device);
    this.placed.set(mapping.id, { device, lane: device.lanes.take(mapping) });
    device.count(mapping.mappedAt, 1, Math.max(0, mapping.size));
  }

  private closed(mapping: Mapping): void {
    const placed = this.placed.get(mapping.id);
    if (placed === undefined) return;
    this.placed.delete(mapping.id);
    const { device, lane } = placed;
    const to = mapping.unmappedAt < 0 ? null : mapping.unmappedAt;
    this.writer.slice(lane.uuid, nameOf(mapping), mapping.mappedAt, to, about(mapping));
    // One that is never unmapped keeps its track, and its part of the counters, to the end.
    if (to === null) return;
    device.lanes.give(lane);
    device.count(to, -1, -Math.max(0, mapping.size));
  }

  private synced(m: Mapping, at: Moment, forCpu: boolean, offset: number, size: number): void {
    const placed = this.placed.get(m.id);
    // Page tables are synced entry by entry, thousands of times, and never misused.
    if (placed === undefined || m.pageTable) return;
    const name = forCpu ? 'sync for cpu' : 'sync for device';
    const task = taskOf(at.task, at.pid);
    const part = offset === 0 && size === m.size ? { task } : { offset: some(offset), size, task };
    this.writer.instant(placed.lane.uuid, name, at.time, part);
  }

  private matched(rule: string, at: Moment, detail: string, mappings: readonly Mapping[]): void {
    const [first] = mappings;
    if (first === undefined) return;
    const count = (this.matches.get(rule) ?? 0) + 1;
    this.matches.set(rule, count);
    if (count > matchesMax) return;
    for (const mapping of mappings) this.remember(mapping);
    const track = this.device(first.device).matchTrack();
    const more = { detail, mapping: first.id, event: at.event, task: taskOf(at.task, at.pid) };
    this.writer.instant(track, rule, at.time, more);
  }

  private remember(mapping: Mapping): void {
    const placed = this.placed.get(mapping.id);
    if (placed === undefined) return;
    this.places.set(mapping.id, { track: placed.lane.uuid, time: mapping.mappedAt });
  }

  private finding(finding: Finding, index: number): void {
    const flow = index + 1;
    const track = this.device(finding.device).findingTrack();
    const name = `${finding.id} ${finding.rule}`;
    for (const id of finding.mappings) {
      const place = this.places.get(id);
      if (place === undefined) continue;
      this.writer.instant(place.track, `mapped: ${name}`, place.time, { mapping: id }, flow);
    }
    this.writer.instant(track, name, finding.first.time, findingAbout(finding), flow);
  }

  finish(result: TraceResult): void {
    for (const [index, finding] of result.findings.entries()) this.finding(finding, index);
    for (const device of this.devices.values()) device.finish();
    this.writer.flush();
  }
}

function findingAbout(finding: Finding): Annotations {
  const { first } = finding;
  const evidence = finding.evidence.map(
    ({ role, time, event, text }) => `${role} ${(time / 1e9).toFixed(6)} ${event} ${text}`,
  );
  return {
    message: finding.message,
    severity: finding.severity,
    certainty: finding.certainty,
    count: finding.count,
    event: first.event,
    task: taskOf(first.task, first.pid),
    dma_debug: finding.dmaDebug || null,
    evidence: evidence.join('\n'),
  };
}

/** Begins a Perfetto trace (`.pftrace`, opens in ui.perfetto.dev). Times are the trace's own. */
export function perfettoExporter(sink: ByteSink): Exporter {
  return new PerfettoExport(sink);
}
