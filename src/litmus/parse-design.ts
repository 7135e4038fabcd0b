/**
 * The two constructs of `civac compare`: a design, which answers events, and the event statement
 * of a use case. Both keep the places of their tokens, since they are expanded token by token.
 * Leaves out: what an answer's statements mean; they are checked where they are expanded.
 */
import type { BlockNode, DesignNode, EventNode, HandlerNode, RefusalNode } from './ast.js';
import { type Cursor, cover } from './cursor.js';
import { nearestName } from '../diagnostics/nearest.js';
import { eventNames, eventSignature, findEvent } from './events.js';
import { parseExpression } from './parse-expression.js';
import type { DeclarationNode } from './ast.js';

/** What the parser lends, as both files need each other. */
export interface Statements {
  parseBlock(cursor: Cursor): BlockNode;
  parseDeclaration(cursor: Cursor): DeclarationNode;
}

export function parseDesign(cursor: Cursor, statements: Statements): DesignNode {
  const word = cursor.expect('design');
  const name = cursor.expectName('the name of the design');
  const open = cursor.expect('{');
  const handlers: HandlerNode[] = [];
  const refusals: RefusalNode[] = [];
  const declarations: DeclarationNode[] = [];
  while (!cursor.accept('}')) {
    cursor.startStatement();
    if (cursor.atEnd) {
      cursor.unclosed(open.at);
      break;
    }
    if (cursor.is('on') && cursor.isName(1)) handlers.push(parseHandler(cursor, statements));
    else if (cursor.is('refuse') && cursor.isName(1)) refusals.push(parseRefusal(cursor));
    else if (cursor.isName() && !cursor.is('(', 1)) {
      declarations.push(statements.parseDeclaration(cursor));
      cursor.expectSemicolon();
    } else {
      throw cursor.unexpected("'on EVENT(…) { … }', 'refuse EVENT;', a declaration, or '}'");
    }
  }
  cursor.accept(';');
  const at = cover(word.at, name.at);
  return { kind: 'design', name: name.text, nameAt: name.at, handlers, refusals, declarations, at };
}

function parseHandler(cursor: Cursor, statements: Statements): HandlerNode {
  cursor.expect('on');
  const name = cursor.expectName('the name of an event');
  checkName(cursor, name.text, name.at);
  cursor.expect('(');
  const params: { name: string; at: typeof name.at }[] = [];
  while (!cursor.is(')')) {
    const param = cursor.expectName('a name for what the event gives');
    if (params.some((each) => each.name === param.text)) {
      cursor.diagnostics.error('L014', param.at, `'${param.text}' is named twice`);
    }
    params.push({ name: param.text, at: param.at });
    if (!cursor.accept(',')) break;
  }
  cursor.expect(')');
  const kind = findEvent(name.text);
  if (kind !== undefined && kind.params.length !== params.length) {
    const message = `'${name.text}' gives ${kind.params.length} things, not ${params.length}`;
    cursor.diagnostics.error('L081', name.at, message, { expected: eventSignature(kind) });
  }
  const from = cursor.position + 1;
  const body = statements.parseBlock(cursor);
  const to = cursor.position - 1;
  return { event: name.text, params, body, from, to, at: name.at };
}

function parseRefusal(cursor: Cursor): RefusalNode {
  cursor.expect('refuse');
  const name = cursor.expectName('the name of an event');
  checkName(cursor, name.text, name.at);
  cursor.expectSemicolon();
  return { event: name.text, at: name.at };
}

function checkName(cursor: Cursor, name: string, at: HandlerNode['at']): void {
  if (findEvent(name) !== undefined) return;
  cursor.diagnostics.error('L080', at, `there is no event '${name}'`, {
    expected: 'an event of the reference page',
    suggestion: nearestName(name, eventNames()),
  });
}

/** `event pages_got(` and what is meant to be one; a variable may be called event all the same. */
export function startsEvent(cursor: Cursor): boolean {
  return cursor.is('event') && cursor.isName(1) && cursor.is('(', 2);
}

export function parseEvent(cursor: Cursor): EventNode {
  const from = cursor.position;
  const word = cursor.expect('event');
  const name = cursor.expectName('the name of an event');
  checkName(cursor, name.text, name.at);
  const args: EventNode['args'][number][] = [];
  cursor.expect('(');
  while (!cursor.is(')')) {
    const start = cursor.position;
    const value = parseExpression(cursor);
    args.push({ value, from: start, to: cursor.position });
    if (!cursor.accept(',')) break;
  }
  cursor.expect(')');
  const at = cover(word.at, cursor.previous().at);
  const kind = findEvent(name.text);
  if (kind !== undefined && kind.params.length !== args.length) {
    const message = `'${name.text}' takes ${kind.params.length} arguments, not ${args.length}`;
    cursor.diagnostics.error('L081', name.at, message, { expected: eventSignature(kind) });
  }
  const first = args[0]?.value;
  if (first !== undefined && first.kind !== 'name') {
    cursor.diagnostics.error('L081', first.at, 'an event begins with the name of its buffer', {
      expected: 'a name',
    });
  }
  cursor.expectSemicolon();
  return { kind: 'event', event: name.text, args, from, to: cursor.position, at };
}
