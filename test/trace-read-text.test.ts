/**
 * Trace text: every header variant, every event, lists and raw field lists, losses, and what the
 * reader says about lines it cannot read. The lines are from recordings or printed by the kernel's
 * own formats.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesSource, TraceInputError } from '../src/trace/read/read.js';
import { bodies, recordOf, recordText } from './trace-sink.js';

const body = '0000:00:09.0 dir=FROM_DEVICE dma_addr=fff9e000 size=4096 phys_addr=48120000 attrs=';
const mapped = 'mapSingle dma_map_page page 0000:00:09.0 1209139200 4294565888 4096 2 0';

/** The head, and the payload after the name. */
function one(line: string): string {
  const { calls } = recordText(`${line}\n`);
  expect(calls).toHaveLength(1);
  return calls[0]!;
}

describe('heads of trace text', () => {
  const variants: Record<string, [string, string]> = {
    'irq flags': [
      `     kworker/1:1-46      [001] d..1.    21.301690: dma_map_page: ${body}`,
      'cpu=1 pid=46 task=kworker/1:1 time=21301690000',
    ],
    'no irq flags': [
      `            init-1       [000]     2.723217: dma_map_page: ${body}`,
      'cpu=0 pid=1 task=init time=2723217000',
    ],
    tgid: [
      `            bash-977     (    977) [000] .....    53.737530: dma_map_page: ${body}`,
      'cpu=0 pid=977 task=bash time=53737530000',
    ],
    'tgid unknown': [
      `            bash-977     (-------) [011] .N...    53.737530: dma_map_page: ${body}`,
      'cpu=11 pid=977 task=bash time=53737530000',
    ],
    'task unknown': [
      `           <...>-12      [003] ..s2.     1.000001: dma_map_page: ${body}`,
      'cpu=3 pid=12 task= time=1000001000',
    ],
    idle: [
      `          <idle>-0       [001] d.h1.     1.000001: dma_map_page: ${body}`,
      'cpu=1 pid=0 task=<idle> time=1000001000',
    ],
    'a task name with everything in it': [
      `   my [0] t-s: k-7       [001] .....     1.000001: dma_map_page: ${body}`,
      'cpu=1 pid=7 task=my [0] t-s: k time=1000001000',
    ],
    'a clock without a unit': [
      `            init-1       [000] ..... 123456789: dma_map_page: ${body}`,
      'cpu=0 pid=1 task=init time=123456789',
    ],
    'latency format': [
      `    bash-1234    2d..1.   12us+: dma_map_page: ${body}`,
      'cpu=2 pid=1234 task=bash time=12000',
    ],
    'latency format, no mark': [
      `    bash-1234    0.....  1203us : dma_map_page: ${body}`,
      'cpu=0 pid=1234 task=bash time=1203000',
    ],
    'trace-cmd report': [
      `       trace-cmd-390   [001]    31.882273: dma_map_page:         ${body}`,
      'cpu=1 pid=390 task=trace-cmd time=31882273000',
    ],
    'trace-cmd report -t -l': [
      `       trace-cmd-390   [001] d..1.    31.882273123: dma_map_page:         ${body}`,
      'cpu=1 pid=390 task=trace-cmd time=31882273123',
    ],
    'trace-cmd report --ts-diff': [
      `       trace-cmd-390   [001]    31.882273: (+12)   dma_map_page:         ${body}`,
      'cpu=1 pid=390 task=trace-cmd time=31882273000',
    ],
    'trace-cmd report of several buffers': [
      `inst:       trace-cmd-390   [001]    31.882273: dma_map_page:         ${body}`,
      'cpu=1 pid=390 task=trace-cmd time=31882273000',
    ],
    'perf script': [
      `              dd  1234 [001]  1234.567890: dma:dma_map_page: ${body}`,
      'cpu=1 pid=1234 task=dd time=1234567890000',
    ],
    'perf script with pid/tid and period': [
      `     my task  1230/1234  [001]  1234.567890:          1 dma:dma_map_page: ${body}`,
      'cpu=1 pid=1234 task=my task time=1234567890000',
    ],
  };
  for (const [name, [line, head]] of Object.entries(variants)) {
    it(`reads ${name}`, () => {
      expect(one(line)).toContain(`dma_map_page ${head} page`);
      expect(bodies([one(line)])).toEqual([mapped]);
      expect(bodies([one(`${line}\r`)])).toEqual([mapped]);
    });
  }

  it('names lines that have no name', () => {
    const head = 'a-1 [000] d.... 1.000000:';
    expect(one(`${head} dma_unmap_sg <-driver_do`)).toContain('other function');
    expect(one(`${head} <stack trace>`)).toContain('other kernel_stack');
    expect(one(`${head} 0xffffbb83465db38c: words: and more`)).toContain('other bprint');
  });

  it('says which text it was', () => {
    expect(recordText(`cpus=2\na-1 [000] 1.000000: x: y\n`).report).toMatchObject({
      format: 'trace-cmd report text',
      cpus: 2,
    });
    expect(recordText(`a 1 [000] 1.000000: x:y: z\n`).report.format).toBe('perf script text');
    expect(recordText(`a-1 [000] 1: x: y\n`).report.timeUnit).toBe('ticks');
  });
});

