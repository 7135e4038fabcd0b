/**
 * Real recordings: every planted fault is found and its call named, text and binary of a run tell
 * the same, what was not planted is not found, and the lines that say what was planted are not
 * looked at.
 */
import { describe, expect, it } from 'vitest';
import { TraceAnalysis } from '../src/trace/index.js';
import type { Finding, TraceResult } from '../src/trace/model.js';
import { bytesSource, readTrace } from '../src/trace/read/read.js';
import { recording } from './trace-files.js';

function analyse(bytes: Uint8Array, name = 'trace'): TraceResult {
  const analysis = new TraceAnalysis();
  const report = readTrace(bytesSource(bytes, name), analysis.sink);
  return analysis.finish(report);
}

/** To the microsecond, which is all that text has. */
const micros = (nanoseconds: number) => Math.round(nanoseconds / 1000);

function comparable(finding: Finding): unknown {
  const moment = (at: Finding['first']) => [micros(at.time), at.cpu, at.pid, at.task, at.event];
  return {
    ...finding,
    // Durations in words are rounded from different precisions.
    message: finding.message.replace(/\d+(\.\d+)? [mu]?s\b/g, 'a while'),
    first: moment(finding.first),
    last: moment(finding.last),
    evidence: finding.evidence.map((e) => [e.role, e.text, ...moment(e)]),
  };
}

/** What `TRUTH` lines of the recording say was planted, and how it is told. */
const planted: readonly (readonly [string, string, string, string])[] = [
  ['free_mapped', 'freed-while-mapped certain', 'mm_page_free', '4,096 bytes at dma_addr fff8f000'],
  [
    'unmap_size_sub',
    'unmap-size certain',
    'dma_unmap_page',
    'ended by dma_unmap_page of 512 bytes',
  ],
  ['sync_outside', 'sync-outside certain', 'dma_sync_single_for_cpu', '512 bytes after its end'],
  ['sync_outside', 'sync-outside certain', 'dma_sync_single_for_device', 'before its start'],
  ['sync_after_unmap', 'sync-unmapped certain', 'dma_sync_single_for_cpu', 'dma_addr fff8f000'],
  ['sync_dir', 'sync-direction certain', 'dma_sync_single_for_cpu', 'as FROM_DEVICE'],
  ['sync_dir', 'sync-direction certain', 'dma_sync_single_for_device', 'as FROM_DEVICE'],
  ['unmap_dir', 'unmap-direction certain', 'dma_unmap_page', 'as FROM_DEVICE'],
  ['kind', 'unmap-function certain', 'dma_unmap_resource', '(dma_unmap_resource)'],
  ['sg_nents', 'sg-entries likely', 'dma_unmap_sg', '6 entries ended by dma_unmap_sg with 3'],
  ['sg_sync_mapped_nents', 'sg-entries likely', 'dma_unmap_sg', 'ended by dma_unmap_sg with 1'],
  ['unmap_size', 'unmap-size certain', 'dma_unmap_page', '4,096 bytes from fff1f000 on stay'],
  ['leak', 'leak likely', 'dma_map_page', '8,192 bytes at dma_addr ffffe000'],
  ['overlap2', 'map-overlap likely', 'dma_map_page', 'at risk: 32 bytes of the dma_map_page'],
  ['double_map', 'map-overlap likely', 'dma_map_page', 'maps memory again'],
  ['coherent_leak', 'leak likely', 'dma_alloc', '12,288 bytes at dma_addr fff98000'],
  ['sync_coherent', 'sync-coherent certain', 'dma_sync_single_for_device', 'on coherent memory'],
];

const faults = analyse(recording('k612f-faults.dat'), 'faults');
const loud = faults.findings.filter(({ severity }) => severity !== 'note');

