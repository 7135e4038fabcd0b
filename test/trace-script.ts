/**
 * Traces for the tests of tracker and rules, written as calls: each method is an event some
 * microseconds after the last. Leaves out the reader: the sink is called directly.
 */
import {
  attributeBits,
  Direction,
  type EventHead,
  MAPPING_ERROR,
  type NumberList,
  type SingleKind,
} from '../src/trace/events.js';
import { type AnalysisOptions, TraceAnalysis } from '../src/trace/index.js';
import type { Finding, TraceResult } from '../src/trace/model.js';
import { ReportBuilder } from '../src/trace/read/report.js';

export const { SKIP_CPU_SYNC } = attributeBits;
export const TO = Direction.ToDevice;
export const FROM = Direction.FromDevice;
export const BOTH = Direction.Bidirectional;
export { MAPPING_ERROR };

const stepNs = 10_000;

function list(values: readonly number[]): NumberList {
  return { values, length: values.length };
}

/** Fields of an event that a test cares about; the rest has a value that is never wrong. */
export interface Fields {
  device?: string;
  phys?: number;
  dma?: number;
  size?: number;
  dir?: Direction;
  attrs?: number;
  kind?: SingleKind;
  virt?: string;
}

const usual = { device: 'dev', phys: 0x4000_0000, dma: 0xffff_0000, size: 4096, dir: TO, attrs: 0 };

export class Script {
  readonly analysis: TraceAnalysis;
  private readonly report = new ReportBuilder('made');
  private index = 0;
  time = 1_000_000_000;
  cpu = 0;
  pid = 100;
  task = 'worker';

  constructor(options: AnalysisOptions = {}) {
    this.analysis = new TraceAnalysis(options);
  }

  private head(name: string): EventHead {
    this.time += stepNs;
    const { time, cpu, pid, task, index } = this;
    this.index += 1;
    return { index, time, cpu, pid, task, name };
  }

  wait(nanoseconds: number): this {
    this.time += nanoseconds;
    return this;
  }

  attach(device = usual.device): this {
    this.analysis.sink.iommuAttach(this.head('attach_device_to_domain'), device, true);
    return this;
  }

  /** dma_map_page with the iommu:map before it, as dma-iommu makes them. */
  mapTranslated(fields: Fields = {}): this {
    const { phys, dma, size } = { ...usual, ...fields };
    const page = (address: number) => Math.floor(address / 4096) * 4096;
    const length = Math.ceil((dma + size - page(dma)) / 4096) * 4096;
    this.analysis.sink.iommuMap(this.head('map'), page(dma), page(phys), length);
    return this.map(fields);
  }

  map(fields: Fields = {}): this {
    const { device, phys, dma, size, dir, attrs } = { ...usual, ...fields };
    const { kind = 'page' } = fields;
    const head = this.head(`dma_map_${kind}`);
    this.analysis.sink.mapSingle(head, kind, device, phys, dma, size, dir, attrs);
    return this;
  }

  unmap(fields: Fields = {}): this {
    const { device, dma, size, dir, attrs } = { ...usual, ...fields };
    const { kind = 'page' } = fields;
    const head = this.head(`dma_unmap_${kind}`);
    this.analysis.sink.unmapSingle(head, kind, device, dma, size, dir, attrs);
    return this;
  }

  /** One DMA range for all entries, as an IOMMU makes it. */
  mapSg(phys: readonly number[], fields: Fields & { nents?: number } = {}): this {
    const { device, dma, dir, attrs } = { ...usual, ...fields };
    const size = fields.size ?? phys.length * 4096;
    const nents = fields.nents ?? phys.length;
    const cut = nents > phys.length;
    this.analysis.sink.mapSg(
      this.head('dma_map_sg'),
      device,
      nents,
      1,
      cut,
      list(phys),
      list([dma]),
      list([size]),
      dir,
      attrs,
    );
    return this;
  }

  unmapSg(phys: readonly number[], fields: Fields = {}): this {
    const { device, dir, attrs } = { ...usual, ...fields };
    this.analysis.sink.unmapSg(this.head('dma_unmap_sg'), device, list(phys), dir, attrs);
    return this;
  }

  sync(forCpu: boolean, fields: Fields = {}): this {
    const { device, dma, size, dir } = { ...usual, ...fields };
    const head = this.head(`dma_sync_single_for_${forCpu ? 'cpu' : 'device'}`);
    this.analysis.sink.syncSingle(head, forCpu, device, dma, size, dir);
    return this;
  }

  syncSg(forCpu: boolean, dma: readonly number[], sizes: readonly number[], f: Fields = {}): this {
    const { device, dir } = { ...usual, ...f };
    const head = this.head(`dma_sync_sg_for_${forCpu ? 'cpu' : 'device'}`);
    this.analysis.sink.syncSg(head, forCpu, device, list(dma), list(sizes), dir);
    return this;
  }

  alloc(fields: Fields = {}): this {
    const { device, dma, size, attrs } = { ...usual, ...fields };
    const { virt = 'v1', dir = BOTH } = fields;
    const head = this.head('dma_alloc');
    this.analysis.sink.alloc(head, 'coherent', device, virt, dma, size, dir, attrs);
    return this;
  }

  free(fields: Fields = {}): this {
    const { device, dma, size, attrs } = { ...usual, ...fields };
    const { virt = 'v1', dir = BOTH } = fields;
    const head = this.head('dma_free');
    this.analysis.sink.free(head, 'coherent', device, virt, dma, size, dir, attrs);
    return this;
  }

  bounced(original: number, size: number, device = usual.device): this {
    const head = this.head('swiotlb_bounced');
    this.analysis.sink.bounced(head, device, 0xffff_ffff, original, size, false);
    return this;
  }

  iommuUnmap(iova: number, size: number): this {
    this.analysis.sink.iommuUnmap(this.head('unmap'), iova, size, size);
    return this;
  }

  page(what: 'Alloc' | 'Free', phys: number, order = 0): this {
    const head = this.head(`mm_page_${what.toLowerCase()}`);
    this.analysis.sink[`page${what}`](head, phys / 4096, order);
    return this;
  }

  writtenOut(phys: number): this {
    this.analysis.sink.pageWrittenOut(this.head('mm_vmscan_write_folio'), phys / 4096);
    return this;
  }

  fault(iova: number, device = usual.device): this {
    this.analysis.sink.ioPageFault(this.head('io_page_fault'), device, 'driver', iova, 1);
    return this;
  }

  lost(): this {
    this.analysis.sink.lost(0, 10, this.time);
    return this;
  }

  finish(): TraceResult {
    return this.analysis.finish(this.report.finish());
  }

  findings(): readonly Finding[] {
    return this.finish().findings;
  }

  /** `rule certainty` of each finding, in the order of the report. */
  told(): string[] {
    return this.findings().map((finding) => `${finding.rule} ${finding.certainty}`);
  }
}

/** A script of a device that is known not to snoop, all of whose life is in the trace. */
export function known(options: AnalysisOptions = {}): Script {
  const fact = { coherent: false, from: 'command line', because: 'as stated' } as const;
  return new Script({ coherence: () => fact, ...options }).attach();
}
