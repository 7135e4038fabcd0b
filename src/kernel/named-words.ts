/**
 * The words of a byte range, as calls go over it one word a step. A call asks for them at every
 * step, and they stay the same until the layout learns of a word or of a range: they are kept.
 * Leaves out: which words ranges name (ranges.ts).
 */
import type { Cell, Layout } from './layout.js';
import { RANGE_WORD } from './ranges.js';

export interface NamedWord {
  /** From the first byte of the range. */
  readonly byte: number;
  readonly size: number;
  readonly cell: Cell;
}

interface Kept {
  /** Layout.changes as they were. */
  readonly changes: number;
  readonly words: Map<string, readonly NamedWord[]>;
  readonly steps: Map<string, readonly NamedWord[]>;
  readonly deviceBytes: Map<string, readonly number[]>;
}

const known = new WeakMap<Layout, Kept>();

function keptOf(layout: Layout): Kept {
  const { changes } = layout;
  let kept = known.get(layout);
  if (kept === undefined || kept.changes !== changes) {
    kept = { changes, words: new Map(), steps: new Map(), deviceBytes: new Map() };
    known.set(layout, kept);
  }
  return kept;
}

/** The value of a key, made when it is not there. */
function made<T>(map: Map<string, T>, key: string, make: () => T): T {
  let found = map.get(key);
  if (found === undefined) {
    found = make();
    map.set(key, found);
  }
  return found;
}

/** Words that begin in `size` bytes of a buffer from `from` on, in order. */
export function namedWords(
  layout: Layout,
  buffer: number,
  from: number,
  size: number,
): readonly NamedWord[] {
  return made(keptOf(layout).words, `${buffer}:${from}:${size}`, () =>
    layout.named(buffer).flatMap((cell): readonly NamedWord[] => {
      const byte = cell.page * layout.pageSize + cell.offset - from;
      return byte >= 0 && byte < size ? [{ byte, size: cell.size, cell }] : [];
    }),
  );
}

/** Those of them that a call goes over one by one (Layout.steps). */
export function namedSteps(
  layout: Layout,
  buffer: number,
  from: number,
  size: number,
): readonly NamedWord[] {
  return made(keptOf(layout).steps, `${buffer}:${from}:${size}`, () =>
    layout.steps(namedWords(layout, buffer, from, size), ({ cell }) => cell),
  );
}

/**
 * Where a device accesses `size` bytes from `from` on, as offsets: its own words, no further than
 * `end` of the buffer, and in any case the first and the last of the range.
 */
export function deviceBytes(
  layout: Layout,
  buffer: number,
  from: number,
  size: number,
  end: number,
): readonly number[] {
  return made(keptOf(layout).deviceBytes, `${buffer}:${from}:${size}:${end}`, () => {
    const words = namedWords(layout, buffer, from, Math.min(size, end - from));
    const own = words.filter((word) => word.size === RANGE_WORD);
    const bytes = layout.steps(own, ({ cell }) => cell).map(({ byte }) => byte);
    return [...new Set([0, ...bytes, size - RANGE_WORD])].sort((a, b) => a - b);
  });
}
