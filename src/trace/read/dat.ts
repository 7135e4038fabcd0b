/**
 * Reads a trace.dat: merges the CPUs of all its buffers by time and passes the events on. A window
 * per CPU is in memory, never a whole buffer. Leaves out the file's layout (`dat-file.ts`), the
 * pages (`dat-cursor.ts`) and the events' fields (`dat-decode.ts`).
 *
 * State: a cursor per CPU and buffer; losses not yet passed on.
 */
import { double } from '../double.js';
import { type EventHead, type TraceSink, UNKNOWN } from '../events.js';
import type { Codecs } from './codec.js';
import { compile, type Decoder } from './dat-compile.js';
import { Cursor, type TimeBase } from './dat-cursor.js';
import { DatEvents } from './dat-decode.js';
import { DatFile, readInitial } from './dat-file.js';
import type { EventFormat } from './dat-format.js';
import { cutSuggestion } from './dat-reader.js';
import { readV6 } from './dat-v6.js';
import { readV7 } from './dat-v7.js';
import { type ReportBuilder, TraceInputError } from './report.js';
import type { ByteSource } from './source.js';

/** For the windows of all CPUs together, and for one. */
const windowsBytes = 1 << 24;
const windowMax = 1 << 18;
/** Events between two yields. */
const stepEvents = 1 << 15;
/** Clocks whose times are no nanoseconds (kernel/trace/trace.c trace_clocks, in_ns 0). */
const tickClocks: ReadonlySet<string> = new Set(['counter', 'uptime', 'x86-tsc', 'ppc-tb']);
/** Doubles count exactly up to 2^53; later times get a base. */
const exactHigh = 1 << 20;

/** Opens a trace.dat. Throws TraceInputError when its description cannot be read. */
export function openDat(
  source: ByteSource,
  report: ReportBuilder,
  codecs: Codecs,
  keepFormats = false,
): DatFile {
  const file = new DatFile(source, source.length ?? 0, report, keepFormats);
  const { version, reader } = readInitial(file, codecs);
  if (version === 6) readV6(file, reader);
  else readV7(file, reader);
  if (file.buffers.length === 0 && file.texts.length === 0) {
    const why = report.finish().problems[0]?.message;
    throw new TraceInputError(why ?? 'the trace.dat has no table of its events', cutSuggestion);
  }
  return file;
}

/** Reads the events of all buffers. */
export function* readDat(file: DatFile, sink: TraceSink): Generator<void, void> {
  const merge = new Merge(file, sink);
  while (merge.step()) yield;
  merge.finish();
}

class Merge {
  private readonly cursors: Cursor[];
  private readonly events: DatEvents;
  /** By number of the event. */
  private readonly decoders: (Decoder | undefined)[];
  private readonly head: EventHead = {
    index: 0,
    time: double,
    cpu: 0,
    pid: 0,
    task: '',
    name: '',
  };
  private readonly scale: number;
  private readonly shift: number;
  private last = Number.NEGATIVE_INFINITY;
  private backwards = 0;
  private readonly firstTimes = new Map<number, number>();
  /** Known counts of losses that pages told of, by CPU. */
  private readonly told = new Map<number, number>();

  constructor(
    private readonly file: DatFile,
    private readonly sink: TraceSink,
  ) {
    this.events = new DatEvents(sink);
    const base: TimeBase = { high: 0, low: 0 };
    this.cursors = openCursors(file, base);
    const { ticks, timeOffset } = file;
    this.scale = ticks === null ? 1 : ticks.mult / 2 ** ticks.shift;
    const start = base.high * 2 ** 32 + base.low;
    this.shift = start * this.scale + (ticks?.offset ?? 0) + timeOffset;
    this.settleClock();
    // All places at once: V8 would make an array that grows by leaps a dictionary.
    this.decoders = new Array(file.formatMax + 1).fill(undefined);
    for (const cursor of this.cursors) {
      if (!cursor.advance() || this.firstTimes.has(cursor.cpu)) continue;
      this.firstTimes.set(cursor.cpu, cursor.time * this.scale + this.shift);
    }
    this.passOverruns();
  }

  private settleClock(): void {
    const { file } = this;
    const clocks = new Set(file.buffers.map(({ clock }) => clock).filter((name) => name !== ''));
    if (clocks.size > 1) {
      const names = [...clocks].join(', ');
      const message = `buffers with different clocks (${names}): their order is a guess`;
      file.report.problem('unsupported', message, 'options');
    }
    const clock = [...clocks][0] ?? (file.clock === '' ? null : file.clock);
    file.report.clock = clock;
    const plain = clock !== null && tickClocks.has(clock) && file.ticks === null;
    file.report.timeUnit = plain ? 'ticks' : 'ns';
  }

  /**
   * What the statistics count as lost happened before some event of that CPU. Where the first page
   * tells of a loss itself, that is the place.
   */
  private passOverruns(): void {
    if (this.file.salvaged && this.firstTimes.size > 0) {
      const before = Math.min(...this.firstTimes.values());
      this.sink.lost(UNKNOWN, UNKNOWN, before);
      this.file.report.noteLost(UNKNOWN, UNKNOWN, before);
    }
    for (const [cpu, count] of this.file.overrun) {
      const cursors = this.cursors.filter((cursor) => cursor.cpu === cpu);
      if (cursors.some(({ loss }) => loss !== 0)) continue;
      this.sink.lost(cpu, count, this.firstTime(cpu));
    }
  }

  /** Time of the first event of a CPU, 0 when it has none. */
  private firstTime(cpu: number): number {
    return this.firstTimes.get(cpu) ?? 0;
  }

