/**
 * Watches what a function reads of a record. The function gets the record behind proxies and works
 * as ever; every read of a plain value is noted as a unit: which part of which component was
 * looked at. Copying a reference to a nested record reads nothing of it. What a function returns is
 * a function of the units it read, which is what makes a table of it exact.
 * Leaves out: identity of records. Two parts that happen to be one object in the original are two
 * here, so a watched function must not tell equal records apart by identity.
 */

/** Plain data, as JSON has it. */
export type Data =
  | string
  | number
  | boolean
  | null
  | readonly Data[]
  | { readonly [key: string]: Data };

/** The reads of one call: per component, the units looked at. */
export class Tracker {
  readonly reads = new Map<number, Set<string>>();
  /** Off while results are looked at that are nobody's business. */
  watching = true;

  note(component: number, unit: string): void {
    if (!this.watching) return;
    let units = this.reads.get(component);
    if (units === undefined) {
      units = new Set();
      this.reads.set(component, units);
    }
    units.add(unit);
  }

  /** What a component's part looks like from inside: itself when plain, else a watching proxy. */
  view(component: number, path: readonly string[], data: Data): unknown {
    if (typeof data === 'object' && data !== null) return this.proxy(component, path, data);
    this.note(component, unitOf(path));
    return data;
  }

  private readonly proxies = new Map<object, object>();

  private proxy(component: number, path: readonly string[], data: object): object {
    const known = this.proxies.get(data);
    if (known !== undefined) return known;
    const made = new Proxy(data, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof key === 'symbol' || typeof value === 'function' || key === 'toJSON')
          return value;
        if (!isData(value)) {
          this.note(component, unitOf([...path, key]));
          return value;
        }
        return this.view(component, [...path, key], value);
      },
      has: (target, key) => {
        this.note(component, unitOf(path));
        return Reflect.has(target, key);
      },
      ownKeys: (target) => {
        this.note(component, unitOf(path));
        return Reflect.ownKeys(target);
      },
      set: () => {
        throw new Error('a state was changed in place');
      },
    });
    this.proxies.set(data, made);
    return made;
  }
}

function isData(value: unknown): value is Data {
  return value !== undefined;
}

/**
 * The unit that a path lies in: its first key, two keys for `seen` (a record by cell) and for
 * lengths, which are asked for often and tell little.
 */
export function unitOf(path: readonly string[]): string {
  const [first = '', second] = path;
  if (path.length === 2 && second === 'length') return `${first}.length`;
  return first === 'seen' && second !== undefined ? `seen.${second}` : first;
}

/** The text of a unit's value; equal texts mean equal values. '' is the whole record. */
export function unitText(data: Data | undefined, unit: string): string {
  let at: unknown = data;
  for (const key of unit === '' ? [] : unit.split('.')) {
    at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  }
  return JSON.stringify(at) ?? 'undefined';
}

/** More units than this of one component are read as the whole component. */
const UNITS_MAX = 4;

/** Units in order, without those that another one includes; '' alone when there are many. */
export function covering(units: ReadonlySet<string>): readonly string[] {
  if (units.has('')) return [''];
  const kept = [...units].filter((unit) => {
    const dot = unit.indexOf('.');
    return dot < 0 || !units.has(unit.slice(0, dot));
  });
  return kept.length > UNITS_MAX ? [''] : kept.sort();
}
