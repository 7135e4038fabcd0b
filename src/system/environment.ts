/**
 * Which evictions and speculative fills a state needs: those after which a step that could come
 * next would do something that it could not do without them, nor with them behind it. The others
 * are left out or come later. docs/reductions.md, "Environment steps", has the proof.
 * Leaves out: what steps do with lines (kernel/touched.ts collects it).
 */
import type { Layout } from '../kernel/layout.js';
import { hasCacheableAlias } from '../kernel/mismatch.js';
import type { Frame } from '../kernel/state.js';
import { type LineAccess, lineCode, Touched } from '../kernel/touched.js';
import { isOpen, type RuleRow, rowsFor } from '../machine/cache-rules.js';
import { applyRow, type Line, type LineOutcome } from '../machine/line.js';
import type { Unkeyed } from './state.js';

/** Environment steps a line needs: all it has, or those of some rows of the cache table. */
export type Needed = 'all' | ReadonlySet<RuleRow>;

/** `row`: what a line did by itself in the step. */
export function isNeeded({ row }: { readonly row: RuleRow | null }, needed: Needed): boolean {
  return needed === 'all' || (row !== null && needed.has(row));
}

/** The steps of a state's groups, in order, without those of lines that nothing could tell. */
export function neededSteps<
  G extends { readonly kind: string; readonly agent: number; readonly at: number },
  S extends { readonly row: RuleRow | null },
>(
  { frames }: Unkeyed,
  groups: readonly G[],
  environment: Environment,
  stepsOf: (group: G, touched: Touched | null) => readonly S[],
): readonly S[] {
  const touched: Touched[] = [];
  const taken = groups.map((group) => {
    if (group.kind === 'cache') return null;
    const mine = new Touched();
    touched.push(mine);
    return stepsOf(group, mine);
  });
  return groups.flatMap((group, i) => {
    const steps = taken[i];
    if (steps) return steps;
    const line = frames[group.agent]?.lines[group.at];
    const needed = line && environment.needed(line, group.agent, group.at, touched);
    if (needed === undefined || (needed !== 'all' && needed.size === 0)) return [];
    return stepsOf(group, null).filter((step) => isNeeded(step, needed));
  });
}

const NONE: ReadonlySet<RuleRow> = new Set();

/** Notes what a step changed that decides what lines do by themselves, or whether they can. */
export function noteChanges(state: Unkeyed, next: Unkeyed, touched: Touched): void {
  const { maps, mappings, iovas } = state.kernel;
  const { kernel } = next;
  if (kernel.mappings !== mappings || kernel.iovas !== iovas) touched.mappings = true;
  const remapped = next.kernel.maps !== maps;
  const mayFill = (of: Unkeyed, i: number) => hasCacheableAlias(of.kernel, of.frames[i], i);
  state.frames.forEach((frame, i) => {
    const now = next.frames[i];
    if (now === undefined) return;
    const other = now !== frame && isOther(frame, now);
    if (other || (remapped && mayFill(state, i) && !mayFill(next, i))) touched.frames.add(i);
  });
}

/** Which facts of a frame decide what its lines do; KernelContext tells of the lines themselves. */
const decides: Readonly<Record<keyof Frame, boolean>> = {
  pfn: true,
  buffer: true,
  page: true,
  lines: false,
  linear: true,
  inTlb: true,
  linearAs: true,
  // Kept for H5 alone; it changes with an event of a line.
  history: false,
  bar: true,
  secure: true,
  table: true,
  nomap: true,
  freed: true,
};
const deciding = keysOf(decides).filter((field) => decides[field]);

function keysOf<K extends string>(of: Readonly<Record<K, unknown>>): readonly K[] {
  const found: K[] = [];
  for (const key in of) found.push(key);
  return found;
}

/** It is another page's now, or the linear map has it otherwise. */
function isOther(frame: Frame, now: Frame): boolean {
  if (now.lines.length !== frame.lines.length) return true;
  return deciding.some((field) => now[field] !== frame[field]);
}

/**
 * Lines of page tables write the books of what IOMMUs hold, so that no row of the cache table tells
 * all of what becomes of them.
 */
export function noteTables({ frames }: Unkeyed, layout: Layout, touched: Touched): void {
  if (!layout.hasPtes) return;
  frames.forEach((frame, i) => {
    const page = layout.pages(frame.buffer)[layout.pageIndex(frame.buffer, frame.page)];
    frame.lines.forEach((_, at) => {
      const cells = page?.lines[at]?.cells ?? [];
      const holds = frame.table === true || cells.some(({ id }) => layout.isPte(id));
      const code = lineCode(i, at);
      if (holds && (touched.iotlb || touched.accesses.has(code))) touched.look(code);
    });
  });
}

/** Decides for one set of liberties; answers are kept per line record and accesses. */
export class Environment {
  /** Lines with steps left out, and all that were asked about, over all states. */
  leftOut = 0;
  asked = 0;
  private readonly known = new WeakMap<Line, Map<string, ReadonlySet<RuleRow>>>();

