/**
 * What the calls of a scenario have shown about ranges so far: spans, cuts, and words that only
 * ranges name. Leaves out what a layout makes of it.
 */
import { Places } from './places.js';
import type { Span } from './ranges.js';

/** What is known of ranges; layouts of one scenario share it. */
export class KnownRanges {
  readonly spans = new Map<number, readonly Span[]>();
  readonly cuts = new Map<number, Set<number>>();
  /** Those of the cuts that are not from maintenance alone. */
  readonly mapped = new Map<number, Set<number>>();
  /** The words that only ranges name. */
  readonly spread = new Places<true>();
  private count = 0;

  span(buffer: number, from: number, to: number): void {
    const spans = this.spans.get(buffer) ?? [];
    if (spans.some((each) => each.from === from && each.to === to)) return;
    this.spans.set(buffer, [...spans, { from, to }]);
    this.count++;
  }

  /** False when it was known. */
  cut(buffer: number, byte: number): boolean {
    const cuts = this.cuts.get(buffer) ?? new Set<number>();
    if (cuts.has(byte)) return false;
    this.cuts.set(buffer, cuts.add(byte));
    this.count++;
    return true;
  }

  /** Goes up with all that is learned. */
  get changes(): number {
    return this.count + this.spread.changes;
  }
}
