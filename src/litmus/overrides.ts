/**
 * What a scenario's kernel does instead of Linux: its `override` blocks, checked against what the
 * registry says of the functions they stand for. Their variables get names that no thread has.
 * Leaves out: putting them in place of calls (lower-override.ts), and what they do inside other
 * functions (kernel/overrides.ts, system/overrides.ts).
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import { nearestName } from '../diagnostics/nearest.js';
import { constants } from '../kernel/constants.js';
import { allOperations, findOperation, type Operation } from '../kernel/registry.js';
import type { Item, OverrideNode, SyntaxTree } from './ast.js';
import { builtins } from './lower-builtin.js';
import { signature } from './lower-call.js';
import { renameBlock } from './rename.js';
import type { Override } from './symbols.js';
import { everyCall, everyStatement } from './walk.js';

/** The tree with the new names, and the overrides by function. */
export function readOverrides(
  tree: SyntaxTree,
  devices: ReadonlyMap<string, number>,
  patched: Readonly<Record<string, unknown>>,
  diagnostics: DiagnosticCollector,
): { readonly tree: SyntaxTree; readonly overrides: ReadonlyMap<string, Override> } {
  const overrides = new Map<string, Override>();
  const items = tree.items.flatMap((item): readonly Item[] => {
    if (item.kind !== 'override') return [item];
    const operation = operationOf(item, diagnostics);
    if (operation === null) return [];
    checkParams(item, operation, devices, diagnostics);
    const before = overrides.get(item.name);
    const setting = Object.keys(patched).find((each) => each.startsWith(item.name));
    if (before !== undefined) {
      const first = `the first is in line ${before.node.at.line}`;
      diagnostics.error('L014', item.nameAt, `a second override of ${item.name}(): ${first}`);
    } else if (setting !== undefined) {
      const message = `the machine block already says '.${setting}'`;
      diagnostics.error('L014', item.nameAt, message, { expected: 'one of the two' });
    }
    const node = renamed(item, operation);
    overrides.set(item.name, { node, operation });
    return [node];
  });
  refuseRecursion(overrides, diagnostics);
  return { tree: { ...tree, items }, overrides };
}

function operationOf(node: OverrideNode, diagnostics: DiagnosticCollector): Operation | null {
  const { name, nameAt } = node;
  const operation = findOperation(name);
  if (operation === undefined && builtins.has(name)) {
    diagnostics.error('L084', nameAt, `${name}() is part of the language, not of the kernel`, {
      expected: 'a function of the reference page',
    });
    return null;
  }
  if (operation === undefined) {
    const names = allOperations().flatMap((each) => (each.where === 'cpu' ? [each.name] : []));
    diagnostics.error('L021', nameAt, `there is no function '${name}' to override`, {
      expected: 'a function of the reference page',
      suggestion: nearestName(name, names),
    });
    return null;
  }
  const lock = operation.params.find(({ kinds }) => kinds.some(isLockKind));
  const why =
    operation.where === 'device'
      ? 'it is what a device does, not the kernel'
      : lock !== undefined
        ? `it works on '${lock.name}' itself`
        : null;
  if (why === null) return operation;
  diagnostics.error('L084', nameAt, `${name}() cannot be overridden: ${why}`);
  return null;
}

function isLockKind(kind: string): boolean {
  return kind === 'mutex' || kind === 'completion' || kind === 'iova';
}

function checkParams(
  node: OverrideNode,
  operation: Operation,
  devices: ReadonlyMap<string, number>,
  diagnostics: DiagnosticCollector,
): void {
  const { params } = operation;
  const needed = params.filter(({ optional }) => optional !== true).length;
  const given = node.params.length;
  const expected = signature({ ...operation, options: [] });
  if (given < needed || given > params.length) {
    const message = `${node.name}() has ${params.length} arguments, not ${given}`;
    diagnostics.error('L031', node.nameAt, message, { expected });
    return;
  }
  node.params.forEach(({ name, at }, index) => {
    const place = params.findIndex((each) => each.name === name);
    const isDevice = devices.has(name);
    if (isDevice || constants.has(name)) {
      const message = `'${name}' is already ${isDevice ? 'a device' : 'a constant'}`;
      diagnostics.error('L023', at, message, { expected: `'${params[index]?.name ?? 'arg'}'` });
    } else if (place >= 0 && place !== index) {
      const message = `'${name}' is argument ${place + 1} of ${node.name}(), not ${index + 1}`;
      diagnostics.error('L031', at, message, { expected });
    }
  });
}

/** `size` of the override of dma_map_single is `dma_map_single.size` from here on. */
function renamed(node: OverrideNode, { params: known }: Operation): OverrideNode {
  const own = new Set(node.params.map(({ name }) => name));
  everyStatement(node.body, (statement) => {
    if (statement.kind !== 'declaration') return;
    for (const { name } of statement.declarators) own.add(name);
  });
  const newName = (name: string): string => (own.has(name) ? `${node.name}.${name}` : name);
  const params = node.params.map(({ name, at }) => ({ name: newName(name), at }));
  const stored = node.params.flatMap(({ name }, i) => (known[i]?.out === true ? [name] : []));
  return { ...node, params, body: renameBlock(node.body, newName, new Set(stored)) };
}

/** An override that calls itself, or another one that calls it. */
function refuseRecursion(
  overrides: ReadonlyMap<string, Override>,
  diagnostics: DiagnosticCollector,
): void {
  const visit = (name: string, above: readonly string[]): void => {
    const override = overrides.get(name);
    if (override === undefined) return;
    everyCall(override.node.body, ({ callee, calleeAt }) => {
      const chain = [...above, name];
      if (callee === chain[0]) tellRecursion(chain, calleeAt, diagnostics);
      else if (!chain.includes(callee)) visit(callee, chain);
    });
  };
  for (const name of overrides.keys()) visit(name, []);
}

function tellRecursion(chain: readonly string[], at: Span, diagnostics: DiagnosticCollector): void {
  const [name, ...through] = chain;
  const way = through.length === 0 ? '' : ` (through ${through.join(', ')})`;
  diagnostics.error('L084', at, `the override of ${name}() calls ${name}()${way}`, {
    expected: `the steps that Linux' own ${name}() takes, written out`,
  });
}
