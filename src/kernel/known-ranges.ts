/**
 * What the calls of a scenario have shown about ranges so far: spans, cuts, and words that only
 * ranges name. Leaves out what a layout makes of it.
 */
import type { Span } from './ranges.js';

/** What is known of ranges; layouts of one scenario share it. */
export class KnownRanges {
  readonly spans = new Map<number, readonly Span[]>();
  readonly cuts = new Map<number, Set<number>>();
  /** Those of the cuts that are not from maintenance alone. */
  readonly mapped = new Map<number, Set<number>>();
  /** `buffer:byte` of the words that only ranges name. */
  readonly spread = new Set<string>();

  version(buffer: number): string {
    const spans = this.spans.get(buffer)?.length ?? 0;
    return `${spans} ${this.cuts.get(buffer)?.size ?? 0} ${this.spread.size}`;
  }
}
