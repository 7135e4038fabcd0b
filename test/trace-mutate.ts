/**
 * Damages traces in ways that are decided by a number: flipped bits, cuts, pieces copied over or
 * left out, absurd lengths, pieces of other traces. And what a reader owes such a trace: an end,
 * calls of the sink with sane arguments, and a word about every event that is missing.
 */
import type { TraceSink } from '../src/trace/events.js';
import { TraceAnalysis } from '../src/trace/index.js';
import {
  bytesSource,
  type ReadReport,
  readTrace,
  TraceInputError,
} from '../src/trace/read/read.js';

/** A small generator of numbers (mulberry32); equal seeds give equal numbers. */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const absurd = [0, 1, 3, 7, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

type Next = (below: number) => number;

const ways: readonly ((bytes: Uint8Array, next: Next, other: Uint8Array) => Uint8Array)[] = [
  function flip(bytes, next) {
    for (let i = 0; i <= next(8); i++) bytes[next(bytes.length)]! ^= 1 << next(8);
    return bytes;
  },
  function cut(bytes, next) {
    return bytes.subarray(0, next(bytes.length));
  },
  function leaveOut(bytes, next) {
    const at = next(bytes.length);
    const rest = bytes.subarray(at + 1 + next(5000));
    return Buffer.concat([bytes.subarray(0, at), rest]);
  },
  function copyOver(bytes, next) {
    const from = next(bytes.length);
    const part = bytes.slice(from, from + 1 + next(5000));
    const to = next(bytes.length);
    bytes.set(part.subarray(0, bytes.length - to), to);
    return bytes;
  },
  function length(bytes, next) {
    const at = next(Math.max(1, bytes.length - 8)) & ~3;
    const value = absurd[next(absurd.length)]!;
    const wide = next(2) === 0 ? 4 : 8;
    for (let i = 0; i < wide && at + i < bytes.length; i++) {
      bytes[at + i] = i < 4 ? (value >>> (i * 8)) & 255 : value > 0xffff ? 255 : 0;
    }
    return bytes;
  },
  function splice(bytes, next, other) {
    const from = next(other.length);
    const part = other.subarray(from, from + 1 + next(20_000));
    const at = next(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + next(20_000))]);
  },
  function head(bytes, next) {
    // What everything else hangs on is at the start, and in a file of version 7 at the end.
    const reach = Math.min(bytes.length, 4000);
    const at = next(2) === 0 ? next(reach) : bytes.length - 1 - next(reach);
    bytes[at] = next(256);
    return bytes;
  },
];

/** One to three damages. */
export function mutate(bytes: Uint8Array, other: Uint8Array, seed: number): Uint8Array {
  const next = numbers(seed);
  let made: Uint8Array = Uint8Array.from(bytes);
  for (let i = 0; i <= next(3); i++) {
    if (made.length > 0) made = Uint8Array.from(ways[next(ways.length)]!(made, next, other));
  }
  return made;
}

export interface Outcome {
  /** Null when the input was refused. */
  readonly report: ReadReport | null;
  /** What is wrong with how it was read, '' when nothing is. */
  readonly wrong: string;
}

/** A sink that looks at every argument. */
function watchingSink(complain: (what: string) => void): TraceSink {
  const look = (...told: unknown[]) => {
    for (const value of told) {
      if (value === undefined || Number.isNaN(value)) complain('an argument is no value');
    }
  };
  const names = [
    'mapSingle unmapSingle mapSg mapSgError unmapSg syncSingle syncSg alloc free allocSgt freeSgt',
    'iommuMap iommuUnmap iommuAttach ioPageFault bounced pageAlloc pageFree pageWrittenOut fence',
    'lost other',
  ];
  const sink = Object.fromEntries(names.flatMap((line) => line.split(' ')).map((n) => [n, look]));
  return sink as unknown as TraceSink;
}

/** Reads a damaged trace that had `events` events. */
export function readDamaged(bytes: Uint8Array, events: number): Outcome {
  let wrong = '';
  try {
    const report = readTrace(
      bytesSource(bytes),
      watchingSink((what) => {
        wrong = what;
      }),
    );
    const told = report.problems.length > 0 || report.lostTimes > 0;
    if (report.events < events && !told && wrong === '') {
      wrong = `${events - report.events} events are missing without a word`;
    }
    return { report, wrong };
  } catch (error) {
    if (error instanceof TraceInputError && error.message !== '') return { report: null, wrong };
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { report: null, wrong: `threw ${text}` };
  }
}

/** Reads it again into the analysis, all rules on; '' or what went wrong. */
export function analyseDamaged(bytes: Uint8Array): string {
  try {
    const analysis = new TraceAnalysis();
    analysis.finish(readTrace(bytesSource(bytes), analysis.sink));
    return '';
  } catch (error) {
    if (error instanceof TraceInputError) return '';
    return `analysis threw ${error instanceof Error ? (error.stack ?? error.message) : error}`;
  }
}
