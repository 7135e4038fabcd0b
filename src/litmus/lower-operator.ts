/**
 * Operators on two values that are already lowered: which kinds go together, what comes out.
 */
import type { Span } from '../diagnostics/diagnostic.js';
import { foldBinary } from './arithmetic.js';
import { unknownValue } from './lower-memory.js';
import type { BinaryOperator, Expr } from './program.js';
import type { Lowered, ThreadContext } from './thread-context.js';
import { bitsOf, describeType, int32, int64, isFamily, isObject, type ValueType } from './types.js';

const comparisons: ReadonlySet<BinaryOperator> = new Set(['==', '!=', '<', '<=', '>', '>=']);

export function combine(
  context: ThreadContext,
  operator: BinaryOperator,
  left: Lowered,
  right: Lowered,
  at: Span,
): Lowered {
  if (left.type.kind === 'unknown' || right.type.kind === 'unknown') return unknownValue;
  const type = resultType(operator, left, right);
  if (type === null) {
    const message =
      `'${operator}' does not join ${describeType(left.type)}` + ` and ${describeType(right.type)}`;
    context.diagnostics.error('L030', at, message);
    return unknownValue;
  }
  if ((operator === '<' || operator === '>=') && isZero(right.expr) && left.expr.kind !== 'const') {
    const answer = operator === '<' ? 'false' : 'true';
    const message = `'${operator} 0' is always ${answer}: integers are unsigned here`;
    context.diagnostics.error('L030', at, message, { expected: 'another comparison' });
  }
  return { expr: operation(operator, left, right), type, zero: false };
}

function isZero(expr: Expr): boolean {
  return expr.kind === 'const' && expr.value === 0;
}

function operation(operator: BinaryOperator, left: Lowered, right: Lowered): Expr {
  const shift = operator === '<<' || operator === '>>';
  const wide = is64(left.type) || (!shift && is64(right.type));
  const wrap = wide ? 64 : 32;
  if (left.expr.kind === 'const' && right.expr.kind === 'const') {
    return { kind: 'const', value: foldBinary(operator, wrap, left.expr.value, right.expr.value) };
  }
  return { kind: 'binary', operator, wrap, left: left.expr, right: right.expr };
}

function is64(type: ValueType): boolean {
  return bitsOf(type) === 64;
}

/** null: the two do not go together. */
function resultType(operator: BinaryOperator, left: Lowered, right: Lowered): ValueType | null {
  const bothIntegers = bitsOf(left.type) !== null && bitsOf(right.type) !== null;
  if (comparisons.has(operator)) {
    if (bothIntegers) return mixesAddresses(left.type, right.type) ? null : int32;
    const equality = operator === '==' || operator === '!=';
    return equality && isComparable(left, right) ? int32 : null;
  }
  if (bothIntegers) return arithmeticType(operator, left.type, right.type);
  // An override asks which direction or flags it was given.
  if (operator === '&') return isFamily(left.type) && sameKind(left, right) ? int32 : null;
  if (operator !== '|') return null;
  // Flags of one family, and 0 for none of them.
  if (isFamily(left.type) && (left.type.kind === right.type.kind || right.zero)) return left.type;
  return isFamily(right.type) && left.zero ? right.type : null;
}

function isComparable(left: Lowered, right: Lowered): boolean {
  if (left.type.kind === 'ptr') return right.type.kind === 'ptr' || right.zero;
  if (right.type.kind === 'ptr') return left.zero;
  if (isFamily(left.type)) return sameKind(left, right) || right.zero;
  if (isFamily(right.type)) return left.zero;
  if (isObject(left.type)) return left.type.kind === right.type.kind || right.zero;
  return isObject(right.type) && left.zero;
}

function sameKind(left: Lowered, right: Lowered): boolean {
  return left.type.kind === right.type.kind;
}

function mixesAddresses(left: ValueType, right: ValueType): boolean {
  return left.kind !== 'int' && right.kind !== 'int' && left.kind !== right.kind;
}

function arithmeticType(
  operator: BinaryOperator,
  left: ValueType,
  right: ValueType,
): ValueType | null {
  if (mixesAddresses(left, right)) return null;
  if (operator === '<<' || operator === '>>') return is64(left) ? left : int32;
  if (left.kind !== 'int' && right.kind !== 'int') return int64;
  if (left.kind !== 'int') return left;
  if (right.kind !== 'int') return right;
  return is64(left) || is64(right) ? int64 : int32;
}
