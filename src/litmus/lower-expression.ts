/**
 * Expressions to instructions: every memory access, call and assignment becomes an instruction
 * of its own, left to right; what remains is free of effects. `&&`, `||` and `?:` become branches
 * where their right side has an effect.
 */
import type { Span } from '../diagnostics/diagnostic.js';
import { constants } from '../kernel/constants.js';
import { foldBinary, foldUnary } from './arithmetic.js';
import type {
  AssignNode,
  BinaryNode,
  Expression,
  NameNode,
  TernaryNode,
  UnaryNode,
} from './ast.js';
import { Label } from './code-writer.js';
import { literal, sizeOf } from './constant-expression.js';
import { narrowed } from './convert.js';
import { lowerAssign } from './lower-assign.js';
import { lowerCall } from './lower-call.js';
import { lowerLoad, lowerPointer, pointerPlus, unknownValue } from './lower-memory.js';
import { combine } from './lower-operator.js';
import type { Expr } from './program.js';
import type { Destination, Lowered, ThreadContext } from './thread-context.js';
import { declaredType } from './symbols.js';
import {
  bitsOf,
  describeType,
  int32,
  int64,
  isLock,
  isObject,
  typeOfKind,
  unknownType,
  type ValueType,
} from './types.js';
import { hasEffect, withoutParens } from './walk.js';

export function lowerExpression(
  context: ThreadContext,
  node: Expression,
  into?: Destination,
): Lowered {
  switch (node.kind) {
    case 'number':
      return constant(node.value);
    case 'paren':
      return lowerInner(context, node.inner, into);
    case 'name':
      return lowerName(context, node);
    case 'unary':
      return lowerUnary(context, node, into);
    case 'binary':
      return lowerBinary(context, node);
    case 'assign':
      return refuseAssign(context, node);
    case 'ternary':
      return lowerTernary(context, node);
    case 'index':
      return lowerLoad(context, node, false, into);
    case 'call':
      return lowerCall(context, node, into);
    case 'cast':
      return lowerCast(context, node);
    case 'sizeof': {
      declaredType(node.type, context.diagnostics);
      return { ...constant(sizeOf(node) ?? 0), type: int64 };
    }
  }
}

/** Inside brackets an assignment is meant as one: `while ((v = p[0]) == 0)`. */
function lowerInner(context: ThreadContext, node: Expression, into?: Destination): Lowered {
  if (node.kind === 'assign' && !node.postfix) return lowerAssign(context, node);
  return context.lower(node, into);
}

function refuseAssign(context: ThreadContext, node: AssignNode): Lowered {
  const message = node.postfix
    ? `the value of '${node.operator}${node.operator}' cannot be used`
    : 'this assignment is used as a value';
  const expected = node.postfix
    ? 'a statement of its own'
    : "'==', or another pair of brackets around it if it is meant";
  context.diagnostics.error('L012', node.at, message, { expected });
  return unknownValue;
}

export function constant(value: number): Lowered {
  const type = literal(value).wrap === 64 ? int64 : int32;
  return { expr: { kind: 'const', value }, type, zero: value === 0 };
}

function lowerName(context: ThreadContext, { name, at }: NameNode): Lowered {
  const local = context.lookUp(name);
  if (local !== undefined) {
    const value = context.code.valueOf(name);
    const expr: Expr =
      value === undefined ? { kind: 'local', index: local.index } : { kind: 'const', value };
    return { expr, type: local.type, zero: false };
  }
  const named = constants.get(name);
  if (named !== undefined) {
    const expr: Expr = { kind: 'const', value: named.value };
    return { expr, type: typeOfKind(named.kind), zero: name === 'NULL' };
  }
  const device = context.symbols.devices.get(name);
  if (device !== undefined) {
    return { expr: { kind: 'device', index: device }, type: { kind: 'device' }, zero: false };
  }
  const handle = context.symbols.handles.get(name);
  if (handle === undefined) {
    context.reportUnknown(name, at);
    return unknownValue;
  }
  if (isLock(handle.type)) {
    context.diagnostics.error('L030', at, `'${name}' is used through its address`, {
      expected: `'&${name}'`,
    });
    return unknownValue;
  }
  return { expr: { kind: 'handle', index: handle.index }, type: handle.type, zero: false };
}

