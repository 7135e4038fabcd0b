/**
 * The front door of traces: a sink that judges what the reader gives it, and the result. Leaves
 * out reading (`read/`), reports (`show/`) and exports.
 *
 * Use: `const analysis = new TraceAnalysis(options); const report = readTrace(source,
 * analysis.sink); const result = analysis.finish(report);`
 */
import { groupDigits } from '../base/text.js';
import { costsOf } from './cost/report.js';
import { type CoherenceBook, type CoherenceFact, coherenceOf } from './devices/coherence.js';
import { type TraceSink, UNKNOWN } from './events.js';
import type { Rule } from './judge/rule.js';
import { rules as allRules } from './judge/rules.js';
import { settleAll } from './judge/verdicts.js';
import type { DeviceFacts, TraceObserver, TraceResult, TraceSource } from './model.js';
import { type ReadReport, ReportBuilder } from './read/report.js';
import type { DeviceState } from './track/device.js';
import { Tracker } from './track/tracker.js';

export interface AnalysisOptions {
  /** Bytes that cache maintenance cannot split, a power of two; 128 (arm64) if absent. */
  readonly granule?: number;
  /** Bytes of a page of the traced kernel; 4096 if absent. */
  readonly pageSize?: number;
  /** What is known of the devices from outside of the trace. */
  readonly coherence?: CoherenceBook;
  readonly observer?: TraceObserver;
  /** Fewer rules than all, for tests and benchmarks. */
  readonly rules?: readonly Rule[];
}

export const granuleDefault = 128;
export const pageSizeDefault = 4096;

export class TraceAnalysis {
  private readonly tracker: Tracker;
  private readonly book: CoherenceBook;

  constructor(options: AnalysisOptions = {}) {
    const granule = options.granule ?? granuleDefault;
    const pageSize = options.pageSize ?? pageSizeDefault;
    this.tracker = new Tracker(
      options.rules ?? allRules,
      { granule, pageSize },
      options.observer ?? {},
    );
    this.book = options.coherence ?? (() => null);
  }

  get sink(): TraceSink {
    return this.tracker;
  }

  /** Events so far. */
  get events(): number {
    return this.tracker.events;
  }

  /** A report for a reading that was broken off: only what the events themselves told. */
  partReport(source: string): ReadReport {
    const { events, first, now } = this.tracker;
    return {
      ...new ReportBuilder(source).finish(),
      events,
      first: first < 0 ? null : first,
      last: first < 0 ? null : now,
    };
  }

  /** Call once, after the last event. */
  finish(report: ReadReport): TraceResult {
    const { tracker } = this;
    const live = new Map([...tracker.devices()].map((device) => [device, device.live]));
    tracker.finish();
    const facts = new Map<DeviceState, CoherenceFact>();
    const factOf = (device: DeviceState): CoherenceFact => {
      const known = facts.get(device) ?? coherenceOf(device, this.book);
      facts.set(device, known);
      return known;
    };
    const { findings, coherent } = settleAll(tracker.findings.drafts, factOf);
    const seconds = report.timeUnit === 'ns' ? (tracker.now - tracker.first) / 1e9 : 0;
    return {
      source: sourceOf(report),
      devices: [...tracker.devices()]
        .filter(worthTelling)
        .map((device) => deviceFacts(device, live.get(device) ?? 0, factOf(device))),
      findings,
      costs: costsOf(tracker, seconds, (device) => factOf(device).coherent === true),
      notes: [
        ...readNotes(report),
        ...sizeNotes(report, tracker.pageSize),
        ...trackNotes(tracker),
        ...coherentNotes(coherent),
      ],
      counts: report.counts,
    };
  }
}

function sourceOf(report: ReadReport): TraceSource {
  return {
    file: report.source,
    kernel: report.kernel ?? '',
    events: report.events,
    lost: report.lostUnknown && report.lostEvents === 0 ? UNKNOWN : report.lostEvents,
    first: report.first ?? 0,
    last: report.last ?? 0,
  };
}

function worthTelling(device: DeviceState): boolean {
  return device.maps + device.syncs + device.olderThanTrace + device.failedMaps > 0;
}

function deviceFacts(device: DeviceState, live: number, fact: CoherenceFact): DeviceFacts {
  return {
    name: device.name,
    coherent: fact.coherent,
    coherenceFrom: fact.from,
    coherenceBecause: fact.because,
    translated: device.translated,
    pageTableWalker: device.pageTableWalker,
    wholeLife: device.wholeLife,
    maps: device.maps,
    live,
    olderThanTrace: device.olderThanTrace,
  };
}

function lostWords({ lostEvents, lostUnknown }: ReadReport): string {
  if (lostUnknown && lostEvents === 0) return 'an unknown number of events';
  return `${lostUnknown ? 'at least ' : ''}${groupDigits(lostEvents)} events`;
}

function readNotes(report: ReadReport): string[] {
  const notes = report.problems.map(({ message, place, count }) => {
    const times = count > 1 ? ` (${groupDigits(count)} times)` : '';
    return `${message}${times}, first at ${place}`;
  });
  if (report.lostTimes > 0) {
    notes.unshift(
      `${lostWords(report)} were lost: nothing is said about a mapping that was live at a loss`,
    );
  }
  return notes;
}

function sizeNotes({ pageSize }: ReadReport, used: number): string[] {
  if (pageSize === null || pageSize === used) return [];
  return [
    `the traced kernel has pages of ${groupDigits(pageSize)} bytes, but it was judged with ` +
      `${groupDigits(used)}: give --page-size ${pageSize}`,
  ];
}

function trackNotes(tracker: Tracker): string[] {
  const notes: string[] = [];
  const older = [...tracker.devices()].reduce((sum, device) => sum + device.olderThanTrace, 0);
  if (older > 0) {
    notes.push(
      `${groupDigits(older)} unmaps and syncs of mappings older than the trace were not judged`,
    );
  }
  if (tracker.pageEvents === 0) {
    notes.push(
      'no kmem events: whether pages were freed or reused while mapped is not known; record ' +
        'kmem:mm_page_free and kmem:mm_page_alloc',
    );
  }
  const { maps, unmaps } = tracker.iommu.unknownDomain();
  if (maps + unmaps > 0) {
    notes.push(
      `${groupDigits(maps)} iommu:map and ${groupDigits(unmaps)} iommu:unmap of an unknown ` +
        'domain: no dma event of the same task goes with them',
    );
  }
  if (tracker.silentLists > 0) {
    notes.push(
      `${groupDigits(tracker.silentLists)} scatterlists are too long for a dma_unmap_sg event, ` +
        'which the ring buffer then drops: nothing is said about them',
    );
  }
  const { unfollowed } = tracker.books;
  if (unfollowed > 0) {
    notes.push(
      `${groupDigits(unfollowed)} mappings were not followed: too many at one time, or damaged`,
    );
  }
  const { dropped } = tracker.findings;
  if (dropped > 0) notes.push(`${groupDigits(dropped)} further matches are not listed`);
  return notes;
}

function coherentNotes(coherent: ReadonlyMap<string, number>): string[] {
  return [...coherent].map(
    ([rule, count]) => `${rule}: ${groupDigits(count)} matches dropped, since the device snoops`,
  );
}
