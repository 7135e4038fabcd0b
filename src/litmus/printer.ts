/**
 * The formatter: the token list laid out anew in kernel style, one statement a line, with every
 * comment where it was. It never changes a token, so the scenario means the same afterwards.
 * Leaves out: text with syntax errors, which it does not touch.
 */
import type { Comment, Token, Tokens } from './lexer.js';
import { printLine } from './print-line.js';

/** Tokens that stand in one line: from `from`, up to but without `to`. */
interface Line {
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

export function print(source: Tokens): string {
  const lines = new Shaper(source.tokens).run();
  return new Page(source).run(lines);
}

/** Finds the lines: heads of blocks, statements, closing braces. */
class Shaper {
  private position = 0;
  private depth = 0;
  private readonly lines: Line[] = [];

  constructor(private readonly tokens: readonly Token[]) {}

  run(): readonly Line[] {
    while (!this.atEnd) this.item();
    return this.lines;
  }

  private get atEnd(): boolean {
    return this.text() === '';
  }

  private text(at = this.position): string {
    const token = this.tokens[at];
    return token === undefined || token.kind === 'end' ? '' : token.text;
  }

  private line(from: number, to: number): void {
    this.lines.push({ from, to, depth: this.depth });
    this.position = to;
  }

  private item(): void {
    const word = this.text();
    const opens = ['init', 'cpu', 'device', 'machine', 'override'].includes(word);
    if (word === 'design') {
      this.line(this.position, this.find('{') + 1);
      this.blockRest(() => this.designItem());
    } else if (opens) {
      const from = this.position;
      const open = this.find('{');
      this.line(from, open + 1);
      this.blockRest(() => (word === 'machine' ? this.simple() : this.statement()));
    } else if (this.text(this.position + 1) === '(') {
      const close = this.closing(this.position + 1);
      this.line(this.position, this.text(close + 1) === ';' ? close + 2 : close + 1);
    } else {
      this.simple();
    }
  }

  /** `on EVENT(…) { … }`, a refusal or a declaration. */
  private designItem(): void {
    if (this.text() !== 'on' || this.text(this.position + 2) !== '(') {
      this.simple();
      return;
    }
    this.line(this.position, this.find('{') + 1);
    this.blockRest(() => this.statement());
  }

  /** The lines of a block behind its `{`, and its `}` with the `;` that may follow. */
  private blockRest(inner: () => void): void {
    this.insideBlock(inner);
    const semicolon = this.text(this.position + 1) === ';' && this.depth === 0;
    this.line(this.position, this.position + (semicolon ? 2 : 1));
  }

  private insideBlock(inner: () => void): void {
    this.depth++;
    while (this.text() !== '}' && !this.atEnd) inner();
    this.depth--;
  }

  private statement(): void {
    switch (this.text()) {
      case '{':
        this.line(this.position, this.position + 1);
        this.blockRest(() => this.statement());
        break;
      case 'if':
      case 'while':
      case 'for':
        this.headed(this.position);
        break;
      case 'do':
        this.doLoop();
        break;
      default:
        this.simple();
    }
  }

  /** Up to the `;` that ends it, braces and brackets inside included. */
  private simple(): void {
    let inside = 0;
    let at = this.position;
    for (; this.text(at) !== ''; at++) {
      const text = this.text(at);
      if (text === '(' || text === '{') inside++;
      if (text === ')' || text === '}') inside--;
      if (text === ';' && inside <= 0) break;
    }
    this.line(this.position, Math.min(at + 1, this.tokens.length - 1));
  }

  /** `if (…)`, `while (…)`, `for (…)`; `from` is where its line begins: `} else if (…)`. */
  private headed(from: number): void {
    const isIf = this.text() === 'if';
    const close = this.closing(this.position + 1);
    const braced = this.body(from, close + 1);
    if (!isIf) {
      if (braced) this.line(this.position, this.position + 1);
      return;
    }
    const elseAt = this.position + (braced ? 1 : 0);
    if (this.text(elseAt) !== 'else') {
      if (braced) this.line(this.position, this.position + 1);
      return;
    }
    this.elseBranch(this.position, elseAt);
  }

  private elseBranch(from: number, elseAt: number): void {
    if (this.text(elseAt + 1) === 'if') {
      this.position = elseAt + 1;
      this.headed(from);
    } else if (this.body(from, elseAt + 1)) {
      this.line(this.position, this.position + 1);
    }
  }

  /**
   * The head's line and the statement under it. With braces it stops before the `}`, which may
   * share its line with what follows, and says so.
   */
  private body(from: number, bodyAt: number): boolean {
    if (this.text(bodyAt) === '{') {
      this.line(from, bodyAt + 1);
      this.insideBlock(() => this.statement());
      return true;
    }
    this.line(from, bodyAt);
    this.depth++;
    this.statement();
    this.depth--;
    return false;
  }

  private doLoop(): void {
    this.body(this.position, this.position + 1);
    const from = this.position;
    const whileAt = this.text() === '}' ? from + 1 : from;
    const close = this.closing(whileAt + 1);
    this.line(from, close + 2);
  }

  private find(text: string): number {
    let at = this.position;
    while (this.text(at) !== text && this.text(at) !== '') at++;
    return at;
  }

