/**
 * What drm/msm does around its pages: for a write-combined object get_pages maps the table
 * BIDIRECTIONAL for the clean that comes with it, put_pages unmaps it for the invalidate.
 * Source: drivers/gpu/drm/msm/msm_gem.c: get_pages, put_pages, sync_for_device, sync_for_cpu (v6.12).
 */
import { DMA_BIDIRECTIONAL } from './constants.js';
import type { KernelContext } from './context.js';
import { dmaMap, dmaUnmap } from './dma.js';
import { wholeBuffer } from './maintenance.js';
import type { Buffer } from './state.js';

export function msmSyncForDevice(context: KernelContext, buffer: Buffer): void {
  if (buffer.kind !== 'msm' || !buffer.mapWc || buffer.device < 0) return;
  if (msmMapping(context, buffer) !== undefined) return;
  dmaMap(context, {
    device: buffer.device,
    range: wholeBuffer(buffer),
    direction: DMA_BIDIRECTIONAL,
    attrs: 0,
    type: 'sg',
  });
}

export function msmSyncForCpu(context: KernelContext, buffer: Buffer): void {
  const mapping = msmMapping(context, buffer);
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

function msmMapping(context: KernelContext, buffer: Buffer) {
  if (buffer.kind !== 'msm') return undefined;
  return context.kernel.mappings.find((each) => each.buffer === buffer.id && each.type === 'sg');
}
