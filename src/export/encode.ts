/**
 * Components of a state as variables: a record's fields and some lists' elements become a variable
 * each, every other value is one of a numbered list. Exact: two values of a component are equal if
 * and only if all its variables are.
 * Leaves out: which components there are (scenario.ts, network.ts).
 */
import type { Data } from '../fast/track.js';

/** Lists whose elements are variables of their own. */
const SPLIT = ['locals', 'clock', 'entries', 'dram', 'copy'];
/**
 * Lists of values of memory: one numbering for all, so that a copy of one into another shows. The
 * same for the elements of a component that is a list.
 */
const MEMORY = ['dram', 'copy'];
/** Numbers up to this stand for themselves. */
const PLAIN_MAX = 254;
/** What a list's element beyond its end is, and a field of no record. */
export const NOTHING = '';

/** A leaf of a value: where it is, and its text. */
type Leaf = readonly [path: string, text: string];

function text(data: Data | undefined): string {
  return data === undefined ? NOTHING : JSON.stringify(data);
}

function leaves(data: Data): Leaf[] {
  if (Array.isArray(data)) return data.map((each, i): Leaf => [String(i), text(each)]);
  if (typeof data !== 'object' || data === null) return [['', text(data)]];
  return Object.entries(data).flatMap(([field, value]: [string, Data]): Leaf[] => {
    if (!SPLIT.includes(field) || !Array.isArray(value)) return [[field, text(value)]];
    return value.map((each: Data, i): Leaf => [`${field}.${i}`, text(each)]);
  });
}

/** Numbers for texts. */
class Domain {
  readonly texts: string[] = [];
  private readonly byText = new Map<string, number>();

  add(each: string): void {
    if (this.byText.has(each)) return;
    this.byText.set(each, this.texts.length);
    this.texts.push(each);
  }

  get plain(): boolean {
    return this.texts.every((each) => /^\d+$/.test(each) && Number(each) <= PLAIN_MAX);
  }

  /** Nothing is 0, then come numbers in their order, then all else as it was met. */
  settle(): void {
    const rank = (each: string): number => {
      if (each === NOTHING) return 0;
      return isNumber(each) ? 1 : 2;
    };
    const sorted = [...this.texts].sort(
      (a, b) => rank(a) - rank(b) || (rank(a) === 1 ? Number(a) - Number(b) : 0),
    );
    this.texts.splice(0, this.texts.length, ...sorted);
    for (const [i, each] of sorted.entries()) this.byText.set(each, i);
  }

  number(each: string): number {
    return this.plain ? Number(each) : (this.byText.get(each) ?? -1);
  }
}

function isNumber(text: string): boolean {
  return /^-?\d+$/.test(text);
}

export interface EncodedVariable {
  readonly component: number;
  readonly path: string;
  readonly size: number;
  /** Texts by value; empty where values stand for themselves. */
  readonly meaning: readonly string[];
}

export class Encoding {
  readonly variables: EncodedVariable[] = [];
  /** By component: its variables. */
  readonly of: readonly (readonly number[])[];
  /** By component and local id: the values of its variables, in their order. */
  private readonly rows: readonly (readonly (readonly number[])[])[];
  /** By variable: which numbering it uses. */
  private readonly domainOf: Domain[] = [];

  /**
   * `values`: by component, every value it may have.
   * `whole`: whether a component stays in one piece; `keep`: whether its variables are there even
   * where they never change.
   */
  constructor(
    values: readonly (readonly Data[])[],
    whole: (component: number) => boolean,
    keep: (component: number) => boolean,
  ) {
    const memory = new Domain();
    const of: number[][] = [];
    const shapes = values.map((list, component) => {
      const split = list.map((data): readonly Leaf[] =>
        whole(component) ? [['', text(data)]] : leaves(data),
      );
      return { maps: split.map((each) => new Map(each)), paths: pathsOf(split) };
    });
    const domains = shapes.map(({ maps, paths }) => {
      const entries = new Domain();
      return paths.map((path) => {
        const [field = ''] = path.split('.');
        let domain = field === 'entries' ? entries : new Domain();
        if (MEMORY.includes(field) || isNumber(field)) domain = memory;
        for (const map of maps) domain.add(map.get(path) ?? NOTHING);
        return domain;
      });
    });
    for (const domain of new Set(domains.flat())) domain.settle();
    shapes.forEach(({ maps, paths }, component) => {
      of.push([]);
      paths.forEach((path, i) => {
        const domain = domains[component]?.[i] ?? memory;
        const used = new Set(maps.map((map) => map.get(path) ?? NOTHING));
        // A value that is no record differs from records in their fields.
        if ((used.size < 2 && !keep(component)) || (path === '' && paths.length > 1)) return;
        const size = 1 + Math.max(...[...used].map((each) => domain.number(each)));
        of[component]?.push(this.variables.length);
        this.domainOf.push(domain);
        const meaning = domain.plain ? [] : domain.texts.slice(0, size);
        this.variables.push({ component, path, size, meaning });
      });
    });
    this.of = of;
    this.rows = shapes.map(({ maps }, component) =>
      maps.map((map) =>
        (of[component] ?? []).map((v) => {
          const path = this.variables[v]?.path ?? '';
          return this.domainOf[v]?.number(map.get(path) ?? NOTHING) ?? -1;
        }),
      ),
    );
  }

  /** How many values a component has. */
  count(component: number): number {
    return this.rows[component]?.length ?? 0;
  }

  /** The value of a variable when its component has a local id. */
  value(variable: number, id: number): number {
    const component = this.variables[variable]?.component ?? -1;
    const at = this.of[component]?.indexOf(variable) ?? -1;
    const found = this.rows[component]?.[id]?.[at];
    if (found === undefined) throw new Error(`no value ${id} of variable ${variable}`);
    return found;
  }

  /** Equal numbers mean equal values. */
  sameDomain(a: number, b: number): boolean {
    return this.domainOf[a] === this.domainOf[b] || (this.isPlain(a) && this.isPlain(b));
  }

  private isPlain(variable: number): boolean {
    return this.variables[variable]?.meaning.length === 0;
  }

  /** The variable at a path of a component; -1 where there is none. */
  at(component: number, path: string): number {
    const mine = this.of[component] ?? [];
    return mine.find((v) => this.variables[v]?.path === path) ?? -1;
  }

  /** The number of a text for a variable; -1 where it never has it. */
  numberOf(variable: number, wanted: string): number {
    const domain = this.domainOf[variable];
    return domain?.texts.includes(wanted) ? domain.number(wanted) : -1;
  }
}

/** Every path in any of the values, in the order of first sight but elements in their own. */
function pathsOf(values: readonly (readonly Leaf[])[]): readonly string[] {
  const paths = [...new Set(values.flatMap((leaf) => leaf.map(([path]) => path)))];
  const field = (path: string): string => path.split('.')[0] ?? '';
  const fields = [...new Set(paths.map(field))];
  const index = (path: string): number => Number(path.split('.')[1] ?? 0);
  return paths.sort(
    (a, b) => fields.indexOf(field(a)) - fields.indexOf(field(b)) || index(a) - index(b),
  );
}
