/**
 * What names mean for the whole file: devices, and handles, the variables all threads share. A
 * handle needs no declaration when a call says what it is: `bo = drm_gem_shmem_create(…)`.
 * Leaves out: the local variables of threads (thread-context.ts).
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import { constants } from '../kernel/constants.js';
import { findOperation } from '../kernel/registry.js';
import type { CallNode, DeclarationNode, Expression, SyntaxTree, ThreadNode } from './ast.js';
import {
  describeType,
  int32,
  isLock,
  typeNames,
  typeOf,
  typeOfKind,
  unknownType,
  type ValueType,
} from './types.js';
import { everyExpressionIn, everyStatement, withoutParens } from './walk.js';
import { nearestName } from '../diagnostics/nearest.js';
import type { TypeNode } from './ast.js';

export interface Handle {
  readonly name: string;
  readonly index: number;
  readonly type: ValueType;
  readonly at: Span;
}

export interface FileSymbols {
  readonly handles: ReadonlyMap<string, Handle>;
  /** Device name to its index in the machine block. */
  readonly devices: ReadonlyMap<string, number>;
  /** Thread name to the variables it declares, wherever in it. */
  readonly localsOf: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names in text that could not be read: unknown, but not the reader's next mistake. */
  readonly unreadable: ReadonlySet<string>;
}

export function collectSymbols(
  tree: SyntaxTree,
  devices: ReadonlyMap<string, number>,
  diagnostics: DiagnosticCollector,
): FileSymbols {
  const handles = new Map<string, Handle>();
  const unreadable = new Set<string>();
  for (const item of tree.items) {
    if (item.kind === 'declaration') declareHandles(item, handles, devices, diagnostics);
    if (item.kind === 'broken') for (const name of item.names) unreadable.add(name);
  }
  const threads = tree.items.flatMap((item) => (item.kind === 'thread' ? [item] : []));
  const localsOf = new Map<string, Set<string>>();
  for (const thread of threads) {
    const locals = localsOf.get(thread.name) ?? new Set();
    everyStatement(thread.body, (statement) => {
      if (statement.kind === 'declaration') {
        for (const { name } of statement.declarators) locals.add(name);
      } else if (statement.kind === 'broken') {
        for (const name of statement.names) unreadable.add(name);
      }
    });
    localsOf.set(thread.name, locals);
  }
  const found = threads.flatMap((thread) => {
    const locals = localsOf.get(thread.name) ?? new Set<string>();
    const scopes = [locals, handles, devices, constants, unreadable];
    return assignmentsIn(thread, (name) => scopes.some((scope) => scope.has(name)));
  });
  inferHandles(found, handles, diagnostics);
  return { handles, devices, localsOf, unreadable };
}

/** The type of a declaration, or unknown after saying what is wrong with it. */
export function declaredType(node: TypeNode, diagnostics: DiagnosticCollector): ValueType {
  const type = typeOf(node);
  if (typeof type !== 'string') return type;
  if (!type.startsWith('unknown')) {
    diagnostics.error('L013', node.at, type);
    return unknownType;
  }
  diagnostics.error('L013', node.at, type, {
    expected: 'u8, u16, u32, u64, dma_addr_t, a pointer to one, or struct page * and the like',
    suggestion: nearestName(node.base, typeNames()),
  });
  return unknownType;
}

function declareHandles(
  item: DeclarationNode,
  handles: Map<string, Handle>,
  devices: ReadonlyMap<string, number>,
  diagnostics: DiagnosticCollector,
): void {
  for (const declarator of item.declarators) {
    const { name, at } = declarator;
    let type = declaredType(declarator.type, diagnostics);
    if (handles.has(name) || devices.has(name) || constants.has(name)) {
      const what = devices.has(name) ? 'a device' : handles.has(name) ? 'declared' : 'a constant';
      diagnostics.error('L023', at, `'${name}' is already ${what}`);
      continue;
    }
    if (type.kind === 'int') {
      const message = `'${name}' would be shared by threads without lying in any buffer`;
      diagnostics.error('L024', at, message, {
        expected: 'memory of a buffer, through a pointer; or a local variable in one thread',
      });
      type = unknownType;
    } else if (declarator.value !== null) {
      diagnostics.error('L012', at, `'${name}' cannot be initialised at file scope`, {
        expected: `an assignment '${name} = …;' in init`,
      });
    }
    handles.set(name, { name, index: handles.size, type, at });
  }
}

/** One place that gives an undeclared name a value. */
interface Assignment {
  readonly name: string;
  readonly at: Span;
  readonly thread: ThreadNode;
  readonly value: { readonly from: Expression } | { readonly type: ValueType };
}

