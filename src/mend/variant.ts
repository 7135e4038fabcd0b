/**
 * A scenario with a set of edits applied: compiled, each instruction traced back to the text it
 * came from, so that one and the same instruction is recognised in every variant.
 */

import { Layout } from '../kernel/layout.js';
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { Sites } from '../system/sites.js';
import { apply, type Edit, type Patch, type Relocation } from './edit.js';
import { readNames } from './names.js';
import { lineStarts, readSource } from './source.js';

/** A machine that the scenario may have to run on: a setting, changed in the text. */
export interface Platform {
  /** As it reads in the machine block: `.swiotlb = force`. */
  readonly label: string;
  /** Changes characters within lines; no line comes or goes. */
  readonly change: (text: string) => string;
  /** No machine of the architecture is like that: worth trying, not worth giving up others for. */
  readonly isOutside?: boolean;
}

/** Which platforms could change the verdict of a program. */
export type PlatformsOf = (program: Program) => readonly Platform[];

export interface Platforms {
  readonly of: PlatformsOf;
  /** Is it left aside, now? By its label. */
  readonly except: (label: string) => boolean;
  /** Every one heard of so far, by its label; grows. */
  readonly known: Map<string, Platform>;
}

/** The name of the platform that the text itself describes. */
export const AS_WRITTEN = 'as written';

export interface Variant {
  readonly text: string;
  readonly program: Program;
  readonly sites: Sites;
  /** Of each site, by its number: where its instruction comes from, and its count there. */
  readonly origins: readonly string[];
  readonly siteOf: ReadonlyMap<string, number>;
  readonly layout: Layout;
  readonly relocations: readonly Relocation[];
  /** Where memory is allocated that edits know of, as offsets in the user's text. */
  readonly roots: ReadonlySet<number>;
  /** Its label, or AS_WRITTEN. */
  readonly platform: string;
  /** Labels of the other platforms that it has to be coherent on; none where nobody asked. */
  readonly platforms: readonly string[];
  /** The same edits on a platform; null where no scenario comes of it. */
  on(platform: string): Variant | null;
}

/** Where bytes of a buffer were in the user's text; null for bytes that were not there. */
export function oldByte(variant: Variant, buffer: number, byte: number): number | null {
  const root = rootOffset(variant.origins[buffer] ?? '');
  const found = variant.relocations.find((each) => each.root === root);
  if (found === undefined || byte < found.from) return byte;
  return byte < found.from + found.by ? null : byte - found.by;
}

/** Offset in the user's text out of `o123#0`; -1 for text of an edit. */
function rootOffset(origin: string): number {
  return origin.startsWith('o') ? Number.parseInt(origin.slice(1), 10) : -1;
}

export class Variants {
  /** Edits that keep the header out of the way; they belong to every variant. */
  private readonly header: Edit;
  private readonly roots: ReadonlySet<number>;

  constructor(
    readonly file: string,
    readonly text: string,
    patches: readonly Patch[],
    private readonly others: Platforms = { of: () => [], except: () => false, known: new Map() },
  ) {
    this.roots = rootsIn(text);
    this.header = {
      id: -1,
      kind: 'change',
      level: 'api',
      operation: '',
      title: '',
      patches,
      spots: [],
      roots: [],
      orders: false,
      slots: [],
      cost: 0,
      saves: 0,
      line: 1,
      isUsual: false,
      enablers: [],
    };
  }

  /** The text with the edits, header included; null when they overlap. */
  textOf(edits: readonly Edit[]): string | null {
    return apply(this.text, [this.header, ...edits])?.text ?? null;
  }

  /** Null when the edits overlap or the result does not compile. */
  make(edits: readonly Edit[], like?: Variant): Variant | null {
    const applied = apply(this.text, [this.header, ...edits]);
    if (applied === null) return null;
    const compiled = this.compiled(applied.text, applied.origin, AS_WRITTEN);
    if (compiled === null) return null;
    const relocations = edits.flatMap(({ relocation }) => relocation ?? []);
    const made: Variant = { ...compiled, relocations };
    if (like !== undefined) seed(made, like);
    return this.everywhere(made, applied.origin);
  }

