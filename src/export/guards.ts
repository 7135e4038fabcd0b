/**
 * From a set of values of a component to a condition on its variables, as short as a greedy search
 * finds it: the condition holds for exactly these among all values the component may have.
 */
import type { Encoding } from './encode.js';
import { and, type Cond, or } from './model.js';

/** Per tested variable, the values allowed. */
type Box = ReadonlyMap<number, ReadonlySet<number>>;

export class Guards {
  private readonly known = new Map<string, Cond>();

  constructor(private readonly encoding: Encoding) {}

  /** `component` has one of these values. */
  among(component: number, ids: ReadonlySet<number>): Cond {
    const key = `${component}:${[...ids].sort((a, b) => a - b).join()}`;
    let found = this.known.get(key);
    if (found === undefined) {
      found = this.made(component, ids);
      this.known.set(key, found);
    }
    return found;
  }

  private made(component: number, ids: ReadonlySet<number>): Cond {
    const boxes: Box[] = [];
    const whole = this.boxOf(component, ids);
    if (this.fits(component, whole, ids)) boxes.push(this.reduced(component, whole, ids));
    else {
      const open = new Set(ids);
      for (const id of ids) {
        if (!open.has(id)) continue;
        const box = this.reduced(component, this.boxOf(component, new Set([id])), ids);
        boxes.push(box);
        for (const each of ids) if (this.holds(box, each)) open.delete(each);
      }
    }
    return or(boxes.map((box) => this.condOf(box)));
  }

  private boxOf(component: number, ids: ReadonlySet<number>): Box {
    const variables = this.encoding.of[component] ?? [];
    return new Map(
      variables.map((v) => [v, new Set([...ids].map((id) => this.encoding.value(v, id)))]),
    );
  }

  private holds(box: Box, id: number): boolean {
    return [...box].every(([v, values]) => values.has(this.encoding.value(v, id)));
  }

  /** No other value of the component is in the box. */
  private fits(component: number, box: Box, ids: ReadonlySet<number>): boolean {
    for (let id = 0; id < this.encoding.count(component); id++) {
      if (!ids.has(id) && this.holds(box, id)) return false;
    }
    return true;
  }

  /** Without the tests that are not needed, last ones first. */
  private reduced(component: number, box: Box, ids: ReadonlySet<number>): Box {
    let now = new Map(box);
    for (const variable of [...box.keys()].reverse()) {
      const less = new Map(now);
      less.delete(variable);
      if (this.fits(component, less, ids)) now = less;
    }
    return now;
  }

  private condOf(box: Box): Cond {
    return and(
      [...box].map(
        ([variable, values]): Cond => ({
          kind: 'in',
          variable,
          values: [...values].sort((a, b) => a - b),
        }),
      ),
    );
  }
}
