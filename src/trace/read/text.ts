/**
 * Reads trace text: tracefs `trace` and `trace_pipe`, `trace-cmd report`, `perf script`. Lines in,
 * calls of the sink out; what a line says before its payload is `text-head.ts`, the payload
 * `text-fields.ts`. Leaves out decompression, and lines of tracers (function_graph and the like),
 * which are counted as unreadable.
 *
 * State: a window of the input, the current head, names seen, losses not yet passed on.
 */
import { type EventHead, type TraceSink, UNKNOWN } from '../events.js';
import { Char, Interner, startsWith, textOf } from './bytes.js';
import { knownNames } from './known.js';
import type { ReportBuilder } from './report.js';
import { TraceInputError } from './report.js';
import type { ByteStream } from './source.js';
import { TextEvents } from './text-events.js';
import { skipSpace, TextHead } from './text-head.js';

const windowBytes = 1 << 18;
/** The longest line read; the longest one of the kernel is a trace_seq of 8 kB. */
const lineMax = 1 << 20;
/** Lines that may pass before the first event until the input is called no trace. */
const patience = 20_000;

/** Other names of one event, so that text and binary of one run count alike. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['<stack trace>', 'kernel_stack'],
  ['<user stack trace>', 'user_stack'],
]);

/** Lines of `trace-cmd report` and friends that are neither comments nor events. */
const asides = ['cpus=', 'version = ', 'CPU ', 'trace-cmd ', '=> ', ' => ', '---- ', 'uprobe'];

/** Reads the whole stream. Yields now and then, so that the caller can do something else. */
export function* readText(
  stream: ByteStream,
  sink: TraceSink,
  report: ReportBuilder,
): Generator<void, void> {
  const lines = new TextReader(sink, report);
  let window = new Uint8Array(windowBytes);
  let have = 0;
  for (;;) {
    const got = stream.read(window.subarray(have));
    have += got;
    const used = lines.lines(window, have, got === 0);
    if (got === 0) break;
    window.copyWithin(0, used, have);
    have -= used;
    if (have === window.length) {
      if (have < lineMax) {
        const grown = new Uint8Array(window.length * 2);
        grown.set(window);
        window = grown;
      } else {
        lines.skipRest();
        have = 0;
      }
    }
    yield;
  }
  lines.finish();
}

interface PendingLoss {
  readonly cpu: number;
  readonly count: number;
}

/** The payload of most dma events, whatever became of what stands before it. */
function isOfDma(text: string): boolean {
  return text.includes(' dir=') && /\bdma_addrs?=|\bphys_addrs?=/.test(text);
}

class TextReader {
  private readonly head: EventHead = { index: 0, time: 0, cpu: 0, pid: 0, task: '', name: '' };
  private readonly text = new TextHead();
  private readonly events: TextEvents;
  private readonly names = new Interner();
  private readonly tasks = new Interner();
  private readonly counts = new Map<string, number>();
  private readonly pending: PendingLoss[] = [];
  private line = 0;
  private skipping = false;
  private format = '';
  private backwards = 0;
  /** Events that the header counts, of every part when texts follow each other; -1 for none. */
  private counted = -1;
  /** A comment of the kernel was seen, so that the text is that of a whole buffer. */
  private headed = false;
  private endsInLine = false;

  constructor(
    private readonly sink: TraceSink,
    private readonly report: ReportBuilder,
  ) {
    this.events = new TextEvents(sink);
  }

  /** Reads the complete lines of the window and returns how far it came. */
  lines(bytes: Uint8Array, end: number, last: boolean): number {
    let start = 0;
    while (start < end) {
      let stop = bytes.indexOf(Char.Newline, start);
      if (stop < 0 || stop >= end) {
        if (!last) return start;
        stop = end;
        this.endsInLine = true;
      }
      if (this.skipping) this.skipping = false;
      else {
        this.line++;
        this.readLine(bytes, start, bytes[stop - 1] === 13 && stop > start ? stop - 1 : stop);
      }
      start = stop + 1;
    }
    return Math.min(start, end);
  }

