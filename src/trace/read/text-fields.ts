/**
 * The payload of a line of trace text, taken apart by its labels: numbers, lists and words under
 * the names that the events print (`dma_addr=`), or that libtraceevent prints when it cannot follow
 * a print format (`[FAILED TO PARSE] device=…`, also `trace-cmd report -R`). Which an event
 * must have is `text-events.ts`.
 *
 * Source: TP_printk in include/trace/events/{dma,iommu,swiotlb,kmem,vmscan,dma_fence}.h, Linux 6.12
 * and 7.2; print_event_fields of libtraceevent (its numbers are decimal unless they begin with 0x,
 * its arrays are bytes as they lie in memory).
 */
import { attributeBits, Direction, MAPPING_ERROR } from '../events.js';
import { Char, hexDigit, indexOfByte, startsWith, textOf, wordTable } from './bytes.js';
import { NumberBuffer } from './lists.js';
import { skipSpace } from './text-head.js';

/** Order of `keyWords`. Several labels may mean one field, see `sameAs`. */
export enum Key {
  Dir,
  DmaAddr,
  Size,
  PhysAddr,
  Attrs,
  VirtAddr,
  PhysAddrs,
  DmaAddrs,
  Sizes,
  Nents,
  Ents,
  Err,
  Pfn,
  Order,
  Iova,
  Unmapped,
  Device,
  Driver,
  Timeline,
  Context,
  Seqno,
  DmaMask,
  DevAddr,
  Flags,
  Truncated,
  Force,
  Count,
}

const keyWords = [
  'dir',
  'dma_addr',
  'size',
  'phys_addr',
  'attrs',
  'virt_addr',
  'phys_addrs',
  'dma_addrs',
  'sizes',
  'nents',
  'ents',
  'err',
  'pfn',
  'order',
  'iova',
  'unmapped_size',
  'device',
  'driver',
  'timeline',
  'context',
  'seqno',
  'dma_mask',
  'dev_addr',
  'flags',
  'truncated',
  'force',
] as const;

/** Labels that only raw field lists use, and the key each stands for. */
const sameAs: readonly (readonly [string, Key])[] = [
  ['addr', Key.DmaAddr],
  ['addrs', Key.PhysAddrs],
  ['lengths', Key.Sizes],
  ['full_nents', Key.Nents],
  ['full_ents', Key.Ents],
  ['paddr', Key.PhysAddr],
  ['dev_name', Key.Device],
];

const keys = wordTable([...keyWords, ...sameAs.map(([word]) => word)]);
/** These print hexadecimal digits without 0x. */
const bareHex: ReadonlySet<Key> = new Set([
  Key.DmaAddr,
  Key.PhysAddr,
  Key.DmaMask,
  Key.DevAddr,
  Key.Attrs,
]);
const directions = wordTable(['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE']);
const attributes = wordTable(Object.keys(attributeBits));
const attributeValues: readonly number[] = Object.values(attributeBits);
const failedToParse = '[FAILED TO PARSE]';

/** The fields of the last payload given to `read`. */
export class TextFields {
  /** By key; NaN when the payload does not have it. */
  readonly numbers = new Float64Array(Key.Count).fill(Number.NaN);
  /** By key; start and end of words, equal when absent. */
  readonly words = new Int32Array(Key.Count * 2);
  readonly phys = new NumberBuffer();
  readonly dma = new NumberBuffer();
  readonly sizes = new NumberBuffer();
  /** Bit per key: which lists were there. */
  lists = 0;
  truncated = false;
  /** The words before the first label, as one range. */
  bareStart = 0;
  bareEnd = 0;
  /** The last word without a label. */
  lastStart = 0;
  lastEnd = 0;
  private raw = false;
  private bytes: Uint8Array = new Uint8Array(0);

