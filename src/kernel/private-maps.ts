/**
 * MAP_PRIVATE (K3): the first store through the mapping copies what it shows into memory of the
 * process's own; from then on neither side sees the other.
 * Source: mm/memory.c (do_wp_page, wp_page_copy, __wp_page_copy_user: through the user's mapping,
 * into a page that is written through the linear map).
 * Leaves out: page by page: here the whole mapping is copied at once; fork.
 */
import { cpuLoad, cpuStore } from './access.js';
import { fail } from './args.js';
import type { KernelContext } from './context.js';
import { changeMap, cpuReach, mapOf } from './cpu-maps.js';
import { newBuffer } from './ops/pages.js';
import { allocatePages, framesIn } from './pages.js';

/** Before a store: where the mapping is private and not copied yet, it is now. */
export function unshare(
  context: KernelContext,
  pointer: { readonly map: number; readonly offset: number },
): void {
  const map = mapOf(context, pointer.map);
  if (map?.copyOnWrite !== true || !map.live) return;
  const original = map.buffer;
  const size = context.buffer(original).size;
  const { id } = newBuffer(context, { kind: 'user', size });
  allocatePages(context, id, true);
  const { pageSize } = context.machine;
  for (const cell of context.layout.cells.filter((each) => each.buffer === original)) {
    const byte = cell.page * pageSize + cell.offset;
    const mine = context.layout.cell(id, byte, cell.size);
    const from = cpuReach(context, { map: map.id, offset: byte }, cell.size);
    const slot = context.buffer(id).pages[context.layout.pageIndex(id, mine.page)];
    if (from.kind === 'again') fail(context, 'MAP_PRIVATE: the pages must be there before');
    if (from.kind !== 'memory' || slot?.state !== 'resident') continue;
    const value = cpuLoad(context, from.destination, from.attribute, false, false);
    cpuStore(context, { frame: slot.frame, cell: mine, refused: null }, 'WB', value);
  }
  const { copyOnWrite: _, ...rest } = mapOf(context, map.id) ?? map;
  const present = framesIn(context, context.buffer(id), 0, size);
  changeMap(context, { ...rest, buffer: id, attribute: 'WB', present });
  context.note('no-op', 'K3', 'MAP_PRIVATE: a copy of its own from here on, which no device sees');
}
