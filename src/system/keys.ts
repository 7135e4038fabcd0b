/**
 * The text that identifies a state. Equal records get equal small numbers, so that a key is short:
 * one number for each part of the state. A step leaves most parts as they were, the very same
 * objects, and those keep their number without being looked at; of a part that was replaced only
 * the fields that were are. Exact: two keys are equal only when all parts are.
 * Leaves out: hashing; the explorer's map compares whole keys.
 */
import type { Word } from '../ideal/word.js';
import type { Frame, KernelState } from '../kernel/state.js';
import type { State, Thread, Unkeyed } from './state.js';

type Fields<T> = readonly ((of: T) => unknown)[];

/** One function for each field that a record may have: read so, a record's shape is known. */
function fieldsOf<T>(all: Readonly<Record<keyof T, (of: T) => unknown>>): Fields<T> {
  return Object.values(all);
}

const KERNEL = fieldsOf<KernelState>({
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
});

const THREAD = fieldsOf<Thread>({
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
});

const WORD = fieldsOf<Word>({
  writes: (of) => of.writes,
  lost: (of) => of.lost,
  refused: (of) => of.refused,
});

/** An absent field counts as a value of its own. */
const FRAME = fieldsOf<Frame>({
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
});

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The digits of a list, and the lists that go on behind its end, by their next value. */
interface List {
  readonly digits: string;
  readonly longer: Map<string, List>;
}

/** Characters of a number in a key. */
const DIGITS = 2;
const DIGIT_BITS = 15;

/** Two characters of 15 bits each: 2^30 different records. */
function toDigits(n: number): string {
  return String.fromCharCode(n & 0x7fff, n >> DIGIT_BITS);
}

/** So many objects are remembered by identity; then all are looked at anew. */
const OBJECTS_MAX = 1 << 16;

export class KeyMaker {
  private readonly byText = new Map<string, string>();
  /** Numbers, texts, and what else is no object. */
  private readonly plain = new Map<unknown, string>();
  private count = 0;
  /** By the number of a record: the numbers of its fields, one after the other. */
  private readonly fields: (string | undefined)[] = [];
  private readonly lists: List = { digits: toDigits(this.count++), longer: new Map() };
  private readonly objects = new Map<object, string>();

  /** The digits of a text. Texts of different sorts never stand at one place of a key. */
  private number(text: string): string {
    let found = this.byText.get(text);
    if (found === undefined) {
      found = toDigits(this.count++);
      this.byText.set(text, found);
    }
    return found;
  }

  private value(value: unknown): string {
    if (typeof value === 'object' && value !== null) {
      return isList(value) ? this.list(value) : this.object(value);
    }
    let found = this.plain.get(value);
    if (found === undefined) {
      found = toDigits(this.count++);
      this.plain.set(value, found);
    }
    return found;
  }

  /** Lists with the same beginning go the same way through a tree. */
  private list(values: readonly unknown[]): string {
    let at = this.lists;
    for (let i = 0; i < values.length; i++) {
      const digits = this.value(values[i]);
      let next = at.longer.get(digits);
      if (next === undefined) {
        next = { digits: toDigits(this.count++), longer: new Map() };
        at.longer.set(digits, next);
      }
      at = next;
    }
    return at.digits;
  }

  /** Steps hand on most objects as they are: those that they make anew are gone through. */
  private object(value: object): string {
    let found = this.objects.get(value);
    if (found === undefined) {
      let text = '';
      for (const key in value) {
        const field = (value as Readonly<Record<string, unknown>>)[key];
        if (field !== undefined) text += this.value(key) + this.value(field);
      }
      found = this.number(text);
      if (this.objects.size >= OBJECTS_MAX) this.objects.clear();
      this.objects.set(value, found);
    }
    return found;
  }

  /** A record field by field; `known`: the old one's numbers, most of which are taken over. */
  private record<T>(record: T, old: T | undefined, known: string | undefined, all: Fields<T>) {
    let text = '';
    // Digits taken over from the old record so far.
    let done = 0;
    for (let i = 0; i < all.length; i++) {
      const field = all[i];
      if (field === undefined) continue;
      const value = field(record);
      if (known !== undefined && old !== undefined) {
        if (value === field(old)) continue;
        if (done < DIGITS * i) text += known.slice(done, DIGITS * i);
        done = DIGITS * (i + 1);
      }
      text += this.value(value);
    }
    if (known !== undefined && done < known.length) text += known.slice(done);
    const digits = this.number(text);
    this.fields[digits.charCodeAt(0) | (digits.charCodeAt(1) << DIGIT_BITS)] = text;
    return digits;
  }

  /** The numbers of the fields of a part of a state, by the state's key. */
  private fieldsAt(key: string, part: number): string | undefined {
    const at = DIGITS * part;
    return this.fields[key.charCodeAt(at) | (key.charCodeAt(at + 1) << DIGIT_BITS)];
  }

  /** The key of a state that came from another one, whose key is known. */
  key({ kernel, threads, words, frames }: Unkeyed, from?: State): string {
    const before = from?.key ?? '';
    let key = '';
    // Parts taken over from the old key so far.
    let done = 0;
    let part = 0;
    const put = (digits: string): void => {
      if (done < part) key += before.slice(DIGITS * done, DIGITS * part);
      key += digits;
      done = part + 1;
    };
    const known = (old: object | undefined): string | undefined =>
      old === undefined ? undefined : this.fieldsAt(before, part);
    if (kernel !== from?.kernel) put(this.record(kernel, from?.kernel, known(from), KERNEL));
    part++;
    for (let i = 0; i < threads.length; i++, part++) {
      const [thread, old] = [threads[i], from?.threads[i]];
      if (thread === old || thread === undefined) continue;
      put(this.record(thread, old, known(old), THREAD));
    }
    for (let i = 0; i < words.length; i++, part++) {
      const [word, old] = [words[i], from?.words[i]];
      if (word === old || word === undefined) continue;
      put(this.record(word, old, known(old), WORD));
    }
    // Frames come last: their number grows during a run, all else keeps its place in the key.
    for (let i = 0; i < frames.length; i++, part++) {
      const [frame, old] = [frames[i], from?.frames[i]];
      if (frame === old || frame === undefined) continue;
      put(this.record(frame, old, known(old), FRAME));
    }
    return done < part ? key + before.slice(DIGITS * done, DIGITS * part) : key;
  }
}
