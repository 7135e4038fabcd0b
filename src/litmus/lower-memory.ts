/**
 * Memory accesses and pointer arithmetic: `p[e]`, `*p`, `&p[e]`, `p + e`, counted in bytes.
 */
import type { Span } from '../diagnostics/diagnostic.js';
import type { Expression } from './ast.js';
import { fitsUnchanged, isAssignable, narrowed } from './convert.js';
import type { AccessSize, Expr } from './program.js';
import type { Destination, Lowered, ThreadContext } from './thread-context.js';
import { bitsOf, describeType, unknownType, type ValueType } from './types.js';
import { withoutParens } from './walk.js';

export const unknownValue: Lowered = {
  expr: { kind: 'const', value: 0 },
  type: unknownType,
  zero: false,
};

export interface Place {
  readonly address: Expr;
  readonly size: AccessSize;
}

export function isMemory(node: Expression): boolean {
  return node.kind === 'index' || (node.kind === 'unary' && node.operator === '*');
}

/** The place that `p[e]` or `*p` names; null after an error. */
export function lowerPlace(context: ThreadContext, node: Expression): Place | null {
  const inner = withoutParens(node);
  const pointer = lowerPointer(context, inner);
  if (pointer === null || pointer.type.kind !== 'ptr') return null;
  if (context.thread.role === 'device') {
    context.diagnostics.error('L034', inner.at, 'a device has no CPU pointers', {
      expected: 'dma_read or dma_write',
    });
    return null;
  }
  if (pointer.type.element === null) {
    context.diagnostics.error('L030', inner.at, "a 'void *' has no elements to access", {
      expected: "a pointer to an integer type, such as 'u32 *'",
    });
    return null;
  }
  return { address: pointer.expr, size: pointer.type.element };
}

/** The pointer to `p[e]` or `*p`. */
export function lowerPointer(context: ThreadContext, node: Expression): Lowered | null {
  if (node.kind === 'index') {
    const pointer = context.lower(node.pointer);
    const index = context.lower(node.index);
    if (pointer.type.kind === 'unknown' || index.type.kind === 'unknown') return null;
    if (pointer.type.kind !== 'ptr') {
      const message = `${describeType(pointer.type)} has no elements`;
      context.diagnostics.error('L030', node.pointer.at, message, {
        expected: "a pointer, such as 'u32 *p'",
      });
      return null;
    }
    return pointerPlus(context, pointer, index, '+', node.at);
  }
  if (node.kind !== 'unary' || node.operator !== '*') return null;
  const pointer = context.lower(node.operand);
  if (pointer.type.kind === 'unknown') return null;
  if (pointer.type.kind !== 'ptr') {
    const message = `'*' reads through a pointer, and this is ${describeType(pointer.type)}`;
    context.diagnostics.error('L030', node.operand.at, message, {
      expected: "'u32 *' or the like",
    });
    return null;
  }
  return pointer;
}

export function lowerLoad(
  context: ThreadContext,
  node: Expression,
  sync: boolean,
  into?: Destination,
  acquire = false,
): Lowered {
  const place = lowerPlace(context, node);
  if (place === null) return unknownValue;
  const type = loadedType(place.size);
  const direct =
    into !== undefined &&
    isAssignable(into.type, { ...unknownValue, type }) &&
    fitsUnchanged(into.type, type);
  const target = direct ? into.target : context.freshTemporary();
  const order = acquire ? { acquire: true as const } : {};
  context.code.write({ op: 'load', target, ...place, sync, ...order, at: node.at });
  context.noteWrite(target);
  return { expr: target, type, zero: false };
}

function loadedType(size: AccessSize): ValueType {
  switch (size) {
    case 1:
      return { kind: 'int', bits: 8 };
    case 2:
      return { kind: 'int', bits: 16 };
    case 4:
      return { kind: 'int', bits: 32 };
    case 8:
      return { kind: 'int', bits: 64 };
  }
}

export function writeStore(
  context: ThreadContext,
  place: Place,
  value: Lowered,
  at: Span,
  release = false,
): void {
  if (value.type.kind === 'unknown') return;
  if (bitsOf(value.type) === null) {
    const message = `${describeType(value.type)} cannot be stored in memory`;
    context.diagnostics.error('L030', at, message, { expected: 'an integer' });
    return;
  }
  const stored = narrowed(loadedType(place.size), value);
  const order = release ? { release: true as const } : {};
  context.code.write({ op: 'store', ...place, value: stored, ...order, at });
}

/** `pointer ± count` elements. */
export function pointerPlus(
  context: ThreadContext,
  pointer: Lowered,
  count: Lowered,
  sign: '+' | '-',
  at: Span,
): Lowered {
  if (pointer.type.kind !== 'ptr' || count.type.kind === 'unknown') return unknownValue;
  if (bitsOf(count.type) === null) {
    const message = `${describeType(count.type)} cannot be added to ${describeType(pointer.type)}`;
    context.diagnostics.error('L030', at, message, { expected: 'an integer' });
    return unknownValue;
  }
  // GNU C counts in bytes on void pointers, and so does the kernel.
  const bytes = scaled(count.expr, pointer.type.element ?? 1, sign);
  return { expr: offset(pointer.expr, bytes), type: pointer.type, zero: false };
}

function scaled(count: Expr, size: number, sign: '+' | '-'): Expr {
  if (count.kind === 'const') {
    const bytes = count.value * size;
    return { kind: 'const', value: sign === '-' && bytes !== 0 ? -bytes : bytes };
  }
  const bytes: Expr =
    size === 1
      ? count
      : {
          kind: 'binary',
          operator: '*',
          wrap: 64,
          left: count,
          right: { kind: 'const', value: size },
        };
  return sign === '-' ? { kind: 'unary', operator: '-', operand: bytes } : bytes;
}

function offset(pointer: Expr, bytes: Expr): Expr {
  if (bytes.kind === 'const' && bytes.value === 0) return pointer;
  const isFixed = pointer.kind === 'offset' && pointer.bytes.kind === 'const';
  if (!isFixed || bytes.kind !== 'const') return { kind: 'offset', pointer, bytes };
  const total = (pointer.bytes.kind === 'const' ? pointer.bytes.value : 0) + bytes.value;
  return offset(pointer.pointer, { kind: 'const', value: total });
}
