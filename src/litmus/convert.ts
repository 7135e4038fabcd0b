/**
 * Which values go where, and what an integer loses on the way into a narrower variable.
 */
import type { Param } from '../kernel/registry.js';
import type { Expr } from './program.js';
import type { Lowered } from './thread-context.js';
import { bitsOf, isFamily, isObject, type ValueType } from './types.js';

/** A value of `from` may be stored in a variable of type `to`. */
export function isAssignable(to: ValueType, from: Lowered): boolean {
  const { type } = from;
  if (to.kind === 'unknown' || type.kind === 'unknown') return true;
  if (to.kind === 'ptr') {
    if (type.kind !== 'ptr') return from.zero;
    return to.element === type.element || to.element === null || type.element === null;
  }
  if (isObject(to)) return to.kind === type.kind || from.zero;
  if (isFamily(to)) return to.kind === type.kind || from.zero;
  // dma_addr_t and phys_addr_t are different numbers for the same memory: mixing them needs a cast.
  if (to.kind === 'dma') return type.kind === 'dma' || type.kind === 'int';
  if (to.kind === 'phys') return type.kind === 'phys' || type.kind === 'int';
  return to.kind === 'int' && bitsOf(type) !== null;
}

/** A value may be passed for a parameter of an operation. */
export function isAccepted(param: Param, argument: Lowered): boolean {
  const { type, zero } = argument;
  return param.kinds.some((kind) => {
    switch (kind) {
      case 'int':
      case 'bool':
        return isAssignable({ kind: 'int', bits: 64 }, argument);
      case 'ptr':
        return type.kind === 'ptr' || type.kind === 'unknown' || zero;
      case 'void':
        return false;
      case 'dma':
      case 'phys':
        return isAssignable({ kind }, argument);
      default:
        return type.kind === kind || type.kind === 'unknown' || (zero && isFamily({ kind }));
    }
  });
}

/** The value as the variable keeps it: C cuts off the upper bits without a word. */
export function narrowed(to: ValueType, value: Lowered): Expr {
  const { expr, type } = value;
  const toBits = bitsOf(to);
  const fromBits = bitsOf(type);
  if (toBits === null || fromBits === null || toBits >= fromBits) return expr;
  if (expr.kind === 'const') {
    if (toBits === 1) return { kind: 'const', value: expr.value === 0 ? 0 : 1 };
    if (expr.value < 2 ** toBits) return expr;
    return { kind: 'const', value: Number(BigInt.asUintN(toBits, BigInt(expr.value))) };
  }
  const wrap = fromBits === 64 ? 64 : 32;
  if (toBits === 1) {
    if (expr.kind === 'binary' && comparisons.has(expr.operator)) return expr;
    return { kind: 'binary', operator: '!=', wrap, left: expr, right: { kind: 'const', value: 0 } };
  }
  const mask: Expr = { kind: 'const', value: 2 ** toBits - 1 };
  return { kind: 'binary', operator: '&', wrap, left: expr, right: mask };
}

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', '&&', '||']);

/** A value of type `from` arrives in a variable of type `to` unchanged. */
export function fitsUnchanged(to: ValueType, from: ValueType): boolean {
  const toBits = bitsOf(to);
  const fromBits = bitsOf(from);
  return toBits === null || fromBits === null || toBits >= fromBits;
}