  /** The line is longer than any of a kernel: forget the rest of it. */
  skipRest(): void {
    if (!this.skipping) {
      this.line++;
      this.trouble('unreadable-line', `a line of more than ${lineMax} bytes`);
    }
    this.skipping = true;
    this.giveUp();
  }

  private readLine(bytes: Uint8Array, start: number, end: number): void {
    const first = skipSpace(bytes, start, end);
    if (first === end) return;
    if (bytes[first] === Char.Hash) this.comment(bytes, first, end);
    else if (this.text.parse(bytes, start, end)) {
      if (!this.perfLoss(bytes, end)) this.event(bytes, end);
    } else this.aside(bytes, start, end);
  }

  /** `PERF_RECORD_LOST lost 12`, as `perf script --show-lost-events` prints it. */
  private perfLoss(bytes: Uint8Array, end: number): boolean {
    const { nameStart, nameEnd, cpu } = this.text;
    if (nameStart !== nameEnd || !startsWith(bytes, nameStart, end, 'PERF_RECORD_LOST')) {
      return false;
    }
    const line = textOf(bytes, nameStart, Math.min(end, nameStart + 80));
    const count = / lost (\d+)/.exec(line)?.[1];
    this.pending.push({ cpu, count: count === undefined ? UNKNOWN : Number(count) });
    return true;
  }

  private event(bytes: Uint8Array, end: number): void {
    const { text, head, report } = this;
    head.index = report.events++;
    head.time = text.time;
    head.cpu = text.cpu;
    head.pid = text.pid;
    head.task = this.tasks.intern(bytes, text.taskStart, text.taskEnd);
    const known = knownNames.find(bytes, text.nameStart, text.nameEnd);
    head.name = this.nameOf(bytes, end);
    if (report.first === null) this.begin();
    else if (text.time < report.last!) this.backwards++;
    report.last = text.time;
    this.counts.set(head.name, (this.counts.get(head.name) ?? 0) + 1);
    if (this.counts.size > 1000) this.flushCounts();
    if (this.pending.length > 0) this.passLosses(head.time);
    if (known < 0) {
      this.sink.other(head);
      // The first event of a name that nobody has: one of dma's, whose name is damaged?
      const isNew = this.counts.get(head.name) === 1;
      if (isNew && isOfDma(textOf(bytes, text.payload, end))) this.passLoss(head.cpu, head.time);
    } else if (!this.events.emit(known, head, bytes, text.payload, end)) {
      this.trouble('undecoded-event', `${head.name}: fields missing or not readable`);
      if (head.name.startsWith('dma_')) this.passLoss(head.cpu, head.time);
    }
  }

  /** One event of dma's that could not be read: no mapping is judged across it. */
  private passLoss(cpu: number, before: number): void {
    this.sink.lost(cpu, 1, before);
    this.report.noteLost(cpu, 1, before);
  }

  /** The first event settles what kind of text this is. */
  private begin(): void {
    const { text, report } = this;
    report.first = text.time;
    report.timeUnit = text.ticks ? 'ticks' : 'ns';
    if (text.perf) this.format = 'perf script text';
    report.format = this.format === '' ? 'ftrace text' : this.format;
  }

  /** The name of the event in the current line, also of lines that have none. */
  private nameOf(bytes: Uint8Array, end: number): string {
    const { nameStart, nameEnd } = this.text;
    if (nameEnd === nameStart) {
      if (bytes[nameStart] !== Char.Less) return 'function';
      const name = textOf(bytes, nameStart, end).trim();
      return renamed.get(name) ?? 'function';
    }
    // trace_printk shows the address of its caller where no symbol is known.
    if (bytes[nameStart] === Char.Zero && bytes[nameStart + 1] === Char.LowerX) return 'bprint';
    return this.names.intern(bytes, nameStart, nameEnd);
  }

  private passLosses(before: number): void {
    for (const { cpu, count } of this.pending) {
      this.sink.lost(cpu, count, before);
      this.report.noteLost(cpu, count, before);
    }
    this.pending.length = 0;
  }

