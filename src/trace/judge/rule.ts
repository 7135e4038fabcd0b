/**
 * What a rule is: its description, which also makes its page in docs/trace-rules/, and the moments
 * of a trace at which it looks. A rule only has the hooks it needs; the tracker calls them in the
 * hot loop, so they compare first and build words only once something is wrong.
 */
import type { HazardId } from '../../verdict/hazards.js';
import type { BufferTable } from '../cost/buffers.js';
import type { EventHead } from '../events.js';
import type { Certainty, Severity } from '../model.js';
import type { Miss, SyncCall, UnmapCall } from '../track/calls.js';
import type { ClosedEntry } from '../track/closed.js';
import type { DeviceState } from '../track/device.js';
import type { LiveMapping } from '../track/live-mapping.js';
import type { Findings } from './findings.js';

/** What rules may ask of the tracker. */
export interface World {
  readonly findings: Findings;
  /** Bytes that cache maintenance cannot split (ARCH_DMA_MINALIGN), a power of two. */
  readonly granule: number;
  readonly pageSize: number;
  /** Grows when events are lost. */
  readonly epoch: number;
  /** dma_fence_signaled events so far. */
  readonly fences: number;
  /** Time of the newest event in ns. */
  readonly now: number;
  readonly buffers: BufferTable;
  /** DMA events of a CPU so far. */
  serialOf(cpu: number): number;
  devices(): Iterable<DeviceState>;
  /** Every live mapping; slow, for the end of the trace. */
  liveMappings(): Iterable<LiveMapping>;
}

export interface Hooks {
  /**
   * After a map event; the mapping is complete but for later iommu events. This, `unmapped` and
   * `synced` do not come for the calls of track/plain.ts.
   */
  mapped?(world: World, mapping: LiveMapping, head: EventHead): void;
  /**
   * A new mapping has bytes in granules of a live one; both ranges are physical, and at least one
   * of the two is written by its device. Once for each pair of segments.
   */
  overlapped?(world: World, overlap: Overlap, head: EventHead): void;
  /** An unmap event that found its mapping, before that is closed. */
  unmapped?(world: World, mapping: LiveMapping, call: UnmapCall): void;
  unmapMissed?(world: World, call: UnmapCall, miss: Miss): void;
  /** A sync within a mapping, before it is counted; `offset` in bytes of the mapping. */
  synced?(world: World, mapping: LiveMapping, call: SyncCall, offset: number): void;
  syncMissed?(world: World, call: SyncCall, miss: Miss): void;
  pageFreed?(world: World, mapping: LiveMapping, head: EventHead, pfn: number): void;
  pageAllocated?(world: World, mapping: LiveMapping, head: EventHead, pfn: number): void;
  pageWrittenOut?(world: World, mapping: LiveMapping, head: EventHead, pfn: number): void;
  faulted?(world: World, fault: Fault, head: EventHead): void;
  /** Once, after the last event, while the live mappings are still there. */
  ended?(world: World): void;
}

export interface Overlap {
  readonly newer: LiveMapping;
  readonly older: LiveMapping;
  /** Physical ranges of the two segments, ends exclusive. */
  readonly newerStart: number;
  readonly newerEnd: number;
  readonly olderStart: number;
  readonly olderEnd: number;
}

export interface Fault {
  readonly device: DeviceState;
  readonly iova: number;
  readonly flags: number;
  readonly live: LiveMapping | null;
  readonly closed: ClosedEntry | null;
  readonly byPhys: LiveMapping | null;
}

export interface RuleInfo {
  /** Name of its file and of its page. */
  readonly id: string;
  /** '' where nothing is wrong. */
  readonly hazard: HazardId | '';
  readonly severity: Severity;
  /** The most it claims. */
  readonly certainty: Certainty;
  /** What it means, in a few words. */
  readonly title: string;
  /** What is wrong about it, and what can follow. */
  readonly meaning: string;
  /** Events it needs and what it looks for in them. */
  readonly evidence: string;
  /** When it says less, or nothing. */
  readonly limits: string;
  readonly mend: string;
  /** The message of CONFIG_DMA_API_DEBUG (kernel/dma/debug.c) for the same, '' if it has none. */
  readonly dmaDebug: string;
}

export interface Rule extends RuleInfo, Hooks {}
