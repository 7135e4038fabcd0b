/**
 * The text that identifies a state. Equal records get equal small numbers, so that a key is short:
 * one number for each part of the state. A step leaves most parts as they were, the very same
 * objects, and those keep their number without being looked at; of a part that was replaced only
 * the fields that were are. Exact: two keys are equal only when all parts are.
 * Leaves out: how tuples of numbers are numbered (tuples.ts); hashing of keys, which the explorer's
 * map compares whole.
 */
import type { Word } from '../ideal/word.js';
import type { Frame, KernelState } from '../kernel/state.js';
import type { State, Thread, Unkeyed } from './state.js';
import { Tuples } from './tuples.js';

/** How records of one kind are read and compared: written out, so that their shape is known. */
export interface Kind<T> {
  /** One function for each field that a record may have. */
  readonly fields: readonly ((of: T) => unknown)[];
  /** Bit i is set where field i differs; there are at most 31 fields. */
  readonly differ: (a: T, b: T) => number;
  /** The bits of some fields. */
  readonly maskOf: (which: Readonly<Record<keyof T, boolean>>) => number;
}

function kindOf<T>(
  all: Readonly<Record<keyof T, (of: T) => unknown>>,
  differ: Kind<T>['differ'],
): Kind<T> {
  const names: readonly string[] = Object.keys(all);
  const maskOf = (which: Readonly<Record<string, boolean>>): number =>
    names.reduce((mask, name, i) => (which[name] ? mask | (1 << i) : mask), 0);
  return { fields: Object.values(all), differ, maskOf };
}

const KERNEL = kindOf<KernelState>(
  {
    posted: (of) => of.posted,
    iotlb: (of) => of.iotlb,
    ptes: (of) => of.ptes,
    contexts: (of) => of.contexts,
    iommusOff: (of) => of.iommusOff,
    deviceLines: (of) => of.deviceLines,
    notifiers: (of) => of.notifiers,
    invalidated: (of) => of.invalidated,
    invalidating: (of) => of.invalidating,
    pools: (of) => of.pools,
    pagePools: (of) => of.pagePools,
    gpuVas: (of) => of.gpuVas,
    lru: (of) => of.lru,
    carveOuts: (of) => of.carveOuts,
    fences: (of) => of.fences,
    masks: (of) => of.masks,
    buffers: (of) => of.buffers,
    maps: (of) => of.maps,
    sgts: (of) => of.sgts,
    mappings: (of) => of.mappings,
    iovas: (of) => of.iovas,
    files: (of) => of.files,
    attachments: (of) => of.attachments,
    locks: (of) => of.locks,
    handles: (of) => of.handles,
    domains: (of) => of.domains,
    ports: (of) => of.ports,
  },
  (a, b) =>
    (a.posted === b.posted ? 0 : 1 << 0) |
    (a.iotlb === b.iotlb ? 0 : 1 << 1) |
    (a.ptes === b.ptes ? 0 : 1 << 2) |
    (a.contexts === b.contexts ? 0 : 1 << 3) |
    (a.iommusOff === b.iommusOff ? 0 : 1 << 4) |
    (a.deviceLines === b.deviceLines ? 0 : 1 << 5) |
    (a.notifiers === b.notifiers ? 0 : 1 << 6) |
    (a.invalidated === b.invalidated ? 0 : 1 << 7) |
    (a.invalidating === b.invalidating ? 0 : 1 << 8) |
    (a.pools === b.pools ? 0 : 1 << 9) |
    (a.pagePools === b.pagePools ? 0 : 1 << 10) |
    (a.gpuVas === b.gpuVas ? 0 : 1 << 11) |
    (a.lru === b.lru ? 0 : 1 << 12) |
    (a.carveOuts === b.carveOuts ? 0 : 1 << 13) |
    (a.fences === b.fences ? 0 : 1 << 14) |
    (a.masks === b.masks ? 0 : 1 << 15) |
    (a.buffers === b.buffers ? 0 : 1 << 16) |
    (a.maps === b.maps ? 0 : 1 << 17) |
    (a.sgts === b.sgts ? 0 : 1 << 18) |
    (a.mappings === b.mappings ? 0 : 1 << 19) |
    (a.iovas === b.iovas ? 0 : 1 << 20) |
    (a.files === b.files ? 0 : 1 << 21) |
    (a.attachments === b.attachments ? 0 : 1 << 22) |
    (a.locks === b.locks ? 0 : 1 << 23) |
    (a.handles === b.handles ? 0 : 1 << 24) |
    (a.domains === b.domains ? 0 : 1 << 25) |
    (a.ports === b.ports ? 0 : 1 << 26),
);

