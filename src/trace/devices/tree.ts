/**
 * A device tree as far as coherence needs it: nodes, their names, and of the properties the text,
 * the first cell, and that they are there. Leaves out what else a device tree says.
 */
export interface TreeProperty {
  /** The strings of a string list; empty for other values. */
  readonly strings: readonly string[];
  /** The first cell, null if the value is shorter than one. */
  readonly cell: number | null;
}

export interface TreeNode {
  /** With the unit address, as `smmuv3@9050000`; '' for the root. */
  readonly name: string;
  readonly parent: TreeNode | null;
  readonly properties: Map<string, TreeProperty>;
  readonly children: TreeNode[];
}

export function newNode(name: string, parent: TreeNode | null): TreeNode {
  const node: TreeNode = { name, parent, properties: new Map(), children: [] };
  parent?.children.push(node);
  return node;
}

/** A device tree that cannot be read, with what is wrong and where. */
export class TreeError extends Error {}

export function* allNodes(root: TreeNode): Generator<TreeNode> {
  const rest: TreeNode[] = [root];
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    yield node;
    rest.push(...node.children.toReversed());
  }
}

/** `/soc/smmuv3@9050000` */
export function pathOf(node: TreeNode): string {
  if (node.parent === null) return '/';
  const above = pathOf(node.parent);
  return above === '/' ? `/${node.name}` : `${above}/${node.name}`;
}
