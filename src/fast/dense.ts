/**
 * A number of its own for every state that the closure allows: per control point a mixed-radix
 * number over the values each component may have there. A bit for each number makes an exact
 * visited set of a few bits a state, small enough for the processor's caches, when the closure
 * allows not many more states than there are.
 * Leaves out: whether that is worth it (search.ts decides by the size).
 */
import type { Field } from './pack.js';
import type { Closure, ControlPoint } from './tabulate.js';

export class DenseIndex {
  /** Words of 32 bits for all points; Infinity when a point has too many states to number. */
  readonly words: number;
  /** Per point, its first word. */
  readonly base: Int32Array;
  /** Per point and field: where the field's numbers begin in `offsets`. */
  readonly place: Int32Array;
  /** By a field's value: its share of the number; 0 too for values it does not have here. */
  readonly offsets: Int32Array;
  /** Per point, how many numbers there are. */
  readonly sizes: readonly number[];
  private readonly rowOf = new Map<number, number>();

  constructor(
    closure: Closure,
    readonly fields: readonly Field[],
  ) {
    const { points } = closure;
    fields.forEach((field, i) => void this.rowOf.set(field.component, i));
    this.base = new Int32Array(points.length);
    this.place = new Int32Array(points.length * fields.length);
    const offsets: number[] = [];
    const sizes: number[] = [];
    let words = 0;
    for (const point of points) {
      let stride = 1;
      fields.forEach((field, f) => {
        this.place[point.index * fields.length + f] = offsets.length;
        if (field.component < 0) return;
        const row = new Array<number>(field.size).fill(0);
        const ids = [...(point.sets[field.component] ?? [])].sort((a, b) => a - b);
        ids.forEach((id, rank) => {
          const value = field.rank.get(id);
          if (value !== undefined) row[value] = rank * stride;
        });
        offsets.push(...row);
        stride *= ids.length;
      });
      this.base[point.index] = words;
      sizes.push(stride);
      words += stride > 2 ** 31 - 1 ? Infinity : Math.ceil(stride / 32);
      if (words > 2 ** 30) words = Infinity;
    }
    this.words = words;
    this.sizes = sizes;
    this.offsets = Int32Array.from(offsets);
  }

  /** What a component's local id adds to the number of a state at this point. */
  offset(point: ControlPoint, component: number, id: number): number {
    const row = this.rowOf.get(component) ?? 0;
    const value = this.fields[row]?.rank.get(id) ?? 0;
    return this.offsets[(this.place[point.index * this.fields.length + row] ?? 0) + value] ?? 0;
  }
}
