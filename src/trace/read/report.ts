/**
 * What a reading came to: where the events came from, how many of each type, what was lost and
 * what could not be read. Leaves out the events themselves (the sink gets those) and how the
 * report is shown.
 */
import { UNKNOWN } from '../events.js';

/** The kinds of trouble that a reading survives. */
export type ProblemKind =
  | 'truncated'
  | 'damaged'
  | 'unreadable-line'
  | 'undecoded-event'
  | 'unknown-event'
  | 'unsupported';

/** Trouble of one kind and message, told once with its number of occurrences. */
export interface ReadProblem {
  readonly kind: ProblemKind;
  readonly message: string;
  /** Where it was first met: `line 12`, `byte 4096`. */
  readonly place: string;
  readonly count: number;
}

/** Events lost before a moment. */
export interface LostEvents {
  /** UNKNOWN when it may have been any. */
  readonly cpu: number;
  /** How many, UNKNOWN when the buffer does not tell. */
  readonly count: number;
  /** The first event after the loss, in the units of the trace's clock. */
  readonly before: number;
}

export interface ReadReport {
  readonly source: string;
  /** `trace.dat version 7`, `ftrace text`, `trace-cmd report text`, `perf script text`. */
  readonly format: string;
  /** From the outside in: `gzip`, `zstd`; and what a trace.dat of version 7 uses inside. */
  readonly compression: readonly string[];
  /** `uname -a` of the recording, or null. */
  readonly kernel: string | null;
  /** Name of the trace clock, or null. */
  readonly clock: string | null;
  /** Whether times are nanoseconds or the clock's own ticks. */
  readonly timeUnit: 'ns' | 'ticks';
  /** Of the machine that recorded, in bytes, or null (text does not tell). */
  readonly pageSize: number | null;
  /** Number of CPUs, or null. */
  readonly cpus: number | null;
  readonly events: number;
  /** Events per type name, in the order in which the types appear. */
  readonly counts: ReadonlyMap<string, number>;
  /** Time of the first and last event, null when there is none. */
  readonly first: number | null;
  readonly last: number | null;
  /** At most `lostListed` entries; `lostTimes` counts all. */
  readonly lost: readonly LostEvents[];
  readonly lostTimes: number;
  /** Sum of the known counts of lost events. */
  readonly lostEvents: number;
  /** True when some loss has no count. */
  readonly lostUnknown: boolean;
  readonly problems: readonly ReadProblem[];
}

/** How many losses a report lists one by one. */
export const lostListed = 1000;
/** Different messages and type names that a report holds before it lumps them together. */
const namesKept = 4096;
const problemsKept = 200;
const lumped = '(more types)';

/** Collects a report. Mutable; the readers hold one. */
export class ReportBuilder {
  format = '';
  compression: string[] = [];
  kernel: string | null = null;
  clock: string | null = null;
  timeUnit: 'ns' | 'ticks' = 'ns';
  pageSize: number | null = null;
  cpus: number | null = null;
  events = 0;
  first: number | null = null;
  last: number | null = null;
  private readonly counts = new Map<string, number>();
  private readonly lost: LostEvents[] = [];
  private lostTimes = 0;
  private lostEvents = 0;
  private lostUnknown = false;
  private readonly problems = new Map<
    string,
    { -readonly [K in keyof ReadProblem]: ReadProblem[K] }
  >();

  constructor(readonly source: string) {}

  /** True when a loss or trouble has been noted. */
  get troubled(): boolean {
    return this.problems.size > 0 || this.lostTimes > 0;
  }

  count(name: string, times: number): void {
    const known = this.counts.get(name);
    if (known !== undefined) this.counts.set(name, known + times);
    else if (this.counts.size < namesKept) this.counts.set(name, times);
    else this.counts.set(lumped, (this.counts.get(lumped) ?? 0) + times);
  }

  noteLost(cpu: number, count: number, before: number): void {
    this.lostTimes++;
    if (count === UNKNOWN) this.lostUnknown = true;
    else this.lostEvents += count;
    if (this.lost.length < lostListed) this.lost.push({ cpu, count, before });
  }

  problem(kind: ProblemKind, message: string, place: string, times = 1): void {
    const key = `${kind} ${message}`;
    const known = this.problems.get(key);
    if (known !== undefined) known.count += times;
    else if (this.problems.size < problemsKept) {
      this.problems.set(key, { kind, message, place, count: times });
    } else if (message !== 'more trouble of other kinds') {
      this.problem(kind, 'more trouble of other kinds', place, times);
    } else {
      this.problems.set(key, { kind, message, place, count: times });
    }
  }

  finish(): ReadReport {
    return {
      source: this.source,
      format: this.format,
      compression: this.compression,
      kernel: this.kernel,
      clock: this.clock,
      timeUnit: this.timeUnit,
      pageSize: this.pageSize,
      cpus: this.cpus,
      events: this.events,
      counts: this.counts,
      first: this.first,
      last: this.last,
      lost: this.lost,
      lostTimes: this.lostTimes,
      lostEvents: this.lostEvents,
      lostUnknown: this.lostUnknown,
      problems: [...this.problems.values()],
    };
  }
}

/** An input that is no trace at all, or one that cannot be begun. */
export class TraceInputError extends Error {
  constructor(
    message: string,
    /** What to do instead, '' when there is nothing to say. */
    readonly suggestion = '',
  ) {
    super(message);
    this.name = 'TraceInputError';
  }
}
