/**
 * trace.dat: versions and compressions, instances, merging, large events and times, descriptions of
 * every shape, and damage of every kind. Real recordings are compared with the kernel's own text of
 * the same buffer and with `trace-cmd report`.
 */
import { describe, expect, it } from 'vitest';
import { bytesSource, TraceInputError } from '../src/trace/read/read.js';
import { partsOf } from './trace-cut.js';
import { type Written, writeDat } from './trace-dat-writer.js';
import {
  eventBytes,
  formatText,
  freeTrace,
  headerPage,
  page,
  pageFree,
  recording,
} from './trace-files.js';
import { bodies, recordOf, type Recording } from './trace-sink.js';

const read = (bytes: Uint8Array): Recording => recordOf(bytesSource(bytes));
const readMade = (file: Written): Recording => read(writeDat(file));

/** A call without what text does not carry: rounds times, drops pointers and names of notes. */
function asText(call: string): string {
  return call
    .replace(
      /time=([\d.]+)/,
      (_, time: string) => `time=${Math.floor((Number(time) + 500) / 1000)}`,
    )
    .replace(/^((?:alloc|free) .* (?:coherent|pages) \S+) \S+/, '$1')
    .replace(/^other (?:print|tracing_mark_write|bprint|_note_\d+) /, 'other note ');
}

describe('trace.dat against text of the same run', () => {
  for (const name of ['k612-boot', 'k612f-clean', 'k72-boot']) {
    it(`${name}: the kernel's text`, () => {
      const binary = read(recording(`${name}.dat`));
      const text = read(recording(`${name}.txt`));
      expect(binary.calls.length).toBeGreaterThan(1000);
      expect(binary.calls.map(asText)).toEqual(text.calls.map(asText));
      expect([...binary.report.problems, ...text.report.problems]).toEqual([]);
    });
  }

  it("trace-cmd's text, raw field lists and all", () => {
    const binary = read(recording('k612f-clean.dat'));
    const text = read(recording('k612f-clean.report.txt'));
    expect(binary.calls.map(asText)).toEqual(text.calls.map(asText));
  });

  it('instances, merged by time as trace-cmd does', () => {
    const text = read(recording('instances.report.txt'));
    for (const name of ['instances.v6.dat', 'instances.zstd.dat']) {
      const { calls, report } = read(recording(name));
      expect(calls.map(asText)).toEqual(text.calls.map(asText));
      expect(report).toMatchObject({ events: 828, problems: [], lostTimes: 0 });
    }
  });
});

describe('versions and compressions of trace.dat', () => {
  const plain = recording('k612f-clean.dat');
  const { calls } = read(plain);

  it('says what it read', () => {
    expect(read(plain).report).toMatchObject({
      format: 'trace.dat version 7',
      compression: [],
      kernel: '6.12.95+deb12-arm64',
      clock: 'mono',
      timeUnit: 'ns',
      pageSize: 4096,
      events: 1114,
      first: 15438166896,
    });
  });

  it('reads what trace-cmd made of it', () => {
    const v6 = read(recording('k612f-clean.v6.dat'));
    const packed = read(recording('k612f-clean.zstd.dat'));
    expect(v6.calls).toEqual(calls);
    expect(packed.calls).toEqual(calls);
    expect(v6.report.format).toBe('trace.dat version 6');
    expect(packed.report.compression).toEqual(['zstd']);
  });

  it('reads every way to write it', () => {
    const parts = partsOf(bytesSource(plain));
    expect(readMade({ ...parts, version: 6 }).calls).toEqual(calls);
    for (const compression of ['none', 'zlib', 'zstd'] as const) {
      expect(readMade({ ...parts, compression }).calls).toEqual(calls);
    }
  });

  it('reads the text of a latency tracer', () => {
    const lines = '#\na-1 [000] 1.000000: mm_page_free: page=0 pfn=0x5 order=0\n'.repeat(50);
    const parts: Written = { ...freeTrace([]), buffers: [], latency: lines };
    const expected = new Array<string>(50).fill('pageFree mm_page_free 5 0');
    expect(bodies(readMade({ ...parts, version: 6 }).calls)).toEqual(expected);
    for (const compression of ['none', 'zlib'] as const) {
      expect(bodies(readMade({ ...parts, compression }).calls)).toEqual(expected);
    }
  });

  it('says that times of a guest are not shifted', () => {
    const made = freeTrace([[page(1000, eventBytes([pageFree(0, 5)]))]], {
      options: [[12, new Uint8Array(16)]],
    });
    expect(readMade(made).report.problems).toMatchObject([{ kind: 'unsupported' }]);
  });

  it('reads it out of a stream', () => {
    const { name, read: give } = bytesSource(plain);
    expect(recordOf({ name, length: null, read: give }).calls).toEqual(calls);
  });

  it('refuses what it cannot read, with what to do', () => {
    const bad = plain.slice();
    bad[10] = 0x35;
    expect(() => read(bad)).toThrow(/version 5/);
    const big = plain.slice();
    big[12] = 1;
    expect(() => read(big)).toThrow(/big-endian/);
    expect(() => read(plain.subarray(0, 5000))).toThrow(TraceInputError);
  });
});

