/**
 * Names of kernel objects: an object is called after the call that made it (ADR-6). A call that
 * makes one while its last one still lives gets the next free name; a dead one's name is free
 * again, as its address would be.
 * Leaves out: buffers, whose words belong to the layout: a call makes one of them.
 */
import type { KernelContext } from './context.js';

/** Far beyond the number of instructions of any scenario. */
const ID_STRIDE = 2 ** 20;

/** Id for an object the running call makes; `lives`: some live object of its kind has this id. */
export function objectId(context: KernelContext, lives: (id: number) => boolean): number {
  let id = context.step.site;
  while (lives(id)) id += ID_STRIDE;
  return id;
}

/** Which call made an object, and how many of its objects were alive before it. */
export function originOf(id: number): { site: number; nth: number } {
  return { site: id % ID_STRIDE, nth: Math.floor(id / ID_STRIDE) };
}