describe('events of trace text', () => {
  const event = (name: string, payload: string): string =>
    bodies([one(`  a-1  [000] .....  1.000000: ${name}: ${payload}`)])[0]!;

  it('reads each form of dma_map_sg', () => {
    const lists = 'dma_addrs={0xfff90000} sizes={0x6000} phys_addrs={0x484d6000,0x484d7000}';
    const told = '{1213030400,1213034496} {4294508544} {24576} 0 32';
    expect(event('dma_map_sg', `d dir=BIDIRECTIONAL ${lists} attrs=SKIP_CPU_SYNC`)).toBe(
      `mapSg dma_map_sg d -2 -2 false ${told}`,
    );
    expect(
      event('dma_map_sg', `d dir=BIDIRECTIONAL nents=2/2 ents=1/1 ${lists} attrs=SKIP_CPU_SYNC`),
    ).toBe(`mapSg dma_map_sg d 2 1 false ${told}`);
    expect(
      event(
        'dma_map_sg',
        `d dir=BIDIRECTIONAL nents=128/359 ents=1/1 [TRUNCATED] ${lists} attrs=SKIP_CPU_SYNC`,
      ),
    ).toBe(`mapSg dma_map_sg d 359 1 true ${told}`);
  });

  it('reads the raw field lists of libtraceevent', () => {
    const failed = '[FAILED TO PARSE] ';
    expect(
      event(
        'dma_map_sg',
        `${failed}device=d full_nents=2 full_ents=1 truncated=0 phys_addrs=ARRAY[00, 60, 4d, 48, ` +
          '00, 00, 00, 00, 00, 70, 4d, 48, 00, 00, 00, 00] dma_addrs=ARRAY[00, 00, f9, ff, 00, ' +
          '00, 00, 00] lengths=ARRAY[00, 60, 00, 00] dir=0 attrs=0x20',
      ),
    ).toBe('mapSg dma_map_sg d 2 1 false {1213030400,1213034496} {4294508544} {24576} 0 32');
    expect(
      event(
        'dma_sync_sg_for_cpu',
        `${failed}device=d dma_addrs=ARRAY[ff, ff, ff, ff, ff, ff, ff, ff] ` +
          'lengths=ARRAY[00, 00, 00, 00] dir=2',
      ),
    ).toBe('syncSg dma_sync_sg_for_cpu true d {-1} {0} 2');
    expect(event('mm_page_free', `${failed}pfn=0x4212f order=1`)).toBe(
      'pageFree mm_page_free 270639 1',
    );
    expect(
      event('dma_map_page', 'device=d phys_addr=4096 dma_addr=8192 size=10 dir=1 attrs=0x20'),
    ).toBe('mapSingle dma_map_page page d 4096 8192 10 1 32');
    expect(event('map', 'iova=4096 paddr=8192 size=4096')).toBe('iommuMap map 4096 8192 4096');
  });

  const cases: readonly (readonly [string, string, string])[] = [
    [
      'dma_map_phys',
      `${body}MMIO`,
      mapped.replace('page page', 'phys resource').replace(/0$/, '1024'),
    ],
    ['dma_map_resource', body, mapped.replace('page page', 'resource resource')],
    [
      'dma_map_page',
      body.replace('fff9e000', 'ffffffffffffffff'),
      mapped.replace('4294565888', '-1'),
    ],
    [
      'dma_unmap_page',
      '0000:00:09.0 dir=TO_DEVICE dma_addr=1000 size=64 attrs=SKIP_CPU_SYNC|WEAK_ORDERING|10000',
      'unmapSingle dma_unmap_page page 0000:00:09.0 4096 64 1 65570',
    ],
    [
      'dma_alloc',
      'd dir=BIDIRECTIONAL dma_addr=f8a00000 size=16 virt_addr=00000000fd56d92c flags=GFP_KERNEL ' +
        'attrs=',
      'alloc dma_alloc coherent d fd56d92c 4171235328 16 0 0',
    ],
    [
      'dma_alloc_pages',
      'd dir=TO_DEVICE dma_addr=0 size=16 virt_addr=0000000000000000 flags=GFP_KERNEL attrs=',
      'alloc dma_alloc_pages pages d 0 0 16 1 0',
    ],
    [
      'dma_free',
      'd dir=NONE dma_addr=1000 size=16 virt_addr=0xffff80008010d000 attrs=WRITE_COMBINE',
      'free dma_free coherent d ffff80008010d000 4096 16 3 4',
    ],
    [
      'dma_alloc_sgt',
      'd dir=TO_DEVICE dma_addr=1000 size=8192 phys_addrs={0x1000,0x2000} flags=GFP_KERNEL attrs=',
      'allocSgt dma_alloc_sgt d {4096,8192} 4096 8192 1 0',
    ],
    [
      'dma_free_sgt',
      'd dir=TO_DEVICE dma_addr=1000 size=8192 phys_addrs={0x1000,0x2000}',
      'freeSgt dma_free_sgt d {4096,8192} 4096 8192 1',
    ],
    [
      'dma_map_sg_err',
      'd dir=TO_DEVICE dma_addrs={0x1000} err=-121 attrs=',
      'mapSgError dma_map_sg_err d {4096} -121 1 0',
    ],
    ['dma_unmap_sg', 'd dir=TO_DEVICE phys_addrs={} attrs=', 'unmapSg dma_unmap_sg d {} 1 0'],
    [
      'dma_sync_single_for_device',
      '9050000.smmuv3 dir=TO_DEVICE dma_addr=489a9000 size=8',
      'syncSingle dma_sync_single_for_device false 9050000.smmuv3 1218088960 8 1',
    ],
    [
      'unmap',
      'IOMMU: iova=0x0000000000001000 - 0x0000000000002000 size=4096 unmapped_size=2048',
      'iommuUnmap unmap 4096 4096 2048',
    ],
    ['unmap', 'something else=1', 'other unmap'],
    [
      'attach_device_to_domain',
      'IOMMU: device=0000:00:04.0',
      'iommuAttach attach_device_to_domain 0000:00:04.0 true',
    ],
    [
      'io_page_fault',
      'IOMMU:0000:00:04.0 nvme iova=0x0000000000001000 flags=0x0001',
      'ioPageFault io_page_fault 0000:00:04.0 nvme 4096 1',
    ],
    [
      'swiotlb_bounced',
      'dev_name: 0000:00:08.0 dma_mask=ffffffffffffffff dev_addr=494ea3f8 size=24 FORCE',
      'bounced swiotlb_bounced 0000:00:08.0 -1 1229890552 24 true',
    ],
    [
      'mm_page_alloc',
      'page=000000004bb8bdf9 pfn=0x4d81a order=2 migratetype=0 gfp_flags=GFP_NOWAIT',
      'pageAlloc mm_page_alloc 317466 2',
    ],
    [
      'mm_page_alloc',
      'page=0000000000000000 pfn=0x0 order=2 migratetype=0 gfp_flags=GFP_NOWAIT',
      'other mm_page_alloc',
    ],
    [
      'mm_vmscan_write_folio',
      'page=0000000012345678 pfn=0x10 flags=RECLAIM_WB_ANON',
      'pageWrittenOut mm_vmscan_write_folio 16',
    ],
    [
      'dma_fence_wait_end',
      'driver=detached-driver timeline=a ring 0 context=1 seqno=7',
      'fence dma_fence_wait_end wait_end detached-driver a ring 0 1 7',
    ],
  ];
  for (const [name, payload, told] of cases) {
    it(`reads ${name}: ${payload.slice(0, 40)}`, () => expect(event(name, payload)).toBe(told));
  }

  it('passes on an event with missing fields as other, and says so', () => {
    const { calls, report } = recordText(
      'a-1 [000] 1.000000: dma_map_page: d dir=TO_DEVICE dma_addr=(hidden) size=4\n' +
        'a-1 [000] 1.000000: dma_unmap_sg: d dir=TO_DEVICE phys_addrs={0x1000,0x20\n',
    );
    expect(bodies(calls)).toEqual([
      'other dma_map_page',
      'lost 0 1 1000000000',
      'other dma_unmap_sg',
      'lost 0 1 1000000000',
    ]);
    expect(report.problems.map(({ kind, place }) => `${kind} ${place}`)).toEqual([
      'undecoded-event line 1',
      'undecoded-event line 2',
    ]);
  });
});

