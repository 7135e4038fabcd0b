/**
 * One line on stderr, only on a terminal and only after a second, gone when output comes: how far,
 * how fast, and how long it may take. Nobody knows the number of states beforehand: for one
 * scenario the estimate is when it would run into a limit.
 */
import { count, groupDigits } from '../base/text.js';
import type { WorkerProgress } from './worker.js';

const quietMs = 1000;
/** Too few scenarios say nothing about how long the others take. */
const tellingShare = 0.05;

/** Limits of one scenario, as far as they are known. */
export interface Bounds {
  readonly maxStates?: number;
  readonly maxSeconds?: number;
}

/** What of process.stderr is used. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** `40 s`, `3 min`, `2 h`. */
export function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

interface Rate {
  run: string;
  states: number;
  seconds: number;
  perSecond: number;
}

export class Progress {
  private readonly on: boolean;
  private readonly started: number;
  private readonly rates = new Map<string, Rate>();
  private shown = false;
  private done = 0;

  constructor(
    private readonly total: number,
    quiet: boolean,
    private readonly bounds: Bounds = {},
    private readonly terminal: Terminal = process.stderr,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.on = terminal.isTTY === true && !quiet;
    this.started = now();
  }

  update(file: string, progress: WorkerProgress): void {
    if (!this.on) return;
    const place = this.total > 1 ? `${this.done + 1}/${this.total} ` : '';
    const rate = this.rate(file, progress);
    const speed = rate > 0 ? ` at ${groupDigits(Math.round(rate))}/s` : '';
    const states = `${count(progress.states, 'state')}${speed}`;
    const left = this.total > 1 ? this.left() : this.untilLimit(progress, rate);
    this.say(`${place}${file}: ${states}, ${roughly(progress.seconds)}${left} (${progress.run})`);
  }

  /** The line in words; nothing before there is something to wait for. */
  say(text: string): void {
    if (!this.on || this.now() - this.started < quietMs) return;
    const width = (this.terminal.columns ?? 80) - 1;
    this.terminal.write(`\r\u001b[K${text.slice(0, width)}`);
    this.shown = true;
  }

  /** States a second since the last word of the same exploration; 0 at first. */
  private rate(file: string, { run, states, seconds }: WorkerProgress): number {
    const old = this.rates.get(file);
    const same = old !== undefined && old.run === run && states >= old.states;
    const passed = same ? seconds - old.seconds : 0;
    const perSecond = passed > 0 ? (states - (old?.states ?? 0)) / passed : 0;
    this.rates.set(file, { run, states, seconds, perSecond });
    return perSecond;
  }

  private left(): string {
    if (this.done < Math.max(1, tellingShare * this.total)) return '';
    const each = (this.now() - this.started) / 1000 / this.done;
    return `, about ${roughly(each * (this.total - this.done))} left`;
  }

  private untilLimit({ states, seconds }: WorkerProgress, rate: number): string {
    const { maxStates, maxSeconds } = this.bounds;
    const byStates = maxStates === undefined || rate <= 0 ? Infinity : (maxStates - states) / rate;
    const byTime = maxSeconds === undefined ? Infinity : maxSeconds - seconds;
    const soonest = Math.min(byStates, byTime);
    if (soonest === Infinity || soonest <= 0) return '';
    const which = byStates < byTime ? '--max-states' : '--max-seconds';
    return `, ${which} in ${roughly(soonest)} at the latest`;
  }

  /** One more scenario is finished; call before printing anything about it. */
  finished(): void {
    this.done += 1;
    this.clear();
  }

  clear(): void {
    if (this.shown) this.terminal.write('\r\u001b[K');
    this.shown = false;
  }
}
