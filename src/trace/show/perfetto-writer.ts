/**
 * Perfetto's trace format as far as we write it: packets with track descriptors and track events.
 * Source of the numbers: protos/perfetto/trace/{trace,trace_packet}.proto, track_event/*.proto and
 * interned_data/interned_data.proto of Perfetto (Apache 2.0). Leaves out what tracks there are
 * (perfetto.ts).
 */
import { Protobuf } from './protobuf.js';
import type { ByteSink } from './sink.js';

const trace = { packet: 1 } as const;
const packet = {
  timestamp: 8,
  sequenceId: 10,
  trackEvent: 11,
  internedData: 12,
  sequenceFlags: 13,
  trackDescriptor: 60,
} as const;
const sequenceFlag = { stateCleared: 1, needsState: 2 } as const;
const descriptor = {
  uuid: 1,
  name: 2,
  parentUuid: 5,
  counter: 8,
  childOrdering: 11,
  siblingRank: 12,
} as const;
const explicitOrder = 3;
const counterDescriptor = { unit: 3 } as const;
const unit = { count: 2, bytes: 3 } as const;
const event = {
  annotations: 4,
  type: 9,
  nameIid: 10,
  trackUuid: 11,
  name: 23,
  counterValue: 30,
  flowIds: 47,
} as const;
const eventType = { begin: 1, end: 2, instant: 3, counter: 4 } as const;
const interned = { eventNames: 2, annotationNames: 3, iid: 1, name: 2 } as const;
const annotation = { nameIid: 1, bool: 2, uint: 3, string: 6, pointer: 7 } as const;

/** Any number: all our packets are of one sequence. */
const sequence = 1;
/** Names that are remembered; later ones are written out each time. */
const namesMax = 10_000;
const flushBytes = 1 << 16;

/** A value of an annotation; `address` is shown in hexadecimal. */
export type AnnotationValue = string | number | boolean | { readonly address: number };
export type Annotations = Readonly<Record<string, AnnotationValue | null>>;

export interface TrackOptions {
  readonly parent?: number;
  /** Position among its siblings; without it, 0. */
  readonly rank?: number;
  /** Makes it a counter of that unit. */
  readonly counter?: 'count' | 'bytes';
}

export class PerfettoWriter {
  private readonly out = new Protobuf();
  private readonly names = new Map<string, number>();
  private readonly annotationNames = new Map<string, number>();
  private lastUuid = 0;
  private fresh = true;

  constructor(private readonly sink: ByteSink) {}

  /** Declares a track; returns its uuid. Names are given before the first event of a track. */
  track(name: string, { parent, rank, counter }: TrackOptions = {}): number {
    this.lastUuid += 1;
    const { out } = this;
    const start = out.open(trace.packet);
    const inner = out.open(packet.trackDescriptor);
    out.uint(descriptor.uuid, this.lastUuid);
    out.string(descriptor.name, name);
    if (parent !== undefined) out.uint(descriptor.parentUuid, parent);
    if (rank !== undefined) out.uint(descriptor.siblingRank, rank);
    if (counter === undefined) {
      out.uint(descriptor.childOrdering, explicitOrder);
    } else {
      const of = out.open(descriptor.counter);
      out.uint(counterDescriptor.unit, unit[counter]);
      out.close(of);
    }
    out.close(inner);
    out.uint(packet.sequenceId, sequence);
    this.end(start);
    return this.lastUuid;
  }

  /** The times are in ns; a slice that has not ended when the trace does has `to` null. */
  slice(track: number, name: string, from: number, to: number | null, about: Annotations): void {
    this.event(eventType.begin, track, from, name, about);
    if (to !== null) this.event(eventType.end, track, to, null, {});
  }

  /** `flow`s of one number are joined by arrows in the order of time. */
  instant(track: number, name: string, time: number, about: Annotations, flow = 0): void {
    this.event(eventType.instant, track, time, name, about, flow);
  }

  counter(track: number, time: number, value: number): void {
    const { out } = this;
    const start = this.begin(time);
    const inner = out.open(packet.trackEvent);
    out.uint(event.type, eventType.counter);
    out.uint(event.trackUuid, track);
    out.uint(event.counterValue, value);
    out.close(inner);
    this.end(start);
  }

  /** Hands everything to the sink. */
  flush(): void {
    if (this.out.length > 0) this.sink.write(this.out.bytes);
    this.out.clear();
  }

  private begin(time: number): number {
    const start = this.out.open(trace.packet);
    this.out.uint(packet.timestamp, Math.round(time));
    this.out.uint(packet.sequenceId, sequence);
    const flags = sequenceFlag.needsState + (this.fresh ? sequenceFlag.stateCleared : 0);
    this.out.uint(packet.sequenceFlags, flags);
    this.fresh = false;
    return start;
  }

  private end(start: number): void {
    this.out.close(start);
    if (this.out.length > flushBytes) this.flush();
  }

  private event(
    type: number,
    track: number,
    time: number,
    name: string | null,
    about: Annotations,
    flow = 0,
  ): void {
    const { out } = this;
    const start = this.begin(time);
    const nameIid = this.intern(name, about);
    const inner = out.open(packet.trackEvent);
    out.uint(event.type, type);
    out.uint(event.trackUuid, track);
    if (nameIid > 0) out.uint(event.nameIid, nameIid);
    else if (name !== null) out.string(event.name, name);
    for (const key in about) this.annotate(key, about[key] ?? null);
    if (flow > 0) out.fixed64(event.flowIds, flow);
    out.close(inner);
    this.end(start);
  }

  private annotate(key: string, value: AnnotationValue | null): void {
    if (value === null) return;
    const { out } = this;
    const start = out.open(event.annotations);
    out.uint(annotation.nameIid, this.annotationNames.get(key) ?? 0);
    if (typeof value === 'string') out.string(annotation.string, value);
    else if (typeof value === 'number') out.uint(annotation.uint, value);
    else if (typeof value === 'boolean') out.bool(annotation.bool, value);
    else out.uint(annotation.pointer, value.address);
    out.close(start);
  }

  /** Puts what is not known yet of names into the packet; the event's own, or 0 to write it out. */
  private intern(name: string | null, about: Annotations): number {
    let known = name === null ? 0 : (this.names.get(name) ?? 0);
    const newName = name !== null && known === 0 && this.names.size < namesMax;
    let start = 0;
    if (newName) {
      known = this.names.size + 1;
      this.names.set(name, known);
      start = this.out.open(packet.internedData);
      this.entry(interned.eventNames, known, name);
    }
    for (const key in about) {
      if (this.annotationNames.has(key)) continue;
      if (start === 0) start = this.out.open(packet.internedData);
      const iid = this.annotationNames.size + 1;
      this.annotationNames.set(key, iid);
      this.entry(interned.annotationNames, iid, key);
    }
    if (start !== 0) this.out.close(start);
    return known;
  }

  private entry(field: number, iid: number, name: string): void {
    const start = this.out.open(field);
    this.out.uint(interned.iid, iid);
    this.out.string(interned.name, name);
    this.out.close(start);
  }
}