  /** What the statistics count and no page told of. */
  private noteOverruns(): void {
    for (const [cpu, count] of this.file.overrun) {
      const more = count - (this.told.get(cpu) ?? 0);
      if (more > 0) this.file.report.noteLost(cpu, more, this.firstTime(cpu));
    }
  }

  /** Passes on some thousand events; false when there are no more. */
  step(): boolean {
    const { cursors, report } = { cursors: this.cursors, report: this.file.report };
    const until = report.events + stepEvents;
    while (report.events < until) {
      let first = -1;
      let firstTime = Number.POSITIVE_INFINITY;
      let secondTime = Number.POSITIVE_INFINITY;
      for (let i = 0; i < cursors.length; i++) {
        const { time } = cursors[i]!;
        if (time < firstTime) {
          secondTime = firstTime;
          firstTime = time;
          first = i;
        } else if (time < secondTime) secondTime = time;
      }
      if (first < 0) return false;
      this.run(cursors[first]!, secondTime, until);
    }
    return true;
  }

  /** Passes on the events of one CPU that are older than those of the others. */
  private run(cursor: Cursor, until: number, eventsMax: number): void {
    const { report, tasks } = this.file;
    const { head } = this;
    let pid = -1;
    do {
      const word = cursor.words[cursor.data >> 2]!;
      const decoder = this.decoders[word & 0xffff] ?? this.newDecoder(word & 0xffff, cursor);
      head.index = report.events++;
      head.time = cursor.time * this.scale + this.shift;
      head.cpu = cursor.cpu;
      head.name = decoder.name;
      head.pid = cursor.length >= 8 ? cursor.words[(cursor.data >> 2) + 1]! | 0 : 0;
      if (head.pid !== pid) {
        pid = head.pid;
        head.task = pid === 0 ? '<idle>' : (tasks.get(pid) ?? '');
      }
      decoder.count++;
      cursor.count++;
      if (cursor.loss !== 0) this.passLoss(cursor, head.time);
      if (cursor.time < this.last) this.backwards++;
      this.last = cursor.time;
      if (!this.events.emit(decoder, head, cursor)) this.undecoded(decoder, cursor);
      if (report.first === null) report.first = head.time;
      if (!cursor.advance()) {
        if (cursor.loss !== 0) this.passLoss(cursor, head.time);
        break;
      }
    } while (cursor.time < until && report.events < eventsMax);
    report.last = head.time;
  }

  private passLoss(cursor: Cursor, before: number): void {
    this.sink.lost(cursor.cpu, cursor.loss, before);
    this.file.report.noteLost(cursor.cpu, cursor.loss, before);
    if (cursor.loss > 0) {
      this.told.set(cursor.cpu, (this.told.get(cursor.cpu) ?? 0) + cursor.loss);
    }
    cursor.loss = 0;
  }

  /** At the first event of a type: most that a kernel describes never come. */
  private newDecoder(id: number, cursor: Cursor): Decoder {
    const format = this.file.formats.get(id) ?? this.unknown(id, cursor);
    const made = compile(format);
    this.decoders[id] = made;
    return made;
  }

  private unknown(id: number, cursor: Cursor): EventFormat {
    const name = `unknown event ${id}`;
    this.file.report.problem('unknown-event', `${name}: not described`, `CPU ${cursor.cpu}`);
    return { system: '', name, id, text: new Uint8Array(0) };
  }

  private undecoded(decoder: Decoder, cursor: Cursor): void {
    const message = `${decoder.name}: fields outside the event`;
    this.file.report.problem('undecoded-event', message, `CPU ${cursor.cpu}`);
  }

  /** Tells what is known only at the end. */
  finish(): void {
    const { report } = this.file;
    for (const cursor of this.cursors) {
      if (cursor.loss !== 0) this.passLoss(cursor, report.last ?? 0);
    }
    for (const decoder of this.decoders) {
      if (decoder === undefined || decoder.count === 0) continue;
      report.count(decoder.name, decoder.count);
      if (decoder.missing.length === 0) continue;
      const message = `${decoder.name}: its description has no ${decoder.missing.join(', ')}`;
      report.problem('undecoded-event', message, 'event formats', decoder.count);
    }
    this.noteOverruns();
    this.compareStatistics();
    if (this.backwards > 0) {
      const message = 'events that are older than the one before them';
      report.problem('damaged', message, 'whole trace', this.backwards);
    }
  }

  /** Fewer events than the statistics count: something damaged hides them. */
  private compareStatistics(): void {
    for (const [cpu, counted] of this.file.counted) {
      let got = 0;
      for (const cursor of this.cursors) if (cursor.cpu === cpu) got += cursor.count;
      if (got >= counted) continue;
      const message = `CPU ${cpu}: the statistics count ${counted} events, ${got} were read`;
      this.file.report.problem('damaged', message, 'statistics');
    }
  }
}

/** A cursor for every CPU with data; settles the base of time. */
function openCursors(file: DatFile, base: TimeBase): Cursor[] {
  const wanted = file.buffers.flatMap((buffer) =>
    buffer.cpus.flatMap((data, index) => (data.size > 0 ? [{ buffer, data, index }] : [])),
  );
  const share = windowsBytes / Math.max(1, wanted.length);
  const cursors = wanted.map(({ buffer, data, index }) => {
    const pages = Math.max(1, Math.floor(Math.min(share, windowMax) / buffer.pageSize));
    return new Cursor(file, buffer, index, base, pages * buffer.pageSize, data.cpu);
  });
  const first: TimeBase = { high: 0, low: 0 };
  for (const cursor of cursors) {
    if (!cursor.peekBase(first) || first.high < exactHigh) continue;
    if (base.high === 0) Object.assign(base, first);
  }
  return cursors;
}
