/** The state of the oracle's machine: plain data, and the helpers to change a copy of it. */
import type { Progress } from './history.js';
import type { Attr, How, Litmus } from './program.js';

export type Liberty = 'eviction' | 'reorder' | 'speculation';
export type Liberties = ReadonlySet<Liberty>;
export type Cause = 'H1' | 'H2' | 'H3' | 'H10';

/** What waits in the store buffer; a fence is the mark of a dmb. */
export type Entry =
  | {
      readonly kind: 'store';
      readonly attr: Attr;
      readonly word: number;
      readonly value: number;
      readonly release: boolean;
    }
  | { readonly kind: 'maintain'; readonly how: How; readonly line: number }
  | { readonly kind: 'bell' }
  | {
      readonly kind: 'fence';
      /** For devices all later stores wait, for CPUs (smp_*) only WB stores do. */
      readonly stores: 'all' | 'WB';
      readonly loads: boolean;
    };

/** A read satisfied before its turn; it is judged at its place. */
export interface Early {
  readonly agent: 'cpu' | 'device';
  readonly op: number;
  readonly value: number;
}

export interface State extends Progress {
  readonly early: readonly Early[];
  /** Loads of the CPU put off: their places are passed, their values not there (M8). */
  readonly late: readonly number[];
  /** The maintenance of the current helper is issued; its dsb waits. */
  readonly issued: boolean;
  /** Doorbells that arrived. */
  readonly rung: number;
  readonly dram: readonly number[];
  /** null: the word's line is not in the cache. */
  readonly copy: readonly (number | null)[];
  /** Written in the cache and not written back. */
  readonly dirty: readonly boolean[];
  readonly buffer: readonly Entry[];
  /** How the newest value of a word was destroyed. */
  readonly lost: readonly (Cause | null)[];
}

export interface Step {
  readonly to: State;
  /** A read that went wrong in this step. */
  readonly wrong?: { readonly cause: Cause; readonly agent: 'cpu' | 'device'; readonly op: number };
}

export function startOf({ lineOf }: Litmus): State {
  return {
    cpu: 0,
    run: 0,
    device: 0,
    reads: [],
    early: [],
    late: [],
    issued: false,
    rung: 0,
    dram: lineOf.map(() => 0),
    copy: lineOf.map(() => null),
    dirty: lineOf.map(() => false),
    buffer: [],
    lost: lineOf.map(() => null),
  };
}

export const words = ({ lineOf }: Litmus, line: number): readonly number[] =>
  lineOf.flatMap((each, word) => (each === line ? [word] : []));

export const set = <T>(list: readonly T[], index: number, value: T): readonly T[] =>
  list.map((each, i) => (i === index ? value : each));