function assignmentsIn(thread: ThreadNode, isKnown: (name: string) => boolean): Assignment[] {
  const found: Assignment[] = [];
  everyExpressionIn(thread.body, (node) => {
    if (node.kind === 'assign' && node.target.kind === 'name' && !isKnown(node.target.name)) {
      const { name, at } = node.target;
      const value = node.operator === null ? { from: node.value } : { type: int32 };
      found.push({ name, at, thread, value });
    } else if (node.kind === 'call') {
      found.push(...outArguments(node, thread).filter(({ name }) => !isKnown(name)));
    }
  });
  return found;
}

function outArguments(node: CallNode, thread: ThreadNode): Assignment[] {
  const params = findOperation(node.callee)?.params ?? [];
  return node.args.flatMap((arg, index) => {
    const param = params[index];
    const kind = param?.kinds[0];
    if (param?.out !== true || kind === undefined) return [];
    if (arg.kind !== 'unary' || arg.operator !== '&' || arg.operand.kind !== 'name') return [];
    const { name, at } = arg.operand;
    return [{ name, at, thread, value: { type: typeOfKind(kind) } }];
  });
}

function inferHandles(
  found: readonly Assignment[],
  handles: Map<string, Handle>,
  diagnostics: DiagnosticCollector,
): void {
  // A handle may be copied from one that is only understood in the next round.
  let waiting = found;
  for (let left = -1; left !== waiting.length; ) {
    left = waiting.length;
    waiting = waiting.filter((assignment) => {
      const type = assignedType(assignment, handles);
      if (type === null) return true;
      addHandle(assignment, type, handles, diagnostics);
      return false;
    });
  }
  for (const assignment of waiting) addHandle(assignment, unknownType, handles, diagnostics);
}

function addHandle(
  { name, at }: Assignment,
  type: ValueType,
  handles: Map<string, Handle>,
  diagnostics: DiagnosticCollector,
): void {
  const before = handles.get(name);
  if (before === undefined) {
    const declaration = neededDeclaration(name, type);
    if (declaration !== null) {
      diagnostics.error('L025', at, `'${name}' needs a declaration: it is ${describeType(type)}`, {
        expected: declaration,
      });
    }
    const usable = declaration === null ? type : unknownType;
    handles.set(name, { name, index: handles.size, type: usable, at });
    return;
  }
  const known = before.type;
  if (type.kind === known.kind || type.kind === 'unknown' || known.kind === 'unknown') return;
  const message =
    `'${name}' is ${describeType(known)} since line ${before.at.line}` +
    ` and is given ${describeType(type)} here`;
  diagnostics.error('L026', at, message, { expected: 'one name for each of them' });
}

/** What to write instead; null when the kind makes a handle. */
function neededDeclaration(name: string, type: ValueType): string | null {
  switch (type.kind) {
    case 'int':
      return `a declaration: 'u32 ${name} = …;'`;
    case 'ptr':
      return (
        `a declaration with the element type: 'u32 *${name} = …;'` +
        ', or at file scope if threads share it'
      );
    default:
      return null;
  }
}

function assignedType(
  { value, thread }: Assignment,
  handles: ReadonlyMap<string, Handle>,
): ValueType | null {
  return 'type' in value ? value.type : typeOfSource(value.from, thread, handles);
}

function typeOfSource(
  source: Expression,
  thread: ThreadNode,
  handles: ReadonlyMap<string, Handle>,
): ValueType | null {
  const node = withoutParens(source);
  switch (node.kind) {
    case 'call': {
      const operation = findOperation(node.callee);
      // Constant functions and READ_ONCE give integers; anything else is reported as unknown.
      if (operation === undefined) return node.callee === 'READ_ONCE' ? int32 : unknownType;
      return operation.returns === 'void' ? unknownType : typeOfKind(operation.returns);
    }
    case 'name':
      return handles.get(node.name)?.type ?? localType(node.name, thread);
    case 'cast': {
      const type = typeOf(node.type);
      return typeof type === 'string' ? unknownType : type;
    }
    case 'assign':
      return typeOfSource(node.value, thread, handles);
    default:
      return int32;
  }
}

/** null while the name is not understood. */
function localType(name: string, thread: ThreadNode): ValueType | null {
  const constant = constants.get(name);
  if (constant !== undefined) return typeOfKind(constant.kind);
  let type: ValueType | null = null;
  everyStatement(thread.body, (statement) => {
    if (statement.kind !== 'declaration') return;
    const declarator = statement.declarators.find((candidate) => candidate.name === name);
    const declared = declarator === undefined ? null : typeOf(declarator.type);
    if (declared !== null && typeof declared !== 'string') type = declared;
  });
  return type;
}

/** Mutexes and completions exist from the start; the engine makes them. */
export function locksOf(
  symbols: FileSymbols,
): { readonly handle: number; readonly kind: 'mutex' | 'completion' }[] {
  return [...symbols.handles.values()].flatMap(({ index, type }) =>
    isLock(type) ? [{ handle: index, kind: type.kind }] : [],
  );
}