function lowerUnary(context: ThreadContext, node: UnaryNode, into?: Destination): Lowered {
  if (node.operator === '*') return lowerLoad(context, node, false, into);
  if (node.operator === '&') return lowerAddressOf(context, node);
  const operand = context.lower(node.operand);
  const { expr, type } = operand;
  if (type.kind === 'unknown') return unknownValue;
  if (node.operator === '!') return negated(context, operand, node.at);
  const bits = bitsOf(type);
  if (bits === null) {
    const message = `'${node.operator}' does not apply to ${describeType(type)}`;
    context.diagnostics.error('L030', node.at, message, { expected: 'an integer' });
    return unknownValue;
  }
  const wrap = bits === 64 ? 64 : 32;
  const resultType = wrap === 64 ? type : int32;
  if (node.operator === '+') return { expr, type: resultType, zero: false };
  if (expr.kind === 'const') {
    const value = foldUnary(node.operator, wrap, expr.value);
    return { expr: { kind: 'const', value }, type: resultType, zero: false };
  }
  if (wrap === 64) {
    return { expr: { kind: 'unary', operator: node.operator, operand: expr }, type, zero: false };
  }
  // 32 bits: -x is 0 - x, ~x is x ^ ffffffff, which say how they wrap.
  const negative: Expr = { kind: 'binary', operator: '-', wrap, left: zeroExpr, right: expr };
  const inverted: Expr = { kind: 'binary', operator: '^', wrap, left: expr, right: allOnes };
  return { expr: node.operator === '-' ? negative : inverted, type: int32, zero: false };
}

const zeroExpr: Expr = { kind: 'const', value: 0 };
const allOnes: Expr = { kind: 'const', value: 0xffff_ffff };

function negated(context: ThreadContext, operand: Lowered, at: Span): Lowered {
  if (!isTruthValue(operand.type)) {
    refuseTruth(context, operand.type, at);
    return unknownValue;
  }
  const { expr } = operand;
  const result: Expr =
    expr.kind === 'const'
      ? { kind: 'const', value: expr.value === 0 ? 1 : 0 }
      : { kind: 'unary', operator: '!', operand: expr };
  return { expr: result, type: int32, zero: false };
}

/** Locks are passed by address; `&p[i]` is a pointer; out arguments are lowered with their call. */
function lowerAddressOf(context: ThreadContext, node: UnaryNode): Lowered {
  const operand = withoutParens(node.operand);
  const pointer = lowerPointer(context, operand);
  if (pointer !== null) return pointer;
  if (operand.kind !== 'name') {
    if (operand.kind !== 'index' && operand.kind !== 'unary') {
      context.diagnostics.error('L036', node.at, "'&' needs something that has an address", {
        expected: 'p[0], a lock or a completion',
      });
    }
    return unknownValue;
  }
  const handle = context.symbols.handles.get(operand.name);
  if (handle !== undefined && isLock(handle.type)) {
    return { expr: { kind: 'handle', index: handle.index }, type: handle.type, zero: false };
  }
  if (handle?.type.kind === 'unknown') return unknownValue;
  if (handle === undefined && context.lookUp(operand.name) === undefined) {
    context.reportUnknown(operand.name, operand.at);
    return unknownValue;
  }
  context.diagnostics.error('L036', node.at, `the address of '${operand.name}' is of no use here`, {
    expected: 'its value, or the address of an element, a lock or a completion',
  });
  return unknownValue;
}

function lowerBinary(context: ThreadContext, node: BinaryNode): Lowered {
  if (node.operator === '&&' || node.operator === '||') return lowerLogic(context, node);
  const left = context.lower(node.left);
  const right = context.lower(node.right);
  if (left.type.kind === 'ptr' && (node.operator === '+' || node.operator === '-')) {
    if (right.type.kind !== 'ptr') return pointerPlus(context, left, right, node.operator, node.at);
  }
  if (right.type.kind === 'ptr' && node.operator === '+' && bitsOf(left.type) !== null) {
    return pointerPlus(context, right, left, '+', node.at);
  }
  return combine(context, node.operator, left, right, node.at);
}

/** `&&` and `||` as a value: pure when it can be, else 1 or 0 by branches. */
function lowerLogic(context: ThreadContext, node: BinaryNode): Lowered {
  if (hasEffect(node.right)) return lowerBranching(context, node);
  const left = context.lower(node.left);
  const right = context.lower(node.right);
  if (left.type.kind === 'unknown' || right.type.kind === 'unknown') return unknownValue;
  for (const [side, { type }] of [
    [node.left, left],
    [node.right, right],
  ] as const) {
    if (isTruthValue(type)) continue;
    refuseTruth(context, type, side.at);
    return unknownValue;
  }
  const { operator } = node;
  if (left.expr.kind === 'const' && right.expr.kind === 'const') {
    const value = foldBinary(operator, 32, left.expr.value, right.expr.value);
    return { expr: { kind: 'const', value }, type: int32, zero: false };
  }
  const expr: Expr = { kind: 'binary', operator, wrap: 32, left: left.expr, right: right.expr };
  return { expr, type: int32, zero: false };
}

