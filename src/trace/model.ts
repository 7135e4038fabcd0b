/**
 * The results of a trace as data: what the tracker knows of a mapping, what the rules found, what
 * the costs come to. This is what the exporters (Parquet, Perfetto, HTML) and the reports of
 * `civac trace` read. Leaves out how any of it is worked out: `track/`, `judge/`, `cost/`.
 *
 * Mappings are not part of TraceResult, since a long trace has millions: an exporter that wants
 * them is a TraceObserver and gets each as it opens and closes.
 */
import type { HazardId } from '../verdict/hazards.js';
import type { Address, AllocKind, Direction, MapKind } from './events.js';

/** The function family by which memory was given to a device. */
export type MappingKind = MapKind | AllocKind;

/** A moment of the trace; times in nanoseconds of the trace's clock. */
export interface Moment {
  readonly time: number;
  readonly cpu: number;
  readonly pid: number;
  readonly task: string;
  /** The event's name as the trace has it. */
  readonly event: string;
}

/**
 * Memory that a device may reach, from its map event to its unmap event. Records are reused after
 * `closed` returns, and change while they live: copy what you keep.
 */
export interface Mapping {
  /** From 1, in the order of the map events; never given twice. */
  readonly id: number;
  readonly device: string;
  readonly kind: MappingKind;
  /** Physical address of the first byte; UNKNOWN for dma_alloc, whose event does not tell. */
  readonly phys: Address;
  /** The address given to the device: an IOVA behind an IOMMU, else a bus address. */
  readonly dma: Address;
  /** Bytes, of all entries of a scatterlist. */
  readonly size: number;
  readonly direction: Direction;
  /** See attributeBits. */
  readonly attrs: number;
  /** Entries of the scatterlist as the driver passed it, 1 for the others, UNKNOWN. */
  readonly entries: number;
  readonly mappedAt: number;
  readonly mapCpu: number;
  readonly mapPid: number;
  readonly mapTask: string;
  readonly mapEvent: string;
  /** Of the unmap event; -1, and '' for its name, while mapped or if the trace ends before. */
  readonly unmappedAt: number;
  readonly unmapCpu: number;
  readonly unmapPid: number;
  readonly unmapTask: string;
  readonly unmapEvent: string;
  /** Some of its memory went through a bounce buffer (swiotlb). */
  readonly bounced: boolean;
  /** Translated by an IOMMU; null when the trace does not show it. */
  readonly translated: boolean | null;
  /** Page tables of an IOMMU or a GPU, recognised by syncs of 8·n bytes. */
  readonly pageTable: boolean;
  readonly syncsForCpu: number;
  readonly syncsForDevice: number;
  /** By arm64's rules, if the device is not coherent; see cost/maintenance.ts. */
  readonly bytesCleaned: number;
  readonly bytesInvalidated: number;
  readonly bytesBounced: number;
  /** IOMMU invalidations, one for each iommu:unmap of this mapping. */
  readonly invalidations: number;
}

/**
 * Told of mappings as the trace is read. `closed` comes for every mapping once: at its unmap, or
 * at the end of the trace with `unmappedAt` -1.
 */
export interface TraceObserver {
  opened?(mapping: Mapping): void;
  closed?(mapping: Mapping): void;
  /** A sync of (part of) a live mapping, [offset, offset + size) in bytes of it. */
  synced?(mapping: Mapping, at: Moment, forCpu: boolean, offset: number, size: number): void;
  /**
   * A rule matched, once for each time; `detail` is what the finding's message is about. The
   * mappings are those concerned, live or just closed.
   */
  matched?(rule: string, at: Moment, detail: string, mappings: readonly Mapping[]): void;
}

/** error: a contract is broken; warning: data may be wrong; note: wasteful, or worth knowing. */
export type Severity = 'error' | 'warning' | 'note';

/**
 * certain: the events alone show it. likely: another explanation exists. needs-coherence: real
 * only if the device does not snoop, and whether it does is not known.
 */
export type Certainty = 'certain' | 'likely' | 'needs-coherence';

/** One event that shows a finding, in words. */
export interface Evidence extends Moment {
  /** What the event is in the story: 'mapped', 'unmapped', 'synced', 'freed' … */
  readonly role: string;
  /** Its fields that matter, as `dma_addr=fff9f000 size=512 dir=FROM_DEVICE`. */
  readonly text: string;
}

