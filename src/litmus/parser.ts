/**
 * Tokens to a syntax tree: the file's items and the statements inside its threads. A broken
 * statement becomes a `broken` node and reading goes on behind it, so that one run reports every
 * mistake.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import { nearestName } from '../diagnostics/nearest.js';
import type {
  BlockNode,
  DeclarationNode,
  Declarator,
  Item,
  LoopNode,
  Statement,
  SyntaxTree,
  ThreadNode,
} from './ast.js';
import { Cursor, cover, SyntaxFailure } from './cursor.js';
import type { Token } from './lexer.js';
import { parseBaseType, parseExpression, parseStars, startsType } from './parse-expression.js';
import { parseDesign, parseEvent, startsEvent } from './parse-design.js';
import { parseAssertion, parseMachine } from './parse-item.js';
import { parseOverride } from './parse-override.js';

export function parse(tokens: readonly Token[], diagnostics: DiagnosticCollector): SyntaxTree {
  const cursor = new Cursor(tokens, diagnostics);
  const items: Item[] = [];
  while (!cursor.atEnd && !diagnostics.isFull) {
    const start = cursor.position;
    cursor.startStatement();
    try {
      if (!cursor.accept(';')) items.push(parseItem(cursor));
    } catch (failure) {
      if (!(failure instanceof SyntaxFailure)) throw failure;
      const at = cursor.peek().at;
      items.push({ kind: 'broken', names: skipItem(cursor, start), at });
    }
  }
  return { items };
}

const assertionForms: ReadonlySet<string> = new Set(['exists', 'forbidden', 'always']);

/** Something that can only stand at file scope: where a broken item ends at the latest. */
function startsItem(cursor: Cursor): boolean {
  if (!cursor.isName()) return false;
  const word = cursor.peek().text;
  if (word === 'init') return cursor.is('{', 1);
  if (assertionForms.has(word)) return cursor.is('(', 1);
  if (word === 'override') return cursor.isName(1);
  if (!['cpu', 'device', 'machine', 'design'].includes(word)) return false;
  return cursor.is('{', 1) || (cursor.isName(1) && cursor.is('{', 2));
}

function skipItem(cursor: Cursor, start: number): readonly string[] {
  const names = cursor.skipStatement(start);
  // A brace that closes nothing, or a failure on the item's first token, must not stop us here.
  if (cursor.position === start || (cursor.is('}') && !startsItem(cursor))) cursor.next();
  return names;
}

function parseItem(cursor: Cursor): Item {
  const word = cursor.peek();
  if (cursor.is('machine')) return parseMachine(cursor);
  if (cursor.is('init') || cursor.is('cpu') || cursor.is('device')) return parseThread(cursor);
  if (cursor.is('design') && cursor.isName(1)) {
    return parseDesign(cursor, { parseBlock, parseDeclaration });
  }
  if (cursor.is('override') && cursor.isName(1)) return parseOverride(cursor, parseBlock);
  if (assertionForms.has(word.text) && cursor.is('(', 1)) return parseAssertion(cursor);
  if (startsDeclaration(cursor)) {
    const declaration = parseDeclaration(cursor);
    cursor.expectSemicolon();
    return declaration;
  }
  const expected =
    'machine, a declaration, override, init, cpu, device, design, exists, forbidden or always';
  const suggestion = word.kind === 'name' ? nearestName(word.text, itemWords) : undefined;
  throw cursor.unexpected(expected, { suggestion });
}

const itemWords: readonly string[] = [
  'machine',
  'init',
  'cpu',
  'device',
  'design',
  'override',
  'exists',
  'forbidden',
  'always',
];

function parseThread(cursor: Cursor): ThreadNode {
  const word = cursor.next();
  const role = word.text === 'init' ? 'init' : word.text === 'cpu' ? 'cpu' : 'device';
  const name = role === 'init' ? word : cursor.expectName(`a name for the ${role} thread`);
  const body = parseBlock(cursor);
  return {
    kind: 'thread',
    role,
    name: name.text,
    nameAt: name.at,
    body,
    at: cover(word.at, name.at),
  };
}

function parseBlock(cursor: Cursor): BlockNode {
  const open = cursor.expect('{');
  const body: Statement[] = [];
  while (!cursor.is('}')) {
    if (cursor.atEnd || startsItem(cursor)) {
      cursor.unclosed(open.at);
      return { kind: 'block', body, at: open.at };
    }
    body.push(parseStatement(cursor));
  }
  cursor.next();
  return { kind: 'block', body, at: open.at };
}

function parseStatement(cursor: Cursor): Statement {
  const start = cursor.position;
  const at = cursor.peek().at;
  cursor.startStatement();
  try {
    return cursor.nested(() => parseStatementInside(cursor));
  } catch (failure) {
    if (!(failure instanceof SyntaxFailure)) throw failure;
    return { kind: 'broken', names: cursor.skipStatement(start), at };
  }
}

