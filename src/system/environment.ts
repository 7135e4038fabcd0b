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
import { FRAME } from './keys.js';
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
  // Of groups that have to do with some line: most have not.
  const touched: Touched[] = [];
  const taken: (readonly S[] | null)[] = [];
  let mine = new Touched();
  for (const group of groups) {
    if (group.kind === 'cache') {
      taken.push(null);
      continue;
    }
    taken.push(stepsOf(group, mine));
    if (mine.isEmpty) continue;
    touched.push(mine);
    mine = new Touched();
  }
  const all: S[] = [];
  for (let i = 0; i < groups.length; i++) {
    const [group, steps] = [groups[i], taken[i]];
    if (steps) for (const step of steps) all.push(step);
    if (steps || group === undefined) continue;
    const line = frames[group.agent]?.lines[group.at];
    const needed = line && environment.needed(line, group.agent, group.at, touched);
    if (needed === undefined || (needed !== 'all' && needed.size === 0)) continue;
    for (const step of stepsOf(group, null)) if (isNeeded(step, needed)) all.push(step);
  }
  return all;
}

const NONE: ReadonlySet<RuleRow> = new Set();

/** Notes what a step changed that decides what lines do by themselves, or whether they can. */
export function noteChanges(state: Unkeyed, next: Unkeyed, touched: Touched): void {
  const { maps, mappings, iovas } = state.kernel;
  const { kernel } = next;
  if (kernel.mappings !== mappings || kernel.iovas !== iovas) touched.mappings = true;
  const remapped = next.kernel.maps !== maps;
  if (!remapped && next.frames === state.frames) return;
  const mayFill = (of: Unkeyed, i: number) => hasCacheableAlias(of.kernel, of.frames[i], i);
  state.frames.forEach((frame, i) => {
    const now = next.frames[i];
    if (now === undefined) return;
    const other = now !== frame && isOther(frame, now);
    if (other || (remapped && mayFill(state, i) && !mayFill(next, i))) touched.change(i);
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
const deciding = FRAME.maskOf(decides);

/** It is another page's now, or the linear map has it otherwise. */
function isOther(frame: Frame, now: Frame): boolean {
  if (now.lines.length !== frame.lines.length) return true;
  return (FRAME.differ(frame, now) & deciding) !== 0;
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
  /** By line record and accesses; by what the record has, where that one is new. */
  private readonly known = new WeakMap<Line, Map<string, ReadonlySet<RuleRow>>>();
  private readonly byText = new Map<string, ReadonlySet<RuleRow>>();

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
    const known = this.known.get(line);
    let key = '';
    for (const [text] of accesses) key += `${text}|`;
    let found = known?.get(key);
    if (found === undefined) {
      found = this.rowsByText(line, key, accesses);
      if (known === undefined) this.known.set(line, new Map([[key, found]]));
      else known.set(key, found);
    }
    return found;
  }

  /** Lines that steps made at different times are often the same. */
  private rowsByText(
    line: Line,
    key: string,
    accesses: readonly (readonly [string, LineAccess])[],
  ): ReadonlySet<RuleRow> {
    const text = key + textOf(line);
    let found = this.byText.get(text);
    if (found === undefined) {
      const list = accesses.map(([, access]) => access);
      this.ask(line, list);
      found = neededRows(line, list, this.liberties);
      this.byText.set(text, found);
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

/** All that a line is. */
function textOf({ state, dram, copy, written, stopped }: Line): string {
  let text = `${state} ${written} ${stopped}`;
  for (const value of dram) text += ` ${value}`;
  for (const value of copy) text += `,${value}`;
  return text;
}

const LINE_STATES = ['absent', 'clean', 'dirty'] as const;

/** The rows of what a line may do by itself now, as far as the page's mappings allow. */
function ownRows(line: Line, liberties: ReadonlySet<string>): readonly RuleRow[] {
  const all = [...rowsFor(line.state, 'evict'), ...rowsFor(line.state, 'speculate')];
  return all.filter((row) => isOpen(row, liberties, false));
}

function sameLine(a: Line, b: Line): boolean {
  if (a === b) return true;
  if (a.state !== b.state || a.written !== b.written || a.stopped !== b.stopped) return false;
  return sameNumbers(a.dram, b.dram) && sameNumbers(a.copy, b.copy);
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A record that a line comes to by itself, and after how many steps at least. */
interface Way {
  readonly line: Line;
  readonly distance: number;
  readonly steps: Own[];
}

/** What a line may do by itself. */
interface Own {
  readonly row: RuleRow;
  readonly to: Way;
}

/** Where a line stands, and all that it comes to by itself; they are few. */
function waysOf(line: Line, liberties: ReadonlySet<string>): Way {
  const first: Way = { line, distance: 0, steps: [] };
  const all = [first];
  for (const way of all) {
    for (const row of ownRows(way.line, liberties)) {
      const next = applyRow(way.line, row).line;
      let to = all.find((each) => sameLine(each.line, next));
      if (to === undefined) {
        to = { line: next, distance: way.distance + 1, steps: [] };
        all.push(to);
      }
      way.steps.push({ row, to });
    }
  }
  return first;
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
  const leads = (from: Way, { row, to }: Own): boolean => {
    if (to.distance !== from.distance + 1) return false;
    if (accesses.some((access) => matters(from.line, row, to.line, access, liberties))) return true;
    return to.steps.some((after) => leads(to, after));
  };
  const here = waysOf(line, liberties);
  return new Set(here.steps.filter((own) => leads(here, own)).map(({ row }) => row));
}

/** Where the value that an access returns is from. */
function fromOf({ liberty }: RuleRow, { from }: LineOutcome): string | undefined {
  return liberty === 'arch-hit' ? 'hit' : from;
}

/** The one row that an access takes at a line; null where there are several. */
function onlyRow(
  line: Line,
  { event, own }: LineAccess,
  liberties: ReadonlySet<string>,
): RuleRow | null {
  let found: RuleRow | null = null;
  for (const row of rowsFor(line.state, event)) {
    if (!isOpen(row, liberties, own)) continue;
    if (found !== null) return null;
    found = row;
  }
  return found;
}

/**
 * With the line's own step before it, the access comes to something else than without, also when a
 * step of the same kind follows; or there are several things it may come to. `after`: the line
 * behind its own step.
 */
function matters(
  line: Line,
  own: RuleRow,
  after: Line,
  access: LineAccess,
  liberties: ReadonlySet<string>,
): boolean {
  const [here, there] = [onlyRow(line, access, liberties), onlyRow(after, access, liberties)];
  if (here === null || there === null) return true;
  const { word, value } = access;
  const without = applyRow(line, here, word, value);
  const behind = applyRow(after, there, word, value);
  // What a write-back destroys is judged when it happens.
  if (without.wroteBack || without.dropped || without.value !== behind.value) return true;
  if (fromOf(here, without) !== fromOf(there, behind)) return true;
  if (sameLine(without.line, behind.line)) return false;
  return !rowsFor(without.line.state, own.event).some(
    (row) =>
      isOpen(row, liberties, false) && sameLine(applyRow(without.line, row).line, behind.line),
  );
}
