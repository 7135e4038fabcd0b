/**
 * Puts the answers of a design in place of the events of a use case. What comes out is a scenario
 * as any other, in the one layout; each line of an answer says in a comment where it is written.
 * Works token by token, so that every token of the result knows the token it came from.
 * Names of the design become names of their buffer: `sgt` of buffer `bo` is `bo_sgt`.
 */
import { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Diagnostic, Span } from '../diagnostics/diagnostic.js';
import type { EventNode, HandlerNode } from './ast.js';
import type { Design, UseCase } from './design.js';
import { type EventPhase, findEvent } from './events.js';
import { lex, type Token } from './lexer.js';
import { parse } from './parser.js';
import { print } from './printer.js';

/** Where a token of an expanded scenario comes from. */
export interface Origin {
  readonly file: string;
  readonly at: Span;
  /** Of a token that stands there for an event. */
  readonly event: OriginEvent | null;
}
export interface OriginEvent {
  readonly name: string;
  readonly phase: EventPhase;
  /** In the use case. */
  readonly line: number;
}

export interface Expansion {
  readonly text: string;
  /** Where the first token of a line (from 1) comes from; null for a line without one. */
  originOfLine(line: number): Origin | null;
  /** A diagnostic of the expanded text, told of the file it is about. */
  place(diagnostic: Diagnostic): { readonly file: string; readonly diagnostic: Diagnostic };
}

/** An event of the use case that the design refuses, and the comment beside the refusal. */
export interface Refusal {
  readonly event: string;
  readonly why: string;
  /** In the use case. */
  readonly line: number;
}