export interface Finding {
  /** '' for a note about what is right but dear. */
  readonly id: HazardId | '';
  /** File name of the rule in judge/ and of its page in docs/trace-rules/. */
  readonly rule: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly device: string;
  /** About the first time it happened, with the numbers. */
  readonly message: string;
  /** How often it happened, at this device and call site. */
  readonly count: number;
  readonly first: Moment;
  readonly last: Moment;
  /** Of the first time, in the order of the trace. */
  readonly evidence: readonly Evidence[];
  /** Ids of the mappings in the evidence. */
  readonly mappings: readonly number[];
  /** The class of message CONFIG_DMA_API_DEBUG would print, '' if none. */
  readonly dmaDebug: string;
}

/** Where something is known from. */
export type CoherenceSource = 'command line' | 'sidecar' | 'device tree' | 'inferred' | 'unknown';

export interface DeviceFacts {
  readonly name: string;
  /** Whether it snoops the CPU caches; null if nothing tells. */
  readonly coherent: boolean | null;
  readonly coherenceFrom: CoherenceSource;
  /** Why, in a sentence, when inferred or unknown. */
  readonly coherenceBecause: string;
  /** Its mappings are translated by an IOMMU; null if the trace does not show it. */
  readonly translated: boolean | null;
  /** An IOMMU or GPU that maps page tables for itself. */
  readonly pageTableWalker: boolean;
  /** All its mappings are in the trace, since its attach to the IOMMU is. */
  readonly wholeLife: boolean;
  readonly maps: number;
  readonly live: number;
  /** Unmaps and syncs of what was mapped before the trace began, or while events were lost. */
  readonly olderThanTrace: number;
}

/** What one device and call site cost; `task` '' stands for all of them. */
export interface CostRow {
  readonly device: string;
  /** comm, without the number of a CPU or worker; '' in a row for the whole device. */
  readonly task: string;
  readonly maps: number;
  readonly unmaps: number;
  readonly mapsPerSecond: number;
  readonly bytesMapped: number;
  /** Lifetimes of closed mappings in ns; null if none closed. The median is good to a factor 2. */
  readonly lifetimeMean: number | null;
  readonly lifetimeMedian: number | null;
  readonly lifetimeMax: number | null;
  readonly syncsForCpu: number;
  readonly syncsForDevice: number;
  readonly bytesCleaned: number;
  readonly bytesInvalidated: number;
  readonly bounces: number;
  readonly bytesBounced: number;
  /** IOTLB invalidations and the bytes they covered. */
  readonly invalidations: number;
  readonly bytesUntranslated: number;
}

/** One buffer: the same memory mapped for the same device, however often. */
export interface BufferCost {
  readonly device: string;
  readonly task: string;
  readonly phys: Address;
  readonly size: number;
  readonly direction: Direction;
  readonly maps: number;
  readonly bytesCleaned: number;
  readonly bytesInvalidated: number;
  readonly bytesBounced: number;
  readonly invalidations: number;
}

/** What a change would save, over the whole trace. */
export interface Saving {
  readonly device: string;
  readonly task: string;
  /** The change, in a sentence. */
  readonly change: string;
  readonly maps: number;
  readonly invalidations: number;
  readonly bytesMaintained: number;
  readonly bytesBounced: number;
}

export interface Costs {
  /** Devices first, each followed by its call sites, dearest first. */
  readonly rows: readonly CostRow[];
  /** At most ten, dearest first. */
  readonly dearest: readonly BufferCost[];
  readonly savings: readonly Saving[];
}

export interface TraceSource {
  readonly file: string;
  /** Release of the kernel, '' when the trace does not say. */
  readonly kernel: string;
  readonly events: number;
  /** UNKNOWN when events were lost and nothing says how many. */
  readonly lost: number;
  /** Times of the first and last event in ns, 0 for an empty trace. */
  readonly first: number;
  readonly last: number;
}

export interface TraceResult {
  readonly source: TraceSource;
  readonly devices: readonly DeviceFacts[];
  /** Errors first, then warnings, then notes; each in the order of the trace. */
  readonly findings: readonly Finding[];
  readonly costs: Costs;
  /** What limits the findings: lost events, missing event types, rules that said nothing. */
  readonly notes: readonly string[];
  /** How often each event came, by name. */
  readonly counts: ReadonlyMap<string, number>;
}
