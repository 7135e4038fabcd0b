/**
 * MAP_PRIVATE (K3): the first store through the mapping copies what it shows into memory of the
 * process's own; from then on neither side sees the other. So it is after fork() (fork.ts).
 * Source: mm/memory.c (do_wp_page, wp_page_copy, __wp_page_copy_user: through the user's mapping,
 * into a page that is written through the linear map).
 * Leaves out: page by page: here the whole mapping is copied at once.
 */
import type { KernelContext } from './context.js';
import { mapOf } from './cpu-maps.js';
import { breakSharing, copyFor } from './fork.js';

/** Before a store: where the mapping is private and not copied yet, it is now. */
export function unshare(
  context: KernelContext,
  pointer: { readonly map: number; readonly offset: number },
): void {
  const map = mapOf(context, pointer.map);
  if (map?.forked !== undefined && map.live) {
    breakSharing(context, map);
    return;
  }
  if (map?.copyOnWrite !== true || !map.live) return;
  copyFor(context, map);
  context.note('no-op', 'K3', 'MAP_PRIVATE: a copy of its own from here on, which no device sees');
}