  /** `# entries-in-buffer/entries-written: 10/20   #P:2`, `##### CPU 1 buffer started ####`. */
  private comment(bytes: Uint8Array, start: number, end: number): void {
    const line = textOf(bytes, start, Math.min(end, start + 200));
    this.headed ||= line.startsWith('# tracer:');
    // print_event_info, and print_trace_header of the latency tracers.
    const entries =
      /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)(?:\s+#P:(\d+))?/.exec(line) ??
      /^# latency: \d+ us, #(\d+)\/(\d+), CPU#\d+ .*#P:(\d+)/.exec(line);
    if (entries !== null) {
      if (entries[3] !== undefined) this.report.cpus = Number(entries[3]);
      this.counted = Math.max(this.counted, 0) + Number(entries[1]);
      const gone = Number(entries[2]) - Number(entries[1]);
      if (gone > 0) this.pending.push({ cpu: UNKNOWN, count: gone });
      return;
    }
    const started = /^##### CPU (\d+) buffer started ####/.exec(line);
    if (started !== null) this.pending.push({ cpu: Number(started[1]), count: UNKNOWN });
  }

  /** A line that is neither comment nor event. */
  private aside(bytes: Uint8Array, start: number, end: number): void {
    const first = skipSpace(bytes, start, end);
    const lost = this.lossOf(bytes, first, end);
    if (lost !== null) {
      this.pending.push(lost);
      return;
    }
    if (startsWith(bytes, first, end, 'cpus=')) {
      const cpus = Number(textOf(bytes, first + 5, Math.min(end, first + 15)));
      if (Number.isInteger(cpus)) this.report.cpus = cpus;
      this.format = 'trace-cmd report text';
    }
    if (asides.some((word) => startsWith(bytes, first, end, word))) return;
    this.trouble('unreadable-line', 'lines that are no events');
    if (isOfDma(textOf(bytes, start, end))) this.pending.push({ cpu: UNKNOWN, count: 1 });
    this.giveUp();
  }

  /**
   * `CPU:1 [LOST 12 EVENTS]` of the kernel, `CPU:1 [12 EVENTS DROPPED]` of trace-cmd, both also
   * without a number.
   */
  private lossOf(bytes: Uint8Array, start: number, end: number): PendingLoss | null {
    if (!startsWith(bytes, start, end, 'CPU:') || end - start > 80) return null;
    const line = textOf(bytes, start, end);
    const found = /^CPU:(\d+) \[(?:LOST )?(?:(\d+) )?EVENTS(?: DROPPED)?\]/.exec(line);
    if (found === null) return null;
    const count = found[2] === undefined ? UNKNOWN : Number(found[2]);
    return { cpu: Number(found[1]), count };
  }

  private trouble(kind: 'unreadable-line' | 'undecoded-event', message: string): void {
    this.report.problem(kind, message, `line ${this.line}`);
  }

  private giveUp(): void {
    if (this.report.events > 0 || this.line < patience) return;
    throw new TraceInputError(`no event in the first ${this.line} lines`, notATrace);
  }

  private flushCounts(): void {
    for (const [name, times] of this.counts) this.report.count(name, times);
    this.counts.clear();
  }

  /** The kernel's text counts its events and ends with a newline. */
  private tellCut(): void {
    const { report, counted } = this;
    const told = (message: string) => report.problem('truncated', message, 'whole trace');
    if (report.events < counted)
      told(`the header counts ${counted} events, ${report.events} were read`);
    else if (this.headed && this.endsInLine) told('the text ends inside a line');
    else if (counted < 0 && (this.headed || report.events === 0)) {
      told('the header does not count the events');
    }
  }

  finish(): void {
    const { report } = this;
    this.flushCounts();
    if (report.format === '') report.format = this.format === '' ? 'ftrace text' : this.format;
    if (this.backwards > 0) {
      report.problem(
        'damaged',
        'events that are older than the one before them',
        'whole trace',
        this.backwards,
      );
    }
    if (report.events === 0 && report.troubled) {
      throw new TraceInputError(`no event in ${this.line} lines`, notATrace);
    }
    this.tellCut();
    this.passLosses(report.last ?? 0);
  }
}

const notATrace =
  'give the text of tracefs `trace` or `trace_pipe`, of `trace-cmd report` or `perf script`, ' +
  'or a trace.dat';
