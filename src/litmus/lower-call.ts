/**
 * Calls of operations, checked against what the registry says of their parameters.
 * Leaves out: the few calls that are part of the language (lower-builtin.ts).
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import { nearestName } from '../diagnostics/nearest.js';
import { allOperations, findOperation, type Operation, type Param } from '../kernel/registry.js';
import type { CallNode, Expression, OptionNode } from './ast.js';
import { Label } from './code-writer.js';
import { constantOf } from './constant-expression.js';
import { isAccepted, isAssignable } from './convert.js';
import { destinationOf } from './lower-assign.js';
import { builtins, lowerBuiltin } from './lower-builtin.js';
import { lowerOverridden } from './lower-override.js';
import { unknownValue } from './lower-memory.js';
import { rightSpelling } from './respell.js';
import { spellings } from './spellings.js';
import type { Argument, Target } from './program.js';
import type { Destination, Lowered, ThreadContext } from './thread-context.js';
import { describeKind, describeType, int64, typeOfKind, type ValueType } from './types.js';
import { withoutParens } from './walk.js';

/** `used`: the call stands where a value is needed. */
export function lowerCall(
  context: ThreadContext,
  node: CallNode,
  into?: Destination,
  used = true,
): Lowered {
  const builtin = builtins.get(node.callee);
  if (builtin !== undefined) return lowerBuiltin(context, node, builtin, into, used);
  const operation = findOperation(node.callee);
  if (operation === undefined) {
    reportUnknown(context, node);
    lowerArgumentsOfUnknown(context, node);
    return unknownValue;
  }
  if (used && operation.returns === 'void') {
    context.diagnostics.error('L033', node.at, `${node.callee}() returns nothing`, {
      expected: `a statement of its own: '${node.callee}(…);'`,
    });
  }
  checkThread(context, node, operation);
  const override = context.symbols.overrides.get(node.callee);
  // One that calls itself is an error already (overrides.ts).
  const isInside = context.inlined.some(({ name }) => name === node.callee);
  if (override !== undefined && !isInside) {
    checkCount(context, node, operation);
    const stores = new Map<number, Target>();
    const checked = node.args.map((arg, index) => {
      const param = operation.params[index];
      if (param?.out === true) {
        const out = lowerOut(context, node, param, arg);
        if (out?.kind === 'out') stores.set(index, out.target);
        return unknownValue;
      }
      const value = context.lower(arg);
      if (param !== undefined) checkArgument(context, node, param, arg, value);
      return value;
    });
    lowerOptions(context, node.options, { ...operation, options: [] });
    return lowerOverridden(context, node, override, { args: checked, stores }, used);
  }
  const args = lowerArguments(context, node, operation);
  const options = lowerOptions(context, node.options, operation);
  if (callsBack(context, node, operation, args)) return unknownValue;
  return writeCall(context, node, operation, { args, options, into, used });
}

/** No operation, and no spelling of one with that many arguments or where a value is needed. */
function reportUnknown(context: ThreadContext, node: CallNode): void {
  const right = rightSpelling(node);
  if (right !== null) {
    context.diagnostics.error('L031', node.at, `${node.callee}() is used otherwise`, {
      expected: right,
    });
    return;
  }
  context.diagnostics.error('L021', node.calleeAt, `unknown function '${node.callee}'`, {
    expected: 'an operation of the reference page',
    suggestion: nearestName(node.callee, functionNames()),
  });
}

/**
 * The driver's own callback, where the scenario has one, in front of the function that calls it.
 * True when the function does nothing else.
 */
function callsBack(
  context: ThreadContext,
  node: CallNode,
  { name, callback }: Operation,
  args: readonly Argument[],
): boolean {
  const own = callback && context.symbols.overrides.get(callback.name);
  const probe = callback && findOperation(callback.probe);
  const isInside = context.inlined.some((each) => each.name === callback?.name);
  if (own === undefined || probe === undefined || isInside) return false;
  const target = context.freshTemporary();
  const { at } = node;
  context.code.write({ op: 'call', operation: probe, args, options: {}, target, sync: false, at });
  context.noteWrite(target);
  const after = new Label();
  context.code.branch(target, after, at, false);
  const given = { expr: target, type: typeOfKind(probe.returns), zero: false };
  lowerOverridden(context, node, own, { args: [given], stores: new Map() }, false);
  context.code.place(after);
  return probe.name === name;
}

