/**
 * What names mean for the whole file: devices, and handles, the variables all threads share. A
 * handle needs no declaration when a call says what it is: `bo = drm_gem_shmem_create(…)`.
 * Leaves out: the local variables of threads (thread-context.ts).
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import { nearestName } from '../diagnostics/nearest.js';
import { constants } from '../kernel/constants.js';
import { findOperation, type Operation } from '../kernel/registry.js';
import type { Lock } from '../kernel/state.js';
import type {
  CallNode,
  DeclarationNode,
  Expression,
  OverrideNode,
  SyntaxTree,
  ThreadNode,
  TypeNode,
} from './ast.js';
import {
  describeType,
  int32,
  isFamily,
  isLock,
  typeNames,
  typeOf,
  typeOfKind,
  unknownType,
  type ValueType,
  voidPointer,
} from './types.js';
import { everyExpressionIn, everyStatement, withoutParens } from './walk.js';

export interface Handle {
  readonly name: string;
  readonly index: number;
  readonly type: ValueType;
  readonly at: Span;
}

/** An `override` block and the function that it stands for. */
export interface Override {
  readonly node: OverrideNode;
  readonly operation: Operation;
}

type LocalTypes = ReadonlyMap<string, TypeNode>;

export interface FileSymbols {
  readonly handles: ReadonlyMap<string, Handle>;
  /** Device name to its index in the machine block. */
  readonly devices: ReadonlyMap<string, number>;
  /** Thread name to the variables it declares, wherever in it. */
  readonly localsOf: ReadonlyMap<string, LocalTypes>;
  /** CPU threads by name, as the engine numbers them: `init` is 0. */
  readonly cpuThreads: ReadonlyMap<string, number>;
  /** Names in text that could not be read: unknown, but not the reader's next mistake. */
  readonly unreadable: ReadonlySet<string>;
  readonly overrides: ReadonlyMap<string, Override>;
}

export function collectSymbols(
  tree: SyntaxTree,
  devices: ReadonlyMap<string, number>,
  overrides: ReadonlyMap<string, Override>,
  diagnostics: DiagnosticCollector,
): FileSymbols {
  const handles = new Map<string, Handle>();
  const unreadable = new Set<string>();
  for (const item of tree.items) {
    if (item.kind === 'declaration') declareHandles(item, handles, devices, diagnostics);
    if (item.kind === 'broken') for (const name of item.names) unreadable.add(name);
  }
  const threads = tree.items.flatMap((item) =>
    item.kind === 'thread' || item.kind === 'override' ? [item] : [],
  );
  const localsOf = collectLocals(threads, unreadable);
  const found = threads.flatMap((thread) => {
    const locals: LocalTypes = localsOf.get(thread.name) ?? new Map();
    const params = new Set(thread.kind === 'override' ? thread.params.map(({ name }) => name) : []);
    const scopes = [locals, params, handles, devices, constants, unreadable];
    const typeOfName: NameType = (name) => {
      if (devices.has(name)) return { kind: 'device' };
      if (params.has(name)) return unknownType;
      return handles.get(name)?.type ?? fixedType(name, locals);
    };
    const isKnown = (name: string): boolean => scopes.some((scope) => scope.has(name));
    return assignmentsIn(thread, isKnown).map((assignment) => ({ ...assignment, typeOfName }));
  });
  inferHandles(found, handles, diagnostics);
  return { handles, devices, localsOf, cpuThreads: cpuThreads(tree), unreadable, overrides };
}

function cpuThreads(tree: SyntaxTree): ReadonlyMap<string, number> {
  const threads = tree.items.flatMap((item) => (item.kind === 'thread' ? [item] : []));
  const running = threads.filter(({ role }) => role !== 'init');
  const named = running.map(({ name, role }, i) => ({ name, role, agent: i + 1 }));
  return new Map(
    named.filter(({ role }) => role === 'cpu').map(({ name, agent }) => [name, agent]),
  );
}

