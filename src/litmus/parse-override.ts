/**
 * `override NAME(params) { … }`: what a scenario's kernel does instead of Linux. The head may be
 * copied out of C: words before a name are types, which the registry of operations knows better.
 * Leaves out: whether there is such a function, and what the steps mean (overrides.ts).
 */
import type { BlockNode, OverrideNode } from './ast.js';
import type { Cursor } from './cursor.js';
import type { Token } from './lexer.js';

export function parseOverride(cursor: Cursor, parseBlock: (cursor: Cursor) => BlockNode) {
  cursor.expect('override');
  const name = lastName(cursor, 'the name of a kernel function');
  cursor.expect('(');
  const params: { name: string; at: Token['at'] }[] = [];
  const isEmpty = cursor.is('void') && cursor.is(')', 1);
  if (isEmpty) cursor.next();
  while (!cursor.is(')')) {
    const param = lastName(cursor, 'a name for an argument');
    if (params.some((each) => each.name === param.text)) {
      cursor.diagnostics.error('L014', param.at, `'${param.text}' is named twice`);
    }
    params.push({ name: param.text, at: param.at });
    if (!cursor.accept(',')) break;
  }
  cursor.expect(')');
  const body = parseBlock(cursor);
  const at = name.at;
  const node: OverrideNode = { kind: 'override', name: name.text, nameAt: at, params, body, at };
  return node;
}

/** The name behind the words and stars of a type. */
function lastName(cursor: Cursor, what: string): Token {
  let name = cursor.expectName(what);
  while (cursor.isName() || (cursor.is('*') && (cursor.isName(1) || cursor.is('*', 1)))) {
    if (cursor.is('*')) cursor.next();
    else name = cursor.next();
  }
  return name;
}
