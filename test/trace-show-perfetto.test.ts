/**
 * The Perfetto export, read back by a decoder that knows only the wire format and the published
 * field numbers, written down here a second time from the .proto files of Perfetto.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perfettoExporter } from '../src/trace/show/perfetto.js';
import { buffersMax } from '../src/trace/show/perfetto-tracks.js';
import { madeFinding, madeMapping, madeMoment, madeResult, playTo } from './trace-made.js';

/** A field of a message: its number and type. */
type Kind = 'uint' | 'bool' | 'string' | 'fixed64' | Shape;
interface Shape {
  readonly [field: number]: readonly [name: string, kind: Kind];
}

const debugAnnotation: Shape = {
  1: ['name_iid', 'uint'],
  2: ['bool_value', 'bool'],
  3: ['uint_value', 'uint'],
  6: ['string_value', 'string'],
  7: ['pointer_value', 'uint'],
};
const named: Shape = { 1: ['iid', 'uint'], 2: ['name', 'string'] };
const tracePacket: Shape = {
  8: ['timestamp', 'uint'],
  10: ['trusted_packet_sequence_id', 'uint'],
  11: [
    'track_event',
    {
      4: ['debug_annotations', debugAnnotation],
      9: ['type', 'uint'],
      10: ['name_iid', 'uint'],
      11: ['track_uuid', 'uint'],
      23: ['name', 'string'],
      30: ['counter_value', 'uint'],
      47: ['flow_ids', 'fixed64'],
    },
  ],
  12: ['interned_data', { 2: ['event_names', named], 3: ['debug_annotation_names', named] }],
  13: ['sequence_flags', 'uint'],
  60: [
    'track_descriptor',
    {
      1: ['uuid', 'uint'],
      2: ['name', 'string'],
      5: ['parent_uuid', 'uint'],
      8: ['counter', { 3: ['unit', 'uint'] }],
      11: ['child_ordering', 'uint'],
      12: ['sibling_order_rank', 'uint'],
    },
  ],
};

type Decoded = { [name: string]: (number | string | boolean | Decoded)[] };

/** Every field as a list of its values; throws at anything the shape does not know. */
function decode(bytes: Uint8Array, shape: Shape): Decoded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out: Decoded = {};
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [name, kind] = shape[key >>> 3] ?? [];
    if (name === undefined || kind === undefined) throw new Error(`unknown field ${key >>> 3}`);
    const type = typeof kind === 'object' || kind === 'string' ? 2 : kind === 'fixed64' ? 1 : 0;
    if ((key & 7) !== type) throw new Error(`${name} has wire type ${key & 7}`);
    const values = out[name] ?? [];
    out[name] = values;
    if (type === 0) values.push(kind === 'bool' ? varint() === 1 : varint());
    else if (type === 1) {
      values.push(Number(view.getBigUint64(at, true)));
      at += 8;
    } else {
      const length = varint();
      const inner = bytes.subarray(at, at + length);
      if (inner.length !== length) throw new Error(`${name} is cut short`);
      values.push(typeof kind === 'object' ? decode(inner, kind) : new TextDecoder().decode(inner));
      at += length;
    }
  }
  return out;
}

interface Event {
  readonly type: number;
  readonly time: number;
  readonly track: number;
  readonly name: string | undefined;
  readonly value: number | undefined;
  readonly flows: readonly unknown[];
  readonly about: Readonly<Record<string, unknown>>;
}
interface Trace {
  readonly tracks: ReadonlyMap<number, { name: string; parent: number | undefined }>;
  readonly events: readonly Event[];
}

const one = <T>(list: readonly T[] | undefined): T | undefined => list?.[0];
const asMessage = (value: unknown): Decoded => value as Decoded;

/** What a reader relies on; cheaper than expect, of which a trace would need thousands. */
function must(holds: boolean): void {
  if (!holds) throw new Error('a reader would not accept this trace');
}

