/**
 * From the syntax tree of a whole file to the program the engine runs: machine, handles, threads,
 * conditions. Reports everything that is wrong; whether the program is usable the caller decides.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import { nearestName } from '../diagnostics/nearest.js';
import { resolveAssertions } from './assertions.js';
import type { ConditionNode, SyntaxTree, ThreadNode } from './ast.js';
import { localsOf } from './code-writer.js';
import { checkClaims } from './header.js';
import { lowerExpression } from './lower-expression.js';
import { lowerStatement } from './lower-statement.js';
import { buildMachine } from './machine-config.js';
import { lowerAlone } from './lower-override.js';
import { readOverrides } from './overrides.js';
import type { Header, MachineConfig, OverrideCode, Program, ThreadCode } from './program.js';
import { respell } from './respell.js';
import { collectSymbols, type FileSymbols, locksOf, type Override } from './symbols.js';
import { markSyncReads } from './sync-reads.js';
import { Budget, type Lowerers, ThreadContext } from './thread-context.js';

const fileStart: Span = { line: 1, column: 1, length: 1 };

export interface SourceFile {
  readonly file: string;
  readonly text: string;
  readonly header: Header;
  readonly tree: SyntaxTree;
}

export function lower(source: SourceFile, diagnostics: DiagnosticCollector): Program {
  const { file, text, header } = source;
  const machine = buildMachine(source.tree, diagnostics);
  const devices = new Map(machine.devices.map(({ name }, index) => [name, index]));
  const spelled = respell(source.tree, { pageSize: machine.pageSize, devices }, diagnostics);
  const { tree, overrides } = readOverrides(spelled, devices, machine.overrides, diagnostics);
  const symbols = collectSymbols(tree, devices, overrides, diagnostics);
  const nodes = tree.items.flatMap((item) => (item.kind === 'thread' ? [item] : []));
  checkThreads(nodes, machine, symbols, diagnostics);
  const lowering: ThreadLowering = {
    devices,
    symbols,
    diagnostics,
    budget: new Budget(),
    compared: comparedLocals(tree),
  };
  const own = [...overrides.values()].map((override) => lowerOverride(override, lowering));
  const initNode = nodes.find(({ role }) => role === 'init');
  const init = initNode === undefined ? emptyInit : lowerThread(initNode, lowering);
  const threads = nodes
    .filter(({ role }) => role !== 'init')
    .map((node) => lowerThread(node, lowering));
  const program: Program = {
    file,
    name: file.replace(/^.*[/\\]/u, '').replace(/\.litmus$/u, ''),
    text,
    header,
    machine,
    handles: [...symbols.handles.keys()],
    locks: locksOf(symbols),
    init,
    threads,
    overrides: own,
    assertions: resolveAssertions(tree, threads, diagnostics),
  };
  checkClaims(program, diagnostics);
  checkProfile(program, diagnostics);
  return program;
}

/** Every operation exists on the architecture that the machine block names. */
function checkProfile(program: Program, diagnostics: DiagnosticCollector): void {
  const { profile } = program.machine;
  const told = new Set<string>();
  const parts = [program.init, ...program.threads, ...program.overrides];
  for (const instruction of parts.flatMap(({ code }) => code)) {
    if (instruction.op !== 'call') continue;
    const { operation, at } = instruction;
    const place = `${at.line}:${at.column}`;
    if (operation.profiles?.includes(profile) !== false || told.has(place)) continue;
    told.add(place);
    diagnostics.error('L028', at, `${operation.name}() does not exist on ${profile}`, {
      expected: `a machine block of ${operation.profiles.join(' or ')}`,
    });
  }
}

const emptyInit: ThreadCode = {
  name: 'init',
  kind: 'cpu',
  device: -1,
  code: [],
  locals: [],
  at: fileStart,
};

function checkThreads(
  nodes: readonly ThreadNode[],
  machine: MachineConfig,
  symbols: FileSymbols,
  diagnostics: DiagnosticCollector,
): void {
  const running = nodes.filter(({ role }) => role !== 'init');
  if (running.length === 0 && !diagnostics.hasErrors) {
    diagnostics.error('L005', fileStart, 'there is no thread in this file', {
      expected: 'cpu NAME { … } or device NAME { … }',
    });
  }
  const seen = new Map<string, Span>();
  for (const { role, name, nameAt } of nodes) {
    const before = seen.get(name);
    const isDevice = symbols.devices.has(name);
    if (before !== undefined) {
      const what = role === 'init' ? 'a second init block' : `a second thread '${name}'`;
      diagnostics.error('L014', nameAt, `${what}: the first is in line ${before.line}`);
    } else if (role === 'device' && !isDevice) {
      diagnostics.error('L027', nameAt, `no device '${name}' in the machine block`, {
        expected: `device ${name} { … }; in the machine block`,
        suggestion: nearestName(
          name,
          machine.devices.map((device) => device.name),
        ),
      });
    } else if (role === 'cpu' && (isDevice || name === 'init')) {
      diagnostics.error('L027', nameAt, `'${name}' cannot be the name of a cpu thread`, {
        expected: 'a name that no device has',
      });
    }
    seen.set(name, before ?? nameAt);
  }
}

interface ThreadLowering {
  readonly devices: ReadonlyMap<string, number>;
  readonly symbols: FileSymbols;
  readonly diagnostics: DiagnosticCollector;
  readonly budget: Budget;
  /** `thread:local` as it stands in exists, forbidden or always. */
  readonly compared: ReadonlySet<string>;
}

function lowerThread(node: ThreadNode, lowering: ThreadLowering): ThreadCode {
  const { symbols, diagnostics, budget, devices, compared } = lowering;
  const { name, role } = node;
  const context = new ThreadContext(symbols, diagnostics, { name, role }, budget, lowerers);
  lowerStatement(context, node.body);
  context.code.place(context.end);
  if (!budget.allowsThread(context.code.length)) budget.tell(diagnostics, node.at);
  const read = new Set<number>();
  for (const expr of context.code.expressions())
    for (const local of localsOf(expr)) read.add(local);
  const isDead = (local: number): boolean =>
    context.counters.has(local) &&
    !read.has(local) &&
    !compared.has(`${name}:${context.localNames[local] ?? ''}`);
  return {
    name,
    kind: role === 'device' ? 'device' : 'cpu',
    device: role === 'device' ? (devices.get(name) ?? -1) : -1,
    code: markSyncReads(context.code.finish(isDead)),
    locals: context.localNames,
    at: node.at,
  };
}

const lowerers: Lowerers = { expression: lowerExpression, statement: lowerStatement };

function lowerOverride(override: Override, lowering: ThreadLowering): OverrideCode {
  const { symbols, diagnostics, budget } = lowering;
  const role = { name: override.node.name, role: 'cpu' } as const;
  const context = new ThreadContext(symbols, diagnostics, role, budget, lowerers);
  return lowerAlone(context, override);
}

function comparedLocals(tree: SyntaxTree): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ConditionNode): void => {
    if (node.kind === 'compare') {
      names.add(`${node.thread}:${node.local}`);
    } else if (node.kind === 'not') {
      visit(node.operand);
    } else {
      visit(node.left);
      visit(node.right);
    }
  };
  for (const item of tree.items) if (item.kind === 'assertion') visit(item.condition);
  return names;
}