describe('pages and times', () => {
  const frees = (...times: [number, number][]) => times.map(([delta, pfn]) => pageFree(delta, pfn));
  const pfns = (calls: readonly string[]) =>
    calls.flatMap(
      (line) => /^pageFree .* time=(\S+) (\d+) /.exec(line)?.slice(1, 3).join('@') ?? [],
    );

  it('merges CPUs by time, the lower CPU first', () => {
    const one = page(1000, eventBytes(frees([0, 1], [10, 2], [10, 3])));
    const two = page(1000, eventBytes(frees([0, 11], [15, 12])));
    const three = page(1021, eventBytes(frees([0, 4])));
    const { calls } = readMade(freeTrace([[one, three], [two]]));
    expect(pfns(calls)).toEqual(['1000@1', '1000@11', '1010@2', '1015@12', '1020@3', '1021@4']);
  });

  it('follows time extends, absolute stamps, padding and large events', () => {
    const word = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
    const extend = Buffer.concat([word((5 << 5) | 30), word(2)]);
    const stamp = Buffer.concat([word((7 << 5) | 31), word(3)]);
    const discarded = Buffer.concat([word((9 << 5) | 29), word(8), word(0)]);
    const large = Buffer.alloc(200);
    large.set(pageFree(0, 5).data);
    const bytes = Buffer.concat([
      eventBytes(frees([1, 1])),
      extend,
      eventBytes(frees([1, 2])),
      discarded,
      eventBytes(frees([1, 3])),
      stamp,
      eventBytes([...frees([1, 4]), { delta: 1, data: large }]),
      Buffer.from(Uint32Array.of(29).buffer),
      eventBytes(frees([1, 6])),
    ]);
    const { calls, report } = readMade(freeTrace([[page(1000, bytes)]]));
    const extended = 1001 + 2 * 2 ** 27 + 5;
    const stamped = 3 * 2 ** 27 + 7;
    expect(pfns(calls)).toEqual([
      '1001@1',
      `${extended + 1}@2`,
      `${extended + 11}@3`,
      `${stamped + 1}@4`,
      `${stamped + 2}@5`,
    ]);
    expect(report.problems.filter(({ kind }) => kind !== 'damaged')).toEqual([]);
  });

  it('orders times that a double cannot hold', () => {
    const start = 1_700_000_000_000_000_000n;
    const at = (more: number, pfn: number) => {
      const made = page(0, eventBytes(frees([0, pfn])));
      Buffer.from(made.buffer, made.byteOffset).writeBigUInt64LE(start + BigInt(more), 0);
      return made;
    };
    const { calls } = readMade(
      freeTrace([
        [at(3, 3), at(5, 5)],
        [at(2, 2), at(4, 4), at(6, 6)],
      ]),
    );
    const order = calls.map((line) => / (\d+) 0$/.exec(line)?.[1]);
    expect(order).toEqual(['2', '3', '4', '5', '6']);
  });

  it('gives ticks of clocks without a unit, and nanoseconds of scaled ones', () => {
    const pages = [[page(1000, eventBytes(frees([0, 1])))]];
    const made = freeTrace(pages);
    const buffers = made.buffers.map((buffer) => ({ ...buffer, clock: 'x86-tsc' }));
    expect(readMade({ ...made, buffers }).report).toMatchObject({ timeUnit: 'ticks', first: 1000 });
    const scale = Buffer.alloc(16);
    scale.writeUInt32LE(3, 0);
    scale.writeUInt32LE(1, 4);
    scale.writeBigUInt64LE(7n, 8);
    const scaled = readMade({ ...made, buffers, options: [[14, scale]] });
    expect(scaled.report).toMatchObject({ timeUnit: 'ns', first: 1507 });
  });
});

