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
        const index = Array.isArray(target) && typeof key === 'string' && /^\d+$/.test(key);
        this.note(component, unitOf([...path, index ? 'length' : `${String(key)}?`]));
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
 * The unit that a path lies in: its first key; the whole path in store buffers and in `seen`, of
 * which most steps want to know a little; lengths, which are asked for often and tell little.
 */
export function unitOf(path: readonly string[]): string {
  const [first = '', second] = path;
  if (path.length === 2 && second === 'length') return `${first}.length`;
  if (first === 'seen' && second !== undefined) return `seen.${second}`;
  return first === 'entries' ? path.join('.') : first;
}

/**
 * The text of a unit's value; equal texts mean equal values. '' is the whole record, `key?` says
 * whether there is such a key.
 */
export function unitText(data: Data | undefined, unit: string): string {
  let at: unknown = data;
  for (const key of unit === '' ? [] : unit.split('.')) {
    if (typeof at !== 'object' || at === null) return 'undefined';
    at = key.endsWith('?') ? Reflect.has(at, key.slice(0, -1)) : Reflect.get(at, key);
  }
  return JSON.stringify(at) ?? 'undefined';
}

/** More units than this of one component are read as the whole component. */
const UNITS_FEW = 4;
/** The same for store buffers. */
const UNITS_MAX = 48;

/** Units in order, without those that another one includes; '' alone when there are many. */
export function covering(units: ReadonlySet<string>): readonly string[] {
  if (units.has('')) return [''];
  const kept = [...units].filter((unit) => {
    for (let dot = unit.indexOf('.'); dot >= 0; dot = unit.indexOf('.', dot + 1)) {
      if (units.has(unit.slice(0, dot))) return false;
    }
    return true;
  });
  const most = kept.some((unit) => unit.startsWith('entries')) ? UNITS_MAX : UNITS_FEW;
  return kept.length > most ? [''] : kept.sort();
}
