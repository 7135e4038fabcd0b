/**
 * A block of statements with other names for some of its variables: what an override declares must
 * not meet the variables of the thread that it is put into. Places stay as they are. What an
 * override stores through, `*dma_handle`, is a variable of its own: `dma_handle` is its address.
 */
import type { BlockNode, Expression, Statement } from './ast.js';
import { withOperands, withParts } from './rewrite.js';
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
  const renamed = withParts(node, inner, value);
  if (renamed.kind !== 'declaration') return renamed;
  const declarators = renamed.declarators.map((each) => ({ ...each, name: newName(each.name) }));
  return { ...renamed, declarators };
}

function renameExpression(node: Expression, newName: NewName, stored: Names): Expression {
  if (node.kind === 'name') {
    const renamed = { ...node, name: newName(node.name) };
    if (!stored.has(node.name)) return renamed;
    return { kind: 'unary', operator: '&', operand: renamed, at: node.at };
  }
  if (node.kind === 'unary') {
    const inside = withoutParens(node.operand);
    if (node.operator === '*' && inside.kind === 'name' && stored.has(inside.name)) {
      return { ...inside, name: newName(inside.name) };
    }
  }
  return withOperands(node, (each) => renameExpression(each, newName, stored));
}