describe('shapes of descriptions', () => {
  /** dma_map_sg as Linux 6.12.0 had it: no full counts, no truncation. */
  const early = formatText('dma_map_sg', 9, [
    '__data_loc char[] device 8 4',
    '__data_loc u64[] phys_addrs 12 4',
    '__data_loc u64[] dma_addrs 16 4',
    '__data_loc unsigned int[] lengths 20 4',
    'enum dma_data_direction dir 24 4',
    'unsigned long attrs 32 8',
  ]);
  const made = (text: string, data: Uint8Array): Written => ({
    ...freeTrace([[page(1000, eventBytes([{ delta: 0, data }]))]]),
    formats: [{ system: 'dma', text }],
  });

  function earlyMapSg(): Buffer {
    const data = Buffer.alloc(76);
    data.writeUInt16LE(9, 0);
    data.writeInt32LE(1, 4);
    // The name has two letters and its zero: the lists begin at odd places.
    const lists = [
      [40, 3],
      [43, 16],
      [59, 8],
      [67, 8],
    ] as const;
    lists.forEach(([at, size], i) => {
      data.writeUInt32LE((size << 16) | at, 8 + i * 4);
    });
    data.writeUInt32LE(2, 24);
    data.writeUInt32LE(32, 32);
    data.write('ab\0', 40);
    data.writeBigUInt64LE(0x1000n, 43);
    data.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 51);
    data.writeBigUInt64LE(0x12_3456_7000n, 59);
    data.writeUInt32LE(4096, 67);
    data.writeUInt32LE(512, 71);
    return data;
  }

  it('reads the first shape of dma_map_sg, lists at odd places', () => {
    const { calls, report } = readMade(made(early, earlyMapSg()));
    expect(bodies(calls)).toEqual([
      'mapSg dma_map_sg ab -2 -2 false {4096,-1} {78187491328} {4096,512} 2 32',
    ]);
    expect(report.problems).toEqual([]);
  });

  it('passes on an event whose lists lie outside it', () => {
    const data = earlyMapSg();
    data.writeUInt32LE((800 << 16) | 43, 12);
    const { calls, report } = readMade(made(early, data));
    expect(bodies(calls)).toEqual(['other dma_map_sg']);
    expect(report.problems).toMatchObject([{ kind: 'undecoded-event', count: 1 }]);
  });

  it('passes on an event whose description lacks a field, and says which', () => {
    const lame = early.replace('phys_addrs', 'something');
    const { calls, report } = readMade(made(lame, earlyMapSg()));
    expect(bodies(calls)).toEqual(['other dma_map_sg']);
    expect(report.problems[0]?.message).toContain('phys_addrs');
  });

  it('names events that nothing describes', () => {
    const data = earlyMapSg();
    data.writeUInt16LE(77, 0);
    const { calls, report } = readMade(made(early, data));
    expect(bodies(calls)).toEqual(['other unknown event 77']);
    expect(report.problems).toMatchObject([{ kind: 'unknown-event' }]);
  });

  it('reads pages whose header has a commit field of four bytes', () => {
    const short = headerPage
      .replace('offset:8;\tsize:8', 'offset:8;\tsize:4')
      .replace('data;\toffset:16;\tsize:4080', 'data;\toffset:12;\tsize:4084');
    const whole = page(1000, new Uint8Array(0));
    const bytes = eventBytes([pageFree(0, 5)]);
    whole.set(bytes, 12);
    Buffer.from(whole.buffer, whole.byteOffset).writeUInt32LE(bytes.length, 8);
    const { calls } = readMade({ ...freeTrace([[whole]]), headerPage: short });
    expect(bodies(calls)).toEqual(['pageFree mm_page_free 5 0']);
  });
});

