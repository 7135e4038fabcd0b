/** Mappings, findings and results made up for tests of the exporters. */
import { Direction } from '../src/trace/events.js';
import type { Costs, Finding, Mapping, Moment, TraceResult } from '../src/trace/model.js';
import type { Exporter } from '../src/trace/show/sink.js';

export function madeMapping(id: number, given: Partial<Mapping> = {}): Mapping {
  return {
    id,
    device: '0000:00:01.0',
    kind: 'page',
    phys: 0x8000_0000 + id * 4096,
    dma: 0xffff_0000 + id * 4096,
    size: 4096,
    direction: Direction.ToDevice,
    attrs: 0,
    entries: 1,
    mappedAt: id * 1000,
    mapCpu: 1,
    mapPid: 42,
    mapTask: 'kworker/1:0',
    mapEvent: 'dma_map_phys',
    unmappedAt: id * 1000 + 5000,
    unmapCpu: 0,
    unmapPid: 0,
    unmapTask: '<idle>',
    unmapEvent: 'dma_unmap_phys',
    bounced: false,
    translated: true,
    pageTable: false,
    syncsForCpu: 0,
    syncsForDevice: 1,
    bytesCleaned: 4096,
    bytesInvalidated: 0,
    bytesBounced: 0,
    invalidations: 1,
    ...given,
  };
}

export function madeMoment(time: number, event: string): Moment {
  return { time, cpu: 1, pid: 42, task: 'dd', event };
}

export function madeFinding(given: Partial<Finding> = {}): Finding {
  return {
    id: 'H11',
    rule: 'unmap-size',
    severity: 'error',
    certainty: 'certain',
    device: '0000:00:01.0',
    message: 'unmapped 512 bytes of a mapping of 1,024 <b>&"\'',
    count: 3,
    first: madeMoment(7000, 'dma_unmap_phys'),
    last: madeMoment(9000, 'dma_unmap_phys'),
    evidence: [
      { ...madeMoment(2000, 'dma_map_phys'), role: 'mapped', text: 'size=1024' },
      { ...madeMoment(7000, 'dma_unmap_phys'), role: 'unmapped', text: 'size=512' },
    ],
    mappings: [2],
    dmaDebug: 'device driver frees DMA memory with different size',
    ...given,
  };
}

const madeCosts: Costs = {
  rows: [
    {
      device: '0000:00:01.0',
      task: '',
      maps: 3,
      unmaps: 2,
      mapsPerSecond: 1500,
      bytesMapped: 12_288,
      lifetimeMean: 5000,
      lifetimeMedian: 5000,
      lifetimeMax: 5000,
      syncsForCpu: 0,
      syncsForDevice: 3,
      bytesCleaned: 12_288,
      bytesInvalidated: 4096,
      bounces: 1,
      bytesBounced: 512,
      invalidations: 2,
      bytesUntranslated: 8192,
    },
  ],
  dearest: [
    {
      device: '0000:00:01.0',
      task: 'dd',
      phys: 0x8000_1000,
      size: 4096,
      direction: Direction.ToDevice,
      maps: 2,
      bytesCleaned: 8192,
      bytesInvalidated: 0,
      bytesBounced: 0,
      invalidations: 2,
    },
  ],
  savings: [
    {
      device: '0000:00:01.0',
      task: 'dd',
      change: 'keep the buffer mapped',
      maps: 1,
      invalidations: 1,
      bytesMaintained: 4096,
      bytesBounced: 0,
    },
  ],
};

export function madeResult(given: Partial<TraceResult> = {}): TraceResult {
  return {
    source: { file: 'made.dat', kernel: '7.2.13', events: 12, lost: 0, first: 1000, last: 20_000 },
    devices: [
      {
        name: '0000:00:01.0',
        coherent: false,
        coherenceFrom: 'sidecar',
        coherenceBecause: 'device tree: no dma-coherent',
        translated: true,
        pageTableWalker: false,
        wholeLife: true,
        maps: 3,
        live: 1,
        olderThanTrace: 0,
      },
    ],
    findings: [madeFinding()],
    costs: madeCosts,
    notes: ['2 events were lost on CPU 1'],
    counts: new Map([['dma_map_phys', 3]]),
    ...given,
  };
}

/** Three mappings, the third never unmapped; a sync and two matches on the second. */
export function playTo(exporter: Exporter, result = madeResult()): void {
  const { observer } = exporter;
  const mappings = [
    madeMapping(1),
    madeMapping(2, { phys: 0x8000_1000, dma: 0xeee0_0000, direction: Direction.FromDevice }),
    madeMapping(3, { kind: 'coherent', phys: -2, unmappedAt: -1, unmapEvent: '' }),
  ];
  for (const mapping of mappings) observer.opened?.(mapping);
  const [first, second, third] = mappings;
  if (first === undefined || second === undefined || third === undefined) return;
  observer.synced?.(second, madeMoment(6500, 'dma_sync_single_for_cpu'), true, 64, 128);
  observer.matched?.('unmap-size', madeMoment(7000, 'dma_unmap_phys'), 'size', [second]);
  observer.closed?.(first);
  observer.closed?.(second);
  observer.closed?.(third);
  exporter.finish(result);
}
