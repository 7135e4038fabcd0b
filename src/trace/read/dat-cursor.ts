/**
 * The events of one CPU, one after the other: page headers, event headers, times, and what the ring
 * buffer says it lost. A page whose lengths do not add up is left at the first wrong one. Leaves
 * out what the events mean.
 *
 * Source: include/linux/ring_buffer.h (event types), kernel/trace/ring_buffer.c rb_update_event,
 * ring_buffer_read_page (missed events); the padding of discarded events as in rb_event_discard.
 */
import { double } from '../double.js';
import { UNKNOWN } from '../events.js';
import type { DatBuffer, DatFile } from './dat-file.js';
import { PageFeed } from './dat-pages.js';

/** Bits of the commit field of a page (RB_MISSED_EVENTS, RB_MISSED_STORED). */
const missedFlag = 0x80000000;
const missedStored = 0x40000000;
const commitMask = (1 << 27) - 1;

const typePadding = 29;
const typeExtend = 30;
const typeStamp = 31;
const deltaShift = 2 ** 27;
/** Time stamps have 59 bits; the rest is that of the page. */
const stampMask = 0xf8000000;

/** Subtracted from all times of a file, as two halves, so that differences are exact. */
export interface TimeBase {
  high: number;
  low: number;
}

export class Cursor {
  /** Time of the current event relative to the base; Infinity after the last one. */
  time = double;
  /** Place of the current event's data in `bytes`, and its length, a multiple of four. */
  data = 0;
  length = 0;
  bytes: Uint8Array;
  words: Uint32Array;
  /** Events lost just before the current one: 0 none, UNKNOWN, or how many. */
  loss = 0;
  /** Events so far. */
  count = 0;
  private at = 0;
  private end = 0;
  private page: number;
  private pageHigh = 0;
  private clock = double;

  private readonly feed: PageFeed;
  private readonly pageSize: number;
  private readonly header: number;
  private readonly longBytes: number;

  constructor(
    private readonly file: DatFile,
    buffer: DatBuffer,
    /** Place in the buffer's list of CPUs. */
    cpuIndex: number,
    private readonly base: TimeBase,
    blockBytes: number,
    readonly cpu: number,
  ) {
    this.feed = new PageFeed(file, buffer, buffer.cpus[cpuIndex]!, blockBytes);
    this.bytes = this.feed.bytes;
    this.words = this.feed.words;
    this.pageSize = buffer.pageSize;
    this.page = -this.pageSize;
    this.header = file.pageHeader;
    this.longBytes = file.commitSize;
  }

  /** True when the first page could be read; sets the halves of its time. */
  peekBase(into: TimeBase): boolean {
    if (!this.feed.next()) return false;
    this.bytes = this.feed.bytes;
    this.words = this.feed.words;
    into.low = this.words[0]!;
    into.high = this.words[1]!;
    return true;
  }

  /** Goes to the next event; false after the last one. */
  advance(): boolean {
    do {
      const { words, end } = this;
      while (this.at < end) {
        const at = this.at;
        const word = words[at >> 2]!;
        const type = word & 31;
        if (type === 0 || type >= typePadding) {
          if (this.special(type, word >>> 5)) return true;
          continue;
        }
        const length = type << 2;
        if (at + 4 + length > end) {
          this.damaged(at);
          continue;
        }
        this.clock += word >>> 5;
        this.time = this.clock;
        this.data = at + 4;
        this.length = length;
        this.at = at + 4 + length;
        return true;
      }
    } while (this.nextPage());
    this.time = Number.POSITIVE_INFINITY;
    this.length = 0;
    if (this.feed.lost || this.feed.cut) this.loss = UNKNOWN;
    return false;
  }

  /** Anything but a small event; true for a large one, false for what is none. */
  private special(type: number, delta: number): boolean {
    const at = this.at;
    const left = this.end - at;
    if (type === typePadding && delta === 0) {
      this.at = this.end;
      return false;
    }
    if (left < 8) return this.damaged(at);
    const first = this.words[(at >> 2) + 1]!;
    if (type === typeExtend) {
      this.clock += first * deltaShift + delta;
      this.at = at + 8;
      return false;
    }
    if (type === typeStamp) {
      const low = ((first << 27) | delta) >>> 0;
      const high = ((first >>> 5) | (this.pageHigh & stampMask)) >>> 0;
      this.clock = (high - this.base.high) * 2 ** 32 + (low - this.base.low);
      this.at = at + 8;
      return false;
    }
    const size = (first + 3) & ~3;
    if (first < 4 || first > left - 4 || size + 4 > left) return this.damaged(at);
    this.clock += delta;
    this.at = at + 4 + size;
    if (type === typePadding) return false;
    this.time = this.clock;
    this.data = at + 8;
    this.length = size - 4;
    // An event of no bytes has not even a type.
    return this.length > 0 ? true : this.damaged(at);
  }

  private damaged(at: number): boolean {
    const message = 'pages with lengths that do not add up, the rest of them not read';
    this.file.report.problem('damaged', message, this.place(at));
    this.loss = UNKNOWN;
    this.at = this.end;
    return false;
  }

  private place(at: number): string {
    return `CPU ${this.cpu}, byte ${at - Math.max(0, this.page)} of a page`;
  }

  private nextPage(): boolean {
    this.page += this.pageSize;
    if (this.page >= this.feed.size) {
      if (!this.feed.next()) return false;
      this.page = 0;
    }
    this.bytes = this.feed.bytes;
    this.words = this.feed.words;
    if (this.feed.lost) {
      this.feed.lost = false;
      this.loss = UNKNOWN;
    }
    this.readPageHeader();
    return true;
  }

  private readPageHeader(): void {
    const { page, words } = this;
    const low = words[page >> 2]!;
    const high = words[(page >> 2) + 1]!;
    const flags = words[(page >> 2) + 2]!;
    const size = flags & commitMask;
    this.at = this.end = page + this.header;
    if (size > this.pageSize - this.header) {
      const message = 'pages that claim more bytes than they have';
      this.file.report.problem('damaged', message, this.place(page));
      this.loss = UNKNOWN;
      return;
    }
    const clock = (high - this.base.high) * 2 ** 32 + (low - this.base.low);
    if (clock < this.clock) {
      this.file.report.problem('damaged', 'pages older than the one before', this.place(page));
    }
    this.clock = clock;
    this.pageHigh = high;
    this.end = page + this.header + (size & ~3);
    if ((flags & missedFlag) !== 0) this.readMissed((flags & missedStored) !== 0, size);
  }

  private readMissed(stored: boolean, size: number): void {
    const at = this.page + this.header + size;
    let count = UNKNOWN;
    if (stored && at % 4 === 0 && at + this.longBytes <= this.page + this.pageSize) {
      count = this.words[at >> 2]!;
      if (this.longBytes === 8) count += this.words[(at >> 2) + 1]! * 2 ** 32;
      // The kernel counts a few thousand; anything absurd is damage.
      if (count > 2 ** 40) count = UNKNOWN;
    }
    if (count !== 0) this.loss = this.loss === 0 ? count : UNKNOWN;
  }
}