  /** Compiles a text whose characters come from where `origin` says. */
  private compiled(text: string, origin: Origin, platform: string): Variant | null {
    const { program } = compile(text, this.file);
    if (program === null) return null;
    const starts = lineStarts(text);
    const sites = Sites.of(program);
    const origins: string[] = [];
    const siteOf = new Map<string, number>();
    sites.threads.forEach((thread) => {
      const counts = new Map<string, number>();
      for (const { at } of thread.code) {
        const from = origin((starts[at.line - 1] ?? 0) + at.column - 1);
        const count = counts.get(from) ?? 0;
        counts.set(from, count + 1);
        const name = `${from}#${count}`;
        siteOf.set(name, origins.length);
        origins.push(name);
      }
    });
    const layout = new Layout(program.machine.pageSize, program.machine.lineSize);
    const parts = { text, program, sites, origins, siteOf, layout, platform };
    const { roots } = this;
    return { ...parts, relocations: [], roots, platforms: [], on: () => null };
  }

  /** The variant with its other platforms, each made when somebody asks for it. */
  private everywhere(written: Variant, origin: Origin): Variant {
    const { except, known } = this.others;
    const platforms = this.others.of(written.program);
    for (const platform of platforms) known.set(platform.label, platform);
    const made = new Map<string, Variant | null>();
    const all: Variant = {
      ...written,
      get platforms() {
        return platforms.map(({ label }) => label).filter((label) => !except(label));
      },
      on: (label) => {
        if (label === AS_WRITTEN) return all;
        const before = made.get(label);
        if (before !== undefined) return before;
        const there = this.moved(written, origin, label);
        made.set(label, there);
        return there;
      },
    };
    return all;
  }

  private moved(written: Variant, origin: Origin, label: string): Variant | null {
    const platform = this.others.known.get(label);
    if (platform === undefined) return null;
    const text = platform.change(written.text);
    const before = placesBefore(written.text, text);
    if (before === null) return null;
    const compiled = this.compiled(text, (offset) => origin(before(offset)), label);
    if (compiled === null) return null;
    const there: Variant = { ...compiled, relocations: written.relocations };
    seed(there, written);
    return there;
  }
}

/** Where a character of a text comes from, by its offset. */
type Origin = (offset: number) => string;

/**
 * For each character of the later text where it stood in the earlier one, line by line; what is
 * new in a line stands where the lines begin to differ. Null when the lines are not as many.
 */
function placesBefore(earlier: string, later: string): ((offset: number) => number) | null {
  const from = lineStarts(earlier);
  const to = lineStarts(later);
  if (from.length !== to.length) return null;
  return (offset) => {
    const line = to.findLastIndex((start) => start <= offset);
    const [start, before] = [to[line] ?? 0, from[line] ?? 0];
    const now = later.slice(start, to[line + 1]);
    const then = earlier.slice(before, from[line + 1]);
    if (now === then) return before + offset - start;
    const least = Math.min(now.length, then.length);
    let same = 0;
    while (same < least && now[same] === then[same]) same++;
    let tail = 0;
    while (tail < least - same && now.at(-1 - tail) === then.at(-1 - tail)) tail++;
    const column = offset - start;
    if (column >= now.length - tail) return before + column + then.length - now.length;
    return before + Math.min(column, same);
  };
}

function rootsIn(text: string): ReadonlySet<number> {
  const source = readSource(text);
  // Sizes do not matter here.
  const names = source === null ? null : readNames(source, 1);
  return new Set(names?.roots.map(({ id }) => id));
}

/** The words a variant names are nearly always those of the text it came from. */
function seed(variant: Variant, like: Variant): void {
  for (const { buffer, page, offset, size } of like.layout.cells) {
    const site = variant.siteOf.get(like.origins[buffer] ?? '');
    if (site === undefined) continue;
    const byte = page * variant.program.machine.pageSize + offset;
    const root = rootOffset(variant.origins[site] ?? '');
    const moved = variant.relocations.find((each) => each.root === root && byte >= each.from);
    variant.layout.add(site, byte + (moved?.by ?? 0), size);
  }
}
