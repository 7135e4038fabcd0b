/**
 * What drm/msm does around its pages: for a write-combined object get_pages maps the table
 * BIDIRECTIONAL for the clean that comes with it, put_pages unmaps it for the invalidate.
 * Source: drivers/gpu/drm/msm/msm_gem.c (v6.12): get_pages, put_pages, sync_for_device and
 * sync_for_cpu.
 */
import { DMA_BIDIRECTIONAL } from './constants.js';
import type { KernelContext } from './context.js';
import { mapObject, unmapTable } from './sg-tables.js';
import type { Buffer } from './state.js';

/** update_lru: the object goes to the tail of its list, where it is reclaimed last. */
export function usedNow(context: KernelContext, buffer: Buffer): void {
  if (buffer.kind !== 'msm') return;
  const { lru } = context.kernel;
  if (lru.at(-1) === buffer.id) return;
  context.update({ lru: [...lru.filter((each) => each !== buffer.id), buffer.id] });
}

/** get_pages: the pages are the driver's from now on, pinned or not; new ones are cleaned. */
export function msmGetPages(context: KernelContext, buffer: Buffer): void {
  usedNow(context, buffer);
  if (buffer.kind !== 'msm' || buffer.held) return;
  context.setBuffer({ ...buffer, held: true });
  if (!buffer.mapWc || buffer.device < 0) return;
  const { device } = buffer;
  const sgt = mapObject(context, buffer, { device, direction: DMA_BIDIRECTIONAL, attrs: 0 });
  // sync_for_device() does not look at what dma_map_sgtable() returned.
  if (sgt === null) return;
  context.setBuffer({ ...context.buffer(buffer.id), sgt });
}

/** put_pages: the mapping for the clean ends (an invalidate), the pages go back to shmem. */
export function msmPutPages(context: KernelContext, buffer: Buffer): void {
  if (buffer.kind !== 'msm') return;
  const { device, sgt } = buffer;
  context.setBuffer({ ...buffer, held: false, sgt: -1 });
  if (sgt < 0) return;
  unmapTable(context, sgt, { device, direction: DMA_BIDIRECTIONAL, attrs: 0 });
  context.update({ sgts: context.kernel.sgts.filter(({ id }) => id !== sgt) });
}
