/** Lists of numbers, filled again for every event. Leaves out where the numbers come from. */
import type { NumberList } from '../events.js';

/** A growing list, used again for every event. */
export class NumberBuffer implements NumberList {
  values = new Float64Array(1 << 10);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) this.reserve(this.length * 2);
    this.values[this.length++] = value;
  }

  /** Makes room for `count` values. */
  reserve(count: number): void {
    if (count <= this.values.length) return;
    const grown = new Float64Array(count);
    grown.set(this.values);
    this.values = grown;
  }
}