const unsupportedStatements: ReadonlyMap<string, string> = new Map([
  ['switch', 'if (…) … else if (…) …'],
  ['case', 'if (…) … else if (…) …'],
  ['goto', 'a loop with break or continue, or return'],
]);

function parseStatementInside(cursor: Cursor): Statement {
  const word = cursor.peek();
  const at = word.at;
  if (cursor.is('{')) return parseBlock(cursor);
  if (cursor.accept(';')) return { kind: 'empty', at };
  if (startsEvent(cursor)) return parseEvent(cursor);
  const instead = word.kind === 'name' ? unsupportedStatements.get(word.text) : undefined;
  if (instead !== undefined) {
    const message = `'${word.text}' is not supported in scenarios`;
    throw cursor.failure('L012', at, message, { expected: instead });
  }
  switch (word.kind === 'name' ? word.text : '') {
    case 'if':
      return parseIf(cursor);
    case 'while':
      return parseWhile(cursor);
    case 'do':
      return parseDo(cursor);
    case 'for':
      return parseFor(cursor);
    case 'break':
    case 'continue': {
      const kind = cursor.next().text === 'break' ? 'break' : 'continue';
      cursor.expectSemicolon();
      return { kind, at };
    }
    case 'return':
      return parseReturn(cursor);
    case 'else':
      throw cursor.failure('L010', at, "'else' without an 'if' before it");
  }
  const statement = parseSimple(cursor);
  cursor.expectSemicolon();
  return statement;
}

function parseIf(cursor: Cursor): Statement {
  const word = cursor.next();
  cursor.expect('(');
  const condition = parseExpression(cursor);
  cursor.expect(')');
  const then = parseStatement(cursor);
  const otherwise = cursor.accept('else') ? parseStatement(cursor) : null;
  return { kind: 'if', condition, then, otherwise, at: word.at };
}

function parseWhile(cursor: Cursor): LoopNode {
  const word = cursor.next();
  cursor.expect('(');
  const condition = parseExpression(cursor);
  cursor.expect(')');
  const body = parseStatement(cursor);
  return { kind: 'loop', form: 'while', init: null, condition, step: null, body, at: word.at };
}

function parseDo(cursor: Cursor): LoopNode {
  const word = cursor.next();
  const body = parseStatement(cursor);
  cursor.expect('while');
  cursor.expect('(');
  const condition = parseExpression(cursor);
  cursor.expect(')');
  cursor.expectSemicolon();
  return { kind: 'loop', form: 'do', init: null, condition, step: null, body, at: word.at };
}

function parseFor(cursor: Cursor): LoopNode {
  const word = cursor.next();
  cursor.expect('(');
  const init = cursor.is(';') ? null : parseSimple(cursor);
  cursor.expect(';');
  const condition = cursor.is(';') ? null : parseExpression(cursor);
  cursor.expect(';');
  const step = cursor.is(')') ? null : parseExpression(cursor);
  cursor.expect(')');
  const body = parseStatement(cursor);
  return { kind: 'loop', form: 'for', init, condition, step, body, at: word.at };
}

function parseReturn(cursor: Cursor): Statement {
  const word = cursor.next();
  const ends = cursor.is(';') || cursor.peek().at.line !== word.at.line || cursor.is('}');
  const value = ends ? null : parseExpression(cursor);
  cursor.expectSemicolon();
  return { kind: 'return', value, at: word.at };
}

/** A declaration or an expression, without its `;`. */
function parseSimple(cursor: Cursor): Statement {
  if (startsDeclaration(cursor)) return parseDeclaration(cursor);
  const expression = parseExpression(cursor);
  return { kind: 'expression', expression, at: expression.at };
}

/** Also a declaration with a type nobody knows: `uint x = 1;` or `foo_t *p;`. */
function startsDeclaration(cursor: Cursor): boolean {
  if (startsType(cursor)) return true;
  if (!cursor.isName()) return false;
  const line = cursor.peek().at.line;
  if (cursor.isName(1)) return cursor.peek(1).at.line === line;
  return (
    cursor.is('*', 1) &&
    cursor.isName(2) &&
    (cursor.is(';', 3) || cursor.is('=', 3) || cursor.is(',', 3))
  );
}

function parseDeclaration(cursor: Cursor): DeclarationNode {
  const { base, at } = parseBaseType(cursor);
  const declarators: Declarator[] = [];
  do {
    const pointers = parseStars(cursor);
    const name = cursor.expectName('a name to declare');
    if (cursor.is('[')) {
      throw cursor.failure('L012', cursor.peek().at, 'arrays cannot be declared', {
        expected: 'memory that an operation allocates, and a pointer to it',
      });
    }
    const value = cursor.accept('=') ? parseExpression(cursor) : null;
    declarators.push({ name: name.text, type: { base, pointers, at }, value, at: name.at });
  } while (cursor.accept(','));
  return { kind: 'declaration', declarators, at };
}
