/** One line on stderr, only on a terminal and only after a second, gone when output comes. */
import { count } from '../base/text.js';
import type { WorkerProgress } from './worker.js';

const quietMs = 1000;

export class Progress {
  private readonly started = performance.now();
  private readonly on: boolean;
  private shown = false;
  private done = 0;

  constructor(
    private readonly total: number,
    quiet: boolean,
  ) {
    this.on = process.stderr.isTTY === true && !quiet;
  }

  update(file: string, progress: WorkerProgress): void {
    const place = this.total > 1 ? `${this.done + 1}/${this.total} ` : '';
    const states = count(progress.states, 'state');
    this.say(`${place}${file}: ${states}, ${progress.seconds.toFixed(1)} s (${progress.run})`);
  }

  /** The line in words; nothing before there is something to wait for. */
  say(text: string): void {
    if (!this.on || performance.now() - this.started < quietMs) return;
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(`\r\u001b[K${text.slice(0, width)}`);
    this.shown = true;
  }

  /** One more scenario is finished; call before printing anything about it. */
  finished(): void {
    this.done += 1;
    this.clear();
  }

  clear(): void {
    if (this.shown) process.stderr.write('\r\u001b[K');
    this.shown = false;
  }
}
