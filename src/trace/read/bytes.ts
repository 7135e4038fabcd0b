/**
 * Text inside byte arrays: tables of byte strings, interned strings, numbers. The reader compares
 * and looks up names without making a string for each. Leaves out what the names mean.
 */

const decoder = new TextDecoder();

/** The bytes as UTF-8, wrong sequences replaced. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

export const Char = {
  Tab: 9,
  Newline: 10,
  Space: 32,
  Hash: 35,
  Open: 40,
  Close: 41,
  Plus: 43,
  Comma: 44,
  Minus: 45,
  Dot: 46,
  Slash: 47,
  Zero: 48,
  Nine: 57,
  Colon: 58,
  Less: 60,
  Equals: 61,
  BracketOpen: 91,
  BracketClose: 93,
  LowerX: 120,
  BraceOpen: 123,
  Pipe: 124,
  BraceClose: 125,
} as const;

export function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= Char.Zero && c <= Char.Nine;
}

/** Byte strings numbered from 0 in the order they were added. */
export class ByteTable {
  /** Open addressing: entry number plus one, 0 for free. */
  private slots = new Int32Array(64);
  private readonly entries: Uint8Array[] = [];
  private readonly hashes: number[] = [];

  get size(): number {
    return this.entries.length;
  }

  /** Whether entry `number`, if there is one, has these bytes. */
  is(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    return number < this.entries.length && sameBytes(this.entries[number]!, bytes, start, end);
  }

  /** The number of these bytes, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.seek(bytes, start, end, hashOf(bytes, start, end));
  }

  /** The number of these bytes, which are copied when they are new. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const found = this.seek(bytes, start, end, hash);
    if (found >= 0) return found;
    this.entries.push(bytes.slice(start, end));
    this.hashes.push(hash);
    if (this.entries.length * 2 > this.slots.length) this.grow();
    else this.place(this.entries.length - 1);
    return this.entries.length - 1;
  }

  private seek(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === 0) return -1;
      const known = this.entries[entry - 1]!;
      if (this.hashes[entry - 1] === hash && sameBytes(known, bytes, start, end)) return entry - 1;
    }
  }

  private place(entry: number): void {
    const mask = this.slots.length - 1;
    let slot = this.hashes[entry]! & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = entry + 1;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    for (let i = 0; i < this.entries.length; i++) this.place(i);
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

/** A table of words, each numbered by its place in `words`. */
export function wordTable(words: readonly string[]): ByteTable {
  const table = new ByteTable();
  const encoder = new TextEncoder();
  for (const word of words) {
    const bytes = encoder.encode(word);
    table.add(bytes, 0, bytes.length);
  }
  return table;
}

/**
 * One string for equal bytes. Forgets everything when it holds more than `limit`, so that a file
 * of ever new names does not fill the memory.
 */
export class Interner {
  private table = new ByteTable();
  private strings: string[] = [];
  /** The number of the string that was given last. */
  last = 0;

  constructor(private readonly limit = 1 << 16) {}

  /** `guess` is the number of a string that it may well be: looked at before the table. */
  intern(bytes: Uint8Array, start: number, end: number, guess = 0): string {
    const right = this.table.is(guess, bytes, start, end);
    const found = right ? guess : this.table.find(bytes, start, end);
    if (found >= 0) {
      this.last = found;
      return this.strings[found]!;
    }
    if (this.strings.length >= this.limit) {
      this.table = new ByteTable();
      this.strings = [];
    }
    this.table.add(bytes, start, end);
    const made = textOf(bytes, start, end);
    this.last = this.strings.length;
    this.strings.push(made);
    return made;
  }
}

/** Index of the first `c` in [start, end), or -1. */
export function indexOfByte(bytes: Uint8Array, c: number, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === c) return i;
  return -1;
}

/** True when the bytes at `start` are these ASCII characters and end before `end`. */
export function startsWith(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i++) {
    if (bytes[start + i] !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** Value of a hexadecimal digit, or -1. */
export function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
