/**
 * TTM's pages (K1, K7), and its swapping (K2): the CPU copies each page to a shmem file and back,
 * through the linear map, whatever the object's caching is. The copies are no ideal stores.
 * Sources (v6.12): drivers/gpu/drm/ttm/ttm_bo.c:ttm_bo_swapout, ttm_tt.c (ttm_tt_swapout: copies,
 * then unpopulates; ttm_tt_populate: pages from the pool, mapped for the device by then, and
 * ttm_tt_swapin after that).
 * Leaves out: that the pages of the shmem file may be swapped in their turn.
 */
import { pushEntries } from './access.js';
import { DMA_BIDIRECTIONAL } from './constants.js';
import type { KernelContext } from './context.js';
import { dmaMap } from './dma.js';
import { setLinearAttribute } from './linear-map.js';
import { wholeBuffer } from './maintenance.js';
import { allocatePages, copyOut, emptyPages, pageLayouts, swapInPage } from './pages.js';
import { profileOf } from './profile.js';
import type { Buffer } from './state.js';

/** What the words of a buffer's pages are in the file: by page, line and word. */
export type Saved = readonly (readonly (readonly number[])[])[];

/** Reads the pages, and forgets them once the work queued by then is done. */
export function copyToFile(context: KernelContext, id: number): void {
  context.update({ files: [...context.kernel.files, { buffer: id, lines: copyOut(context, id) }] });
  context.say('K2', () => 'pages copied to a shmem file through the linear map');
}

/** ttm_tt_populate(): pages, their caching, their mapping, and only then what the file holds. */
export function populateTtm(context: KernelContext, buffer: Buffer): void {
  if (buffer.pins > 0) return;
  const { id, attribute = 'WB' } = buffer;
  const swapped = context.kernel.files.some((each) => each.buffer === id);
  if (swapped) freshPages(context, id);
  else allocatePages(context, id, true);
  const now = context.buffer(id);
  context.setBuffer({ ...now, pins: 1 });
  if (attribute !== 'WB' && profileOf(context).tracksMemoryType) {
    setLinearAttribute(context, wholeBuffer(now), attribute);
  }
  if (buffer.mapsPages === true) mapPages(context, context.buffer(id));
  if (swapped) queueCopyBack(context, id);
}

/** ttm_pool_map() */
function mapPages(context: KernelContext, buffer: Buffer): void {
  dmaMap(context, {
    device: buffer.device,
    ranges: [wholeBuffer(buffer)],
    direction: DMA_BIDIRECTIONAL,
    attrs: context.skipSyncAttrs(),
    type: 'sg',
  });
}

export function forgetFile(context: KernelContext, id: number): void {
  context.update({ files: context.kernel.files.filter((each) => each.buffer !== id) });
}

/** New pages, still without what the file holds. */
function freshPages(context: KernelContext, id: number): void {
  for (const index of emptyPages(context, id)) swapInPage(context, id, index, [], 'new');
}

/** The work of ttm_tt_swapin(): copies by the CPU, behind what is queued before. */
function queueCopyBack(context: KernelContext, id: number): void {
  const file = context.kernel.files.find((each) => each.buffer === id);
  if (file === undefined) return;
  context.queue({ do: 'copy-back', buffer: id, lines: file.lines });
  forgetFile(context, id);
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
        const place = { frame, line, word, cell: cell.id, at: context.step.site };
        return { kind: 'store', attribute, ...place, value, own } as const;
      });
      pushEntries(context, entries);
    });
  });
  context.say('K2', () => 'copied back from the shmem file through the linear map');
}

