/**
 * What the steps of a group have to do with cache lines: which records they look at, and what they
 * do to lines in the words of the cache table. A line that no step of now has to do with may be
 * evicted or filled later as well (docs/reductions.md, "Environment steps").
 * Leaves out: what follows from it (system/environment.ts).
 */
import type { LineEvent } from '../machine/cache-rules.js';

/** An event of the cache table at one word of a line. */
export interface LineAccess {
  readonly event: LineEvent;
  readonly word: number;
  readonly value: number;
  /** See RuleRow.own. */
  readonly own: boolean;
}

/** One number for a line of a frame: pages have fewer lines than this. */
const LINES_MAX = 8192;

export function lineCode(frame: number, line: number): number {
  return frame * LINES_MAX + line;
}

/** Collected over all choices of a group of steps, also those that cannot happen now. */
export class Touched {
  /** Lines whose record was looked at or replaced: whatever happens to them before may matter. */
  readonly lines = new Set<number>();
  /** Frames that got another owner or meaning, or lost their last cacheable mapping. */
  readonly frames = new Set<number>();
  /** Lines of which a store was issued or left: that decides whether a write-back destroys it. */
  readonly stores = new Set<number>();
  /** DMA mappings changed: they decide what a write-back that destroys a word is called. */
  mappings = false;
  /** The books of what IOMMUs hold were looked at: lines of page tables write them. */
  iotlb = false;
  /** By line, what its record was used for by the cache table alone. */
  readonly accesses = new Map<number, Map<string, LineAccess>>();
  /** Lines with an event in the choice under way. */
  private readonly once: number[] = [];

  /** Another choice of the group begins. */
  begin(): void {
    this.once.length = 0;
  }

  /** What IOMMUs hold is looked at. */
  lookUp(): void {
    this.iotlb = true;
  }

  /** What stands in a line is looked at, or goes, in a way the cache table does not tell. */
  look(line: number): void {
    this.lines.add(line);
  }

  /** A frame's record is replaced: lines that are not as before were. */
  replaced(frame: number, old: readonly unknown[], now: readonly unknown[]): void {
    if (old === now) return;
    for (let at = 0; at < Math.max(old.length, now.length); at++) {
      if (old[at] !== now[at]) this.look(lineCode(frame, at));
    }
  }

  /** What several events in one step come to is told by no single row. */
  access(line: number, access: LineAccess): void {
    this.once.push(line);
    if (this.once.length > 1) for (const each of this.once) this.lines.add(each);
    const known = this.accesses.get(line) ?? new Map<string, LineAccess>();
    this.accesses.set(line, known);
    known.set(`${access.event} ${access.word} ${access.value} ${access.own}`, access);
  }
}
