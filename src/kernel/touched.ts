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

/** The line of such a number. */
export function placeOf(code: number): { readonly frame: number; readonly line: number } {
  return { frame: Math.floor(code / LINES_MAX), line: code % LINES_MAX };
}

/** Never added to: most groups have to do with few lines, or none. */
const NONE = new Set<number>();
const NO_LINES = new Map<number, Map<string, LineAccess>>();
const NOTHING: readonly number[] = [];

function added(codes: Set<number>, code: number): Set<number> {
  return (codes === NONE ? new Set<number>() : codes).add(code);
}

/** Collected over all choices of a group of steps, also those that cannot happen now. */
export class Touched {
  /** Lines whose record was looked at or replaced: whatever happens to them before may matter. */
  lines = NONE;
  /** Frames that got another owner or meaning, or lost their last cacheable mapping. */
  frames = NONE;
  /** Lines of which a store was issued or left: that decides whether a write-back destroys it. */
  stores = NONE;
  /** DMA mappings changed: they decide what a write-back that destroys a word is called. */
  mappings = false;
  /** The books of what IOMMUs hold were looked at: lines of page tables write them. */
  iotlb = false;
  /** By line, what its record was used for by the cache table alone. */
  accesses = NO_LINES;
  /** Lines with an event in the choice under way. */
  private once: readonly number[] = NOTHING;

  /** Nothing was noted so far. */
  get isEmpty(): boolean {
    const { lines, frames, stores, accesses } = this;
    if (this.mappings || this.iotlb || accesses !== NO_LINES) return false;
    return lines === NONE && frames === NONE && stores === NONE;
  }

  /** Another choice of the group begins. */
  begin(): void {
    this.once = NOTHING;
  }

  /** What IOMMUs hold is looked at. */
  lookUp(): void {
    this.iotlb = true;
  }

  /** What stands in a line is looked at, or goes, in a way the cache table does not tell. */
  look(line: number): void {
    this.lines = added(this.lines, line);
  }

  /** A store to a line is issued or leaves. */
  store(line: number): void {
    this.stores = added(this.stores, line);
  }

  /** A frame is another page's, or nobody's whom a fill could serve. */
  change(frame: number): void {
    this.frames = added(this.frames, frame);
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
    const { once } = this;
    this.once = once.length === 0 ? [line] : [...once, line];
    if (once.length > 0) for (const each of this.once) this.look(each);
    if (this.accesses === NO_LINES) this.accesses = new Map();
    const known = this.accesses.get(line) ?? new Map<string, LineAccess>();
    this.accesses.set(line, known);
    known.set(`${access.event} ${access.word} ${access.value} ${access.own}`, access);
  }
}
