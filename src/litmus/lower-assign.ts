/**
 * Assignments and initialisations: to local variables, to handles, to memory.
 */
import type { Span } from '../diagnostics/diagnostic.js';
import { constants } from '../kernel/constants.js';
import type { AssignNode, BinaryNode, Expression, NameNode } from './ast.js';
import { isAssignable, narrowed } from './convert.js';
import { isMemory, lowerPlace, pointerPlus, unknownValue, writeStore } from './lower-memory.js';
import { combine } from './lower-operator.js';
import type { Expr, Target } from './program.js';
import type { Destination, Lowered, ThreadContext } from './thread-context.js';
import { describeType, isLock, type ValueType } from './types.js';
import { withoutParens } from './walk.js';

export function lowerAssign(context: ThreadContext, node: AssignNode): Lowered {
  const target = withoutParens(node.target);
  if (isMemory(target)) return assignMemory(context, node, target);
  if (target.kind !== 'name') {
    lowerValue(context, node.value);
    context.diagnostics.error('L036', target.at, 'nothing can be assigned to this', {
      expected: 'a variable or an element such as p[0]',
    });
    return unknownValue;
  }
  const destination = destinationOf(context, target);
  if (destination === null) {
    lowerValue(context, node.value);
    return unknownValue;
  }
  const value =
    node.operator === null
      ? lowerValue(context, node.value, destination)
      : updated(context, { ...node, operator: node.operator }, context.lower(target));
  return assignTo(context, destination, value, node.at);
}

/** `a = b = 0` is an assignment of an assignment, and no slip. */
function lowerValue(context: ThreadContext, node: Expression, into?: Destination): Lowered {
  if (node.kind === 'assign' && !node.postfix) return lowerAssign(context, node);
  return context.lower(node, into);
}

function updated(
  context: ThreadContext,
  node: AssignNode & { readonly operator: BinaryNode['operator'] },
  old: Lowered,
): Lowered {
  const change = context.lower(node.value);
  const { operator, at } = node;
  if (old.type.kind === 'ptr' && (operator === '+' || operator === '-')) {
    return pointerPlus(context, old, change, operator, at);
  }
  return combine(context, operator, old, change, at);
}

function assignMemory(context: ThreadContext, node: AssignNode, target: Expression): Lowered {
  const place = lowerPlace(context, target);
  if (place === null) {
    lowerValue(context, node.value);
    return unknownValue;
  }
  if (node.operator === null) {
    const value = lowerValue(context, node.value);
    writeStore(context, place, value, node.at);
    return value;
  }
  const type: ValueType = { kind: 'int', bits: place.size === 8 ? 64 : 32 };
  const temporary = context.freshTemporary();
  context.code.write({ op: 'load', target: temporary, ...place, sync: false, at: target.at });
  const old: Lowered = { expr: temporary, type, zero: false };
  const value = updated(context, { ...node, operator: node.operator }, old);
  writeStore(context, place, value, node.at);
  return value;
}

/** The variable a name stands for on the left of `=`; null after an error. */
export function destinationOf(context: ThreadContext, { name, at }: NameNode): Destination | null {
  const local = context.lookUp(name);
  if (local !== undefined)
    return { target: { kind: 'local', index: local.index }, type: local.type };
  const isDevice = context.symbols.devices.has(name);
  if (isDevice || constants.has(name)) {
    const message = `'${name}' is a ${isDevice ? 'device' : 'constant'} and cannot be assigned to`;
    context.diagnostics.error('L036', at, message, { expected: 'a variable' });
    return null;
  }
  const handle = context.symbols.handles.get(name);
  if (handle === undefined) {
    context.reportUnknown(name, at);
    return null;
  }
  if (isLock(handle.type)) {
    context.diagnostics.error('L036', at, `'${name}' is ${describeType(handle.type)}`, {
      expected: 'a variable',
    });
    return null;
  }
  return { target: { kind: 'handle', index: handle.index }, type: handle.type };
}

export function assignTo(
  context: ThreadContext,
  to: Destination,
  value: Lowered,
  at: Span,
): Lowered {
  if (!isAssignable(to.type, value)) {
    const message = `${describeType(value.type)} cannot be assigned to ${describeType(to.type)}`;
    context.diagnostics.error('L030', at, message, advice(to.type, value.type));
    return unknownValue;
  }
  const kept = narrowed(to.type, value);
  if (!isSame(to.target, kept)) {
    context.code.write({ op: 'set', target: to.target, value: kept, at });
    context.noteWrite(to.target, kept.kind === 'const' ? kept.value : undefined);
  }
  return { expr: kept.kind === 'const' ? kept : to.target, type: to.type, zero: false };
}

function advice(to: ValueType, from: ValueType): { expected?: string } {
  if (to.kind === 'ptr' && from.kind === 'ptr') {
    return { expected: `a cast: (u${(to.element ?? 1) * 8} *)` };
  }
  if (to.kind === 'dma' && from.kind === 'phys') return { expected: 'a cast: (dma_addr_t)' };
  if (to.kind === 'phys' && from.kind === 'dma') return { expected: 'a cast: (phys_addr_t)' };
  return {};
}

/** The value was loaded straight into its variable. */
function isSame(target: Target, value: Expr): boolean {
  return value.kind === target.kind && 'index' in value && value.index === target.index;
}
