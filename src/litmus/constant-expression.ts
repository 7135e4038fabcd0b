/**
 * The value of an expression that is known before the scenario runs: numbers, named integers,
 * DMA_BIT_MASK, sizeof, and variables whose value the caller happens to know (loop counters).
 * Leaves out: reporting; who needs a constant says so where it is missing.
 */
import { constants } from '../kernel/constants.js';
import { foldBinary, foldUnary, type Wrap } from './arithmetic.js';
import type { BinaryNode, CallNode, Expression } from './ast.js';
import { byteSizeOf, bitsOf, typeOf } from './types.js';

export interface Constant {
  readonly value: number;
  readonly wrap: Wrap;
}

export type KnownVariable = (name: string) => Constant | undefined;

const nothingKnown: KnownVariable = () => undefined;

export function constantOf(
  node: Expression,
  known: KnownVariable = nothingKnown,
): Constant | undefined {
  switch (node.kind) {
    case 'number':
      return literal(node.value);
    case 'paren':
      return constantOf(node.inner, known);
    case 'name': {
      const named = constants.get(node.name);
      if (named !== undefined) return named.kind === 'int' ? literal(named.value) : undefined;
      return known(node.name);
    }
    case 'sizeof':
      return literalOrNothing(sizeOf(node));
    case 'call':
      return literalOrNothing(bitMask(node, known));
    case 'unary':
      return unary(node.operator, constantOf(node.operand, known));
    case 'binary':
      return binary(node, known);
    case 'ternary': {
      const condition = constantOf(node.condition, known);
      if (condition === undefined) return undefined;
      return constantOf(condition.value !== 0 ? node.then : node.otherwise, known);
    }
    case 'cast': {
      const type = typeOf(node.type);
      const operand = constantOf(node.operand, known);
      if (typeof type === 'string' || operand === undefined || bitsOf(type) === null)
        return undefined;
      return { value: operand.value, wrap: bitsOf(type) === 64 ? 64 : 32 };
    }
    default:
      return undefined;
  }
}

export function literal(value: number): Constant {
  return { value, wrap: value < 2 ** 32 ? 32 : 64 };
}

function literalOrNothing(value: number | null): Constant | undefined {
  return value === null ? undefined : literal(value);
}

export function sizeOf(node: Expression & { readonly kind: 'sizeof' }): number | null {
  const type = typeOf(node.type);
  if (typeof type === 'string') return null;
  return byteSizeOf(type);
}

/** DMA_BIT_MASK(64) is the largest number kept exactly: no scenario has an address above it. */
export function bitMask(node: CallNode, known: KnownVariable = nothingKnown): number | null {
  const [first, second] = node.args;
  if (node.callee !== 'DMA_BIT_MASK' || first === undefined || second !== undefined) return null;
  const bits = constantOf(first, known)?.value;
  if (bits === undefined || bits < 1 || bits > 64) return null;
  return Math.min(2 ** bits - 1, Number.MAX_SAFE_INTEGER);
}

function unary(operator: string, operand: Constant | undefined): Constant | undefined {
  if (operand === undefined) return undefined;
  const { value, wrap } = operand;
  if (operator === '+') return operand;
  if (operator === '!') return { value: foldUnary('!', wrap, value), wrap: 32 };
  if (operator === '-' || operator === '~')
    return { value: foldUnary(operator, wrap, value), wrap };
  return undefined;
}

function binary(node: BinaryNode, known: KnownVariable): Constant | undefined {
  const left = constantOf(node.left, known);
  if (left !== undefined && node.operator === '&&' && left.value === 0) return literal(0);
  if (left !== undefined && node.operator === '||' && left.value !== 0) return literal(1);
  const right = constantOf(node.right, known);
  if (left === undefined || right === undefined) return undefined;
  const wrap = left.wrap === 64 || right.wrap === 64 ? 64 : 32;
  return { value: foldBinary(node.operator, wrap, left.value, right.value), wrap };
}
