/**
 * What threads that fill tables together write down (sharing.ts), as plain data. A finding loses
 * its explanation on the way: reports are made by the reference engine.
 */
import type { RawFinding } from '../kernel/context.js';
import { type LineAccess, Touched } from '../kernel/touched.js';
import { cacheRules } from '../machine/cache-rules.js';
import type { Group } from '../system/system.js';
import type { Place } from './store.js';
import type { Leaf, TabledStep } from './tree.js';

type StepData = Omit<TabledStep, 'findings' | 'row'> & {
  readonly findings: readonly Omit<RawFinding, 'detail'>[];
  /** Place in the cache table; -1: what a thread did. */
  readonly row: number;
};

interface TouchedData {
  readonly lines: readonly number[];
  readonly frames: readonly number[];
  readonly stores: readonly number[];
  readonly mappings: boolean;
  readonly iotlb: boolean;
  readonly accesses: readonly (readonly [number, readonly (readonly [string, LineAccess])[]])[];
}

/** An answer of the reference engine, and the state it was asked for. */
export interface LeafData {
  /** '': whether everything has run to its end. */
  readonly group: string;
  readonly ids: readonly number[];
  readonly looks: readonly (readonly [component: number, units: readonly string[]])[];
  readonly steps: readonly StepData[];
  readonly touched: TouchedData | null;
  readonly facts: string;
}

/** A finding that a thread met first, as far as it knows. */
export interface FoundData {
  readonly name: string;
  readonly finding: Omit<RawFinding, 'detail'>;
  readonly state: number;
  readonly action: number;
}

export type Entry =
  | readonly ['part', string]
  | readonly ['value', number, string]
  | readonly ['group', Group]
  | readonly ['leaf', LeafData]
  /** Where in a state each component stands from now on. */
  | readonly ['places', readonly Place[]]
  | readonly ['found', FoundData]
  /** What states took up that the reference engine had recorded. */
  | readonly ['heard', readonly (readonly [state: number, facts: string])[]];

export function groupKey({ kind, agent, at }: Group): string {
  return `${kind} ${agent} ${at}`;
}

/** A finding without its explanation. */
export function findingData({ id, cause, agent, site, cell }: RawFinding): FoundData['finding'] {
  return { id, cause, agent, site, cell };
}

export function findingOf(data: FoundData['finding']): RawFinding {
  return {
    ...data,
    detail: () => {
      throw new Error('only the reference engine explains a finding');
    },
  };
}

export function dataOf(
  { steps, touched, facts }: Leaf,
  { group, ids, looks }: Pick<LeafData, 'group' | 'ids' | 'looks'>,
): LeafData {
  return {
    group,
    ids,
    looks,
    steps: steps.map(({ findings, row, ...step }) => ({
      ...step,
      findings: findings.map(findingData),
      row: row === null ? -1 : cacheRules.indexOf(row),
    })),
    touched: touched && {
      lines: [...touched.lines],
      frames: [...touched.frames],
      stores: [...touched.stores],
      mappings: touched.mappings,
      iotlb: touched.iotlb,
      accesses: [...touched.accesses].map(([line, each]) => [line, [...each]] as const),
    },
    facts,
  };
}

export function leafOf({ steps, touched, facts }: LeafData): Leaf {
  return {
    look: null,
    next: null,
    steps: steps.map(({ findings, row, ...step }) => ({
      ...step,
      findings: findings.map(findingOf),
      row: cacheRules[row] ?? null,
    })),
    touched: touched && touchedOf(touched),
    facts,
  };
}

function touchedOf(data: TouchedData): Touched {
  const touched = new Touched();
  // Sets of its own: empty ones may be shared by all.
  touched.lines = new Set(data.lines);
  touched.frames = new Set(data.frames);
  touched.stores = new Set(data.stores);
  touched.mappings = data.mappings;
  touched.iotlb = data.iotlb;
  touched.accesses = new Map(data.accesses.map(([line, each]) => [line, new Map(each)]));
  return touched;
}