function lowerBranching(context: ThreadContext, node: Expression): Lowered {
  const target = context.freshTemporary();
  const otherwise = new Label();
  const end = new Label();
  lowerCondition(context, node, otherwise, false);
  context.code.write({ op: 'set', target, value: { kind: 'const', value: 1 }, at: node.at });
  context.code.jump(end, node.at);
  context.code.place(otherwise);
  context.code.write({ op: 'set', target, value: zeroExpr, at: node.at });
  context.code.place(end);
  return { expr: target, type: int32, zero: false };
}

function lowerTernary(context: ThreadContext, node: TernaryNode): Lowered {
  const target = context.freshTemporary();
  const otherwise = new Label();
  const end = new Label();
  lowerCondition(context, node.condition, otherwise, false);
  const first = context.lower(node.then);
  context.code.write({ op: 'set', target, value: first.expr, at: node.then.at });
  context.code.jump(end, node.at);
  context.code.place(otherwise);
  const second = context.lower(node.otherwise);
  context.code.write({ op: 'set', target, value: second.expr, at: node.otherwise.at });
  context.code.place(end);
  const type = commonType(first, second);
  if (type === null) {
    const message =
      `the two sides of '?:' are ${describeType(first.type)}` + ` and ${describeType(second.type)}`;
    context.diagnostics.error('L030', node.at, message, { expected: 'two values of one kind' });
    return unknownValue;
  }
  return { expr: target, type, zero: false };
}

function commonType(left: Lowered, right: Lowered): ValueType | null {
  if (left.type.kind === 'unknown' || right.type.kind === 'unknown') return unknownType;
  const leftBits = bitsOf(left.type);
  const rightBits = bitsOf(right.type);
  if (left.type.kind === 'int' && rightBits !== null) {
    return rightBits >= left.type.bits ? right.type : left.type;
  }
  if (right.type.kind === 'int' && leftBits !== null) return left.type;
  if (left.zero) return right.type;
  return left.type.kind === right.type.kind || right.zero ? left.type : null;
}

function lowerCast(context: ThreadContext, node: Expression & { readonly kind: 'cast' }): Lowered {
  const isVoid = node.type.base === 'void' && node.type.pointers === 0;
  const operand = context.lower(node.operand);
  // `(void)READ_ONCE(p[0]);` says that the value is not wanted.
  if (isVoid) return { ...operand, zero: false };
  const type = declaredType(node.type, context.diagnostics);
  if (type.kind === 'unknown' || operand.type.kind === 'unknown') return unknownValue;
  const bothIntegers = bitsOf(type) !== null && bitsOf(operand.type) !== null;
  const bothPointers = type.kind === 'ptr' && operand.type.kind === 'ptr';
  if (bothIntegers) return { expr: narrowed(type, operand), type, zero: operand.zero };
  if (bothPointers || operand.zero || type.kind === operand.type.kind) {
    return { expr: operand.expr, type, zero: operand.zero };
  }
  const message = `${describeType(operand.type)} cannot become ${describeType(type)} by a cast`;
  context.diagnostics.error('L030', node.at, message);
  return unknownValue;
}

/** Goes on behind when the condition holds, to `otherwise` when not. */
export function lowerCondition(
  context: ThreadContext,
  node: Expression,
  otherwise: Label,
  spin: boolean,
): void {
  const stripped = withoutParens(node);
  const inner = stripped.kind === 'binary' ? stripped : node;
  if (inner.kind === 'binary' && inner.operator === '&&' && hasEffect(inner.right)) {
    lowerCondition(context, inner.left, otherwise, spin);
    lowerCondition(context, inner.right, otherwise, spin);
    return;
  }
  if (inner.kind === 'binary' && inner.operator === '||' && hasEffect(inner.right)) {
    const second = new Label();
    const holds = new Label();
    lowerCondition(context, inner.left, second, spin);
    context.code.jump(holds, inner.at);
    context.code.place(second);
    lowerCondition(context, inner.right, otherwise, spin);
    context.code.place(holds);
    return;
  }
  const { expr, type } = context.lower(node);
  if (!isTruthValue(type)) {
    refuseTruth(context, type, node.at);
  } else if (expr.kind !== 'const') {
    context.code.branch(expr, otherwise, node.at, spin);
  } else if (expr.value === 0 && type.kind !== 'unknown') {
    context.code.jump(otherwise, node.at);
  }
}

function isTruthValue(type: ValueType): boolean {
  if (type.kind === 'device' || isLock(type)) return false;
  return type.kind === 'unknown' || type.kind === 'ptr' || bitsOf(type) !== null || isObject(type);
}

function refuseTruth(context: ThreadContext, type: ValueType, at: Span): void {
  if (type.kind === 'unknown') return;
  context.diagnostics.error('L030', at, `${describeType(type)} is neither true nor false`, {
    expected: 'an integer, or a pointer to compare with NULL',
  });
}