const THREAD = kindOf<Thread>(
  {
    pc: (of) => of.pc,
    locals: (of) => of.locals,
    clock: (of) => of.clock,
    seen: (of) => of.seen,
    entries: (of) => of.entries,
    work: (of) => of.work,
    site: (of) => of.site,
    tickets: (of) => of.tickets,
    touched: (of) => of.touched,
    early: (of) => of.early,
    delayed: (of) => of.delayed,
    copied: (of) => of.copied,
  },
  (a, b) =>
    (a.pc === b.pc ? 0 : 1 << 0) |
    (a.locals === b.locals ? 0 : 1 << 1) |
    (a.clock === b.clock ? 0 : 1 << 2) |
    (a.seen === b.seen ? 0 : 1 << 3) |
    (a.entries === b.entries ? 0 : 1 << 4) |
    (a.work === b.work ? 0 : 1 << 5) |
    (a.site === b.site ? 0 : 1 << 6) |
    (a.tickets === b.tickets ? 0 : 1 << 7) |
    (a.touched === b.touched ? 0 : 1 << 8) |
    (a.early === b.early ? 0 : 1 << 9) |
    (a.delayed === b.delayed ? 0 : 1 << 10) |
    (a.copied === b.copied ? 0 : 1 << 11),
);

const WORD = kindOf<Word>(
  {
    writes: (of) => of.writes,
    lost: (of) => of.lost,
    refused: (of) => of.refused,
  },
  (a, b) =>
    (a.writes === b.writes ? 0 : 1 << 0) |
    (a.lost === b.lost ? 0 : 1 << 1) |
    (a.refused === b.refused ? 0 : 1 << 2),
);

/** An absent field counts as a value of its own. */
export const FRAME = kindOf<Frame>(
  {
    pfn: (of) => of.pfn,
    buffer: (of) => of.buffer,
    page: (of) => of.page,
    lines: (of) => of.lines,
    linear: (of) => of.linear,
    inTlb: (of) => of.inTlb,
    linearAs: (of) => of.linearAs,
    history: (of) => of.history,
    bar: (of) => of.bar,
    secure: (of) => of.secure,
    table: (of) => of.table,
    nomap: (of) => of.nomap,
    freed: (of) => of.freed,
  },
  (a, b) =>
    (a.pfn === b.pfn ? 0 : 1 << 0) |
    (a.buffer === b.buffer ? 0 : 1 << 1) |
    (a.page === b.page ? 0 : 1 << 2) |
    (a.lines === b.lines ? 0 : 1 << 3) |
    (a.linear === b.linear ? 0 : 1 << 4) |
    (a.inTlb === b.inTlb ? 0 : 1 << 5) |
    (a.linearAs === b.linearAs ? 0 : 1 << 6) |
    (a.history === b.history ? 0 : 1 << 7) |
    (a.bar === b.bar ? 0 : 1 << 8) |
    (a.secure === b.secure ? 0 : 1 << 9) |
    (a.table === b.table ? 0 : 1 << 10) |
    (a.nomap === b.nomap ? 0 : 1 << 11) |
    (a.freed === b.freed ? 0 : 1 << 12),
);

/** For a test: what `differ` compares is what `fields` reads. */
export const KINDS = { KERNEL, THREAD, WORD, FRAME };

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Two characters of 15 bits each: 2^30 different records. */
const DIGITS = 2;
const DIGIT_BITS = 15;

function toDigits(n: number): string {
  return String.fromCharCode(n & 0x7fff, n >> DIGIT_BITS);
}

/** Integers stand for themselves, as odd numbers; all else has even ones. */
const INT_END = 2 ** 30;

function isSmall(value: number): boolean {
  return Number.isInteger(value) && value < INT_END && value >= -INT_END;
}

/**
 * The first integer of a list's tuple; that of an object says which fields it has. Records of a
 * state have none: they may share a number with a list or an object, which never stands in their
 * place.
 */
const LIST = 0;

/** Fields as they come, by name: the same names in the same order are one shape. */
interface Shape {
  readonly number: number;
  /** Most go on in one way only. */
  name: string;
  only: Shape | null;
  more: Map<string, Shape> | null;
}

/** So many objects are remembered by identity; then all are looked at anew. */
const OBJECTS_MAX = 1 << 16;

export class KeyMaker {
  private readonly tuples = new Tuples();
  /** Texts, and what else is neither object nor small integer. */
  private readonly plain = new Map<unknown, number>();
  private readonly objects = new Map<object, number>();
  private shapes = LIST + 1;
  private readonly noFields = this.shape();

