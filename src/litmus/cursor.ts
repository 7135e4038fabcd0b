/**
 * The parser's place in the token list, and what it does when the text is not as it should be: a
 * failure is thrown as far as the statement or item that contains it, which reports it, skips to
 * its end and goes on. Only the parser throws and catches it.
 */
import type { DiagnosticCode } from '../diagnostics/codes.js';
import type { DiagnosticCollector, Detail } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import { clip, type Token } from './lexer.js';

/** Blocks, brackets and prefix operators inside each other; keeps recursion off the stack's end. */
export const NESTING_MAX = 200;
/** Operators in one statement; a chain of them is as deep a tree as it is long. */
export const OPERATORS_MAX = 500;

/** The message of a failure is already reported when it is thrown. */
export class SyntaxFailure extends Error {}

const endToken: Token = { kind: 'end', text: '', value: 0, at: { line: 1, column: 1, length: 1 } };

export class Cursor {
  position = 0;
  private nesting = 0;
  private operators = 0;
  private unclosedSaid = false;

  constructor(
    private readonly tokens: readonly Token[],
    readonly diagnostics: DiagnosticCollector,
  ) {}

  peek(ahead = 0): Token {
    return this.tokens[this.position + ahead] ?? this.tokens[this.tokens.length - 1] ?? endToken;
  }

  previous(): Token {
    return this.tokens[this.position - 1] ?? this.peek();
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.position++;
    return token;
  }

  get atEnd(): boolean {
    return this.peek().kind === 'end';
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.text === text && token.kind !== 'end';
  }

  isName(ahead = 0): boolean {
    return this.peek(ahead).kind === 'name';
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.position++;
    return true;
  }

  expect(text: string, detail: Detail = {}): Token {
    if (this.is(text)) return this.next();
    throw this.unexpected(`'${text}'`, detail);
  }

  expectName(what: string): Token {
    if (this.isName()) return this.next();
    throw this.unexpected(what);
  }

  /**
   * The `;` after a statement. When the next token stands on a later line only the `;` is
   * missing: said once, just behind the statement, and reading goes on as if it were there.
   */
  expectSemicolon(): void {
    if (this.accept(';')) return;
    const last = this.previous().at;
    const here = this.peek();
    if (here.kind !== 'end' && !this.is('}') && here.at.line === last.line) {
      throw this.unexpected("';'");
    }
    this.diagnostics.error('L010', after(last), "missing ';'", { expected: "';'" });
  }

  /** Reports what stands here instead of what is expected. */
  unexpected(expected: string, detail: Detail = {}): SyntaxFailure {
    const token = this.peek();
    const at = token.kind === 'end' ? after(this.previous().at) : token.at;
    return this.failure('L010', at, `unexpected ${describeToken(token)}`, { expected, ...detail });
  }

  failure(code: DiagnosticCode, at: Span, message: string, detail: Detail = {}): SyntaxFailure {
    this.diagnostics.error(code, at, message, detail);
    return new SyntaxFailure(message);
  }

  /** Runs `read` one level deeper, and refuses what is deeper than anyone writes. */
  nested<Result>(read: () => Result): Result {
    if (this.nesting >= NESTING_MAX) {
      this.unclosedSaid = true;
      const message = `nested more than ${NESTING_MAX} levels deep`;
      throw this.failure('L006', this.peek().at, message, { expected: 'a simpler scenario' });
    }
    this.nesting++;
    try {
      return read();
    } finally {
      this.nesting--;
    }
  }

  startStatement(): void {
    this.operators = 0;
  }

  countOperator(): void {
    this.operators++;
    if (this.operators <= OPERATORS_MAX) return;
    const message = `more than ${OPERATORS_MAX} operators in one statement`;
    throw this.failure('L006', this.peek().at, message, { expected: 'a simpler expression' });
  }

  /** Skips to behind the end of the statement that began at `from`; says which names it passed. */
  skipStatement(from: number): readonly string[] {
    // Every statement around a hopelessly deep one ends where the file does.
    if (this.atEnd && this.position - from > 1000) return [];
    // Only in the head of a `for` does a `;` inside brackets belong to the statement.
    const isFor = this.tokens[from]?.text === 'for';
    let braces = 0;
    let brackets = 0;
    for (let at = from; !this.ended(at); at++) {
      const text = this.tokens[at]?.text ?? '';
      if (text === '}' && braces === 0 && at >= this.position) break;
      if (text === '{') braces++;
      if (text === '}') braces = Math.max(0, braces - 1);
      if (isFor && text === '(') brackets++;
      if (text === ')' || text === '{') brackets = text === '{' ? 0 : Math.max(0, brackets - 1);
      if (at < this.position) continue;
      this.position = at + 1;
      if (text === ';' && braces === 0 && brackets === 0) break;
      if (text === '}' && braces === 0 && !this.is('else')) break;
    }
    return this.namesSince(from);
  }

  private ended(at: number): boolean {
    return at >= this.tokens.length - 1;
  }

  /** Said once: when one brace is missing, every block around it lacks its end too. */
  unclosed(open: Span): void {
    if (this.unclosedSaid) return;
    this.unclosedSaid = true;
    this.diagnostics.error('L011', open, "this '{' is never closed", { expected: "'}'" });
  }

  private namesSince(from: number): readonly string[] {
    const names = new Set<string>();
    for (const token of this.tokens.slice(from, this.position)) {
      if (token.kind === 'name') names.add(token.text);
    }
    return [...names];
  }
}

/** The place just behind a span. */
export function after(at: Span): Span {
  return { line: at.line, column: at.column + at.length, length: 1 };
}

/** From the start of one span to the end of another on the same line; else the first alone. */
export function cover(first: Span, last: Span): Span {
  if (first.line !== last.line || last.column + last.length <= first.column) return first;
  return { ...first, length: last.column + last.length - first.column };
}

export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'end of file';
    case 'name':
      return `name '${clip(token.text)}'`;
    case 'number':
      return `number ${clip(token.text)}`;
    case 'punctuation':
      return `'${token.text}'`;
  }
}
