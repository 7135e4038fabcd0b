/**
 * Expressions: C's precedences, less what scenarios do not have (comma operator, compound
 * literals, `.` and `->`). Types inside casts and sizeof are read here too.
 */
import type { Expression, OptionNode, PrefixOperator, TypeNode } from './ast.js';
import { type Cursor, cover } from './cursor.js';
import type { BinaryOperator } from './program.js';
import { combinedBase, combiningWords, isScalarWord } from './types.js';

const precedences: ReadonlyMap<string, { level: number; operator: BinaryOperator }> = new Map(
  levels([
    ['||'],
    ['&&'],
    ['|'],
    ['^'],
    ['&'],
    ['==', '!='],
    ['<', '<=', '>', '>='],
    ['<<', '>>'],
    ['+', '-'],
    ['*', '/', '%'],
  ]),
);

function levels(
  table: readonly (readonly BinaryOperator[])[],
): (readonly [string, { level: number; operator: BinaryOperator }])[] {
  return table.flatMap((row, level) =>
    row.map((operator) => [operator, { level, operator }] as const),
  );
}

const assignments: ReadonlyMap<string, BinaryOperator | null> = new Map<
  string,
  BinaryOperator | null
>([
  ['=', null],
  ['+=', '+'],
  ['-=', '-'],
  ['*=', '*'],
  ['/=', '/'],
  ['%=', '%'],
  ['&=', '&'],
  ['|=', '|'],
  ['^=', '^'],
  ['<<=', '<<'],
  ['>>=', '>>'],
]);

const prefixes: ReadonlyMap<string, PrefixOperator> = new Map<string, PrefixOperator>([
  ['-', '-'],
  ['+', '+'],
  ['!', '!'],
  ['~', '~'],
  ['*', '*'],
  ['&', '&'],
]);

/** Words that begin a type, or that C would have begin one. */
export function startsType(cursor: Cursor, ahead = 0): boolean {
  const token = cursor.peek(ahead);
  if (token.kind !== 'name') return false;
  return isScalarWord(token.text) || typeKeywords.has(token.text);
}

const typeKeywords: ReadonlySet<string> = new Set([
  'const',
  'volatile',
  'static',
  'struct',
  'union',
  'enum',
  'register',
  'extern',
  'typedef',
]);
const skippedQualifiers: ReadonlySet<string> = new Set([
  'const',
  'volatile',
  '__iomem',
  '__user',
  '__force',
]);

/** The words of a type, without stars: those belong to each declarator. */
export function parseBaseType(cursor: Cursor): { base: string; at: TypeNode['at'] } {
  const first = cursor.peek().at;
  skipQualifiers(cursor);
  const word = cursor.expectName('a type');
  if (word.text === 'struct') {
    const name = cursor.expectName('the name of a struct');
    skipQualifiers(cursor);
    return { base: `struct ${name.text}`, at: cover(first, name.at) };
  }
  if (typeKeywords.has(word.text)) {
    throw cursor.failure('L012', word.at, `'${word.text}' is not supported in scenarios`, {
      expected: 'a plain type such as u32, dma_addr_t or struct page *',
    });
  }
  if (!combiningWords.has(word.text)) {
    skipQualifiers(cursor);
    return { base: word.text, at: cover(first, word.at) };
  }
  const words = [word.text];
  while (cursor.isName() && combiningWords.has(cursor.peek().text)) words.push(cursor.next().text);
  const at = cover(first, cursor.previous().at);
  skipQualifiers(cursor);
  return { base: combinedBase(words), at };
}

export function parseStars(cursor: Cursor): number {
  let stars = 0;
  while (cursor.accept('*')) {
    stars++;
    skipQualifiers(cursor);
  }
  return stars;
}

function skipQualifiers(cursor: Cursor): void {
  while (cursor.isName() && skippedQualifiers.has(cursor.peek().text)) cursor.next();
}

/** `(u32 *)`, the opening bracket already read. */
function parseTypeName(cursor: Cursor): TypeNode {
  const { base, at } = parseBaseType(cursor);
  const pointers = parseStars(cursor);
  return { base, pointers, at: cover(at, cursor.previous().at) };
}

export function parseExpression(cursor: Cursor): Expression {
  return cursor.nested(() => parseAssignment(cursor));
}

function parseAssignment(cursor: Cursor): Expression {
  const target = parseTernary(cursor);
  const symbol = cursor.peek();
  const operator = symbol.kind === 'punctuation' ? assignments.get(symbol.text) : undefined;
  if (operator === undefined) return target;
  cursor.next();
  cursor.countOperator();
  const value = parseExpression(cursor);
  return {
    kind: 'assign',
    operator,
    target,
    value,
    postfix: false,
    at: cover(target.at, value.at),
  };
}

function parseTernary(cursor: Cursor): Expression {
  const condition = parseBinary(cursor, 0);
  if (!cursor.accept('?')) return condition;
  cursor.countOperator();
  const then = parseExpression(cursor);
  cursor.expect(':');
  const otherwise = cursor.nested(() => parseTernary(cursor));
  return { kind: 'ternary', condition, then, otherwise, at: cover(condition.at, otherwise.at) };
}