  /** The `)` that belongs to the `(` at `open`. */
  private closing(open: number): number {
    let inside = 0;
    let at = open;
    for (; this.text(at) !== ''; at++) {
      if (this.text(at) === '(') inside++;
      if (this.text(at) === ')') inside--;
      if (inside === 0) break;
    }
    return at;
  }
}

/** A printed line, its trailing comment apart so that it can be aligned with its neighbours. */
interface Row {
  readonly code: string;
  readonly depth: number;
  readonly trailing: string;
  readonly blankBefore: boolean;
  /** A comment of its own, or the end of an aligned group. */
  readonly alone: boolean;
}

/** Beyond this a long statement does not push its neighbours' comments away. */
const ALIGN_COLUMNS_MAX = 72;

class Page {
  private readonly rows: Row[] = [];
  private readonly byToken = new Map<number, Comment[]>();
  /** Line of the source on which the last thing printed ends. */
  private lastLine = 0;

  constructor(private readonly source: Tokens) {
    for (const comment of source.comments) {
      const list = this.byToken.get(comment.before) ?? [];
      list.push(comment);
      this.byToken.set(comment.before, list);
    }
  }

  run(lines: readonly Line[]): string {
    lines.forEach((line, index) => {
      const closes = this.source.tokens[line.from]?.text === '}';
      this.ownComments(line.from, line.depth + (closes ? 1 : 0));
      this.codeRow(line, lines[index + 1]);
    });
    this.ownComments(this.source.tokens.length - 1, 0);
    return joinRows(this.rows);
  }

  /** Comments before a line, except those printed behind the line above. */
  private ownComments(before: number, depth: number): void {
    for (const comment of this.byToken.get(before) ?? []) {
      if (this.isTrailing(comment)) continue;
      const blankBefore = this.isApart(comment.line);
      const code = reindented(comment.text, '\t'.repeat(depth));
      this.rows.push({ code, depth, trailing: '', blankBefore, alone: true });
      this.lastLine = endOf(comment);
    }
  }

  private isTrailing({ before, line }: Comment): boolean {
    const previous = this.source.tokens[before - 1];
    return previous !== undefined && previous.at.line === line;
  }

  private codeRow({ from, to, depth }: Line, next: Line | undefined): void {
    const tokens = this.source.tokens.slice(from, to);
    const first = tokens[0];
    const last = tokens[tokens.length - 1];
    if (first === undefined || last === undefined) return;
    const code = printLine(tokens, '\t'.repeat(depth), (index) =>
      (this.byToken.get(from + index) ?? []).map(({ text }) => text),
    );
    const blankBefore = this.isApart(first.at.line);
    const behind = (this.byToken.get(next?.from ?? this.source.tokens.length - 1) ?? []).filter(
      (comment) => this.isTrailing(comment),
    );
    const trailing = behind.map(({ text }) => text).join(' ');
    this.rows.push({ code, depth, trailing, blankBefore, alone: false });
    const lastComment = behind[behind.length - 1];
    this.lastLine = lastComment === undefined ? last.at.line : endOf(lastComment);
  }

  private isApart(line: number): boolean {
    return this.rows.length > 0 && line > this.lastLine + 1;
  }
}

function endOf({ text, line }: Comment): number {
  return line + text.split('\n').length - 1;
}

/** The lines of a block comment with a star each move along; any other layout is the author's. */
function reindented(text: string, indent: string): string {
  const [first = '', ...rest] = text.split('\n');
  const starred = rest.every((line) => line.trimStart().startsWith('*'));
  const moved = rest.map((line) => (starred ? `${indent} ${line.trim()}` : line.trimEnd()));
  return [indent + first, ...moved].join('\n');
}

function joinRows(rows: readonly Row[]): string {
  const columns = commentColumns(rows);
  const output: string[] = [];
  rows.forEach((row, index) => {
    const previous = rows[index - 1];
    // No blank line behind an opening brace or before a closing one.
    const opened = previous?.alone === false && previous.code.endsWith('{');
    const tight = opened || row.code.trimStart().startsWith('}');
    if (row.blankBefore && !tight) output.push('');
    output.push(withComment(row, columns[index] ?? 0));
  });
  return output.length === 0 ? '' : `${output.join('\n')}\n`;
}

function withComment({ code, trailing }: Row, column: number): string {
  if (trailing === '') return code;
  return `${code}${' '.repeat(Math.max(1, column - code.length))}${trailing}`;
}

/** For each row, where its comment begins: together with its neighbours of one depth. */
function commentColumns(rows: readonly Row[]): readonly number[] {
  const columns: number[] = [];
  let start = 0;
  rows.forEach((_, index) => {
    const next = rows[index + 1];
    if (next !== undefined && belongTogether(rows[index], next)) return;
    const group = rows.slice(start, index + 1);
    const widths = group
      .filter(({ trailing, code }) => trailing !== '' && code.length <= ALIGN_COLUMNS_MAX)
      .map(({ code }) => code.length);
    const column = widths.reduce((widest, width) => Math.max(widest, width), 0) + 2;
    for (const _row of group) columns.push(column);
    start = index + 1;
  });
  return columns;
}

function belongTogether(row: Row | undefined, next: Row): boolean {
  if (row === undefined || next.blankBefore || row.depth !== next.depth) return false;
  return [row, next].every(({ alone, code }) => !alone && !code.includes('\n'));
}
