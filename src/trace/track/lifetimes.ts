/**
 * Lifetimes of mappings as a histogram with one bin for each power of two of nanoseconds: constant
 * memory however long the trace, and a median good to a factor of two.
 */
import { double } from '../double.js';

const bins = 64;

export class LifetimeHistogram {
  private readonly counts = new Float64Array(bins);
  private total = 0;
  private sum = double;
  private longest = double;

  add(nanoseconds: number): void {
    const time = Math.max(nanoseconds, 1);
    const high = time >= 0x1_0000_0000 ? 64 - Math.clz32(time / 0x1_0000_0000) : 0;
    const bin = high > 0 ? high - 1 : 31 - Math.clz32(time);
    this.counts[Math.min(bin, bins - 1)]! += 1;
    this.total += 1;
    this.sum += nanoseconds;
    if (nanoseconds > this.longest) this.longest = nanoseconds;
  }

  merge(other: LifetimeHistogram): void {
    for (let i = 0; i < bins; i += 1) this.counts[i]! += other.counts[i]!;
    this.total += other.total;
    this.sum += other.sum;
    this.longest = Math.max(this.longest, other.longest);
  }

  get mean(): number | null {
    return this.total === 0 ? null : this.sum / this.total;
  }

  get max(): number | null {
    return this.total === 0 ? null : this.longest;
  }

  /** The geometric middle of the bin that holds the median. */
  get median(): number | null {
    if (this.total === 0) return null;
    let seen = 0;
    for (let bin = 0; bin < bins; bin += 1) {
      seen += this.counts[bin]!;
      if (seen * 2 >= this.total) return Math.min(2 ** bin * Math.SQRT2, this.longest);
    }
    return this.longest;
  }
}
