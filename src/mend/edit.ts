/**
 * An edit as data: which characters of the user's text it replaces, whom it concerns, what it
 * costs. Sets of edits are applied to the text itself, so that comments and layout stay.
 */
import type { Gap } from './source.js';

export type EditKind = 'insert' | 'change' | 'move' | 'remove';
/** `api`: functions a driver may call. `raw`: cache maintenance by hand, not for modules. */
export type Level = 'api' | 'raw';

export interface Patch {
  readonly from: number;
  /** `from` for an insertion. */
  readonly to: number;
  readonly text: string;
}

/** Bytes of an allocation that lie elsewhere than before: from an offset on, so many further. */
export interface Relocation {
  /** The allocating call's offset in the user's text. */
  readonly root: number;
  readonly from: number;
  readonly by: number;
}

/** Where a run has to come by for an edit to matter to it. */
export type Spot =
  | {
      readonly kind: 'gap';
      readonly thread: string;
      readonly at: number;
      readonly loopFrom: number;
    }
  | {
      readonly kind: 'statement';
      readonly thread: string;
      readonly from: number;
      readonly to: number;
    };

export interface Edit {
  readonly id: number;
  readonly kind: EditKind;
  readonly level: Level;
  /** The kernel function it is about; the new one when that changes. */
  readonly operation: string;
  /** In the imperative: `insert dma_wmb() before line 12`. */
  readonly title: string;
  readonly patches: readonly Patch[];
  readonly spots: readonly Spot[];
  /** Roots of the memory it concerns; null: any. */
  readonly roots: readonly number[] | null;
  /** It puts a barrier there, or takes one away, whatever else it does. */
  readonly orders: boolean;
  /** Edits that share a slot exclude each other. */
  readonly slots: readonly string[];
  readonly cost: number;
  /** Run time it takes away, in units of the costs. */
  readonly saves: number;
  readonly line: number;
  /** It stands where a driver would put it: a hand-over before a doorbell, a taking back after. */
  readonly isUsual: boolean;
  /** Edits without which this one makes no sense: they come with it. */
  readonly enablers: readonly Edit[];
  readonly relocation?: Relocation;
}

/** The edit without what the vocabulary numbers and prices itself. */
export type Draft = Omit<Edit, 'id' | 'cost' | 'enablers'> & {
  readonly runtime: number;
  readonly extra: number;
  /** Slot of the change that gives a name its value, for an edit that needs the new one. */
  readonly after: string;
};

/**
 * Order of what several edits put into one gap: mappings end, barriers, the CPU takes memory back,
 * it hands memory over, mappings begin.
 */
export function rankOf(operation: string): number {
  if (/unmap|iotlb/u.test(operation)) return 0;
  if (/mb$/u.test(operation)) return 1;
  if (/map/u.test(operation)) return 4;
  return /_for_cpu$|begin_cpu_access$|^dcache_inval/u.test(operation) ? 2 : 3;
}

export function insertion(gap: Gap, statement: string): Patch {
  return { from: gap.at, to: gap.at, text: `${gap.before}${statement}${gap.after}` };
}

/** True when two edits cannot stand together. */
export function excludes(one: Edit, other: Edit): boolean {
  return one.slots.some((slot) => other.slots.includes(slot));
}

/** A stretch of the new text: copied from the old one, or put there by an edit. */
interface Segment {
  readonly at: number;
  /** Offset in the old text; -1 for new text. */
  readonly from: number;
  readonly edit: number;
}

export interface Applied {
  readonly text: string;
  /** Where a character of the new text comes from: `o` and its old offset, or `n`, edit, offset. */
  origin(offset: number): string;
}

/** Null when two edits want to change the same characters. */
export function apply(text: string, edits: readonly Edit[]): Applied | null {
  const patches = edits.flatMap((edit) => edit.patches.map((patch) => ({ edit, patch })));
  patches.sort(
    (a, b) =>
      a.patch.from - b.patch.from ||
      Number(a.patch.to > a.patch.from) - Number(b.patch.to > b.patch.from) ||
      rankOf(a.edit.operation) - rankOf(b.edit.operation) ||
      a.edit.id - b.edit.id,
  );
  const segments: Segment[] = [];
  let result = '';
  let position = 0;
  for (const { edit, patch } of patches) {
    if (patch.from < position) return null;
    segments.push({ at: result.length, from: position, edit: -1 });
    result += text.slice(position, patch.from);
    segments.push({ at: result.length, from: -1, edit: edit.id });
    result += patch.text;
    position = patch.to;
  }
  segments.push({ at: result.length, from: position, edit: -1 });
  result += text.slice(position);
  return {
    text: result,
    origin: (offset) => {
      const segment = segments.findLast((each) => each.at <= offset);
      if (segment === undefined) return `o${offset}`;
      const inside = offset - segment.at;
      return segment.from < 0 ? `n${segment.edit}:${inside}` : `o${segment.from + inside}`;
    },
  };
}
