/**
 * A diagnostic as text for a terminal: place, message, the source line with a caret under the
 * mistake, what was expected, the nearest known name. The input may be anything, binary included,
 * so what is printed of it is cut to a window and has no control characters.
 */
import type { Diagnostic } from './diagnostic.js';

export interface RenderOptions {
  readonly color: boolean;
}

/** Columns of source text shown at most. */
const WINDOW_COLUMNS = 100;
const CARETS_MAX = 60;

export function renderDiagnostic(
  diagnostic: Diagnostic,
  fileName: string,
  text: string,
  options: RenderOptions,
): string {
  const { span } = diagnostic;
  const paint = options.color ? painter : plain;
  const label = `${diagnostic.severity}[${diagnostic.code}]`;
  const place = `${fileName}:${span.line}:${span.column}:`;
  const labelColor = diagnostic.severity === 'error' ? 31 : 33;
  const parts = [`${paint(place, 1)} ${paint(`${label}:`, labelColor)} ${diagnostic.message}`];

  const source = sourceLine(text, span.line);
  if (source !== undefined) {
    const gutter = String(span.line);
    const shown = cut(source, span.column, span.length);
    parts.push(` ${gutter} | ${shown.text}`.trimEnd());
    parts.push(` ${' '.repeat(gutter.length)} | ${shown.padding}${paint(shown.carets, 32)}`);
  }
  if (diagnostic.expected !== undefined) parts.push(`   expected ${diagnostic.expected}`);
  if (diagnostic.suggestion !== undefined)
    parts.push(`   did you mean '${diagnostic.suggestion}'?`);
  return parts.join('\n');
}

function plain(text: string, _code: number): string {
  return text;
}

function painter(text: string, code: number): string {
  return `\u001b[${code}m${text}\u001b[0m`;
}

function sourceLine(text: string, line: number): string | undefined {
  let start = 0;
  for (let current = 1; current < line; current++) {
    const end = text.indexOf('\n', start);
    if (end < 0) return undefined;
    start = end + 1;
  }
  const end = text.indexOf('\n', start);
  const found = end < 0 ? text.slice(start) : text.slice(start, end);
  return found.endsWith('\r') ? found.slice(0, -1) : found;
}

interface Cut {
  readonly text: string;
  readonly padding: string;
  readonly carets: string;
}

/** Tabs stay tabs in the padding, so the caret stands right whatever the tab width. */
function cut(line: string, column: number, length: number): Cut {
  const first = column - 1;
  const from = first > WINDOW_COLUMNS - 20 ? first - 20 : 0;
  const visible = line.slice(from, from + WINDOW_COLUMNS);
  const before = from > 0 ? '…' : '';
  const after = line.length > from + WINDOW_COLUMNS ? '…' : '';
  const padding =
    before.replace(/./gu, ' ') + printable(line.slice(from, first)).replace(/[^\t]/gu, ' ');
  const room = Math.max(1, Math.min(length, CARETS_MAX, from + visible.length - first));
  return {
    text: before + printable(visible) + after,
    padding,
    carets: `^${'~'.repeat(room - 1)}`,
  };
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be replaced.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu, '·');
}