function collectLocals(
  threads: readonly (ThreadNode | OverrideNode)[],
  unreadable: Set<string>,
): ReadonlyMap<string, LocalTypes> {
  const localsOf = new Map<string, Map<string, TypeNode>>();
  for (const thread of threads) {
    const locals = localsOf.get(thread.name) ?? new Map<string, TypeNode>();
    everyStatement(thread.body, (statement) => {
      if (statement.kind === 'declaration') {
        for (const { name, type } of statement.declarators) locals.set(name, type);
      } else if (statement.kind === 'broken') {
        for (const name of statement.names) unreadable.add(name);
      }
    });
    localsOf.set(thread.name, locals);
  }
  return localsOf;
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

/** null while the name is not understood. */
type NameType = (name: string) => ValueType | null;

/** One place that gives an undeclared name a value. */
interface Assignment {
  readonly name: string;
  readonly at: Span;
  readonly value: { readonly from: Expression } | { readonly type: ValueType };
}

type TypedAssignment = Assignment & { readonly typeOfName: NameType };

function assignmentsIn(
  thread: ThreadNode | OverrideNode,
  isKnown: (name: string) => boolean,
): Assignment[] {
  const found: Assignment[] = [];
  everyExpressionIn(thread.body, (node) => {
    if (node.kind === 'assign' && node.target.kind === 'name' && !isKnown(node.target.name)) {
      const { name, at } = node.target;
      const value = node.operator === null ? { from: node.value } : { type: int32 };
      found.push({ name, at, value });
    } else if (node.kind === 'call') {
      found.push(...outArguments(node).filter(({ name }) => !isKnown(name)));
    }
  });
  return found;
}

function outArguments(node: CallNode): Assignment[] {
  const params = findOperation(node.callee)?.params ?? [];
  return node.args.flatMap((arg, index) => {
    const param = params[index];
    const kind = param?.kinds[0];
    if (param?.out !== true || kind === undefined) return [];
    if (arg.kind !== 'unary' || arg.operator !== '&' || arg.operand.kind !== 'name') return [];
    const { name, at } = arg.operand;
    return [{ name, at, value: { type: typeOfKind(kind) } }];
  });
}

function inferHandles(
  found: readonly TypedAssignment[],
  handles: Map<string, Handle>,
  diagnostics: DiagnosticCollector,
): void {
  // A handle may be copied from one that is only understood in the next round.
  let waiting = found;
  for (let left = -1; left !== waiting.length; ) {
    left = waiting.length;
    waiting = waiting.filter((assignment) => {
      const { value, typeOfName } = assignment;
      const type = 'type' in value ? value.type : typeOfSource(value.from, typeOfName);
      if (type === null) return true;
      addHandle(assignment, type, handles, diagnostics);
      return false;
    });
  }
  const unexplained = new Set(waiting.map(({ name }) => name));
  for (const assignment of waiting) {
    const { name, at, value } = assignment;
    addHandle(assignment, unknownType, handles, diagnostics);
    const source = 'from' in value ? withoutParens(value.from) : null;
    if (source?.kind !== 'name' || !unexplained.has(source.name)) continue;
    diagnostics.error('L025', at, `nothing says what '${name}' is`, {
      expected: 'a call that makes it, somewhere',
    });
  }
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

function typeOfSource(source: Expression, typeOfName: NameType): ValueType | null {
  const node = withoutParens(source);
  switch (node.kind) {
    case 'call': {
      const operation = findOperation(node.callee);
      // READ_ONCE and constant functions; anything else is reported as unknown.
      if (operation === undefined) return builtinType(node.callee);
      return operation.returns === 'void' ? unknownType : typeOfKind(operation.returns);
    }
    case 'name':
      return typeOfName(node.name);
    case 'cast': {
      const type = typeOf(node.type);
      return typeof type === 'string' ? unknownType : type;
    }
    case 'assign':
      return typeOfSource(node.value, typeOfName);
    case 'unary':
      return node.operator === '&' ? voidPointer : int32;
    case 'binary': {
      // Pointer arithmetic, and flags joined by `|`.
      const left = typeOfSource(node.left, typeOfName);
      return left === null || left.kind === 'ptr' || isFamily(left) ? left : int32;
    }
    default:
      return int32;
  }
}

function builtinType(callee: string): ValueType {
  if (callee.startsWith('pgprot_')) return { kind: 'pgprot' };
  return /^(READ_ONCE|smp_load_acquire|DMA_BIT_MASK)$/u.test(callee) ? int32 : unknownType;
}

/** The type of a constant or of a variable that the thread declares. */
function fixedType(name: string, locals: LocalTypes): ValueType | null {
  const constant = constants.get(name);
  if (constant !== undefined) return typeOfKind(constant.kind);
  const node = locals.get(name);
  const type = node === undefined ? null : typeOf(node);
  return typeof type === 'string' ? unknownType : type;
}

/** Mutexes, completions and the like exist from the start; the engine makes them. */
export function locksOf(
  symbols: FileSymbols,
): { readonly handle: number; readonly kind: Lock['kind'] }[] {
  return [...symbols.handles.values()].flatMap(({ index, type }) =>
    isLock(type) ? [{ handle: index, kind: type.kind }] : [],
  );
}