describe('planted faults', () => {
  it.each(planted)('%s: %s at %s', (_fault, told, event, words) => {
    const found = loud.filter(
      (finding) =>
        `${finding.rule} ${finding.certainty}` === told &&
        finding.first.event === event &&
        finding.message.includes(words),
    );
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ device: '0000:00:09.0', first: { task: 'insmod' } });
  });

  it('are all that is found', () => {
    expect(loud).toHaveLength(planted.length);
  });

  it('overlap: is no hazard, since it was bounced', () => {
    const [finding] = faults.findings.filter(({ rule }) => rule === 'overlap-bounced');
    expect(finding).toMatchObject({ severity: 'note', count: 1 });
    expect(finding?.message).toContain('the 96 bytes that the device writes were bounced');
    expect(finding?.evidence[1]?.text).toContain('phys_addr=4d958060');
  });

  it('double_unmap', () => {
    const [finding, ...more] = analyse(recording('k612f-double-unmap.txt')).findings;
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ rule: 'unmap-twice', certainty: 'certain' });
    expect(finding?.message).toContain('dma_unmap_page of 4,096 bytes at dma_addr fff9f000');
  });

  it('are found without the lines that tell them', () => {
    const text = new TextDecoder().decode(recording('k612f-faults.mapped.txt'));
    const lines = text.split('\n');
    const silent = lines.filter((line) => !/MARK|TRUTH|EDU dma=/.test(line));
    expect(lines.length - silent.length).toBeGreaterThan(50);
    const told = analyse(new TextEncoder().encode(silent.join('\n'))).findings;
    expect(told).toEqual(analyse(recording('k612f-faults.mapped.txt')).findings);
  });
});

describe('text and binary of a run', () => {
  it.each([
    ['k612f-faults.dat', 'k612f-faults.mapped.txt'],
    ['k612f-clean.dat', 'k612f-clean.txt'],
    ['k612-boot.dat', 'k612-boot.txt'],
    ['k72-boot.dat', 'k72-boot.txt'],
  ])('%s and %s tell the same', (binary, text) => {
    const one = analyse(recording(binary));
    const other = analyse(recording(text));
    expect(other.findings.map(comparable)).toEqual(one.findings.map(comparable));
    expect(other.devices).toEqual(one.devices);
  });
});

describe('costs against what a kernel did', () => {
  it('are the bytes that its maintenance routines and bounce copies went over', () => {
    // The recording ran 2,098 calls of every kind with probes on dcache_clean_poc, dcache_inval_poc
    // and swiotlb_bounce; these are the sums of what the probes saw. The clean of an atomic
    // dma_alloc is not among them: its pool was cleaned before.
    const probes = { cleaned: 7_844_778, invalidated: 3_146_780, copied: 1_429_240 };
    const atomicAllocs = 3 * 65_536 + 3 * 4096;
    const { costs } = analyse(recording('k612-direct-calls.txt'));
    const row = costs.rows.find(({ device, task }) => device === '0000:00:01.0' && task === '');
    expect(row).toMatchObject({
      bytesCleaned: probes.cleaned + atomicAllocs,
      bytesInvalidated: probes.invalidated,
      bytesBounced: probes.copied,
    });
  });
});

describe('runs without a fault', () => {
  it.each(['k612f-clean.dat', 'k612-boot.dat', 'k72-boot.dat'])('%s: notes only', (name) => {
    const { findings } = analyse(recording(name));
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    const certain = findings.filter(({ certainty }) => certainty === 'certain');
    expect(new Set(certain.map(({ rule }) => rule))).toEqual(
      new Set(name === 'k612f-clean.dat' ? [] : ['overlap-bounced']),
    );
  });

  it('knows the SMMU by its page tables, and devices by their attach', () => {
    const { devices } = analyse(recording('k612-boot.dat'));
    const of = (name: string) => devices.find((device) => device.name === name);
    expect(of('9050000.smmuv3')).toMatchObject({ pageTableWalker: true, coherent: false });
    expect(of('0000:00:08.0')).toMatchObject({
      pageTableWalker: false,
      wholeLife: true,
      translated: true,
      coherent: false,
      coherenceFrom: 'inferred',
      olderThanTrace: 0,
    });
  });
});
