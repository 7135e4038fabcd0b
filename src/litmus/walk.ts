/**
 * Walks over syntax trees, and the questions that are answered by looking at a tree alone: which
 * names a loop assigns, whether an expression touches memory.
 */
import type { AssignNode, CallNode, Expression, LoopNode, NameNode, Statement } from './ast.js';

export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'number':
    case 'name':
    case 'sizeof':
      return [];
    case 'paren':
      return [node.inner];
    case 'unary':
    case 'cast':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'assign':
      return [node.target, node.value];
    case 'ternary':
      return [node.condition, node.then, node.otherwise];
    case 'index':
      return [node.pointer, node.index];
    case 'call':
      return [...node.args, ...node.options.map((option) => option.value)];
  }
}

export function everyExpression(node: Expression, visit: (node: Expression) => void): void {
  visit(node);
  for (const child of childrenOf(node)) everyExpression(child, visit);
}

/** Every statement, outer ones first. */
export function everyStatement(node: Statement, visit: (node: Statement) => void): void {
  visit(node);
  switch (node.kind) {
    case 'block':
      for (const inner of node.body) everyStatement(inner, visit);
      break;
    case 'if':
      everyStatement(node.then, visit);
      if (node.otherwise !== null) everyStatement(node.otherwise, visit);
      break;
    case 'loop':
      if (node.init !== null) everyStatement(node.init, visit);
      everyStatement(node.body, visit);
      break;
    default:
  }
}

/** The expressions that stand directly in one statement, in the order of the text. */
export function expressionsOf(node: Statement): readonly Expression[] {
  switch (node.kind) {
    case 'declaration':
      return node.declarators.flatMap(({ value }) => (value === null ? [] : [value]));
    case 'expression':
      return [node.expression];
    case 'return':
      return node.value === null ? [] : [node.value];
    case 'if':
      return [node.condition];
    case 'loop':
      return [node.condition, node.step].flatMap((part) => (part === null ? [] : [part]));
    default:
      return [];
  }
}

export function everyExpressionIn(node: Statement, visit: (node: Expression) => void): void {
  everyStatement(node, (statement) => {
    for (const expression of expressionsOf(statement)) everyExpression(expression, visit);
  });
}

export function everyCall(node: Statement, visit: (node: CallNode) => void): void {
  everyExpressionIn(node, (inner) => {
    if (inner.kind === 'call') visit(inner);
  });
}

/** Calls that only stand for a number or an attribute. */
const constantFunctions: ReadonlySet<string> = new Set([
  'DMA_BIT_MASK',
  'pgprot_writecombine',
  'pgprot_noncached',
  'pgprot_device',
  'pgprot_dmacoherent',
]);

export function isConstantFunction(name: string): boolean {
  return constantFunctions.has(name);
}

/** Evaluating it takes a step of its own: a memory access, a call, or an assignment. */
export function hasEffect(node: Expression): boolean {
  switch (node.kind) {
    case 'index':
    case 'assign':
      return true;
    case 'call':
      return !isConstantFunction(node.callee);
    case 'unary':
      if (node.operator === '*') return true;
      return node.operator === '&' ? addressHasEffect(node.operand) : hasEffect(node.operand);
    default:
      return childrenOf(node).some(hasEffect);
  }
}

/** `&p[i]` reads no memory itself. */
function addressHasEffect(node: Expression): boolean {
  return childrenOf(node).some(hasEffect);
}

export function withoutParens(node: Expression): Expression {
  let inner = node;
  while (inner.kind === 'paren') inner = inner.inner;
  return inner;
}

export function namesIn(node: Expression): readonly NameNode[] {
  const names: NameNode[] = [];
  everyExpression(node, (inner) => {
    if (inner.kind === 'name') names.push(inner);
  });
  return names;
}

export interface LoopFacts {
  /** Everything its condition, step and body may change. */
  readonly assigned: ReadonlySet<string>;
  /** Those that get a value that was read from memory or returned by a call. */
  readonly fromMemory: ReadonlySet<string>;
  /** `break` of this loop, or `return`. */
  readonly leaves: boolean;
}

