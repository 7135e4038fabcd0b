/**
 * A unified diff of two texts, as `diff -u` and `git apply` know it, by the longest common
 * subsequence of lines. Leaves out: renames, binary files, texts of more than a few thousand lines.
 */
const CONTEXT_LINES = 3;

interface Row {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
  /** Line numbers before this row, from 0. */
  readonly old: number;
  readonly new: number;
}

/** Empty when the texts are the same. `name` goes behind `a/` and `b/`, without a leading slash. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const rows = compare(linesOf(before), linesOf(after));
  const hunks = hunksOf(rows).map((hunk) => hunkText(hunk));
  const path = name.replace(/^\/+/u, '');
  return `--- a/${path}\n+++ b/${path}\n${hunks.join('')}`;
}

/** Lines with their line ends; the last one may have none. */
function linesOf(text: string): readonly string[] {
  return text.split(/(?<=\n)/u).filter((line) => line !== '');
}

function compare(a: readonly string[], b: readonly string[]): readonly Row[] {
  const longest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = longest[i];
      if (row === undefined) continue;
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const rows: Row[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const base = { old: i, new: j };
    if (i < a.length && j < b.length && a[i] === b[j]) {
      rows.push({ mark: ' ', text: a[i] ?? '', ...base });
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      rows.push({ mark: '-', text: a[i] ?? '', ...base });
      i++;
    } else {
      rows.push({ mark: '+', text: b[j] ?? '', ...base });
      j++;
    }
  }
  return rows;
}

function hunksOf(rows: readonly Row[]): readonly (readonly Row[])[] {
  const near = rows.map((_, index) => {
    const around = rows.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1);
    return around.some((row) => row.mark !== ' ');
  });
  const hunks: Row[][] = [];
  rows.forEach((row, index) => {
    if (near[index] !== true) return;
    if (index === 0 || near[index - 1] !== true) hunks.push([]);
    hunks.at(-1)?.push(row);
  });
  return hunks;
}

function hunkText(rows: readonly Row[]): string {
  const first = rows[0];
  const olds = rows.filter((row) => row.mark !== '+').length;
  const news = rows.filter((row) => row.mark !== '-').length;
  const start = (line: number, count: number): number => (count === 0 ? line : line + 1);
  const from = `-${start(first?.old ?? 0, olds)},${olds}`;
  const to = `+${start(first?.new ?? 0, news)},${news}`;
  const lines = rows.map(({ mark, text }) =>
    text.endsWith('\n') ? `${mark}${text}` : `${mark}${text}\n\\ No newline at end of file\n`,
  );
  return `@@ ${from} ${to} @@\n${lines.join('')}`;
}
