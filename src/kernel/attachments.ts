/**
 * Attachments of dma-bufs (K8): a device joins a buffer, gets it mapped, and leaves.
 * Sources (v6.12): drivers/dma-buf/dma-buf.c (dma_buf_attach, dma_buf_map_attachment,
 * dma_buf_detach), heaps/system_heap.c, drivers/gpu/drm/drm_prime.c (cache_sgt_mapping),
 * drivers/media/common/videobuf2 (vb2_dc_dmabuf_ops_map, vb2_dma_sg_dmabuf_ops_map).
 * Leaves out: what the calls are named (ops/dma-buf.ts).
 */
import { fail } from './args.js';
import { DMA_ATTR_SKIP_CPU_SYNC, DMA_BIDIRECTIONAL } from './constants.js';
import type { KernelContext } from './context.js';
import { objectId } from './ids.js';
import { getPages, putPages } from './ops/gem-parts.js';
import { attrsOfTable, mapObject, unmapTable } from './sg-tables.js';
import type { Attachment, Buffer } from './state.js';
import { populateTtm } from './ttm.js';

/**
 * drm_gem_map_attach pins a GEM object's pages; the system heap holds its own anyway. Where only
 * one side can move, the buffer is pinned and mapped now, until the device leaves.
 */
export function attachDevice(
  context: KernelContext,
  buffer: Buffer,
  device: number,
  dynamic = false,
): number {
  const moves = buffer.dynamic === true;
  if (!dynamic || !moves) hold(context, buffer);
  const { attachments } = context.kernel;
  const id = objectId(context, (each) => attachments.some((other) => other.id === each));
  const plain = { id, buffer: buffer.id, device, dynamic };
  const added: Attachment = { ...plain, sgt: -1, dir: -1, mapped: false };
  context.update({ attachments: [...attachments, added] });
  if (dynamic !== moves && mapAttached(context, id, DMA_BIDIRECTIONAL) !== null) {
    setAttachment(context, { ...attachmentOf(context, id), mapped: false });
  }
  return id;
}

/** Its pages stay as long as the buffer is there. */
function ownsPages({ kind }: Buffer): boolean {
  return kind === 'heap' || kind === 'udmabuf';
}

function hold(context: KernelContext, buffer: Buffer): void {
  if (buffer.kind === 'ttm') pinBuffer(context, buffer, 1);
  else if (!ownsPages(buffer)) getPages(context, buffer);
}

/** ttm_bo_pin() and ttm_bo_unpin(): a pinned object has pages, and keeps them. */
export function pinBuffer(context: KernelContext, buffer: Buffer, by: 1 | -1): void {
  if (by > 0) populateTtm(context, buffer);
  const now = context.buffer(buffer.id);
  const pinned = (now.pinned ?? 0) + by;
  if (pinned < 0) context.contract('unpins a buffer that is not pinned');
  else context.setBuffer({ ...now, pinned });
}

export function attachmentOf(context: KernelContext, id: number): Attachment {
  return context.kernel.attachments.find((each) => each.id === id) ?? fail(context, 'not attached');
}

function setAttachment(context: KernelContext, next: Attachment): void {
  context.update({
    attachments: context.kernel.attachments.map((each) => (each.id === next.id ? next : each)),
  });
}

/** Exporters whose map_dma_buf maintains the cache; GEM's (drm_prime.c) and vb2-dc's skip it. */
export function mapsWithSync({ kind }: Buffer): boolean {
  return kind === 'heap' || kind === 'udmabuf' || kind === 'vb2-sg';
}

/**
 * drm_prime.c, udmabuf and videobuf2 map an attachment once, and unmap it when the device leaves;
 * so does dma-buf.c where one side can move the buffer and the other cannot.
 */
function keepsMapping({ kind, syncsAccess, dynamic }: Buffer, attachment: Attachment): boolean {
  if (attachment.dynamic || dynamic === true) return attachment.dynamic !== (dynamic === true);
  return kind !== 'heap' && syncsAccess !== true;
}

/** Its number; null where the mapping fails, or was made for another direction (-EBUSY). */
export function mapAttached(context: KernelContext, id: number, direction: number): number | null {
  const attachment = attachmentOf(context, id);
  const buffer = context.buffer(attachment.buffer);
  if (buffer.kind === 'ttm') populateTtm(context, buffer);
  if (attachment.sgt >= 0 && keepsMapping(buffer, attachment)) {
    if (fits(buffer, attachment, direction)) {
      context.noop('the attachment is mapped from before: no dma_map, no cache maintenance');
      setAttachment(context, { ...attachment, mapped: true });
      return attachment.sgt;
    }
    if (!isVideobuf(buffer)) {
      context.noop('the attachment is mapped for another direction: -EBUSY');
      return null;
    }
    drop(context, attachment, attachment.dir);
  }
  const attrs = mapsWithSync(buffer) ? 0 : DMA_ATTR_SKIP_CPU_SYNC;
  const sgt = mapObject(context, context.buffer(buffer.id), {
    device: attachment.device,
    direction,
    attrs: attrs | context.skipSyncAttrs(),
    shared: true,
  });
  if (sgt === null) return null;
  setAttachment(context, { ...attachment, sgt, dir: direction, mapped: true });
  return sgt;
}

function isVideobuf({ kind }: Buffer): boolean {
  return kind === 'vb2-dc' || kind === 'vb2-sg';
}

/** dma_buf_map_attachment takes what is mapped BIDIRECTIONAL for anything; videobuf2 does not. */
function fits(buffer: Buffer, { dir }: Attachment, direction: number): boolean {
  return dir === direction || (dir === DMA_BIDIRECTIONAL && !isVideobuf(buffer));
}

export function unmapAttached(
  context: KernelContext,
  id: number,
  table: number,
  direction: number,
): void {
  const attachment = attachmentOf(context, id);
  if (attachment.sgt !== table || !attachment.mapped) {
    context.contract('dma_buf_unmap_attachment of a table that is not mapped');
    return;
  }
  if (keepsMapping(context.buffer(attachment.buffer), attachment)) {
    context.noop('the exporter keeps the mapping until the device detaches');
    setAttachment(context, { ...attachment, mapped: false });
    return;
  }
  drop(context, attachment, direction);
}

/** dma_unmap_sgtable() with the attributes of the map. */
export function drop(context: KernelContext, attachment: Attachment, direction: number): void {
  const { device, sgt } = attachment;
  const attrs = attrsOfTable(context, sgt) | context.skipSyncAttrs();
  unmapTable(context, sgt, { device, direction, attrs });
  setAttachment(context, { ...attachment, sgt: -1, dir: -1, mapped: false });
}

/** drm_gem_map_detach takes the pin back. */
export function detachDevice(context: KernelContext, id: number): void {
  const attachment = attachmentOf(context, id);
  if (attachment.mapped) context.contract('dma_buf_detach of an attachment that is mapped');
  else if (attachment.sgt >= 0) drop(context, attachment, attachment.dir);
  const others = context.kernel.attachments.filter((each) => each.id !== id);
  context.update({ attachments: others });
  const buffer = context.buffer(attachment.buffer);
  if (buffer.gone !== 'no' || (attachment.dynamic && buffer.dynamic === true)) return;
  if (buffer.kind === 'ttm') pinBuffer(context, buffer, -1);
  else if (!ownsPages(buffer)) putPages(context, buffer);
}