  /** `met` is told of liberties that an answer hangs on, as pickRow tells of those of steps. */
  constructor(
    private readonly liberties: ReadonlySet<string>,
    private readonly met: (liberty: string) => void,
  ) {}

  /** `touched`: of every group of steps but those of the cache that could come next. */
  needed(line: Line, frame: number, at: number, touched: readonly Touched[]): Needed {
    const code = lineCode(frame, at);
    this.asked++;
    const accesses: (readonly [string, LineAccess])[] = [];
    for (const each of touched) {
      if (each.lines.has(code) || each.frames.has(frame)) return 'all';
      if (line.state === 'dirty' && (each.mappings || each.stores.has(code))) return 'all';
      const mine = each.accesses.get(code);
      if (mine !== undefined) accesses.push(...mine);
    }
    const needed = accesses.length === 0 ? NONE : this.rows(line, accesses);
    if (needed.size === 0) this.leftOut++;
    return needed;
  }

  private rows(
    line: Line,
    accesses: readonly (readonly [string, LineAccess])[],
  ): ReadonlySet<RuleRow> {
    const known = this.known.get(line) ?? new Map<string, ReadonlySet<RuleRow>>();
    this.known.set(line, known);
    const key = accesses.map(([text]) => text).join('|');
    let found = known.get(key);
    if (found === undefined) {
      const list = accesses.map(([, access]) => access);
      this.ask(line, list);
      found = neededRows(line, list, this.liberties);
      known.set(key, found);
    }
    return found;
  }

  /** An access may find the line as it is, or as its own steps make it. */
  private ask(line: Line, accesses: readonly LineAccess[]): void {
    for (const { event } of accesses) {
      for (const state of LINE_STATES) {
        if (state === 'dirty' && line.state !== 'dirty') continue;
        for (const { liberty } of rowsFor(state, event)) {
          if (liberty !== undefined) this.met(liberty);
        }
      }
    }
  }
}

const LINE_STATES = ['absent', 'clean', 'dirty'] as const;

/** The rows of what a line may do by itself now, as far as the page's mappings allow. */
function ownRows(line: Line, liberties: ReadonlySet<string>): readonly RuleRow[] {
  return [...rowsFor(line.state, 'evict'), ...rowsFor(line.state, 'speculate')].filter((row) =>
    isOpen(row, liberties, false),
  );
}

function textOf({ state, dram, copy, written, stopped }: Line): string {
  return `${state} ${dram.join()} ${copy.join()} ${written} ${stopped}`;
}

/**
 * The first steps of shortest ways of a line by itself whose last step matters to an access. A way
 * that is longer than another one to the same record is never needed.
 */
export function neededRows(
  line: Line,
  accesses: readonly LineAccess[],
  liberties: ReadonlySet<string>,
): ReadonlySet<RuleRow> {
  const distance = new Map<string, number>([[textOf(line), 0]]);
  const queue: Line[] = [line];
  for (const each of queue) {
    for (const row of ownRows(each, liberties)) {
      const { line: next } = applyRow(each, row);
      if (distance.has(textOf(next))) continue;
      distance.set(textOf(next), (distance.get(textOf(each)) ?? 0) + 1);
      queue.push(next);
    }
  }
  const leads = (from: Line, row: RuleRow): boolean => {
    const { line: next } = applyRow(from, row);
    if (distance.get(textOf(next)) !== (distance.get(textOf(from)) ?? 0) + 1) return false;
    if (accesses.some((access) => matters(from, row, access, liberties))) return true;
    return ownRows(next, liberties).some((after) => leads(next, after));
  };
  return new Set(ownRows(line, liberties).filter((row) => leads(line, row)));
}

/** What an access may come to at a line: what it returns, from where, and the line afterwards. */
function outcomes(
  line: Line,
  { event, word, value, own }: LineAccess,
  liberties: ReadonlySet<string>,
): readonly (LineOutcome & { readonly seen: string })[] {
  const open = rowsFor(line.state, event).filter((row) => isOpen(row, liberties, own));
  return open.map((row) => {
    const outcome = applyRow(line, row, word, value);
    const from = row.liberty === 'arch-hit' ? 'hit' : outcome.from;
    return { ...outcome, seen: `${outcome.value} ${from}` };
  });
}

/**
 * With the line's own step before it, the access comes to something else than without, also when a
 * step of the same kind follows; or there are several things it may come to.
 */
function matters(
  line: Line,
  own: RuleRow,
  access: LineAccess,
  liberties: ReadonlySet<string>,
): boolean {
  const [without, ...others] = outcomes(line, access, liberties);
  const [behind, ...more] = outcomes(applyRow(line, own).line, access, liberties);
  if (without === undefined || behind === undefined || others.length + more.length > 0) return true;
  // What a write-back destroys is judged when it happens.
  if (without.wroteBack || without.dropped || without.seen !== behind.seen) return true;
  const same = rowsFor(without.line.state, own.event).filter((row) =>
    isOpen(row, liberties, false),
  );
  const reached = [without.line, ...same.map((row) => applyRow(without.line, row).line)];
  return !reached.some((each) => textOf(each) === textOf(behind.line));
}
