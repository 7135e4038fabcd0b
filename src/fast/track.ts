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

  /**
   * What a component looks like from inside, or one of its fields when `field` is given: itself
   * when plain, else a watching proxy.
   */
  view(component: number, field: string, data: Data): unknown {
    if (typeof data === 'object' && data !== null) {
      return this.proxy(component, field, field === '' ? 0 : 1, data);
    }
    this.note(component, field);
    return data;
  }

  private readonly proxies = new Map<object, object>();

  private proxy(component: number, unit: string, depth: number, data: object): object {
    const known = this.proxies.get(data);
    if (known !== undefined) return known;
    const made = new Proxy(data, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof key === 'symbol' || typeof value === 'function' || key === 'toJSON')
          return value;
        const inner = unitWithin(unit, depth, key);
        if (typeof value === 'object' && value !== null) {
          return this.proxy(component, inner, depth + 1, value);
        }
        this.note(component, inner);
        return value;
      },
      has: (target, key) => {
        const index = Array.isArray(target) && typeof key === 'string' && /^\d+$/.test(key);
        this.note(component, unitWithin(unit, depth, index ? 'length' : `${String(key)}?`));
        return Reflect.has(target, key);
      },
      ownKeys: (target) => {
        this.note(component, unit);
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

/**
 * The unit of a key of a record that lies in a unit, so many keys deep. A unit is a first key; the
 * whole path in store buffers and in `seen`, of which most steps want to know a little; and
 * lengths, which are asked for often and tell little.
 */
export function unitWithin(unit: string, depth: number, key: string): string {
  if (depth === 0) return key;
  if (depth === 1 && (key === 'length' || unit === 'seen')) return joined(unit, key);
  return unit.startsWith('entries') ? joined(unit, key) : unit;
}

/** The same string object each time: one that was just put together is slow to look up. */
const joins = new Map<string, Map<string, string>>();

function joined(unit: string, key: string): string {
  let keys = joins.get(unit);
  if (keys === undefined) {
    keys = new Map();
    joins.set(unit, keys);
  }
  let found = keys.get(key);
  if (found === undefined) {
    found = `${unit}.${key}`;
    keys.set(key, found);
  }
  return found;
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