interface CallParts {
  readonly args: readonly Argument[];
  readonly options: Readonly<Record<string, number>>;
  readonly into: Destination | undefined;
  readonly used: boolean;
}

function writeCall(
  context: ThreadContext,
  node: CallNode,
  operation: Operation,
  parts: CallParts,
): Lowered {
  const { args, options, into, used } = parts;
  const at = node.at;
  if (!used || operation.returns === 'void') {
    context.code.write({ op: 'call', operation, args, options, sync: false, at });
    return unknownValue;
  }
  const type = returnType(operation);
  const direct =
    into !== undefined &&
    isAssignable(into.type, { ...unknownValue, type }) &&
    !(type.kind === 'int' && into.type.kind === 'int' && into.type.bits < type.bits);
  const target: Target = direct ? into.target : context.freshTemporary();
  context.code.write({ op: 'call', operation, args, options, target, sync: false, at });
  context.noteWrite(target);
  return { expr: target, type, zero: false };
}

/** Integers are 32 bits wide unless the name says otherwise, as in readq or dma_read64. */
function returnType(operation: Operation): ValueType {
  const isWide = operation.returns === 'int' && /(64|q)$/u.test(operation.name);
  return isWide ? int64 : typeOfKind(operation.returns);
}

function checkThread(context: ThreadContext, node: CallNode, operation: Operation): void {
  const { role } = context.thread;
  const where = role === 'device' ? 'device' : 'cpu';
  if (operation.where !== where) {
    const message =
      operation.where === 'cpu'
        ? `${node.callee}() runs on a CPU, not in a device thread`
        : `${node.callee}() runs on a device, not in a CPU thread`;
    const early =
      operation.returns === 'void' || operation.returns === 'ptr'
        ? 'a device operation such as dma_read'
        : `a name that a CPU thread gave the value: 'name = ${node.callee}(…);' in init`;
    const expected = where === 'cpu' ? 'a CPU operation' : early;
    context.diagnostics.error('L034', node.calleeAt, message, { expected });
  } else if (role === 'init' && operation.blocks === true) {
    const message = `${node.callee}() waits, and nothing else runs during init`;
    context.diagnostics.error('L035', node.calleeAt, message, { expected: 'it in a cpu thread' });
  }
}

function checkCount(context: ThreadContext, node: CallNode, operation: Operation): void {
  const { params } = operation;
  const needed = params.filter((param) => param.optional !== true).length;
  const given = node.args.length;
  if (given < needed || given > params.length) {
    const count = needed === params.length ? `${needed}` : `${needed} to ${params.length}`;
    const noun = count === '1' ? 'argument' : 'arguments';
    const message = `${node.callee}() takes ${count} ${noun}, not ${given}`;
    context.diagnostics.error('L031', node.at, message, { expected: signature(operation) });
  }
}

function lowerArguments(
  context: ThreadContext,
  node: CallNode,
  operation: Operation,
): readonly Argument[] {
  const { params } = operation;
  checkCount(context, node, operation);
  return node.args.flatMap((arg, index): readonly Argument[] => {
    const param = params[index];
    if (param === undefined) {
      context.lower(arg);
      return [];
    }
    if (param.out === true) {
      const out = lowerOut(context, node, param, arg);
      return out === null ? [] : [out];
    }
    const value = context.lower(arg);
    if (index === 0) checkAddressForm(context, node, operation, value.type);
    checkArgument(context, node, param, arg, value);
    return [{ kind: 'value', value: value.expr }];
  });
}

/** A device addresses memory by domain and iova, or by one address of the DMA API. */
function checkAddressForm(
  context: ThreadContext,
  node: CallNode,
  { params }: Operation,
  first: ValueType,
): void {
  const kinds = params[0]?.kinds ?? [];
  if (!kinds.includes('domain') || kinds.length === 1 || params.length === 1) return;
  if (first.kind === 'unknown') return;
  const needed = params.length - (first.kind === 'domain' ? 0 : 1);
  if (node.args.length === needed) return;
  const message =
    `${node.callee}() takes ${needed} argument${needed === 1 ? '' : 's'}` +
    ` when the first is ${describeType(first)}`;
  context.diagnostics.error('L031', node.at, message, {
    expected: 'a domain and an iova, or one DMA address',
  });
}