export function refusalOf(design: Design, useCase: UseCase): Refusal | null {
  for (const { node } of useCase.events) {
    const refusal = design.node.refusals.find(({ event }) => event === node.event);
    const isAnswered = design.node.handlers.some(({ event }) => event === node.event);
    if (refusal === undefined) {
      if (isAnswered || findEvent(node.event)?.unanswered !== 'refused') continue;
      return { event: node.event, why: `it has no answer to ${node.event}`, line: node.at.line };
    }
    const comments = design.tokens.comments.filter(({ line }) => line === refusal.at.line);
    const why = comments.map(({ text }) => text.replace(/^\/[/*]\s*|\s*\*\/$/gu, '')).join(' ');
    return { event: node.event, why, line: node.at.line };
  }
  return null;
}

export function expand(design: Design, useCase: UseCase): Expansion {
  return new Expander(design, useCase).run();
}

class Expander {
  private readonly out: string[] = [];
  private readonly origins: Origin[] = [];
  private readonly lineStarts: readonly number[];
  private readonly taken: ReadonlySet<string>;
  private readonly kept = new Map<string, { buffer: string; name: string }>();

  constructor(
    private readonly design: Design,
    private readonly useCase: UseCase,
  ) {
    const starts = [0];
    for (const match of useCase.text.matchAll(/\n/gu)) starts.push(match.index + 1);
    this.lineStarts = starts;
    const names = useCase.tokens.tokens.flatMap(({ kind, text }) =>
      kind === 'name' ? [text] : [],
    );
    this.taken = new Set(names);
  }

  run(): Expansion {
    const { tokens } = this.useCase.tokens;
    // The answers first: which of the design's names a buffer needs shows there.
    const answers = this.useCase.events.map(({ node, alone }) => this.answer(node, alone));
    const threadAt = this.firstThread();
    let from = 0;
    let position = 0;
    const made = `Design ${this.design.name} in use case ${this.useCase.name}`;
    this.out.push(`// ${made}, by civac compare --expand.\n`);
    const copyTo = (token: number, end: number): void => {
      this.out.push(this.useCase.text.slice(from, end));
      for (; position < token; position++) this.origins.push(this.here(tokens[position]));
      from = end;
    };
    const declare = (): void => {
      copyTo(threadAt, this.offset(tokens[threadAt]));
      this.declarations();
    };
    let declared = false;
    this.useCase.events.forEach(({ node }, index) => {
      if (!declared) declare();
      declared = true;
      copyTo(node.from, this.offset(tokens[node.from]));
      const answer = answers[index];
      position = node.to;
      from = this.behind(node);
      if (answer === undefined) return;
      // What goes in begins and ends with a comment, so it needs lines of its own.
      const before = this.out[this.out.length - 1] ?? '';
      if (!/(^|\n)[ \t]*$/u.test(before)) this.out.push('\n');
      this.out.push(answer.text);
      if (!/^\r?\n/u.test(this.useCase.text.slice(from))) this.out.push('\n');
      this.origins.push(...answer.origins);
    });
    copyTo(tokens.length - 1, this.useCase.text.length);
    return finish(this.out.join(''), this.origins);
  }

  /** The token with which the first thread begins: declarations of the design go before it. */
  private firstThread(): number {
    const thread = this.useCase.tree.items.find(({ kind }) => kind === 'thread');
    const { tokens } = this.useCase.tokens;
    if (thread?.kind !== 'thread') return tokens.length - 1;
    return tokens.findIndex(
      ({ at }) => at.line === thread.at.line && at.column === thread.at.column,
    );
  }

  private here(token: Token | undefined): Origin {
    const at = token?.at ?? { line: 1, column: 1, length: 1 };
    return { file: this.useCase.file, at, event: null };
  }

  private offset(token: Token | undefined): number {
    if (token === undefined) return this.useCase.text.length;
    return (this.lineStarts[token.at.line - 1] ?? 0) + token.at.column - 1;
  }

  /** Behind the event and the comment that stands beside it, which goes with it. */
  private behind(node: EventNode): number {
    const last = this.useCase.tokens.tokens[node.to - 1];
    const end = this.offset(last) + (last?.at.length ?? 0);
    const comment = this.commentBeside(node);
    if (comment === undefined) return end;
    return (this.lineStarts[comment.line - 1] ?? 0) + comment.column - 1 + comment.text.length;
  }

  private commentBeside(
    node: EventNode,
  ): { text: string; line: number; column: number } | undefined {
    const { tokens, comments } = this.useCase.tokens;
    const line = tokens[node.to - 1]?.at.line;
    return comments.find((each) => each.before === node.to && each.line === line);
  }

  private answer(node: EventNode, alone: boolean): { text: string; origins: readonly Origin[] } {
    const handler = this.design.node.handlers.find(({ event }) => event === node.event);
    const beside = this.commentBeside(node)?.text.replace(/^\/[/*]\s*|\s*\*\/$/gu, '');
    const nothing = handler === undefined || handler.from >= handler.to;
    const head = [
      `// event ${node.event}, ${baseName(this.useCase.file)}:${node.at.line}`,
      ...(nothing ? ['nothing to do'] : []),
      ...(beside === undefined ? [] : [beside]),
    ].join(': ');
    const origins: Origin[] = [];
    const lines: string[] = [];
    const brace = (text: string): void => {
      lines.push(text);
      origins.push({ file: this.useCase.file, at: node.at, event: eventOf(node) });
    };
    const declares = handler?.body.body.some(({ kind }) => kind === 'declaration') === true;
    if (alone || declares) brace('{');
    lines.push(head);
    if (handler !== undefined) this.body(handler, node, lines, origins);
    if (alone || declares) brace('}');
    return { text: lines.join('\n'), origins };
  }

  private body(handler: HandlerNode, node: EventNode, lines: string[], origins: Origin[]): void {
    const argOf = new Map(
      handler.params.map(({ name }, index) => [name, this.argument(node, index)] as const),
    );
    const buffer = argOf.get(handler.params[0]?.name ?? '')?.[0] ?? 'bo';
    const { tokens } = this.design.tokens;
    let line: string[] = [];
    let depth = 0;
    for (let index = handler.from; index < handler.to; index++) {
      const token = tokens[index];
      if (token === undefined) break;
      const texts = this.replacement(token, tokens[index - 1], argOf, buffer);
      for (const text of texts) {
        line.push(text);
        origins.push({ file: this.design.file, at: token.at, event: eventOf(node) });
      }
      if (token.text === '(') depth++;
      if (token.text === ')') depth--;
      if (depth > 0 || !/^[;{}]$/u.test(token.text)) continue;
      const place = token.text === ';' ? `  // ${baseName(this.design.file)}:${token.at.line}` : '';
      lines.push(line.join(' ') + place);
      line = [];
    }
    if (line.length > 0) lines.push(line.join(' '));
  }

  /** An argument of several tokens is one operand where it goes. */
  private argument(node: EventNode, index: number): readonly string[] {
    const arg = node.args[index];
    if (arg === undefined) return [];
    const texts = this.useCase.tokens.tokens.slice(arg.from, arg.to).map(({ text }) => text);
    const isAtom = texts.length === 1 || arg.value.kind === 'call' || isFlags(texts);
    return isAtom ? texts : ['(', ...texts, ')'];
  }

  private replacement(
    token: Token,
    before: Token | undefined,
    argOf: ReadonlyMap<string, readonly string[]>,
    buffer: string,
  ): readonly string[] {
    if (token.kind !== 'name' || before?.text === '.') return [token.text];
    const arg = argOf.get(token.text);
    if (arg !== undefined) return arg;
    if (!this.design.privates.has(token.text)) return [token.text];
    return [this.privateName(buffer, token.text)];
  }

  private privateName(buffer: string, name: string): string {
    let full = `${buffer}_${name}`;
    while (this.taken.has(full)) full += '_';
    this.kept.set(full, { buffer, name });
    return full;
  }

  /** What the design declares for each buffer that needs it. */
  private declarations(): void {
    for (const [full, { name }] of this.kept) {
      for (const { declarators } of this.design.node.declarations) {
        for (const declarator of declarators) {
          if (declarator.name !== name) continue;
          const { base, pointers } = declarator.type;
          const text = `${base} ${'*'.repeat(pointers)}${full};`;
          const place = `${baseName(this.design.file)}:${declarator.at.line}`;
          this.out.push(`${text}  // ${place}\n`);
          const { tokens } = lex(text, new DiagnosticCollector());
          const origin = { file: this.design.file, at: declarator.at, event: null };
          this.origins.push(...tokens.slice(1).map(() => origin));
        }
      }
    }
  }
}

/** `IOMMU_READ | IOMMU_WRITE` goes into a call as it is. */
function isFlags(texts: readonly string[]): boolean {
  return texts.every((text, index) => (index % 2 === 1 ? text === '|' : /^\w+$/u.test(text)));
}

function eventOf(node: EventNode): OriginEvent {
  const phase = findEvent(node.event)?.phase ?? 'life';
  return { name: node.event, phase, line: node.at.line };
}

function baseName(file: string): string {
  return file.replace(/^.*[/\\]/u, '');
}

function finish(raw: string, origins: readonly Origin[]): Expansion {
  const ignored = new DiagnosticCollector();
  const source = lex(raw, ignored);
  parse(source.tokens, ignored);
  const text = ignored.hasErrors ? raw : print(source);
  const { tokens } = lex(text, new DiagnosticCollector());
  const indexAt = (line: number, column: number): number => {
    const index = tokens.findIndex(
      ({ at }) => at.line > line || (at.line === line && at.column + at.length > column),
    );
    return index < 0 ? origins.length - 1 : index;
  };
  return {
    text,
    originOfLine: (line) => {
      const index = tokens.findIndex(({ at, kind }) => at.line === line && kind !== 'end');
      return index < 0 ? null : (origins[index] ?? null);
    },
    place: (diagnostic) => {
      const origin = origins[indexAt(diagnostic.span.line, diagnostic.span.column)];
      if (origin === undefined) return { file: '', diagnostic };
      const { event } = origin;
      const at = event === null ? '' : ` (as the answer to '${event.name}')`;
      const told = { ...diagnostic, message: diagnostic.message + at, span: origin.at };
      return { file: origin.file, diagnostic: told };
    },
  };
}
