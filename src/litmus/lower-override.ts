/**
 * The steps of an override: in place of a call in a thread, and by themselves, for functions of
 * the kernel that call it. Arguments become variables that only these steps know.
 */
import type { Span } from '../diagnostics/diagnostic.js';
import { hooks, insideFamilies, waits } from '../kernel/overrides.js';
import type { Param } from '../kernel/registry.js';
import type { CallNode, ReturnNode } from './ast.js';
import { Label } from './code-writer.js';
import { isAccepted } from './convert.js';
import { assignTo } from './lower-assign.js';
import { unknownValue } from './lower-memory.js';
import type { Instruction, OverrideCode, Target } from './program.js';
import { renameBlock } from './rename.js';
import type { Override } from './symbols.js';
import type { Inlined, Lowered, ThreadContext } from './thread-context.js';
import { int64, typeOfKind, unknownType, type ValueType, voidPointer } from './types.js';
import { markSyncReads } from './sync-reads.js';
import { everyStatement, withoutParens } from './walk.js';

/** The arguments of a call, which fit the function. */
interface Checked {
  readonly args: readonly Lowered[];
  /** By argument: what the function stores its result to. */
  readonly stores: ReadonlyMap<number, Target>;
}

/** Without a value the result is 0. */
export function lowerOverridden(
  context: ThreadContext,
  node: CallNode,
  override: Override,
  checked: Checked,
  used: boolean,
): Lowered {
  const { operation } = override;
  const devices = new Map<string, string>();
  const result = used && operation.returns !== 'void' ? resultOf(context, override, node.at) : null;
  const inlined: Inlined = { name: operation.name, end: new Label(), result };
  const results: { target: Target; value: Target; at: Span }[] = [];
  context.inOverride(inlined, () => {
    override.node.params.forEach(({ name }, index) => {
      const arg = node.args[index];
      const written = arg === undefined ? undefined : withoutParens(arg);
      if (written?.kind === 'name' && context.symbols.devices.has(written.name)) {
        devices.set(name, written.name);
      } else {
        const local = bind(
          context,
          name,
          operation.params[index],
          checked.args[index],
          arg?.at ?? node.at,
        );
        const target = checked.stores.get(index);
        if (target !== undefined) results.push({ target, value: local, at: arg?.at ?? node.at });
      }
    });
    const body = renameBlock(override.node.body, (name) => devices.get(name) ?? name);
    context.lowerStatement(body);
    context.code.place(inlined.end);
    for (const each of results) context.code.write({ op: 'set', ...each });
  });
  if (result === null) return unknownValue;
  return { expr: result.target, type: result.type, zero: false };
}

function bind(
  context: ThreadContext,
  name: string,
  param: Param | undefined,
  value: Lowered | undefined,
  at: Span,
): Target {
  const given = value ?? { expr: { kind: 'const', value: 0 }, type: unknownType, zero: true };
  const type = param === undefined ? unknownType : typeOfParam(param, given.type);
  const { index } = context.declare(name, type, at);
  const target = { kind: 'local', index } as const;
  if (param?.out === true) {
    context.code.write({ op: 'set', target, value: { kind: 'const', value: 0 }, at });
  } else if (param === undefined || isAccepted(param, given)) {
    assignTo(context, { target, type }, given, at);
  }
  return target;
}

/** Sizes are 64 bits wide, as size_t is; a pointer keeps what it points to. */
function typeOfParam(param: Param, given: ValueType): ValueType {
  const [kind, ...others] = param.kinds;
  if (kind === undefined) return unknownType;
  if (kind === 'ptr' && others.length === 0) return given.kind === 'ptr' ? given : voidPointer;
  if (param.kinds.includes('dma')) return { kind: 'dma' };
  if (others.length > 0) return unknownType;
  return kind === 'int' ? int64 : typeOfKind(kind);
}

/** Where `return` leaves the value. */
function resultOf(context: ThreadContext, { operation }: Override, at: Span): Inlined['result'] {
  const target = context.freshTemporary();
  const value = { kind: 'const', value: 0 } as const;
  context.code.write({ op: 'set', target, value, at });
  return { target, type: typeOfKind(operation.returns) };
}

export function lowerReturn(context: ThreadContext, node: ReturnNode): void {
  const inside = context.inlined.at(-1);
  const { value } = node;
  if (inside === undefined) {
    if (value !== null) {
      const message = 'a thread returns no value';
      context.diagnostics.error('L010', value.at, message, { expected: "';'" });
    }
    context.code.jump(context.end, node.at);
    return;
  }
  if (value !== null) {
    const into = inside.result ?? undefined;
    const lowered = context.lower(value, into);
    if (into !== undefined) assignTo(context, into, lowered, node.at);
  }
  context.code.jump(inside.end, node.at);
}

/** The override by itself; also finds the mistakes in it, once. */
export function lowerAlone(context: ThreadContext, override: Override): OverrideCode {
  const { node, operation } = override;
  const isVoid = operation.returns === 'void';
  const result = isVoid ? null : resultOf(context, override, node.at);
  const inlined: Inlined = { name: operation.name, end: new Label(), result };
  const params: number[] = [];
  context.inOverride(inlined, () => {
    node.params.forEach(({ name, at }, index) => {
      const param = operation.params[index];
      const type = param === undefined ? unknownType : typeOfParam(param, voidPointer);
      params.push(context.declare(name, type, at).index);
    });
    context.lowerStatement(node.body);
    context.code.place(inlined.end);
  });
  checkReturns(context, override);
  const code = markSyncReads(context.code.finish(() => false));
  const hooked = hooks.has(operation.name);
  if (hooked) refuseWaiting(context, operation.name, code);
  return {
    name: operation.name,
    params,
    result: result?.target.index ?? -1,
    code,
    locals: context.localNames,
    at: node.at,
  };
}

function checkReturns(context: ThreadContext, { node, operation }: Override): void {
  let returned = false;
  everyStatement(node.body, (statement) => {
    if (statement.kind !== 'return') return;
    if (statement.value !== null) returned = true;
    if (operation.returns !== 'void' || statement.value === null) return;
    const message = `${operation.name}() returns nothing`;
    context.diagnostics.error('L033', statement.value.at, message, { expected: "'return;'" });
  });
  if (operation.returns === 'void' || returned) return;
  const message = `${operation.name}() returns a value, and this override none`;
  context.diagnostics.error('L033', node.nameAt, message, { expected: "'return …;'" });
}

/** Other functions of the kernel call it, in the middle of what they do. */
function refuseWaiting(context: ThreadContext, name: string, code: readonly Instruction[]): void {
  for (const instruction of code) {
    const { op, at } = instruction;
    if (op === 'load' || op === 'store') {
      const message = `other functions call ${name}(): its override cannot ${op} memory`;
      context.diagnostics.error('L085', at, message, { expected: 'cache maintenance, barriers' });
    } else if (op === 'call') {
      const { operation } = instruction;
      if (!waits(operation)) continue;
      const cannot = `its override cannot call ${operation.name}()`;
      const message = `other functions call ${name}(): ${cannot}`;
      const expected = `functions of the kinds ${[...insideFamilies].join(', ')} that do not wait`;
      context.diagnostics.error('L085', at, message, { expected });
    }
  }
}
