/**
 * What stands before the payload of a line of trace text: task, pid, CPU, time, event name. Knows
 * the lines of tracefs `trace` and `trace_pipe` (with or without irq flags and tgid, any clock, the
 * latency format), of `trace-cmd report` and of `perf script`. Leaves out the payload
 * (`text-fields.ts`). Works on bytes and makes no strings.
 *
 * Source: kernel/trace/trace_output.c trace_print_context, trace_print_lat_context and
 * trace_print_lat_fmt; kernel/trace/trace.c print_trace_line (lost events) and test_cpu_buff_start;
 * the output of trace-cmd 3.1 and perf 6.1.
 */
import { Char, indexOfByte, isDigit, startsWith } from './bytes.js';

/** Reads heads. The fields are those of the last line for which `parse` returned true. */
export class TextHead {
  cpu = 0;
  pid = 0;
  /** Nanoseconds, or ticks when `ticks`. */
  time = 0;
  ticks = false;
  taskStart = 0;
  taskEnd = 0;
  nameStart = 0;
  nameEnd = 0;
  payload = 0;
  /** The line has the form that only perf prints: a system before the name. */
  perf = false;

  /** True when the line is an event. */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    for (;;) {
      at = indexOfByte(bytes, Char.BracketOpen, at, end);
      if (at < 0) break;
      const close = this.readCpu(bytes, at, end);
      if (close > 0 && this.readTask(bytes, start, at) && this.readTime(bytes, close, end)) {
        return true;
      }
      at++;
    }
    return this.readLatency(bytes, start, end);
  }

  /** `[001]` at `at`: sets the CPU and returns the position after it, or -1. */
  private readCpu(bytes: Uint8Array, at: number, end: number): number {
    let cpu = 0;
    let p = at + 1;
    while (p < end && p < at + 7 && isDigit(bytes[p])) cpu = cpu * 10 + bytes[p++]! - Char.Zero;
    if (p === at + 1 || p >= end || bytes[p] !== Char.BracketClose) return -1;
    this.cpu = cpu;
    return p + 1;
  }

  /** `comm-pid` or `comm pid` or `comm pid/tid`, perhaps `(tgid)`, before `end`. */
  private readTask(bytes: Uint8Array, start: number, end: number): boolean {
    let p = skipBack(bytes, start, end);
    if (p > start && bytes[p - 1] === Char.Close) {
      while (p > start && bytes[p - 1] !== Char.Open) p--;
      p = skipBack(bytes, start, p - 1);
    }
    const pidEnd = p;
    while (p > start && isDigit(bytes[p - 1])) p--;
    if (p === pidEnd || p === start) return false;
    this.pid = decimal(bytes, p, pidEnd);
    const before = bytes[p - 1];
    if (before === Char.Slash) {
      p--;
      while (p > start && isDigit(bytes[p - 1])) p--;
    } else if (before === Char.Minus) {
      p--;
    } else if (before !== Char.Space && before !== Char.Tab) {
      return false;
    }
    this.setTask(bytes, start, p);
    return true;
  }

  private setTask(bytes: Uint8Array, start: number, end: number): void {
    this.taskEnd = skipBack(bytes, start, end);
    this.taskStart = skipSpace(bytes, start, this.taskEnd);
    // `trace-cmd report` of several buffers: the buffer's name, and the comm right-aligned to 16.
    const colon = indexOfByte(bytes, Char.Colon, this.taskStart, this.taskEnd - 2);
    if (colon >= 0 && bytes[colon + 1] === Char.Space && bytes[colon + 2] === Char.Space) {
      this.taskStart = skipSpace(bytes, colon + 1, this.taskEnd);
    }
    // The comm of a task that ended before the trace was read (trace_find_cmdline).
    if (startsWith(bytes, this.taskStart, this.taskEnd, '<...>')) this.taskStart = this.taskEnd;
  }

  /** Flags, if any, then `12.345678:` or `12345:`. */
  private readTime(bytes: Uint8Array, start: number, end: number): boolean {
    let p = skipSpace(bytes, start, end);
    if (p === start) return false;
    if (!isDigit(bytes[p])) {
      while (p < end && bytes[p] !== Char.Space && bytes[p] !== Char.Tab) p++;
      p = skipSpace(bytes, p, end);
    }
    p = this.readStamp(bytes, p, end);
    if (p < 0 || p >= end || bytes[p] !== Char.Colon) return false;
    return this.readName(bytes, p + 1, end);
  }

  private readStamp(bytes: Uint8Array, start: number, end: number): number {
    let p = start;
    let whole = 0;
    while (p < end && isDigit(bytes[p])) whole = whole * 10 + bytes[p++]! - Char.Zero;
    if (p === start || p - start > 20) return -1;
    this.ticks = bytes[p] !== Char.Dot;
    if (this.ticks) {
      this.time = whole;
      return p;
    }
    let unit = 1e9;
    let part = 0;
    p++;
    while (p < end && isDigit(bytes[p])) {
      part = part * 10 + bytes[p++]! - Char.Zero;
      unit /= 10;
    }
    if (unit < 1) return -1;
    this.time = whole * 1e9 + part * unit;
    return p;
  }

  /** `name:` perhaps after `(+12)` or a period, or `system:name:` of perf. */
  private readName(bytes: Uint8Array, start: number, end: number): boolean {
    let p = skipSpace(bytes, start, end);
    if (bytes[p] === Char.Open && bytes[p + 1] === Char.Plus) {
      p = skipSpace(bytes, indexOfByte(bytes, Char.Close, p, end) + 1, end);
    }
    let digits = p;
    while (digits < end && isDigit(bytes[digits])) digits++;
    if (digits > p && (bytes[digits] === Char.Space || bytes[digits] === Char.Tab)) {
      p = skipSpace(bytes, digits, end);
    }
    this.perf = false;
    let colon = p;
    while (colon < end && bytes[colon] !== Char.Colon && bytes[colon] !== Char.Space) colon++;
    if (bytes[colon] === Char.Colon && colon + 1 < end && bytes[colon + 1] !== Char.Space) {
      const second = nameEnd(bytes, colon + 1, end);
      if (second > 0) {
        this.perf = true;
        p = colon + 1;
        colon = second;
      }
    }
    this.nameStart = p;
    // A line of the function tracer and the like has no name; `unnamed` says what to call it.
    const named = colon < end && bytes[colon] === Char.Colon;
    this.nameEnd = named ? colon : p;
    this.payload = named ? skipSpace(bytes, colon + 1, end) : p;
    return true;
  }

  /** `    bash-1234    1d..2.   12us+: name: payload`. */
  private readLatency(bytes: Uint8Array, start: number, end: number): boolean {
    for (let at = start; ; at += 3) {
      at = findLatencyTime(bytes, at, end);
      if (at < 0) return false;
      let p = at;
      while (p > start && isDigit(bytes[p - 1])) p--;
      const stampStart = p;
      p = skipBack(bytes, start, p);
      while (p > start && bytes[p - 1] !== Char.Space) p--;
      let flags = p;
      while (isDigit(bytes[flags])) flags++;
      if (flags === p || stampStart === at || !this.readTask(bytes, start, p)) continue;
      this.cpu = decimal(bytes, p, flags);
      this.ticks = false;
      this.time = decimal(bytes, stampStart, at) * 1000;
      const colon = bytes[at + 2] === Char.Colon ? at + 2 : at + 3;
      return this.readName(bytes, colon + 1, end);
    }
  }
}

/** Position of `us:` or `us!:` after a digit, from `start` on, or -1. */
function findLatencyTime(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start + 1; i + 3 < end; i++) {
    if (bytes[i] !== 117 || bytes[i + 1] !== 115 || !isDigit(bytes[i - 1])) continue;
    if (bytes[i + 2] === Char.Colon || bytes[i + 3] === Char.Colon) return i;
  }
  return -1;
}

/** End of an event name that a colon follows, or -1. */
function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  while (p < end && isWord(bytes[p]!)) p++;
  return p > start && p < end && bytes[p] === Char.Colon ? p : -1;
}

function isWord(c: number): boolean {
  return isDigit(c) || c === 95 || ((c | 32) >= 97 && (c | 32) <= 122);
}

/** The first position from `p` on that is no blank. */
export function skipSpace(bytes: Uint8Array, p: number, end: number): number {
  while (p < end && (bytes[p] === Char.Space || bytes[p] === Char.Tab)) p++;
  return p;
}

function skipBack(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && (bytes[end - 1] === Char.Space || bytes[end - 1] === Char.Tab)) end--;
  return end;
}

/** The value of digits only. */
export function decimal(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let p = start; p < end; p++) value = value * 10 + bytes[p]! - Char.Zero;
  return value;
}
