/**
 * Statements to instructions. Leaves out loops, which are a matter of their own (lower-loop.ts).
 */
import type { DeclarationNode, Expression, IfNode, Statement } from './ast.js';
import { Label } from './code-writer.js';
import { assignTo, lowerAssign } from './lower-assign.js';
import { lowerCall } from './lower-call.js';
import { lowerCondition } from './lower-expression.js';
import { lowerLoop } from './lower-loop.js';
import { isMemory } from './lower-memory.js';
import { lowerReturn } from './lower-override.js';
import { declaredType } from './symbols.js';
import type { ThreadContext } from './thread-context.js';
import { describeType, isLock, unknownType } from './types.js';
import { jumps, withoutParens } from './walk.js';

export function lowerStatement(context: ThreadContext, node: Statement): void {
  switch (node.kind) {
    case 'declaration':
      lowerDeclaration(context, node);
      break;
    case 'expression':
      lowerEffect(context, node.expression);
      break;
    case 'block':
      context.inBlock(() => {
        for (const inner of node.body) lowerStatement(context, inner);
      });
      break;
    case 'if':
      lowerIf(context, node);
      break;
    case 'loop':
      lowerLoop(context, node, lowerStatement, lowerEffect);
      break;
    case 'break':
    case 'continue': {
      const loop = context.loops[context.loops.length - 1];
      if (loop === undefined) {
        context.diagnostics.error('L043', node.at, `'${node.kind}' outside a loop`);
      } else {
        context.code.jump(node.kind === 'break' ? loop.breakTo : loop.continueTo, node.at);
      }
      break;
    }
    case 'return':
      lowerReturn(context, node);
      break;
    case 'empty':
    case 'broken':
    // Refused before lowering (design.ts), as only an expanded event can be run.
    case 'event':
  }
}

function lowerDeclaration(context: ThreadContext, node: DeclarationNode): void {
  for (const { name, type: typeNode, value, at } of node.declarators) {
    let type = declaredType(typeNode, context.diagnostics);
    if (isLock(type)) {
      context.diagnostics.error('L013', typeNode.at, `${describeType(type)} inside a thread`, {
        expected: 'it at file scope, where every thread sees it',
      });
      type = unknownType;
    }
    // In C the name is already in scope in its initialiser; reading it there is never meant.
    const local = context.declare(name, type, at);
    if (value === null) continue;
    const target = { kind: 'local', index: local.index } as const;
    const lowered =
      value.kind === 'assign' && !value.postfix
        ? lowerAssign(context, value)
        : context.lower(value, { target, type });
    assignTo(context, { target, type }, lowered, at);
  }
}

/** An expression that stands as a statement: it must do something. */
function lowerEffect(context: ThreadContext, node: Expression): void {
  const inner = withoutParens(node);
  const isVoid = inner.kind === 'cast' && inner.type.base === 'void' && inner.type.pointers === 0;
  if (isVoid) {
    lowerEffect(context, inner.operand);
  } else if (inner.kind === 'assign') {
    lowerAssign(context, inner);
  } else if (inner.kind === 'call') {
    lowerCall(context, inner, undefined, false);
  } else {
    context.lower(inner);
    if (isMemory(inner) || inner.kind === 'ternary') return;
    context.diagnostics.error('L010', inner.at, 'this statement does nothing', {
      expected: 'an assignment or a call',
    });
  }
}

function lowerIf(context: ThreadContext, node: IfNode): void {
  const otherwise = new Label();
  const loop = context.loops[context.loops.length - 1];
  const leaves =
    jumps(node.then, 'break') || (node.otherwise !== null && jumps(node.otherwise, 'break'));
  lowerCondition(context, node.condition, otherwise, loop?.endless === true && leaves);
  context.inBlock(() => lowerStatement(context, node.then));
  if (node.otherwise === null) {
    context.code.place(otherwise);
    return;
  }
  const end = new Label();
  const alternative = node.otherwise;
  context.code.jump(end, node.at);
  context.code.place(otherwise);
  context.inBlock(() => lowerStatement(context, alternative));
  context.code.place(end);
}
