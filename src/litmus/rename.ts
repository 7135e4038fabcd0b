/**
 * A block of statements with other names for some of its variables: what an override declares must
 * not meet the variables of the thread that it is put into. Places stay as they are.
 */
import type { BlockNode, Expression, OptionNode, Statement } from './ast.js';

type NewName = (name: string) => string;

export function renameBlock(block: BlockNode, newName: NewName): BlockNode {
  return { ...block, body: block.body.map((each) => renameStatement(each, newName)) };
}

function renameStatement(node: Statement, newName: NewName): Statement {
  const inner = (each: Statement): Statement => renameStatement(each, newName);
  const value = (each: Expression): Expression => renameExpression(each, newName);
  switch (node.kind) {
    case 'declaration':
      return {
        ...node,
        declarators: node.declarators.map((each) => ({
          ...each,
          name: newName(each.name),
          value: each.value && value(each.value),
        })),
      };
    case 'block':
      return renameBlock(node, newName);
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

function renameExpression(node: Expression, newName: NewName): Expression {
  const value = (each: Expression): Expression => renameExpression(each, newName);
  const option = (each: OptionNode): OptionNode => ({ ...each, value: value(each.value) });
  switch (node.kind) {
    case 'number':
    case 'sizeof':
      return node;
    case 'name':
      return { ...node, name: newName(node.name) };
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
    case 'call':
      return { ...node, args: node.args.map(value), options: node.options.map(option) };
  }
}
