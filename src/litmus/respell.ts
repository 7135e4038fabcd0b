/**
 * A syntax tree with the words of spellings.ts replaced by what they stand for; with the page size
 * of the machine for PAGE_SIZE, and `&gpu` of a device read as the device. What is put in place of
 * a call stands where the call stood. Leaves out: the machine block, and reporting, but for an
 * argument that would be evaluated twice.
 */
import { DiagnosticCollector } from '../diagnostics/collector.js';
import type { CallNode, Expression, Item, Statement, SyntaxTree } from './ast.js';
import { lex } from './lexer.js';
import { parse } from './parser.js';
import { withOperands, withParts } from './rewrite.js';
import { type Spelling, spellingHead, spellingOf } from './spellings.js';
import { hasEffect, namesIn, withoutParens } from './walk.js';

export interface Spoken {
  readonly pageSize: number;
  readonly devices: ReadonlyMap<string, number>;
}

export function respell(
  tree: SyntaxTree,
  spoken: Spoken,
  diagnostics: DiagnosticCollector,
): SyntaxTree {
  const speller = new Speller(spoken, diagnostics);
  return { items: tree.items.map((item) => speller.item(item)) };
}

/** What a spelling stands for, parsed once. */
const bodies = new Map<string, Expression>();

function bodyOf({ name, body }: Spelling): Expression | null {
  const known = bodies.get(name);
  if (known !== undefined || body === '') return known ?? null;
  const ignored = new DiagnosticCollector();
  const [item] = parse(lex(`cpu c { ${body}; }`, ignored).tokens, ignored).items;
  const statement = item?.kind === 'thread' ? item.body.body[0] : undefined;
  if (statement?.kind !== 'expression') return null;
  bodies.set(name, statement.expression);
  return statement.expression;
}

class Speller {
  constructor(
    private readonly spoken: Spoken,
    private readonly diagnostics: DiagnosticCollector,
  ) {}

  item(item: Item): Item {
    if (item.kind !== 'thread' && item.kind !== 'override') return item;
    const body = item.body.body.map((each) => this.statement(each));
    return { ...item, body: { ...item.body, body } };
  }

  private statement(node: Statement): Statement {
    const value = (each: Expression): Expression => this.expression(each);
    if (node.kind === 'expression') {
      if (isNothing(node.expression)) return { kind: 'empty', at: node.at };
      if (isQuestion(node.expression)) {
        const then = { kind: 'empty', at: node.at } as const;
        const condition = value(node.expression);
        return { kind: 'if', condition, then, otherwise: null, at: node.at };
      }
    }
    return withParts(node, (each) => this.statement(each), value);
  }

  private expression(node: Expression): Expression {
    const value = (each: Expression): Expression => this.expression(each);
    switch (node.kind) {
      case 'name':
        if (node.name !== 'PAGE_SIZE') return node;
        return { kind: 'number', value: this.spoken.pageSize, at: node.at };
      case 'unary': {
        const inside = withoutParens(node.operand);
        const isDevice = inside.kind === 'name' && this.spoken.devices.has(inside.name);
        return node.operator === '&' && isDevice ? inside : withOperands(node, value);
      }
      case 'assign': {
        const target = node.target.kind === 'name' ? node.target : value(node.target);
        return { ...node, target, value: value(node.value) };
      }
      case 'call':
        return this.call(node);
      default:
        return withOperands(node, value);
    }
  }

  private call(node: CallNode): Expression {
    const spelling = spellingFor(node);
    const body = spelling === null ? null : bodyOf(spelling);
    if (spelling === null || body === null) {
      return withOperands(node, (each) => this.expression(each));
    }
    const args = node.args.map((each) => this.expression(each));
    const given = new Map(spelling.params.map((name, index) => [name, args[index]]));
    this.checkRepeats(node, spelling, body);
    return this.expression(put(body, given, node, true));
  }

  /** A macro evaluates an argument as often as it names it; a load or a call must stand once. */
  private checkRepeats(node: CallNode, spelling: Spelling, body: Expression): void {
    const used = namesIn(body).map(({ name }) => name);
    node.args.forEach((arg, index) => {
      const name = spelling.params[index];
      if (used.filter((each) => each === name).length < 2 || !hasEffect(arg)) return;
      const message = `${node.callee}() would evaluate this more than once`;
      this.diagnostics.error('L037', arg.at, message, { expected: 'a number or a variable' });
    });
  }
}

/** The spelling that a call is, by name and number of arguments. */
function spellingFor(node: CallNode): Spelling | null {
  const spelling = spellingOf(node.callee);
  const fits = spelling?.params.length === node.args.length && node.options.length === 0;
  return spelling !== null && fits ? spelling : null;
}

/** `cpu_relax()`: the statement stays, the call does not. */
function isNothing(node: Expression): boolean {
  return node.kind === 'call' && spellingFor(node)?.body === '';
}

/** `WARN_ON(x);`, which branches on x and goes on. */
function isQuestion(node: Expression): boolean {
  return node.kind === 'call' && spellingFor(node)?.name.startsWith('WARN_ON') === true;
}

/** The arguments in place of the parameters, at the place of the call. */
function put(
  body: Expression,
  given: ReadonlyMap<string, Expression | undefined>,
  node: CallNode,
  outermost: boolean,
): Expression {
  // Of two calls in one spelling each has a place of its own: places name what calls make.
  const at = outermost ? node.at : node.calleeAt;
  if (body.kind === 'name') {
    const arg = given.get(body.name);
    return arg === undefined ? { ...body, at } : { kind: 'paren', inner: arg, at: arg.at };
  }
  const filled = withOperands(body, (each) => put(each, given, node, false));
  return filled.kind === 'call' ? { ...filled, calleeAt: node.calleeAt, at } : { ...filled, at };
}

/** `kcalloc(n, size, gfp)`, where the call has another number of arguments; else null. */
export function rightSpelling(node: CallNode): string | null {
  const spelling = spellingOf(node.callee);
  return spelling === null ? null : spellingHead(spelling);
}
