/**
 * Where the front end puts what it finds: every problem once, in file order, never more than a
 * reader would look at. A place is reported once: what is wrong there first explains the rest, and
 * code that is unrolled is looked at more than once.
 */
import type { DiagnosticCode } from './codes.js';
import type { Diagnostic, Span } from './diagnostic.js';

/** After this many a reader starts anew anyway. */
const DIAGNOSTICS_MAX = 100;

export interface Detail {
  /** What would have been right, without the word "expected". */
  readonly expected?: string;
  readonly suggestion?: string | undefined;
}

export class DiagnosticCollector {
  private readonly found: Diagnostic[] = [];
  private readonly places = new Set<string>();
  private readonly garbledLines = new Set<number>();

  error(code: DiagnosticCode, span: Span, message: string, detail: Detail = {}): void {
    const place = `${span.line}:${span.column}`;
    // Beside a character that is none, "unexpected" is no news.
    const isEcho = code === 'L010' && this.garbledLines.has(span.line);
    if (isEcho || this.isFull || this.places.has(place)) return;
    this.places.add(place);
    if (code === 'L002') this.garbledLines.add(span.line);
    const { expected, suggestion } = detail;
    this.found.push({
      severity: 'error',
      code,
      message,
      span,
      ...(expected === undefined ? {} : { expected }),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  get hasErrors(): boolean {
    return this.count > 0;
  }

  get count(): number {
    return this.found.length;
  }

  /** Nothing more is kept, so nobody needs to look further. */
  get isFull(): boolean {
    return this.found.length > DIAGNOSTICS_MAX;
  }

  list(): readonly Diagnostic[] {
    const sorted = [...this.found].sort(byPlace);
    if (sorted.length <= DIAGNOSTICS_MAX) return sorted;
    const kept = sorted.slice(0, DIAGNOSTICS_MAX);
    const last = kept[kept.length - 1]?.span ?? { line: 1, column: 1, length: 1 };
    const message = `more than ${DIAGNOSTICS_MAX} errors: the rest is not listed`;
    return [...kept, { severity: 'error', code: 'L099', message, span: last }];
  }
}

function byPlace(left: Diagnostic, right: Diagnostic): number {
  return left.span.line - right.span.line || left.span.column - right.span.column;
}
