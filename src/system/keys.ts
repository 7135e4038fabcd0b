/**
 * The text that identifies a state. Equal records get equal small numbers, so that a key is short:
 * one number for each part of the state. A step leaves most parts as they were, the very same
 * objects, and those keep their number without being looked at; of a part that was replaced only
 * the fields that were are. Exact: two keys are equal only when all parts are.
 * Leaves out: hashing; the explorer's map compares whole keys.
 */
import type { Word } from '../ideal/word.js';
import type { Frame } from '../kernel/state.js';
import type { State, Unkeyed } from './state.js';

type Fields = Readonly<Record<string, unknown>>;

/** Every field that a frame may have; an absent one counts as a value of its own. */
const FRAME_FIELDS: readonly string[] = Object.keys({
  pfn: 0,
  buffer: 0,
  page: 0,
  lines: 0,
  linear: 0,
  inTlb: 0,
  linearAs: 0,
  history: 0,
  bar: 0,
  secure: 0,
  table: 0,
  nomap: 0,
  freed: 0,
} satisfies Record<keyof Frame, 0>);

const WORD_FIELDS: readonly string[] = Object.keys({
  writes: 0,
  lost: 0,
  refused: 0,
} satisfies Record<keyof Word, 0>);

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

/** Two characters of 15 bits each: 2^30 different records. */
function toDigits(n: number): string {
  return String.fromCharCode(n & 0x7fff, n >> 15);
}

function at(record: object, field: string): unknown {
  return (record as Fields)[field];
}

export class KeyMaker {
  private readonly byText = new Map<string, string>();
  private readonly byNumber = new Map<number, string>();
  private count = 0;
  /** Of a record that was numbered: the numbers of its fields, one after the other. */
  private readonly parts = new WeakMap<object, string>();
  private readonly lists: List = { digits: toDigits(this.count++), longer: new Map() };
  private readonly objects = new WeakMap<object, string>();
  private readonly kernelFields: readonly string[];
  private readonly threadFields: readonly string[];

  /** Any state of the system: its threads and books have the fields that all others have. */
  constructor(like: Unkeyed) {
    this.kernelFields = Object.keys(like.kernel);
    this.threadFields = Object.keys(like.threads[0] ?? {});
  }

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
    if (typeof value === 'number') {
      let found = this.byNumber.get(value);
      if (found === undefined) {
        found = toDigits(this.count++);
        this.byNumber.set(value, found);
      }
      return found;
    }
    return isList(value) ? this.list(value) : this.object(value);
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

  /** Steps hand on most objects as they are: of those that they make anew the text is made. */
  private object(value: unknown): string {
    if (typeof value !== 'object' || value === null) {
      return this.number(JSON.stringify(value) ?? '');
    }
    let found = this.objects.get(value);
    if (found === undefined) {
      found = this.number(JSON.stringify(value));
      this.objects.set(value, found);
    }
    return found;
  }

  /** A record field by field; most are taken over from an old one. */
  private record(record: object, old: object | undefined, fields: readonly string[]): string {
    const known = old === undefined ? undefined : this.parts.get(old);
    let digits = '';
    // Digits taken over from the old record so far.
    let done = 0;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] ?? '';
      const value = at(record, field);
      if (old !== undefined && known !== undefined) {
        if (value === at(old, field)) continue;
        digits += known.slice(done, DIGITS * i);
        done = DIGITS * (i + 1);
      }
      digits += this.value(value);
    }
    if (known !== undefined) digits += known.slice(done);
    this.parts.set(record, digits);
    return this.number(digits);
  }

  /** The key of a state that came from another one, whose key is known. */
  key(state: Unkeyed, from?: State): string {
    const { kernel, threads, words, frames } = state;
    let key = from?.key ?? '';
    if (kernel !== from?.kernel) {
      key = put(key, 0, this.record(kernel, from?.kernel, this.kernelFields));
    }
    let part = 1;
    for (let i = 0; i < threads.length; i++, part++) {
      const [thread, old] = [threads[i], from?.threads[i]];
      if (thread === old || thread === undefined) continue;
      key = put(key, part, this.record(thread, old, this.threadFields));
    }
    for (let i = 0; i < words.length; i++, part++) {
      const [word, old] = [words[i], from?.words[i]];
      if (word === old || word === undefined) continue;
      key = put(key, part, this.record(word, old, WORD_FIELDS));
    }
    // Frames come last: their number grows during a run, all else keeps its place in the key.
    for (let i = 0; i < frames.length; i++, part++) {
      const [frame, old] = [frames[i], from?.frames[i]];
      if (frame === old || frame === undefined) continue;
      key = put(key, part, this.record(frame, old, FRAME_FIELDS));
    }
    return key;
  }
}

/** Digits at a place of a text of such digits, or behind it. */
function put(text: string, place: number, digits: string): string {
  const from = DIGITS * place;
  if (from >= text.length) return text + digits;
  return text.slice(0, from) + digits + text.slice(from + DIGITS);
}
