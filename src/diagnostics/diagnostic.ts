/**
 * What went wrong in an input file, independent of how it is printed.
 * Lines and columns are 1-based; a column counts UTF-16 units, a tab is one.
 */
export interface Span {
  readonly line: number;
  readonly column: number;
  /** Characters covered on that line, at least 1. */
  readonly length: number;
}

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable id out of the closed list in codes.ts, e.g. `L012`. */
  readonly code: string;
  /** One sentence, no full stop: what is wrong. */
  readonly message: string;
  readonly span: Span;
  /** What would have been right here, e.g. "expected ';'". */
  readonly expected?: string;
  /** Nearest known name, when a name was not known. */
  readonly suggestion?: string;
}