describe('losses and damage in a trace.dat', () => {
  const withoutTask = (call: string) => call.replace(/ task=\S*/, '');
  const good = (time: number, pfn: number) => page(time, eventBytes([pageFree(0, pfn)]));
  const lossesIn = (calls: readonly string[]) => calls.filter((line) => line.startsWith('lost'));

  it('tells of missed events before the page that says so', () => {
    const bytes = eventBytes([pageFree(0, 2)]);
    const counted = page(2000, bytes, 0xc0000000, 12);
    const uncounted = page(3000, bytes, 0x80000000);
    const { calls, report } = readMade(freeTrace([[good(1000, 1), counted, uncounted]]));
    expect(lossesIn(calls)).toEqual(['lost 0 12 2000', 'lost 0 -2 3000']);
    expect(calls.findIndex((line) => line.startsWith('lost 0 12'))).toBe(1);
    expect(report).toMatchObject({ lostEvents: 12, lostUnknown: true, lostTimes: 2, events: 3 });
  });

  it('tells of what the statistics count as overwritten', () => {
    const stats = 'CPU: 0\nentries: 1\noverrun: 5\ncommit overrun: 0\ndropped events: 2\n';
    const { calls } = readMade(freeTrace([[good(1000, 1)]], { options: [[2, stats]] }));
    expect(lossesIn(calls)).toEqual(['lost 0 7 1000']);
  });

  it('counts a loss once that pages and statistics tell of', () => {
    const bytes = eventBytes([pageFree(0, 2)]);
    const stats = 'CPU: 0\nentries: 2\noverrun: 12\n';
    const first = page(1000, bytes, 0xc0000000, 12);
    const wrapped = freeTrace([[first, good(2000, 3)]], { options: [[2, stats]] });
    expect(lossesIn(readMade(wrapped).calls)).toEqual(['lost 0 12 1000']);
    expect(readMade(wrapped).report).toMatchObject({ lostEvents: 12, lostTimes: 1, problems: [] });
    // A loss in the middle: nobody knows whether it is all of it.
    const later = freeTrace([[good(1000, 1), page(2000, bytes, 0xc0000000, 5)]], {
      options: [[2, stats]],
    });
    const { calls, report } = readMade(later);
    expect(lossesIn(calls)).toEqual(['lost 0 12 1000', 'lost 0 5 2000']);
    expect(report).toMatchObject({ lostEvents: 12, problems: [] });
  });

  it('says when there are fewer events than the statistics count', () => {
    const stats = 'CPU: 0\nentries: 1\nread events: 2\n';
    const { report } = readMade(freeTrace([[good(1000, 1)]], { options: [[2, stats]] }));
    expect(report.problems[0]?.message).toBe('CPU 0: the statistics count 3 events, 1 were read');
  });

  it('leaves a page at the first wrong length, and goes on', () => {
    const bytes = eventBytes([pageFree(0, 1), pageFree(1, 2)]).slice();
    bytes[24] = 28;
    const { calls, report } = readMade(freeTrace([[page(1000, bytes), good(2000, 3)]]));
    expect(bodies(calls)).toEqual([
      'pageFree mm_page_free 1 0',
      'lost 0 -2 2000',
      'pageFree mm_page_free 3 0',
    ]);
    expect(report.problems).toMatchObject([{ kind: 'damaged', count: 1 }]);
  });

  it('passes over a page that claims too much', () => {
    const bad = page(1000, new Uint8Array(0), 5000);
    const { calls } = readMade(freeTrace([[bad, good(2000, 3)]]));
    expect(bodies(calls)).toEqual(['lost 0 -2 2000', 'pageFree mm_page_free 3 0']);
  });

  it('reads what there is of a file that was cut', () => {
    const whole = writeDat(
      freeTrace([[good(1000, 1), good(2000, 2), good(3000, 3)]], { version: 6 }),
    );
    const { calls, report } = read(whole.subarray(0, whole.length - 5000));
    expect(bodies(calls)).toEqual(['pageFree mm_page_free 1 0', 'lost 0 -2 1000']);
    expect(report.problems.map(({ kind }) => kind)).toContain('truncated');
  });

  it('finds the events of a file whose table of buffers is cut off', () => {
    const pages = (from: number) => Array.from({ length: 25 }, (_, i) => good(from + i * 10, i));
    const made = freeTrace([pages(1000), pages(1005)]);
    const expected = readMade(made).calls;
    expect(expected).toHaveLength(50);
    for (const compression of ['none', 'zlib'] as const) {
      const whole = writeDat({ ...made, compression });
      // The options are last, and the only part with this word.
      const options = whole.subarray(0, compression === 'none' ? whole.lastIndexOf('mono') : -20);
      const { calls, report } = read(options);
      expect(calls[0]).toBe('lost -2 -2 1000');
      expect(calls.slice(1).map(withoutTask)).toEqual(expected.map(withoutTask));
      expect(report.problems.map(({ kind }) => kind)).toContain('truncated');
    }
  });

  it('passes over a damaged chunk', () => {
    const pages = Array.from({ length: 25 }, (_, i) => good(1000 + i, i));
    const whole = writeDat(freeTrace([pages], { compression: 'zlib' }));
    // The options come last, before them the three chunks.
    let second = whole.length;
    for (let i = 0; i < 3; i++) second = whole.lastIndexOf(Buffer.from([0x78, 0x9c]), second - 1);
    whole.fill(0xff, second, second + 4);
    const { calls, report } = read(whole);
    expect(lossesIn(calls)).toEqual(['lost 0 -2 1020']);
    expect(report.events).toBe(15);
    expect(report.problems).toMatchObject([{ kind: 'damaged' }]);
  });
});
