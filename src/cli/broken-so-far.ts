/**
 * A word on stderr for each contract that a scenario breaks (H11), while it is still explored: who
 * waits for the rest knows by then that there is something to mend, and what.
 * Leaves out: scenarios that take less than a second, whose report is there as soon.
 */
import type { Finding } from '../verdict/result.js';

const quietSeconds = 1;

export class BrokenSoFar {
  private readonly told = new Set<string>();

  constructor(
    private readonly quiet: boolean,
    private readonly write: (text: string) => unknown = (text) => process.stderr.write(text),
  ) {}

  /** `seconds`: how long the scenario has been explored. `clear`: called before a word. */
  tell(file: string, seconds: number, findings: readonly Finding[], clear: () => void): void {
    if (this.quiet || seconds < quietSeconds) return;
    for (const { id, message, at } of findings) {
      const text = `${file}:${at.line}:${at.column}: ${id} ${message}`;
      if (this.told.has(text)) continue;
      this.told.add(text);
      clear();
      this.write(`${text} (still exploring)\n`);
    }
  }
}