  read(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.numbers.fill(Number.NaN);
    this.words.fill(0);
    this.phys.length = this.dma.length = this.sizes.length = this.lists = 0;
    this.truncated = false;
    const failed = startsWith(bytes, start, end, failedToParse);
    this.readAll(failed ? start + failedToParse.length : start, end);
  }

  private readAll(start: number, end: number): void {
    const bytes = this.bytes;
    let p = skipSpace(bytes, start, end);
    this.bareStart = this.bareEnd = this.lastStart = this.lastEnd = p;
    let lastKey = -1;
    let leading = true;
    while (p < end) {
      let stop = p;
      while (stop < end && bytes[stop] !== Char.Equals && bytes[stop] !== Char.Space) stop++;
      if (stop < end && bytes[stop] === Char.Equals) {
        if (leading) this.raw = this.bareEnd === this.bareStart;
        leading = false;
        lastKey = this.keyAt(p, stop);
        p = lastKey < 0 ? skipValue(bytes, stop + 1, end) : this.value(lastKey, stop + 1, end);
      } else {
        this.bare(p, stop, lastKey, leading);
        p = stop;
      }
      p = skipSpace(bytes, p, end);
    }
  }

  private keyAt(start: number, end: number): number {
    const found = keys.find(this.bytes, start, end);
    return found < keyWords.length ? found : sameAs[found - keyWords.length]![1];
  }

  /** A word without a label: belongs to the value before it when that is a name with spaces. */
  private bare(start: number, end: number, lastKey: number, leading: boolean): void {
    if (startsWith(this.bytes, start, end, '[TRUNCATED]')) this.truncated = true;
    if (leading) this.bareEnd = end;
    if (lastKey === Key.Driver || lastKey === Key.Timeline) this.words[lastKey * 2 + 1] = end;
    this.lastStart = start;
    this.lastEnd = end;
  }

  private value(key: Key, start: number, end: number): number {
    const bytes = this.bytes;
    const first = bytes[start];
    if (first === Char.BraceOpen) return this.list(key, start + 1, end);
    if (first === 65 && startsWith(bytes, start, end, 'ARRAY[')) {
      return this.byteArray(key, start + 'ARRAY['.length, end);
    }
    let stop = start;
    while (stop < end && bytes[stop] !== Char.Space) stop++;
    this.words[key * 2] = start;
    this.words[key * 2 + 1] = stop;
    if (key === Key.Dir) this.numbers[key] = this.direction(start, stop);
    else if (key === Key.Attrs) this.numbers[key] = this.attrs(start, stop);
    else if (key === Key.Nents || key === Key.Ents) {
      const slash = indexOfByte(bytes, Char.Slash, start, stop);
      this.numbers[key] = this.number(slash < 0 ? start : slash + 1, stop, false);
    } else this.numbers[key] = this.number(start, stop, !this.raw && bareHex.has(key));
    return stop;
  }

  private direction(start: number, end: number): number {
    const named = directions.find(this.bytes, start, end);
    if (named >= 0) return named;
    const value = this.number(start, end, false);
    return value >= Direction.Bidirectional && value <= Direction.None ? value : Number.NaN;
  }

  /** Names and hexadecimal rests joined by `|`; nothing for 0. */
  private attrs(start: number, end: number): number {
    let bits = 0;
    for (let p = start; p < end; ) {
      let stop = p;
      while (stop < end && this.bytes[stop] !== Char.Pipe) stop++;
      const named = attributes.find(this.bytes, p, stop);
      const more = named >= 0 ? attributeValues[named]! : this.number(p, stop, !this.raw);
      if (!Number.isNaN(more)) bits += more;
      p = stop + 1;
    }
    return bits;
  }

