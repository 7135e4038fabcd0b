/** A source line with carets under the place meant. */
import type { Place } from '../verdict/result.js';
import type { Palette } from './paint.js';

/** Three lines: where, the line, the carets; just the place when the source has no such line. */
export function sourceExcerpt(file: string, source: string, at: Place, paint: Palette): string[] {
  const line = source.split(/\r?\n/)[at.line - 1];
  const where = `${file}:${at.line}:${at.column}, in ${at.agent}`;
  if (line === undefined) return [where];
  const gutter = String(at.line);
  const before = line.slice(0, at.column - 1);
  const length = Math.max(1, Math.min(at.length, line.length - before.length));
  // Tabs stay tabs in the caret line, so that it lines up whatever a tab is worth.
  const space = before.replace(/[^\t]/g, ' ');
  const bar = paint.faint('|');
  return [
    where,
    `${paint.faint(gutter)} ${bar} ${line}`,
    `${' '.repeat(gutter.length)} ${bar} ${space}${paint.bad('^'.repeat(length))}`,
  ];
}
