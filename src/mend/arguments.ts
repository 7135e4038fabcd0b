/** Arguments of calls as the text has them. */
import type { CallNode } from '../litmus/ast.js';
import type { Scene } from './scene.js';

/** By the registry's name for it; empty when it was left out. */
export function text(scene: Scene, call: CallNode, param: string): string {
  const node = scene.names.argument(call, param);
  return node === null ? '' : scene.source.textOf(node);
}
