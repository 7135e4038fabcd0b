/**
 * Padding inside an allocation: from some field on, everything begins a cache line later, so that
 * what the device writes and what the CPU writes no longer share one. The accesses stay as they
 * are, to the same fields at their new offsets, which Relocation tells to whoever compares.
 * Leaves out: memory that is indexed by anything but constants, and pages.
 */
import type { Expression } from '../litmus/ast.js';
import { everyExpressionIn, withoutParens } from '../litmus/walk.js';
import type { Draft, Patch, Relocation } from './edit.js';
import type { Root } from './names.js';
import { draft, type Scene, statementSpot } from './scene.js';

/** A constant that is added to the memory's first address. */
interface Offset {
  readonly bytes: number;
  readonly node: Expression;
  readonly element: number;
}

export function paddings(scene: Scene): readonly Draft[] {
  return scene.names.roots.flatMap((root) => {
    if (!/^k[mz]alloc$/u.test(root.call.callee)) return [];
    const offsets = offsetsInto(scene, root);
    if (offsets === null || root.size === null) return [];
    const starts = [...new Set(offsets.map(({ bytes }) => bytes))].sort((a, b) => a - b);
    return starts.flatMap((from) => padded(scene, root, offsets, from) ?? []);
  });
}

/** Null where an offset is not constant, or a name stands for other memory too. */
function offsetsInto(scene: Scene, root: Root): readonly Offset[] | null {
  const elements = new Map<string, number>();
  for (const { name, kind, root: other, element } of scene.names.all) {
    if (kind === 'ptr' && other === root) elements.set(name, element);
  }
  const isShared = scene.names.all.some(
    ({ name, root: other }) => elements.has(name) && other !== root,
  );
  if (isShared) return null;
  const offsets: Offset[] = [];
  let constant = true;
  const note = (pointer: Expression, node: Expression): void => {
    const plain = withoutParens(pointer);
    const element = plain.kind === 'name' ? elements.get(plain.name) : undefined;
    if (element === undefined) return;
    if (node.kind !== 'number') constant = false;
    else offsets.push({ bytes: node.value * element, node, element });
  };
  for (const item of scene.source.tree.items) {
    if (item.kind !== 'thread') continue;
    everyExpressionIn(item.body, (node) => {
      if (node.kind === 'index') note(node.pointer, node.index);
      if (node.kind === 'binary' && node.operator === '+') note(node.left, node.right);
    });
  }
  return constant ? offsets : null;
}

function padded(
  scene: Scene,
  root: Root,
  offsets: readonly Offset[],
  from: number,
): Draft | null {
  const { lineSize } = scene.machine;
  const whole = (bytes: number): number => Math.ceil(bytes / lineSize) * lineSize;
  const by = whole(from) - from;
  const size = scene.names.argument(root.call, 'size');
  const statement = scene.source.statements.find(({ calls }) => calls.includes(root.call));
  const old = root.size ?? 0;
  if (by === 0 || from >= old || size === null || statement === undefined) return null;
  if (offsets.some(({ element }) => by % element !== 0)) return null;
  const moved = offsets.filter(({ bytes }) => bytes >= from);
  const patches = moved.map(({ node, bytes, element }) =>
    replaced(scene, node, `${(bytes + by) / element}`),
  );
  const bytes = whole(old + by);
  const relocation: Relocation = { root: root.id, from, by };
  return {
    ...draft({
      kind: 'change',
      operation: root.call.callee,
      title:
        `\`${bytes}\` for \`${scene.source.textOf(size)}\` in \`${root.call.callee}\` in line ` +
        `${statement.line}: ${by} bytes of padding before offset ${from}`,
      patches: [replaced(scene, size, `${bytes}`), ...patches],
      spots: [statementSpot(statement)],
      root,
      line: statement.line,
      slots: [`size ${root.id}`],
      runtime: 0,
      extra: scene.costs.allocation,
    }),
    relocation,
  };
}

function replaced(scene: Scene, node: Expression, text: string): Patch {
  const from = scene.source.offset(node.at);
  return { from, to: from + node.at.length, text };
}
