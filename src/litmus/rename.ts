/**
 * A block of statements with other names for some of its variables: what an override declares must
 * not meet the variables of the thread that it is put into. Places stay as they are. What an
 * override stores through, `*dma_handle`, is a variable of its own: `dma_handle` is its address.
 */
import type { BlockNode, Expression, OptionNode, Statement } from './ast.js';
import { withoutParens } from './walk.js';

type NewName = (name: string) => string;
type Names = ReadonlySet<string>;

export function renameBlock(
  block: BlockNode,
  newName: NewName,
  stored: ReadonlySet<string> = new Set(),
): BlockNode {
  return renameBody(block, newName, stored);
}

function renameBody(block: BlockNode, newName: NewName, stored: Names): BlockNode {
  return { ...block, body: block.body.map((each) => renameStatement(each, newName, stored)) };
}

function renameStatement(node: Statement, newName: NewName, stored: Names): Statement {
  const inner = (each: Statement): Statement => renameStatement(each, newName, stored);
  const value = (each: Expression): Expression => renameExpression(each, newName, stored);
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
      return renameBody(node, newName, stored);
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

function renameExpression(node: Expression, newName: NewName, stored: Names): Expression {
  const value = (each: Expression): Expression => renameExpression(each, newName, stored);
  const option = (each: OptionNode): OptionNode => ({ ...each, value: value(each.value) });
  switch (node.kind) {
    case 'number':
    case 'sizeof':
      return node;
    case 'name': {
      const renamed = { ...node, name: newName(node.name) };
      if (!stored.has(node.name)) return renamed;
      return { kind: 'unary', operator: '&', operand: renamed, at: node.at };
    }
    case 'paren':
      return { ...node, inner: value(node.inner) };
    case 'unary': {
      const inside = withoutParens(node.operand);
      if (node.operator === '*' && inside.kind === 'name' && stored.has(inside.name)) {
        return { ...inside, name: newName(inside.name) };
      }
      return { ...node, operand: value(node.operand) };
    }
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
