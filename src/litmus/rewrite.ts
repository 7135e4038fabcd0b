/**
 * Syntax trees made anew around other parts: a node with what the given functions make of the
 * expressions and statements in it. Places stay as they are.
 * Leaves out: what to change; who rewrites looks at the nodes that concern it, and hands the rest
 * on.
 */
import type { Expression, Statement } from './ast.js';

/** The expression with these in place of those directly in it. */
export function withOperands(
  node: Expression,
  value: (operand: Expression) => Expression,
): Expression {
  switch (node.kind) {
    case 'number':
    case 'name':
    case 'sizeof':
      return node;
    case 'paren':
      return { ...node, inner: value(node.inner) };
    case 'unary':
    case 'cast':
      return { ...node, operand: value(node.operand) };
    case 'binary':
      return { ...node, left: value(node.left), right: value(node.right) };
    case 'assign':
      return { ...node, target: value(node.target), value: value(node.value) };
    case 'ternary': {
      const then = value(node.then);
      const otherwise = value(node.otherwise);
      return { ...node, condition: value(node.condition), then, otherwise };
    }
    case 'index':
      return { ...node, pointer: value(node.pointer), index: value(node.index) };
    case 'call': {
      const options = node.options.map((each) => ({ ...each, value: value(each.value) }));
      return { ...node, args: node.args.map(value), options };
    }
  }
}

/** The statement with these in place of the statements and expressions directly in it. */
export function withParts(
  node: Statement,
  inner: (statement: Statement) => Statement,
  value: (expression: Expression) => Expression,
): Statement {
  switch (node.kind) {
    case 'declaration': {
      const declarators = node.declarators.map((each) => ({
        ...each,
        value: each.value && value(each.value),
      }));
      return { ...node, declarators };
    }
    case 'block':
      return { ...node, body: node.body.map(inner) };
    case 'if': {
      const then = inner(node.then);
      const otherwise = node.otherwise && inner(node.otherwise);
      return { ...node, condition: value(node.condition), then, otherwise };
    }
    case 'loop':
      return {
        ...node,
        init: node.init && inner(node.init),
        condition: node.condition && value(node.condition),
        step: node.step && value(node.step),
        body: inner(node.body),
      };
    case 'expression':
      return { ...node, expression: value(node.expression) };
    case 'return':
      return { ...node, value: node.value && value(node.value) };
    default:
      return node;
  }
}