/** A trace as its reader sees it: interned names resolved, which must have come before. */
function read(chunks: readonly Uint8Array[]): Trace {
  const packets = decode(Buffer.concat(chunks), { 1: ['packet', tracePacket] }).packet ?? [];
  const tracks = new Map<number, { name: string; parent: number | undefined }>();
  const names = new Map<number, string>();
  const keys = new Map<number, string>();
  const events: Event[] = [];
  let cleared = false;
  for (const packet of packets.map(asMessage)) {
    must(one(packet.trusted_packet_sequence_id) === 1);
    const track = packet.track_descriptor?.map(asMessage)[0];
    if (track !== undefined) {
      const parent = one(track.parent_uuid) as number | undefined;
      must(parent === undefined || tracks.has(parent));
      tracks.set(one(track.uuid) as number, { name: String(one(track.name)), parent });
      continue;
    }
    cleared ||= (Number(one(packet.sequence_flags)) & 1) === 1;
    must(cleared);
    const data = packet.interned_data?.map(asMessage)[0];
    for (const [map, list] of [
      [names, data?.event_names],
      [keys, data?.debug_annotation_names],
    ] as const) {
      for (const entry of (list ?? []).map(asMessage)) {
        map.set(Number(one(entry.iid)), String(one(entry.name)));
      }
    }
    const event = asMessage(one(packet.track_event));
    const iid = one(event.name_iid);
    must(iid === undefined || names.has(Number(iid)));
    const about = (event.debug_annotations ?? []).map(asMessage).map((annotation) => {
      const { name_iid: key, ...value } = annotation;
      must(keys.has(Number(one(key))));
      return [keys.get(Number(one(key))), one(Object.values(value)[0])];
    });
    must(tracks.has(Number(one(event.track_uuid))));
    events.push({
      type: Number(one(event.type)),
      time: Number(one(packet.timestamp)),
      track: Number(one(event.track_uuid)),
      name: iid === undefined ? (one(event.name) as string | undefined) : names.get(Number(iid)),
      value: one(event.counter_value) as number | undefined,
      flows: event.flow_ids ?? [],
      about: Object.fromEntries(about),
    });
  }
  return { tracks, events };
}

function exported(play: (exporter: ReturnType<typeof perfettoExporter>) => void): Trace {
  const chunks: Uint8Array[] = [];
  play(perfettoExporter({ write: (bytes) => chunks.push(bytes.slice()) }));
  return read(chunks);
}

const type = { begin: 1, end: 2, instant: 3, counter: 4 };