describe('losses and damage in trace text', () => {
  it('tells of lost events before the next one', () => {
    const { calls, report } = recordText(
      [
        '# entries-in-buffer/entries-written: 3/13   #P:2',
        'a-1 [000] 1.000000: x: y',
        'CPU:1 [LOST 12 EVENTS]',
        'a-1 [001] 2.000000: x: y',
        '##### CPU 1 buffer started ####',
        'CPU:0 [EVENTS DROPPED]',
        'a-1 [001] 3.000000: x: y',
      ].join('\n'),
    );
    expect(calls.filter((line) => line.startsWith('lost'))).toEqual([
      'lost -2 10 1000000000',
      'lost 1 12 2000000000',
      'lost 1 -2 3000000000',
      'lost 0 -2 3000000000',
    ]);
    expect(report).toMatchObject({ lostTimes: 4, lostEvents: 22, lostUnknown: true, events: 3 });
  });

  it("reads perf's own word of lost events", () => {
    const { calls, report } = recordText(
      'a  18 [001]  1.000000: PERF_RECORD_LOST lost 64\n' + 'a  18 [001]  2.000000: x:y: z\n',
    );
    expect(calls[0]).toBe('lost 1 64 2000000000');
    expect(report).toMatchObject({ events: 1, lostEvents: 64 });
  });

  it('tells of text that is cut', () => {
    const header = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/2   #P:1\n';
    const line = 'a-1 [000] 1.000000: x: y\n';
    const told = (text: string) => recordText(text).report.problems.map(({ message }) => message);
    expect(told(header + line + line)).toEqual([]);
    expect(told(header + line)).toEqual(['the header counts 2 events, 1 were read']);
    expect(told(header + line + line.slice(0, -1))).toEqual(['the text ends inside a line']);
    expect(told(`# tracer: nop\n${line}`)).toEqual(['the header does not count the events']);
    expect(told('# tracer: nop\n#\n')).toEqual(['the header does not count the events']);
    expect(told('# tracer: nop\n# entries-in-buffer/entries-written: 0/0   #P:1\n')).toEqual([]);
  });

  it('counts lines it cannot read and names the first', () => {
    const { report } = recordText(
      'a-1 [000] 1.000000: x: y\n 0)   1.2 us   |  foo();\nwhat?\na-1 [000] 2.000000: x: y\n',
    );
    expect(report.events).toBe(2);
    expect(report.problems).toEqual([
      { kind: 'unreadable-line', message: 'lines that are no events', place: 'line 2', count: 2 },
    ]);
  });

  it('survives a line without end', () => {
    const long = new Uint8Array(3_000_000).fill(120);
    long.set(new TextEncoder().encode('a-1 [000] 1.000000: x: y\n'));
    const { report } = recordOf(bytesSource(long));
    expect(report).toMatchObject({ events: 1, problems: [{ kind: 'unreadable-line' }] });
  });

  it('refuses what is no trace', () => {
    expect(() => recordText('')).toThrow(TraceInputError);
    expect(() => recordText('PERFILE2 and so on')).toThrow(/perf\.data/);
    expect(() => recordText('hello\nworld\n')).toThrow(TraceInputError);
    expect(recordText('# tracer: nop\n#\n').report.events).toBe(0);
  });

  it('reads gzip, also gzip in gzip, and says when it is cut', () => {
    const text = `${'a-1 [000] 1.000000: x: y\n'.repeat(5000)}`;
    const packed = gzipSync(gzipSync(text));
    expect(recordOf(bytesSource(packed)).report).toMatchObject({
      events: 5000,
      compression: ['gzip', 'gzip'],
      problems: [],
    });
    const lines = Array.from({ length: 30_000 }, (_, i) => `a-${i} [000] 1.${i * 7919}: x: y\n`);
    const cut = gzipSync(lines.join('')).subarray(0, 60_000);
    const { report } = recordOf(bytesSource(cut));
    expect(report.events).toBeGreaterThan(5000);
    expect(report.problems.map(({ kind }) => kind)).toContain('truncated');
  });

  it('compares the checksum of gzip', () => {
    const text = 'a-1 [000] 1.000000: x: y\n'.repeat(50);
    const stored = gzipSync(text, { level: 0 });
    const problems = (packed: Uint8Array) =>
      recordOf(bytesSource(packed)).report.problems.map(({ message }) => message);
    expect(problems(stored)).toEqual([]);
    expect(problems(Buffer.concat([stored, stored]))).toEqual([]);
    stored[stored.length - 30]! ^= 1;
    expect(problems(stored).join()).toMatch(/checksum/);
  });

  it.each([
    ['dma_map_qage: dev dir=TO_DEVICE dma_addr=1000 size=64 phys_addr=2000 attrs=', 1],
    ['dma_map_page: dev dir=TO_DEVICE dma_addr=1x00 size=64 phys_addr=2000 attrs=', 1],
    ['other: dir=TO_DEVICE', 0],
    ['mm_page_free: page=x pfn=y order=0', 0],
  ])('counts a damaged dma event as lost: %s', (line, lost) => {
    const { report } = recordText(
      `a-1 [000] .... 1.000000: x: y\na-1 [000] .... 1.000001: ${line}\n`,
    );
    expect(report.lostEvents).toBe(lost);
  });

  it('counts a line as lost that only ends as a dma event', () => {
    const line = 'a-1 [0z0] ..~. 1x000: dma_map_page: dev dir=TO_DEVICE dma_addr=1000 size=64\n';
    const event = 'a-1 [000] .... 1.000002: x: y\n';
    expect(recordText(`${event}${line}${event}`).report.lostEvents).toBe(1);
    expect(recordText(`${event}hello\n${event}`).report.lostEvents).toBe(0);
  });
});
