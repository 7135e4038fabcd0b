/**
 * A scenario's text with its statements: where each begins and ends, and the gaps between them
 * where another one may be put. Leaves out: what the statements mean (names.ts), and the inside of
 * device threads and of bodies without braces, where nothing is inserted.
 */
import { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import type {
  BlockNode,
  CallNode,
  Expression,
  Statement,
  SyntaxTree,
  ThreadNode,
} from '../litmus/ast.js';
import { lex, type Token } from '../litmus/lexer.js';
import { parse } from '../litmus/parser.js';
import { everyExpression, expressionsOf } from '../litmus/walk.js';

/** A declaration or an expression of a thread, with its `;`. */
export interface SourceStatement {
  readonly thread: ThreadNode;
  readonly node: Statement;
  readonly calls: readonly CallNode[];
  /** First character, and the one behind the `;`. */
  readonly from: number;
  readonly to: number;
  readonly line: number;
  /** Where the outermost loop around it begins; -1 outside loops. */
  readonly loopFrom: number;
  /** Its block goes on to here: a local variable lives as long. */
  readonly blockTo: number;
}

/** A place where a statement may be put. */
export interface Gap {
  readonly thread: ThreadNode;
  readonly at: number;
  /** What goes around the statement's text. */
  readonly before: string;
  readonly after: string;
  /** The line that the statement would come before. */
  readonly line: number;
  readonly loopFrom: number;
  /** The statement behind it; null at the end of a block or before a loop or branch. */
  readonly next: SourceStatement | null;
  readonly isEnd: boolean;
}

export interface Source {
  readonly text: string;
  readonly tree: SyntaxTree;
  readonly statements: readonly SourceStatement[];
  readonly gaps: readonly Gap[];
  offset(at: Span): number;
  /** The text of an expression. */
  textOf(node: Expression): string;
}

/** Null for a text with syntax errors. */
export function readSource(text: string): Source | null {
  const diagnostics = new DiagnosticCollector();
  const { tokens } = lex(text, diagnostics);
  const tree = parse(tokens, diagnostics);
  if (diagnostics.hasErrors) return null;
  return new Reader(text, tokens, tree).read();
}

/** Offset of each line's first character. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

class Reader {
  private readonly starts: readonly number[];
  private readonly closing = new Map<number, number>();
  private readonly tokenAt = new Map<number, number>();
  private readonly statements: SourceStatement[] = [];
  private readonly gaps: Gap[] = [];

  constructor(
    private readonly text: string,
    private readonly tokens: readonly Token[],
    private readonly tree: SyntaxTree,
  ) {
    this.starts = lineStarts(text);
    const open: number[] = [];
    tokens.forEach((token, index) => {
      const offset = this.offset(token.at);
      this.tokenAt.set(offset, index);
      if (token.text === '{') open.push(offset);
      if (token.text === '}') this.closing.set(open.pop() ?? -1, offset);
    });
  }

  read(): Source {
    for (const item of this.tree.items) {
      if (item.kind === 'thread') this.block(item, item.body, -1);
    }
    return {
      text: this.text,
      tree: this.tree,
      statements: this.statements,
      gaps: this.gaps.filter((gap) => gap.thread.role !== 'device'),
      offset: (at) => this.offset(at),
      textOf: (node) => this.textOf(node),
    };
  }

  private offset(at: Span): number {
    return (this.starts[at.line - 1] ?? 0) + at.column - 1;
  }

  private lineOf(offset: number): number {
    let line = this.starts.length;
    while (line > 1 && (this.starts[line - 1] ?? 0) > offset) line--;
    return line;
  }

  private block(thread: ThreadNode, block: BlockNode, loopFrom: number): void {
    const close = this.closing.get(this.offset(block.at)) ?? this.text.length;
    for (const node of block.body) this.statement(thread, node, loopFrom, close);
    this.gap(thread, close, loopFrom, null, true);
  }

  private statement(thread: ThreadNode, node: Statement, loopFrom: number, blockTo: number): void {
    if (node.kind === 'declaration' || node.kind === 'expression') {
      const simple = this.simple(thread, node, loopFrom, blockTo);
      this.gap(thread, simple.from, loopFrom, simple, false);
      this.statements.push(simple);
      return;
    }
    const from = this.offset(node.at);
    if (node.kind !== 'empty') this.gap(thread, from, loopFrom, null, false);
    this.inner(thread, node, loopFrom);
  }

  private inner(thread: ThreadNode, node: Statement, loopFrom: number): void {
    const outer = loopFrom < 0 ? this.offset(node.at) : loopFrom;
    if (node.kind === 'block') this.block(thread, node, loopFrom);
    if (node.kind === 'loop') this.body(thread, node.body, outer);
    if (node.kind === 'if') {
      this.body(thread, node.then, loopFrom);
      if (node.otherwise !== null) this.body(thread, node.otherwise, loopFrom);
    }
  }

  /** A body without braces is read for what it calls, but nothing can be put into it. */
  private body(thread: ThreadNode, node: Statement, loopFrom: number): void {
    if (node.kind === 'block') this.block(thread, node, loopFrom);
    else if (node.kind === 'declaration' || node.kind === 'expression') {
      this.statements.push(this.simple(thread, node, loopFrom, this.text.length));
    } else this.inner(thread, node, loopFrom);
  }

  private simple(
    thread: ThreadNode,
    node: Statement,
    loopFrom: number,
    blockTo: number,
  ): SourceStatement {
    const calls: CallNode[] = [];
    let from = this.offset(node.at);
    for (const expression of expressionsOf(node)) {
      everyExpression(expression, (inner) => {
        from = Math.min(from, this.offset(inner.at));
        if (inner.kind === 'call') calls.push(inner);
      });
    }
    const to = this.endOf(from);
    return { thread, node, calls, from, to, line: this.lineOf(from), loopFrom, blockTo };
  }

  /** Behind the `;` that ends the statement at `from`. */
  private endOf(from: number): number {
    let inside = 0;
    for (let i = this.tokenAt.get(from) ?? 0; i < this.tokens.length; i++) {
      const token = this.tokens[i];
      if (token === undefined) break;
      if (token.text === '(') inside++;
      if (token.text === ')') inside--;
      if (token.text === ';' && inside === 0) return this.offset(token.at) + 1;
    }
    return this.text.length;
  }

  private gap(
    thread: ThreadNode,
    offset: number,
    loopFrom: number,
    next: SourceStatement | null,
    isEnd: boolean,
  ): void {
    const line = this.lineOf(offset);
    const start = this.starts[line - 1] ?? 0;
    const indent = this.text.slice(start, offset);
    const base = { thread, line, loopFrom, next, isEnd };
    if (indent.trim() !== '') {
      this.gaps.push({ ...base, at: offset, before: '', after: ' ' });
      return;
    }
    const before = isEnd ? `${indent}\t` : indent;
    this.gaps.push({ ...base, at: start, before, after: '\n' });
  }

  private textOf(node: Expression): string {
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    everyExpression(node, ({ at }) => {
      from = Math.min(from, this.offset(at));
      to = Math.max(to, this.offset(at) + at.length);
    });
    // A call that goes on over lines has a span of its name alone.
    const count = (mark: string): number => this.text.slice(from, to).split(mark).length;
    while (count('(') > count(')') && to < this.text.length) to = this.text.indexOf(')', to) + 1;
    return this.text.slice(from, to).replace(/\s+/gu, ' ');
  }
}