  private shape(): Shape {
    return { number: this.shapes++, name: '', only: null, more: null };
  }

  private value(value: unknown): number {
    if (typeof value === 'number' && isSmall(value)) return 2 * value + 1;
    if (typeof value === 'object' && value !== null) {
      return isList(value) ? this.list(value) : this.object(value);
    }
    let found = this.plain.get(value);
    if (found === undefined) {
      // Below what tuples have: one place may have a text in one state and an object in another.
      found = -2 * (this.plain.size + 1);
      this.plain.set(value, found);
    }
    return found;
  }

  private list(values: readonly unknown[]): number {
    const { tuples } = this;
    const at = tuples.open();
    tuples.push(LIST);
    for (let i = 0; i < values.length; i++) tuples.push(this.value(values[i]));
    return 2 * tuples.close(at);
  }

  /** Steps hand on most objects as they are: those that they make anew are gone through. */
  private object(value: object): number {
    let found = this.objects.get(value);
    if (found === undefined) {
      found = this.made(value);
      if (this.objects.size >= OBJECTS_MAX) this.objects.clear();
      this.objects.set(value, found);
    }
    return found;
  }

  private made(value: object): number {
    const { tuples } = this;
    const at = tuples.open();
    let shape = this.noFields;
    tuples.push(0);
    for (const name in value) {
      const field = (value as Readonly<Record<string, unknown>>)[name];
      // An absent field and one that is undefined are the same.
      if (field === undefined) continue;
      shape = this.longer(shape, name);
      tuples.push(this.value(field));
    }
    tuples.set(at, 0, shape.number);
    return 2 * tuples.close(at);
  }

  private longer(shape: Shape, name: string): Shape {
    if (shape.name === name && shape.only !== null) return shape.only;
    let found = shape.more?.get(name);
    if (found === undefined) {
      found = this.shape();
      if (shape.only === null) [shape.name, shape.only] = [name, found];
      else shape.more = (shape.more ?? new Map<string, Shape>()).set(name, found);
    }
    return found;
  }

  /** A record field by field; `known`: the old one's number. Fields not replaced are taken over. */
  private record<T>(record: T, old: T | undefined, known: number, kind: Kind<T>): number {
    const { tuples } = this;
    const { fields } = kind;
    if (old === undefined) {
      const at = tuples.open();
      for (let i = 0; i < fields.length; i++) tuples.push(this.value(fields[i]?.(record)));
      return tuples.close(at);
    }
    const at = tuples.openLike(known);
    for (let left = kind.differ(record, old); left !== 0; left &= left - 1) {
      const i = 31 - Math.clz32(left & -left);
      tuples.set(at, i, this.value(fields[i]?.(record)));
    }
    return tuples.close(at);
  }

  /** The number of a part of a state, by the state's key. */
  private numberAt(key: string, part: number): number {
    const at = DIGITS * part;
    return key.charCodeAt(at) | (key.charCodeAt(at + 1) << DIGIT_BITS);
  }

  /** The key of a state that came from another one, whose key is known. */
  key({ kernel, threads, words, frames }: Unkeyed, from?: State): string {
    const before = from?.key ?? '';
    this.text = '';
    this.done = 0;
    if (kernel !== from?.kernel) this.put(kernel, from?.kernel, KERNEL, before, 0);
    let part = 1;
    part = this.records(threads, from?.threads, THREAD, before, part);
    part = this.records(words, from?.words, WORD, before, part);
    // Frames come last: their number grows during a run, all else keeps its place in the key.
    part = this.records(frames, from?.frames, FRAME, before, part);
    const { text, done } = this;
    return done < part ? text + before.slice(DIGITS * done, DIGITS * part) : text;
  }

  /** The key under way, and how many parts of it are there or were taken over. */
  private text = '';
  private done = 0;

  private put<T>(now: T, old: T | undefined, kind: Kind<T>, before: string, part: number): void {
    if (this.done < part) this.text += before.slice(DIGITS * this.done, DIGITS * part);
    const known = old === undefined ? -1 : this.numberAt(before, part);
    this.text += toDigits(this.record(now, old, known, kind));
    this.done = part + 1;
  }

  /** Puts those that are not as they were; the number of the part behind them. */
  private records<T>(
    all: readonly T[],
    olds: readonly T[] | undefined,
    kind: Kind<T>,
    before: string,
    first: number,
  ): number {
    if (all === olds) return first + all.length;
    for (let i = 0; i < all.length; i++) {
      const [now, old] = [all[i], olds?.[i]];
      if (now !== old && now !== undefined) this.put(now, old, kind, before, first + i);
    }
    return first + all.length;
  }
}