describe('the Perfetto export', () => {
  const { tracks, events } = exported((exporter) => playTo(exporter));
  const named = (name: string) => events.find((event) => event.name === name);

  it('has a group for the device, and in it a track for each buffer, two at once apart', () => {
    expect([...tracks.values()].map(({ name, parent }) => `${parent ?? '-'} ${name}`)).toEqual([
      '- 0000:00:01.0',
      '1 live mappings',
      '1 live bytes',
      '1 phys 0x80001000, 4 KiB',
      '1 more mappings 1',
      '1 dma 0xffff3000, 4 KiB',
      '1 rules matched',
      '1 findings',
    ]);
  });

  it('has mappings as slices with what is known of them', () => {
    expect(named('4 KiB to device')).toMatchObject({
      type: type.begin,
      time: 1000,
      about: {
        mapping: 1,
        dma_addr: 0xffff_1000,
        phys_addr: 0x8000_1000,
        size: 4096,
        direction: 'TO_DEVICE',
        map_task: 'kworker/1:0-42',
        unmap_event: 'dma_unmap_phys',
        translated: true,
        bytes_cleaned: 4096,
      },
    });
    const coherent = named('coherent 4 KiB to device');
    expect(coherent?.about).toMatchObject({ unmap_event: 'none until the end of the trace' });
    expect(coherent?.about).not.toHaveProperty('phys_addr');
    const ends = events.filter((event) => event.type === type.end);
    expect(ends.map(({ time }) => time)).toEqual([6000, 7000]);
  });

  it('ties a finding to where its mapping began', () => {
    const finding = named('H11 unmap-size');
    const mapped = named('mapped: H11 unmap-size');
    expect(finding).toMatchObject({ type: type.instant, time: 7000, flows: [1] });
    expect(finding?.about).toMatchObject({ severity: 'error', certainty: 'certain', count: 3 });
    expect(mapped).toMatchObject({ type: type.instant, time: 2000, flows: [1] });
    expect(tracks.get(mapped?.track ?? 0)?.name).toBe('more mappings 1');
  });

  it('counts live mappings and bytes', () => {
    const counts = events.filter((event) => event.type === type.counter);
    const of = (name: string) =>
      counts.filter(({ track }) => tracks.get(track)?.name === name).map(({ value }) => value);
    expect(of('live mappings')).toEqual([1, 2, 3, 2, 1]);
    expect(of('live bytes')).toEqual([4096, 8192, 12_288, 8192, 4096]);
  });

  it('never has slices of a track overlap, whatever is mapped when', () => {
    const life = fc.record({
      buffer: fc.integer({ min: 0, max: 4 }),
      from: fc.integer({ min: 0, max: 50 }),
      lasts: fc.option(fc.integer({ min: 0, max: 20 })),
    });
    fc.assert(
      fc.property(fc.array(life, { maxLength: 30 }), (lives) => {
        const { events: all } = exported((exporter) => playLives(exporter, lives));
        const perTrack = groupByTrack(all);
        for (const list of perTrack.values()) {
          let until = -1;
          const slices = list.filter(({ type: t }) => t === type.begin || t === type.end);
          for (const { type: t, time } of slices) {
            if (t === type.begin) expect(time).toBeGreaterThanOrEqual(until);
            until = t === type.begin ? Number.POSITIVE_INFINITY : time;
          }
        }
        expect(all.filter(({ type: t }) => t === type.begin)).toHaveLength(lives.length);
      }),
    );
  });

  it('keeps the number of tracks in bounds', () => {
    const count = buffersMax + 500;
    const { tracks: many } = exported((exporter) => {
      for (let id = 1; id <= count; id++) {
        const mapping = madeMapping(id);
        exporter.observer.opened?.(mapping);
        exporter.observer.closed?.(mapping);
      }
      exporter.finish(madeResult({ findings: [] }));
    });
    expect(many.size).toBe(buffersMax + 4);
  });

  it('takes findings without a mapping, and without a known device', () => {
    const findings = [madeFinding({ mappings: [], device: '' }), madeFinding({ mappings: [99] })];
    const { events: all, tracks: known } = exported((exporter) => {
      exporter.observer.matched?.('rule', madeMoment(1, 'x'), 'detail', []);
      exporter.finish(madeResult({ findings }));
    });
    expect(all.map(({ track }) => known.get(known.get(track)?.parent ?? 0)?.name)).toEqual([
      'unknown device',
      '0000:00:01.0',
    ]);
  });
});

interface Life {
  readonly buffer: number;
  readonly from: number;
  readonly lasts: number | null;
}

/** Opens and closes in the order of time, as a trace does. */
function playLives(exporter: ReturnType<typeof perfettoExporter>, lives: readonly Life[]): void {
  const mappings = lives.map(({ buffer, from, lasts }, i) =>
    madeMapping(i + 1, {
      phys: 4096 * (1 + buffer),
      mappedAt: from,
      unmappedAt: lasts === null ? -1 : from + lasts,
    }),
  );
  const end = Number.MAX_SAFE_INTEGER;
  const steps = mappings.flatMap((mapping) => [
    { time: mapping.mappedAt, run: () => exporter.observer.opened?.(mapping) },
    {
      time: mapping.unmappedAt < 0 ? end : mapping.unmappedAt,
      run: () => exporter.observer.closed?.(mapping),
    },
  ]);
  // Stable: of the same time, a mapping opens before it closes.
  for (const { run } of steps.sort((a, b) => a.time - b.time)) run();
  exporter.finish(madeResult({ findings: [] }));
}

function groupByTrack(events: readonly Event[]): Map<number, Event[]> {
  const groups = new Map<number, Event[]>();
  for (const event of events) groups.set(event.track, [...(groups.get(event.track) ?? []), event]);
  return groups;
}
