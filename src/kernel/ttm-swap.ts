/**
 * TTM's swapping (K2, K7): the CPU copies each page to a shmem file and back, through the linear
 * map, whatever the object's caching is. The copies are no ideal stores.
 * Sources (v6.12): drivers/gpu/drm/ttm/ttm_bo.c:ttm_bo_swapout, ttm_tt.c (ttm_tt_swapout: copies,
 * then unpopulates; ttm_tt_populate: pages from the pool, mapped for the device by then, and
 * ttm_tt_swapin after that).
 * Leaves out: that the pages of the shmem file may be swapped in their turn.
 */
import { pushEntries } from './access.js';
import type { KernelContext } from './context.js';
import { copyOut, emptyPages, pageLayouts, swapInPage } from './pages.js';

/** What the words of a buffer's pages are in the file: by page, line and word. */
export type Saved = readonly (readonly (readonly number[])[])[];

/** Reads the pages, and forgets them once the work queued by then is done. */
export function copyToFile(context: KernelContext, id: number): void {
  context.update({ files: [...context.kernel.files, { buffer: id, lines: copyOut(context, id) }] });
  context.say('K2', () => 'pages copied to a shmem file through the linear map');
}

/** New pages, still without what the file holds. */
export function freshPages(context: KernelContext, id: number): void {
  for (const index of emptyPages(context, id)) swapInPage(context, id, index, [], 'new');
}

/** The work of ttm_tt_swapin(): copies by the CPU, behind what is queued before. */
export function queueCopyBack(context: KernelContext, id: number): boolean {
  const file = context.kernel.files.find((each) => each.buffer === id);
  if (file === undefined) return false;
  context.queue({ do: 'copy-back', buffer: id, lines: file.lines });
  context.update({ files: context.kernel.files.filter((each) => each !== file) });
  return true;
}

export function copyBack(context: KernelContext, id: number, saved: Saved): void {
  const { pages } = context.buffer(id);
  pageLayouts(context, id).forEach((layout, i) => {
    const slot = pages[i];
    const frame = slot?.state === 'resident' ? slot.frame : -1;
    const attribute = context.frame(frame)?.linearAs ?? 'WB';
    layout.lines.forEach(({ cells }, line) => {
      context.touch(frame, line, attribute === 'WB');
      const own = context.hasTouched(frame, line);
      const entries = cells.map((cell, word) => {
        const value = saved[i]?.[line]?.[word] ?? 0;
        const at = context.step.site;
        return { kind: 'store', attribute, frame, line, word, cell: cell.id, value, own, at } as const;
      });
      pushEntries(context, entries);
    });
  });
  context.say('K2', () => 'copied back from the shmem file through the linear map');
}

