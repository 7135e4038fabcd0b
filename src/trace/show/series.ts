/**
 * Figures that grow with time, kept in a fixed number of buckets while the trace goes by: when the
 * time outgrows them, two buckets become one. Leaves out how they are drawn (chart.ts).
 */
import type { Mapping, TraceObserver } from '../model.js';

/** Even; a pixel or two each. */
export const bucketCount = 512;

/** The largest value in each bucket of time, of a value that holds until it is changed. */
export class PeakSeries {
  private readonly peaks = new Float64Array(bucketCount);
  private from = -1;
  private width = 1;
  private last = 0;
  private value = 0;

  /** In ns; times before the first are taken for the first. */
  change(time: number, by: number): void {
    if (this.from < 0) this.from = time;
    this.advance(this.bucketOf(time));
    this.value += by;
    this.peaks[this.last] = Math.max(this.peaks[this.last] ?? 0, this.value);
  }

  private bucketOf(time: number): number {
    const since = Math.max(0, time - this.from);
    // A time that is no number, in a damaged trace, stays where the last one was.
    if (!Number.isFinite(since)) return this.last;
    while (since >= bucketCount * this.width) this.halve();
    return Math.max(this.last, Math.floor(since / this.width));
  }

  private halve(): void {
    for (let i = 0; i < bucketCount; i += 2) {
      this.peaks[i / 2] = Math.max(this.peaks[i] ?? 0, this.peaks[i + 1] ?? 0);
    }
    this.peaks.fill(0, bucketCount / 2);
    this.last = Math.floor(this.last / 2);
    this.width *= 2;
  }

  /** The value so far also stands in the buckets up to this one. */
  private advance(bucket: number): void {
    if (bucket > this.last) this.peaks.fill(this.value, this.last + 1, bucket + 1);
    this.last = bucket;
  }

  /** [time of the bucket's begin, peak] up to `end`, which is the time of the last event. */
  points(end: number): readonly (readonly [number, number])[] {
    if (this.from < 0) return [];
    this.advance(this.bucketOf(end));
    return Array.from(this.peaks.subarray(0, this.last + 1), (peak, i) => [
      this.from + i * this.width,
      peak,
    ]);
  }

  get peak(): number {
    return Math.max(0, ...this.peaks);
  }
}

/** Decades from 1 us to 100 s, two bars each; shorter and longer ones at the ends. */
export const lifetimeBins = 16;
const shortest = 1000;

/** The bin of a lifetime in ns. */
export function lifetimeBin(ns: number): number {
  if (!(ns >= shortest)) return 0;
  return Math.min(lifetimeBins - 1, Math.floor(Math.log10(ns / shortest) * 2));
}

/** The shortest lifetime of a bin, in ns. */
export function binStart(bin: number): number {
  return shortest * 10 ** (bin / 2);
}

export interface DeviceSeries {
  readonly live: PeakSeries;
  /** Mappings that were unmapped, by lifetimeBin. */
  readonly lifetimes: Float64Array;
  maps: number;
}

/** What the plots show, per device. */
export class TraceSeries {
  readonly devices = new Map<string, DeviceSeries>();
  readonly observer: TraceObserver;

  constructor() {
    this.observer = {
      opened: (mapping) => this.opened(mapping),
      closed: (mapping) => this.closed(mapping),
    };
  }

  private opened(mapping: Mapping): void {
    const series = this.of(mapping.device);
    series.maps += 1;
    series.live.change(mapping.mappedAt, 1);
  }

  private closed(mapping: Mapping): void {
    if (mapping.unmappedAt < 0) return;
    const series = this.of(mapping.device);
    series.live.change(mapping.unmappedAt, -1);
    const bin = lifetimeBin(mapping.unmappedAt - mapping.mappedAt);
    series.lifetimes[bin] = (series.lifetimes[bin] ?? 0) + 1;
  }

  private of(device: string): DeviceSeries {
    const known = this.devices.get(device);
    if (known !== undefined) return known;
    const made = {
      live: new PeakSeries(),
      lifetimes: new Float64Array(lifetimeBins),
      maps: 0,
    };
    this.devices.set(device, made);
    return made;
  }
}