function checkArgument(
  context: ThreadContext,
  node: CallNode,
  param: Param,
  arg: Expression,
  value: Lowered,
): void {
  if (isAccepted(param, value)) return;
  const message = `'${param.name}' of ${node.callee}() cannot be ${describeType(value.type)}`;
  context.diagnostics.error('L032', arg.at, message, { expected: kindsOf(param) });
}

/** `&dma`, a variable that the operation fills in. */
function lowerOut(
  context: ThreadContext,
  node: CallNode,
  param: Param,
  arg: Expression,
): Argument | null {
  const inner = withoutParens(arg);
  const operand =
    inner.kind === 'unary' && inner.operator === '&' ? withoutParens(inner.operand) : null;
  if (operand?.kind !== 'name') {
    const message = `${node.callee}() stores '${param.name}' through this`;
    context.diagnostics.error('L032', arg.at, message, {
      expected: `'&' and the name of ${kindsOf(param)}`,
    });
    return null;
  }
  const destination = destinationOf(context, operand);
  if (destination === null) return null;
  const { target, type } = destination;
  if (type.kind !== 'unknown' && !param.kinds.some((kind) => kind === type.kind)) {
    const message =
      `${node.callee}() stores ${kindsOf(param)} here, and '${operand.name}' is` +
      ` ${describeType(type)}`;
    context.diagnostics.error('L032', arg.at, message, {
      expected: `the address of ${kindsOf(param)}`,
    });
    return null;
  }
  context.noteWrite(target);
  return { kind: 'out', target };
}

function kindsOf(param: Param): string {
  return param.kinds.map(describeKind).join(' or ');
}

export function signature(operation: Operation): string {
  const params = operation.params.map((param) => {
    const shown = `${param.out === true ? '&' : ''}${param.name}`;
    return param.optional === true ? `[${shown}]` : shown;
  });
  const options = (operation.options ?? []).map(({ name }) => `[.${name} =]`);
  return `${operation.name}(${[...params, ...options].join(', ')})`;
}

function lowerOptions(
  context: ThreadContext,
  nodes: readonly OptionNode[],
  operation: Operation,
): Readonly<Record<string, number>> {
  const options: Record<string, number> = {};
  const known = operation.options ?? [];
  for (const { name, value, at } of nodes) {
    const option = known.find((candidate) => candidate.name === name);
    if (option === undefined) {
      reportOption(context.diagnostics, operation, { name, value, at });
      continue;
    }
    const constant = constantOf(value, (variable) => context.known(variable));
    if (constant === undefined) {
      context.diagnostics.error('L037', value.at, `'.${name}' needs a constant`, {
        expected: option.kind === 'bool' ? 'true or false' : 'a number',
      });
    } else if (option.kind === 'bool' && constant.value > 1) {
      context.diagnostics.error('L032', value.at, `'.${name}' cannot be ${constant.value}`, {
        expected: 'true or false',
      });
    } else if (name in options) {
      context.diagnostics.error('L014', at, `'.${name}' is given twice`);
    } else {
      options[name] = constant.value;
    }
  }
  return options;
}

function reportOption(
  diagnostics: DiagnosticCollector,
  operation: Operation,
  { name, at }: OptionNode,
): void {
  const names = (operation.options ?? []).map((option) => option.name);
  diagnostics.error('L022', at, `${operation.name}() has no option '.${name}'`, {
    expected: names.length === 0 ? 'no options' : names.map((known) => `.${known}`).join(', '),
    suggestion: nearestName(name, names),
  });
}

/** Finds the mistakes inside the arguments; what they are for nobody knows. */
function lowerArgumentsOfUnknown(context: ThreadContext, node: CallNode): void {
  for (const arg of node.args) {
    if (arg.kind !== 'unary' || arg.operator !== '&') context.lower(arg);
  }
}

function* functionNames(): Iterable<string> {
  yield* builtins.keys();
  yield 'sizeof';
  for (const operation of allOperations()) yield operation.name;
  for (const { name } of spellings()) yield name;
}