export function loopFacts(loop: LoopNode): LoopFacts {
  const assigned = new Set<string>();
  const fromMemory = new Set<string>();
  const note = (name: string, value: Expression | null): void => {
    assigned.add(name);
    if (value !== null && hasEffect(value)) fromMemory.add(name);
  };
  everyStatement(loop.body, (statement) => {
    if (statement.kind !== 'declaration') return;
    for (const { name, value } of statement.declarators) note(name, value);
  });
  const visit = (node: Expression): void => {
    const target = node.kind === 'assign' ? withoutParens(node.target) : null;
    if (node.kind === 'assign' && target?.kind === 'name') note(target.name, node.value);
    if (node.kind === 'unary' && node.operator === '&' && node.operand.kind === 'name') {
      assigned.add(node.operand.name);
      fromMemory.add(node.operand.name);
    }
  };
  everyExpressionIn(loop.body, visit);
  if (loop.condition !== null) everyExpression(loop.condition, visit);
  if (loop.step !== null) everyExpression(loop.step, visit);
  spread(loop, fromMemory);
  return { assigned, fromMemory, leaves: leaves(loop.body) };
}

/** `v = p[0]; done = v;`: done comes from memory too. */
function spread(loop: LoopNode, fromMemory: Set<string>): void {
  const assignments: { name: string; value: Expression }[] = [];
  everyExpressionIn(loop.body, (node) => {
    if (node.kind === 'assign' && node.target.kind === 'name') {
      assignments.push({ name: node.target.name, value: node.value });
    }
  });
  for (let size = -1; size !== fromMemory.size; ) {
    size = fromMemory.size;
    for (const { name, value } of assignments) {
      if (namesIn(value).some((inner) => fromMemory.has(inner.name))) fromMemory.add(name);
    }
  }
}

function leaves(body: Statement): boolean {
  let returns = false;
  everyStatement(body, (statement) => {
    if (statement.kind === 'return') returns = true;
  });
  return returns || jumps(body, 'break');
}

/** A `break` or `continue` that belongs to the loop around `body`, not to one inside it. */
export function jumps(body: Statement, kind: 'break' | 'continue'): boolean {
  switch (body.kind) {
    case kind:
      return true;
    case 'block':
      return body.body.some((inner) => jumps(inner, kind));
    case 'if':
      return jumps(body.then, kind) || (body.otherwise !== null && jumps(body.otherwise, kind));
    default:
      return false;
  }
}

/**
 * The assignments to `name` that every pass through the loop makes exactly once: its step, and
 * statements directly in its body, unless a `continue` may pass them by. null when the name is
 * also changed anywhere else.
 */
export function straightAssignments(loop: LoopNode, name: string): readonly AssignNode[] | null {
  const direct: AssignNode[] = [];
  const statements = loop.body.kind === 'block' ? loop.body.body : [loop.body];
  for (const statement of jumps(loop.body, 'continue') ? [] : statements) {
    if (statement.kind === 'expression') addAssignment(statement.expression, name, direct);
  }
  if (loop.step !== null) addAssignment(loop.step, name, direct);
  let all = 0;
  const count = (node: Expression): void => {
    const changed =
      node.kind === 'assign'
        ? withoutParens(node.target)
        : node.kind === 'unary' && node.operator === '&'
          ? node.operand
          : null;
    if (changed?.kind === 'name' && changed.name === name) all++;
  };
  everyExpressionIn(loop.body, count);
  if (loop.condition !== null) everyExpression(loop.condition, count);
  if (loop.step !== null) everyExpression(loop.step, count);
  return all === direct.length ? direct : null;
}

function addAssignment(node: Expression, name: string, list: AssignNode[]): void {
  if (node.kind === 'assign' && node.target.kind === 'name' && node.target.name === name) {
    list.push(node);
  }
}
