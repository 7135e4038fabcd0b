/**
 * Text to tokens. Comments are kept beside the tokens, for the header and the printer. Every
 * character that belongs to nothing is reported once per run of such characters and left out.
 * Leaves out: strings, characters and the preprocessor, which scenarios have no use for.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'punctuation' | 'end';
  readonly text: string;
  /** Of a number; 0 otherwise. */
  readonly value: number;
  readonly at: Span;
}

export interface Comment {
  readonly text: string;
  /** Index of the token that follows it. */
  readonly before: number;
  readonly line: number;
  readonly column: number;
}

export interface Tokens {
  /** The last one is always of kind `end`. */
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

/** Longest first, so that the first match is the right one. `/\` and `\/` are herd's and, or. */
const punctuation = [
  '<<=',
  '>>=',
  '...',
  '->',
  '++',
  '--',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '&&',
  '||',
  '/\\',
  '\\/',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  ':',
  '?',
  '.',
  '=',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '&',
  '|',
  '^',
  '~',
  '!',
];
const herdSpelling: Readonly<Record<string, string>> = { '/\\': '&&', '\\/': '||' };

export function lex(text: string, diagnostics: DiagnosticCollector): Tokens {
  const lexer = new Lexer(text, diagnostics);
  return lexer.run();
}

class Lexer {
  private position = 0;
  private line = 1;
  private lineStart = 0;
  private readonly tokens: Token[] = [];
  private readonly comments: Comment[] = [];

  constructor(
    private readonly text: string,
    private readonly diagnostics: DiagnosticCollector,
  ) {}

  run(): Tokens {
    const binary = this.text.indexOf('\0');
    if (binary >= 0) this.refuseBinary(binary);
    else while (this.position < this.text.length) this.next();
    this.push('end', '', 0, this.span(this.position, 1));
    return { tokens: this.tokens, comments: this.comments };
  }

  private refuseBinary(at: number): void {
    const before = this.text.slice(0, at).split('\n');
    const column = (before[before.length - 1] ?? '').length + 1;
    const message = `not a text file: a NUL byte stands at offset ${at}`;
    this.diagnostics.error('L001', { line: before.length, column, length: 1 }, message, {
      expected: 'a scenario in plain text',
    });
  }

  private next(): void {
    const char = this.text.charAt(this.position);
    if (char === '\n') {
      this.position++;
      this.newLine();
    } else if (char === ' ' || char === '\t' || char === '\r' || char === '\ufeff') {
      this.position++;
    } else if (this.text.startsWith('//', this.position)) {
      this.lineComment();
    } else if (this.text.startsWith('/*', this.position)) {
      this.blockComment();
    } else if (isNameStart(char)) {
      const end = this.scan(isNamePart);
      this.push(
        'name',
        this.text.slice(this.position, end),
        0,
        this.span(this.position, end - this.position),
      );
      this.position = end;
    } else if (isDigit(char)) {
      this.number();
    } else {
      this.symbol();
    }
  }

  private newLine(): void {
    this.line++;
    this.lineStart = this.position;
  }

  private lineComment(): void {
    const end = this.endOfLine();
    this.addComment(this.text.slice(this.position, end).trimEnd());
    this.position = end;
  }

  private blockComment(): void {
    const close = this.text.indexOf('*/', this.position + 2);
    if (close < 0) {
      this.diagnostics.error('L003', this.span(this.position, 2), 'this comment is never closed', {
        expected: "'*/'",
      });
      this.position = this.text.length;
      return;
    }
    this.addComment(this.text.slice(this.position, close + 2));
    for (; this.position < close + 2; this.position++) {
      if (this.text.charAt(this.position) !== '\n') continue;
      this.line++;
      this.lineStart = this.position + 1;
    }
  }

  private addComment(text: string): void {
    const column = this.position - this.lineStart + 1;
    this.comments.push({ text, before: this.tokens.length, line: this.line, column });
  }

  private number(): void {
    const end = this.scan(isNamePart);
    const text = this.text.slice(this.position, end);
    const at = this.span(this.position, text.length);
    const match = /^(0[xX][0-9a-fA-F]+|[0-9]+)([uU]?[lL]{0,2}|[lL]{1,2}[uU])$/u.exec(text);
    let value = 0;
    if (match === null) {
      this.diagnostics.error('L004', at, `'${clip(text)}' is not a number`, {
        expected: 'a decimal or 0x… integer, perhaps with a suffix such as UL',
      });
    } else {
      value = Number(match[1]);
      if (!Number.isSafeInteger(value)) {
        const message = `${clip(text)} is too large: numbers are kept exactly below 2^53`;
        this.diagnostics.error('L004', at, message, {
          expected: 'a number up to 0x1fffffffffffff',
        });
        value = 0;
      } else if (/^0[0-9]/u.test(text)) {
        this.diagnostics.error('L004', at, `'${clip(text)}' would be octal in C`, {
          expected: 'a decimal number without leading zeroes, or 0x…',
        });
      }
    }
    this.push('number', text, value, at);
    this.position = end;
  }

  private symbol(): void {
    const char = this.text.charAt(this.position);
    if (char === '#' || char === '"' || char === "'") {
      this.unsupported(char);
      return;
    }
    const found = punctuation.find((symbol) => this.text.startsWith(symbol, this.position));
    if (found === undefined) {
      this.stray();
      return;
    }
    const at = this.span(this.position, found.length);
    this.push('punctuation', herdSpelling[found] ?? found, 0, at);
    this.position += found.length;
  }

  private unsupported(char: string): void {
    const start = this.position;
    if (char === '#') {
      this.position = this.endOfLine();
      const length = this.text.slice(start, this.position).trimEnd().length;
      const message = 'there is no preprocessor here: write constants where they are used';
      this.diagnostics.error('L002', this.span(start, length), message);
      return;
    }
    this.position++;
    this.position = this.scan((inside) => inside !== char && inside !== '\n');
    if (this.text.charAt(this.position) === char) this.position++;
    const at = this.span(start, this.position - start);
    const message = 'the language has no strings and no character constants';
    this.diagnostics.error('L002', at, message, { expected: 'a number' });
    // Stands in for the literal, so that the statement around it is still understood.
    this.push('number', '0', 0, at);
  }

  private stray(): void {
    const end = this.scan((char) => !isKnown(char));
    const length = Math.max(1, end - this.position);
    const shown = JSON.stringify(clip(this.text.slice(this.position, this.position + length)));
    this.diagnostics.error('L002', this.span(this.position, length), `stray character ${shown}`);
    this.position += length;
  }

  private scan(accept: (char: string) => boolean): number {
    let end = this.position;
    while (end < this.text.length && accept(this.text.charAt(end))) end++;
    return end;
  }

  private endOfLine(): number {
    const end = this.text.indexOf('\n', this.position);
    return end < 0 ? this.text.length : end;
  }

  private span(position: number, length: number): Span {
    return { line: this.line, column: position - this.lineStart + 1, length: Math.max(1, length) };
  }

  private push(kind: Token['kind'], text: string, value: number, at: Span): void {
    this.tokens.push({ kind, text, value, at });
  }
}

function isNameStart(char: string): boolean {
  return (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z') || char === '_';
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

function isNamePart(char: string): boolean {
  return isNameStart(char) || isDigit(char);
}

function isKnown(char: string): boolean {
  return isNamePart(char) || /[\s#"'{}()[\];,:?.=<>+\-*/%&|^~!]/u.test(char);
}

export function clip(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 37)}…`;
}
