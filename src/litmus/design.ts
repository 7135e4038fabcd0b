/**
 * Files of `civac compare`: designs, and use cases, which raise events. What can be said about
 * one of them without the other is said here.
 * Leaves out: putting the answers in place of the events (expand.ts).
 */
import { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Diagnostic, Span } from '../diagnostics/diagnostic.js';
import type { DesignNode, EventNode, Expression, HandlerNode, SyntaxTree } from './ast.js';
import { events } from './events.js';
import { headerLines } from './header.js';
import { lex, type Tokens } from './lexer.js';
import { parse } from './parser.js';
import { everyExpressionIn, everyStatement, withoutParens } from './walk.js';

interface Source {
  readonly file: string;
  readonly text: string;
  readonly tokens: Tokens;
  readonly tree: SyntaxTree;
  /** The first line of the header. */
  readonly about: string;
}

export interface Design extends Source {
  readonly name: string;
  readonly node: DesignNode;
  /** Names that belong to the design, one set for each buffer. */
  readonly privates: ReadonlySet<string>;
}

export interface UseCase extends Source {
  readonly name: string;
  readonly events: readonly RaisedEvent[];
  /** The label of its `Question:` line; null without one. */
  readonly question: string | null;
}

export interface RaisedEvent {
  readonly node: EventNode;
  /** It is the body of an `if` or a loop, so that it must stay one statement. */
  readonly alone: boolean;
}

export interface Read<Thing> {
  /** null exactly when there is an error. */
  readonly value: Thing | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** True for a text that has a design in it, even a broken one. */
export function holdsDesign(text: string): boolean {
  return /^\s*design\s+\w+\s*\{/mu.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gmu, ''));
}

export function readDesign(text: string, file: string): Read<Design> {
  const diagnostics = new DiagnosticCollector();
  const source = readSource(text, file, diagnostics);
  const designs = source.tree.items.flatMap((item) => (item.kind === 'design' ? [item] : []));
  const [node, second] = designs;
  for (const item of source.tree.items) {
    if (item.kind === 'design' || item.kind === 'broken') continue;
    const at = item.at;
    diagnostics.error('L083', at, 'only a design can stand in the file of a design');
    break;
  }
  if (second !== undefined) {
    diagnostics.error('L014', second.nameAt, 'a second design: each has a file of its own');
  }
  if (node !== undefined && !diagnostics.hasErrors) checkAnswers(node, diagnostics);
  const found = diagnostics.list();
  if (node === undefined || diagnostics.hasErrors) return { value: null, diagnostics: found };
  const design = { ...source, name: node.name, node, privates: privatesOf(node) };
  return { value: design, diagnostics: found };
}

export function readUseCase(text: string, file: string): Read<UseCase> {
  const diagnostics = new DiagnosticCollector();
  const source = readSource(text, file, diagnostics);
  const raised = eventsIn(source.tree, diagnostics);
  const found = diagnostics.list();
  if (diagnostics.hasErrors) return { value: null, diagnostics: found };
  const question = headerLines(source.tokens).find((line) => line.text.startsWith('Question:'));
  const label = question?.text.slice('Question:'.length).trim() ?? null;
  const name = file.replace(/^.*[/\\]/u, '').replace(/\.(usecase|litmus)$/u, '');
  return { value: { ...source, name, events: raised, question: label }, diagnostics: found };
}

/**
 * An event or a design in a scenario that is to be run as it stands: said once, and true, as what
 * else is wrong there may come of it.
 */
export function refuseEvents(tree: SyntaxTree, diagnostics: DiagnosticCollector): boolean {
  const design = tree.items.find((item) => item.kind === 'design');
  if (design !== undefined) {
    diagnostics.error('L083', design.at, 'a design alone cannot be run', {
      expected: "a scenario; 'civac compare' takes designs and use cases",
    });
    return true;
  }
  const [first] = eventsIn(tree, new DiagnosticCollector());
  if (first === undefined) return false;
  diagnostics.error('L083', first.node.at, 'no design says what happens at this event', {
    expected: "a scenario without events; 'civac compare DESIGN USECASE' expands them",
  });
  return true;
}

function readSource(text: string, file: string, diagnostics: DiagnosticCollector): Source {
  const tokens = lex(text, diagnostics);
  const tree = parse(tokens.tokens, diagnostics);
  const about = headerLines(tokens)[0]?.text ?? '';
  return { file, text, tokens, tree, about };
}

function checkAnswers(node: DesignNode, diagnostics: DiagnosticCollector): void {
  const seen = new Map<string, Span>();
  const inOrder = [...node.handlers, ...node.refusals].sort((a, b) => a.at.line - b.at.line);
  for (const { event, at } of inOrder) {
    const before = seen.get(event);
    if (before !== undefined) {
      const message = `a second answer to '${event}': the first is in line ${before.line}`;
      diagnostics.error('L082', at, message);
    }
    seen.set(event, before ?? at);
  }
  for (const { name, required } of events) {
    if (!required || seen.has(name)) continue;
    const message = `the design does not answer '${name}'`;
    const expected = `on ${name}(…) { … } or refuse ${name};`;
    diagnostics.error('L082', node.nameAt, message, { expected });
  }
  for (const { declarators } of node.declarations) {
    for (const { value } of declarators) {
      if (value === null) continue;
      diagnostics.error('L036', value.at, 'a design gives values only in its answers');
    }
  }
  for (const handler of node.handlers) refuseNested(handler, diagnostics);
}

function refuseNested(handler: HandlerNode, diagnostics: DiagnosticCollector): void {
  everyStatement(handler.body, (statement) => {
    if (statement.kind === 'event') {
      diagnostics.error('L083', statement.at, 'a design answers events and raises none');
    } else if (statement.kind === 'return') {
      diagnostics.error('L083', statement.at, 'an answer runs to its end', { expected: 'if (…)' });
    }
  });
}

/** What the design declares, and what its answers assign beside their parameters. */
function privatesOf(node: DesignNode): ReadonlySet<string> {
  const names = new Set<string>();
  const note = (handler: HandlerNode, expression: Expression): void => {
    const inner = withoutParens(expression);
    if (inner.kind !== 'name') return;
    if (!handler.params.some(({ name }) => name === inner.name)) names.add(inner.name);
  };
  for (const { declarators } of node.declarations)
    for (const { name } of declarators) names.add(name);
  for (const handler of node.handlers) {
    everyStatement(handler.body, (statement) => {
      if (statement.kind !== 'declaration') return;
      for (const { name } of statement.declarators) names.add(name);
    });
    everyExpressionIn(handler.body, (each) => {
      if (each.kind === 'assign') note(handler, each.target);
      if (each.kind === 'unary' && each.operator === '&') note(handler, each.operand);
    });
  }
  return names;
}

function eventsIn(tree: SyntaxTree, diagnostics: DiagnosticCollector): readonly RaisedEvent[] {
  const raised: RaisedEvent[] = [];
  for (const item of tree.items) {
    if (item.kind !== 'thread') continue;
    const inBlock = new Set<EventNode>();
    everyStatement(item.body, (statement) => {
      if (statement.kind === 'block') {
        for (const each of statement.body) if (each.kind === 'event') inBlock.add(each);
      }
      if (statement.kind !== 'event') return;
      raised.push({ node: statement, alone: !inBlock.has(statement) });
      if (item.role !== 'device') return;
      diagnostics.error('L083', statement.at, 'a device raises no events', {
        expected: 'it in init or in a cpu thread: events are calls of the driver',
      });
    });
  }
  return raised.sort((a, b) => a.node.from - b.node.from);
}