  /** A number, NaN when it is none. All 64 bits set is MAPPING_ERROR. */
  private number(start: number, end: number, hex: boolean): number {
    const bytes = this.bytes;
    const negative = bytes[start] === Char.Minus;
    let p = negative ? start + 1 : start;
    if (bytes[p] === Char.Zero && p + 1 < end && (bytes[p + 1]! | 32) === Char.LowerX) {
      hex = true;
      p += 2;
    }
    if (p >= end) return Number.NaN;
    let value = 0;
    for (; p < end; p++) {
      const digit = hexDigit(bytes[p]!);
      if (digit < 0 || (digit > 9 && !hex)) return Number.NaN;
      value = value * (hex ? 16 : 10) + digit;
    }
    // Rounded, all ones are 2^64.
    if (value >= 2 ** 64) return value === 2 ** 64 ? MAPPING_ERROR : Number.NaN;
    return negative ? -value : value;
  }

  private listOf(key: Key): NumberBuffer {
    this.lists |= 1 << key;
    const into = key === Key.PhysAddrs ? this.phys : key === Key.DmaAddrs ? this.dma : this.sizes;
    into.length = 0;
    return into;
  }

  /** `{0x1,0x2}` from after the brace. */
  private list(key: Key, start: number, end: number): number {
    const into = this.listOf(key);
    let p = start;
    while (p < end && this.bytes[p] !== Char.BraceClose) {
      let stop = p;
      while (
        stop < end &&
        this.bytes[stop] !== Char.Comma &&
        this.bytes[stop] !== Char.BraceClose
      ) {
        stop++;
      }
      const value = this.number(skipSpace(this.bytes, p, stop), stop, false);
      if (Number.isNaN(value)) this.lists &= ~(1 << key);
      else into.push(value);
      p = this.bytes[stop] === Char.Comma ? stop + 1 : stop;
    }
    // A line that was cut inside the list is not the list.
    if (p >= end) this.lists &= ~(1 << key);
    return p + 1;
  }

  /** `ARRAY[00, 40, …]` from after the bracket: little endian, as every arm64 trace so far. */
  private byteArray(key: Key, start: number, end: number): number {
    const into = this.listOf(key);
    const width = key === Key.Sizes ? 4 : 8;
    let value = 0;
    let have = 0;
    let p = start;
    for (; p < end && this.bytes[p] !== Char.BracketClose; ) {
      const high = hexDigit(this.bytes[p]!);
      const low = p + 1 < end ? hexDigit(this.bytes[p + 1]!) : -1;
      if (high < 0 || low < 0) {
        p++;
        continue;
      }
      value += (high * 16 + low) * 256 ** have;
      if (++have === width) {
        into.push(value >= 2 ** 64 ? MAPPING_ERROR : value);
        value = have = 0;
      }
      p += 2;
    }
    if (p >= end || have > 0) this.lists &= ~(1 << key);
    return p + 1;
  }

  /** The word under a key as a string. */
  word(key: Key): string {
    return textOf(this.bytes, this.words[key * 2]!, this.words[key * 2 + 1]!);
  }

  has(key: Key): boolean {
    return this.words[key * 2 + 1]! > this.words[key * 2]!;
  }

  hasList(key: Key): boolean {
    return (this.lists & (1 << key)) !== 0;
  }
}

/** Past a value nobody asked for. */
function skipValue(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  const closing =
    bytes[p] === Char.BraceOpen
      ? Char.BraceClose
      : startsWith(bytes, p, end, 'ARRAY[')
        ? Char.BracketClose
        : Char.Space;
  while (p < end && bytes[p] !== closing) p++;
  return closing === Char.Space ? p : Math.min(p + 1, end);
}

/**
 * A pointer as a token to compare: digits without leading zeros, '0' for NULL, '' for one that the
 * kernel did not print (lib/vsprintf.c ptr_to_id before the hash is seeded).
 */
export function pointerToken(word: string): string {
  if (word === '(null)' || word === '(nil)') return '0';
  if (!/^(0x)?[0-9a-f]+$/i.test(word)) return '';
  return word
    .replace(/^0x/, '')
    .replace(/^0+(?=.)/, '')
    .toLowerCase();
}
