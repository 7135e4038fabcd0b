/**
 * A sink that writes down what the trace reader tells it, one line per call, for tests to compare.
 * Leaves out nothing: heads, scalars and lists are all in the line.
 */
import type { EventHead, NumberList, TraceSink } from '../src/trace/events.js';
import {
  type ByteSource,
  bytesSource,
  type ReadReport,
  readTrace,
} from '../src/trace/read/read.js';

export interface Recording {
  readonly report: ReadReport;
  /** `method name cpu pid task time arguments…`. */
  readonly calls: readonly string[];
}

type Told = EventHead | NumberList | string | number | boolean;

function isHead(value: Told): value is EventHead {
  return typeof value === 'object' && 'pid' in value;
}

function show(value: Told): string {
  if (typeof value !== 'object') return String(value);
  if (isHead(value)) {
    const { name, cpu, pid, task, time } = value;
    return `${name} cpu=${cpu} pid=${pid} task=${task} time=${time}`;
  }
  return `{${Array.from({ length: value.length }, (_, i) => value.values[i]).join(',')}}`;
}

/** Every method of a sink, writing to `tell`. */
export function tellingSink(tell: (line: string) => void): TraceSink {
  const method =
    (name: string) =>
    (...told: Told[]): void =>
      tell([name, ...told.map(show)].join(' '));
  return {
    mapSingle: method('mapSingle'),
    unmapSingle: method('unmapSingle'),
    mapSg: method('mapSg'),
    mapSgError: method('mapSgError'),
    unmapSg: method('unmapSg'),
    syncSingle: method('syncSingle'),
    syncSg: method('syncSg'),
    alloc: method('alloc'),
    free: method('free'),
    allocSgt: method('allocSgt'),
    freeSgt: method('freeSgt'),
    iommuMap: method('iommuMap'),
    iommuUnmap: method('iommuUnmap'),
    iommuAttach: method('iommuAttach'),
    ioPageFault: method('ioPageFault'),
    bounced: method('bounced'),
    pageAlloc: method('pageAlloc'),
    pageFree: method('pageFree'),
    pageWrittenOut: method('pageWrittenOut'),
    fence: method('fence'),
    lost: method('lost'),
    other: method('other'),
  };
}

export function recordOf(source: ByteSource): Recording {
  const calls: string[] = [];
  const report = readTrace(
    source,
    tellingSink((line) => calls.push(line)),
  );
  return { report, calls };
}

export function recordText(text: string): Recording {
  return recordOf(bytesSource(new TextEncoder().encode(text), 'text'));
}

/** The calls without the heads' details that two forms of one trace may tell differently. */
export function bodies(calls: readonly string[]): string[] {
  return calls.map((line) => line.replace(/ cpu=.* time=[\d.]+/, ''));
}
