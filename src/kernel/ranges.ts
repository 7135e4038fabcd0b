/**
 * Which words stand for a byte range that one call goes over line by line. Nothing tells lines of
 * a buffer apart but the ends of ranges (accessed, maintained, mapped), the words that the scenario
 * names one by one, and pages; so that a few lines stand for all (docs/reductions.md).
 * Leaves out: that a line is the same as another for the threads (reduce/).
 */

/** Bytes [from, to) of a buffer. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Spread {
  /** Accessed line by line. */
  readonly spans: readonly Span[];
  /** Bytes before and behind which some call does something different. */
  readonly cuts: readonly number[];
  /** Words that the scenario names one by one, by their first byte. */
  readonly named: readonly number[];
  readonly lineSize: number;
  readonly pageSize: number;
  /** Every line has a word; else as few lines as stand for all. */
  readonly everyLine: boolean;
}

/** More lines than this cannot be explored one by one. */
const LINES_MAX = 4096;

/** A range has too many lines to name a word in each. */
export class TooManyLines extends Error {
  constructor(readonly lines: number) {
    super('too many lines');
  }
}

/** Bytes of the words that ranges name: a device's word. */
export const RANGE_WORD = 4;

/** First bytes of the words to name, in order; each RANGE_WORD long, none beyond a span. */
export function wordsFor(spread: Spread): readonly number[] {
  const { lineSize } = spread;
  const spans = merged(spread.spans);
  const ends = spread.spans.flatMap(({ from, to }) => [from, to]);
  const cuts = [...new Set([...spread.cuts, ...ends])].sort((a, b) => a - b);
  const lineOf = (byte: number): number => Math.floor(byte / lineSize);
  const cutLines = cuts.filter((byte) => byte % lineSize !== 0).map(lineOf);
  const special = [...new Set([...cutLines, ...spread.named.map(lineOf)])].sort((a, b) => a - b);
  const words: number[] = [];
  for (const span of spans) {
    const inside = special.filter((line) => lineOf(span.from) <= line && line * lineSize < span.to);
    for (const line of inside) words.push(...segments(spread, span, cuts, line));
    const edges = [...cuts.filter((byte) => byte % lineSize === 0).map(lineOf), ...inside];
    const stops = [...edges, ...inside.map((line) => line + 1), lineOf(span.to)];
    let first = Math.ceil(span.from / lineSize);
    for (const stop of [...new Set(stops)].sort((a, b) => a - b)) {
      if (stop <= first) continue;
      const last = Math.min(stop, lineOf(span.to)) - 1;
      if (last >= first && !special.includes(first)) words.push(...equal(spread, first, last));
      first = Math.max(first, stop);
    }
  }
  return [...new Set(words)].sort((a, b) => a - b);
}

function merged(spans: readonly Span[]): readonly Span[] {
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (to <= from) continue;
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}

/** A line with cuts or words in it: a word in each of its parts that has none. */
function segments(
  { lineSize, named }: Spread,
  span: Span,
  cuts: readonly number[],
  line: number,
): readonly number[] {
  const start = Math.max(span.from, line * lineSize);
  const end = Math.min(span.to, (line + 1) * lineSize);
  const edges = [start, ...cuts.filter((byte) => start < byte && byte < end), end];
  return edges.slice(0, -1).flatMap((from, i) => {
    const to = edges[i + 1] ?? end;
    const at = Math.ceil(from / RANGE_WORD) * RANGE_WORD;
    const taken = named.some((byte) => from <= byte && byte < to);
    return taken || at + RANGE_WORD > to ? [] : [at];
  });
}

/**
 * Lines first to last, which nothing tells apart but their pages and who comes first. A page at
 * either end, one between them; of each its first and its last line.
 */
function equal(spread: Spread, first: number, last: number): readonly number[] {
  const { lineSize, pageSize, everyLine } = spread;
  if (everyLine) {
    if (last - first >= LINES_MAX) throw new TooManyLines(last - first + 1);
    return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * lineSize);
  }
  const inPage = pageSize / lineSize;
  const pageOf = (line: number): number => Math.floor(line / inPage);
  const pages = new Set([pageOf(first), pageOf(first) + 1, pageOf(last)]);
  const lines = [...pages].flatMap((page) => [
    Math.max(first, page * inPage),
    Math.min(last, (page + 1) * inPage - 1),
  ]);
  return lines.filter((line) => first <= line && line <= last).map((line) => line * lineSize);
}
