/** Columns of plain text. Leaves out wrapping: the cells are short. */

/** Rows under a head; the first `left` columns are flush left, numbers flush right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: number,
  paintHead: (text: string) => string,
): string[] {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [paintHead(line(head)), ...rows.map(line)];
}