function parseBinary(cursor: Cursor, level: number): Expression {
  let left = parsePrefix(cursor);
  for (;;) {
    const symbol = cursor.peek();
    const found = symbol.kind === 'punctuation' ? precedences.get(symbol.text) : undefined;
    if (found === undefined || found.level < level) return left;
    cursor.next();
    cursor.countOperator();
    const right = cursor.nested(() => parseBinary(cursor, found.level + 1));
    left = { kind: 'binary', operator: found.operator, left, right, at: cover(left.at, right.at) };
  }
}

function parsePrefix(cursor: Cursor): Expression {
  const symbol = cursor.peek();
  if (symbol.text === '++' || symbol.text === '--') {
    throw cursor.failure('L012', symbol.at, `'${symbol.text}' stands behind its variable here`, {
      expected: `x${symbol.text} as a statement of its own`,
    });
  }
  const operator = symbol.kind === 'punctuation' ? prefixes.get(symbol.text) : undefined;
  if (operator === undefined) return parsePostfix(cursor);
  cursor.next();
  cursor.countOperator();
  const operand = cursor.nested(() => parsePrefix(cursor));
  // `&bo->base`: the object, as `bo->base` is.
  const isMember = operand.kind === 'name' && cursor.previous().text !== operand.name;
  if (operator === '&' && isMember) return operand;
  return { kind: 'unary', operator, operand, at: cover(symbol.at, operand.at) };
}

/** Members that are the thing itself here: `pdev->dev`, `sgt->sgl`, `bo->base`. */
const standsForWhole: ReadonlySet<string> = new Set(['dev', 'sgl', 'base']);

function parsePostfix(cursor: Cursor): Expression {
  let expression = parsePrimary(cursor);
  for (;;) {
    const symbol = cursor.peek();
    if (cursor.accept('[')) {
      cursor.countOperator();
      const index = parseExpression(cursor);
      const close = cursor.expect(']');
      expression = {
        kind: 'index',
        pointer: expression,
        index,
        at: cover(expression.at, close.at),
      };
    } else if (cursor.is('++') || cursor.is('--')) {
      cursor.next();
      cursor.countOperator();
      expression = {
        kind: 'assign',
        operator: symbol.text === '++' ? '+' : '-',
        target: expression,
        value: { kind: 'number', value: 1, at: symbol.at },
        postfix: true,
        at: cover(expression.at, symbol.at),
      };
    } else if (cursor.is('->') && standsForWhole.has(cursor.peek(1).text)) {
      cursor.next();
      cursor.next();
    } else if (cursor.is('.') || cursor.is('->')) {
      throw cursor.failure('L012', symbol.at, 'structs have no members in scenarios', {
        expected: 'an array element such as p[0]',
      });
    } else {
      return expression;
    }
  }
}

/** Also a number, a name or a call on the right of a comparison in `exists`. */
export function parsePrimary(cursor: Cursor): Expression {
  const token = cursor.peek();
  if (token.kind === 'number') {
    cursor.next();
    return { kind: 'number', value: token.value, at: token.at };
  }
  if (cursor.is('(')) return parseBracket(cursor);
  if (token.kind !== 'name' || startsType(cursor)) throw cursor.unexpected('a value');
  cursor.next();
  if (!cursor.is('(')) return { kind: 'name', name: token.text, at: token.at };
  if (token.text === 'sizeof') return parseSizeof(cursor);
  return parseCall(cursor);
}

function parseBracket(cursor: Cursor): Expression {
  const open = cursor.expect('(');
  if (startsType(cursor)) {
    const type = parseTypeName(cursor);
    cursor.expect(')');
    cursor.countOperator();
    const operand = cursor.nested(() => parsePrefix(cursor));
    return { kind: 'cast', type, operand, at: cover(open.at, operand.at) };
  }
  const inner = parseExpression(cursor);
  const close = cursor.expect(')');
  return { kind: 'paren', inner, at: cover(open.at, close.at) };
}

function parseSizeof(cursor: Cursor): Expression {
  const word = cursor.previous();
  cursor.expect('(');
  if (!startsType(cursor)) throw cursor.unexpected('a type, as in sizeof(u32)');
  const type = parseTypeName(cursor);
  const close = cursor.expect(')');
  return { kind: 'sizeof', type, at: cover(word.at, close.at) };
}

/** The name is read, `(` comes next. Options come after the positional arguments. */
function parseCall(cursor: Cursor): Expression {
  const name = cursor.previous();
  cursor.expect('(');
  cursor.countOperator();
  const args: Expression[] = [];
  const options: OptionNode[] = [];
  while (!cursor.is(')')) {
    if (cursor.is('.')) {
      options.push(parseOption(cursor));
    } else if (options.length > 0) {
      throw cursor.unexpected("another option ('.name = value'): plain arguments come first");
    } else {
      args.push(parseExpression(cursor));
    }
    if (!cursor.accept(',')) break;
    if (cursor.is(')')) throw cursor.unexpected('another argument');
  }
  const close = cursor.expect(')', {});
  const at = cover(name.at, close.at);
  return { kind: 'call', callee: name.text, calleeAt: name.at, args, options, at };
}

/** `.name = value` */
export function parseOption(cursor: Cursor): OptionNode {
  const dot = cursor.expect('.');
  const name = cursor.expectName('the name of a setting');
  cursor.expect('=');
  const value = parseExpression(cursor);
  return { name: name.text, value, at: cover(dot.at, name.at) };
}
