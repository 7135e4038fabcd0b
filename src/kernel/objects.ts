/**
 * What an object is where a word was destroyed for another one's sake (H10, docs/model.md).
 * Leaves out: whether it was (context.ts).
 */
import type { KernelContext } from './context.js';
import type { Cell } from './layout.js';
import type { Piece } from './state.js';

/** Beyond the ids of mappings. */
const IOVAS = 2 ** 40;

/** Words under one streaming mapping are one object; any other word is one of its own (M1). */
export function objectOf({ machine, kernel }: KernelContext, cell: Cell): number {
  const byte = cell.page * machine.pageSize + cell.offset;
  const covers = ({ buffer, offset, size }: Piece): boolean =>
    buffer === cell.buffer && byte >= offset && byte < offset + size;
  const mapping = kernel.mappings.find(
    (each) => (each.type === 'single' || each.type === 'page') && each.pieces.some(covers),
  );
  if (mapping !== undefined) return mapping.id;
  const linked = kernel.iovas.find(({ pieces }) => pieces.some(covers));
  return linked === undefined ? -1 - cell.id : IOVAS + linked.id;
}
