/**
 * What drm/msm does around its pages: for a write-combined object get_pages maps the table
 * BIDIRECTIONAL for the clean that comes with it, put_pages unmaps it for the invalidate.
 * Source: drivers/gpu/drm/msm/msm_gem.c (v6.12): get_pages, put_pages, sync_for_device and
 * sync_for_cpu.
 */
import { DMA_BIDIRECTIONAL } from './constants.js';
import type { KernelContext } from './context.js';
import { dmaMap, dmaUnmap } from './dma.js';
import { wholeBuffer } from './maintenance.js';
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
  const mapping = dmaMap(context, {
    device: buffer.device,
    ranges: [wholeBuffer(buffer)],
    direction: DMA_BIDIRECTIONAL,
    attrs: 0,
    type: 'sg',
  });
  // sync_for_device() does not look at what dma_map_sgtable() returned.
  if (mapping === null) return;
  context.setBuffer({ ...context.buffer(buffer.id), sgt: mapping.id });
}

/** put_pages: the mapping for the clean ends (an invalidate), the pages go back to shmem. */
export function msmPutPages(context: KernelContext, buffer: Buffer): void {
  if (buffer.kind !== 'msm') return;
  const mapping = context.kernel.mappings.find((each) => each.id === buffer.sgt);
  context.setBuffer({ ...buffer, held: false, sgt: -1 });
  if (mapping === undefined) return;
  dmaUnmap(context, {
    device: mapping.device,
    address: mapping.address,
    size: mapping.size,
    direction: mapping.direction,
    attrs: 0,
    type: 'sg',
  });
}
