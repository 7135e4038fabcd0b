/**
 * A scenario with a set of edits applied: compiled, each instruction traced back to the text it
 * came from, so that one and the same instruction is recognised in every variant.
 */
import type { Program } from '../litmus/program.js';
import { compile } from '../litmus/index.js';
import { Layout } from '../kernel/layout.js';
import { Sites } from '../system/sites.js';
import { apply, type Edit, type Patch, type Relocation } from './edit.js';
import { readNames } from './names.js';
import { lineStarts, readSource } from './source.js';

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
    const { program } = compile(applied.text, this.file);
    if (program === null) return null;
    const starts = lineStarts(applied.text);
    const sites = new Sites(program);
    const origins: string[] = [];
    const siteOf = new Map<string, number>();
    sites.threads.forEach((thread) => {
      const counts = new Map<string, number>();
      for (const { at } of thread.code) {
        const origin = applied.origin((starts[at.line - 1] ?? 0) + at.column - 1);
        const count = counts.get(origin) ?? 0;
        counts.set(origin, count + 1);
        const name = `${origin}#${count}`;
        siteOf.set(name, origins.length);
        origins.push(name);
      }
    });
    const layout = new Layout(program.machine.pageSize, program.machine.lineSize);
    const relocations = edits.flatMap(({ relocation }) => relocation ?? []);
    const { text } = applied;
    const { roots } = this;
    const variant = { text, program, sites, origins, siteOf, layout, relocations, roots };
    if (like !== undefined) seed(variant, like);
    return variant;
  }
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
