/**
 * Objects that come with memory and a mapping of the DMA API of their own: what DRM's DMA helper,
 * videobuf2 and TTM share. Leaves out: how each allocates.
 */
import { fail } from '../args.js';
import type { KernelContext } from '../context.js';
import { endMapping, type SyncPart, syncPieces } from '../dma.js';
import { overridden, syncsTable } from '../overrides.js';
import { releasePages } from '../pages.js';
import type { Buffer, CpuMap, DmaMapping } from '../state.js';

/** The mapping over an object's memory; fails where there is none. */
export function mappingOf(context: KernelContext, buffer: Buffer): DmaMapping {
  const own = context.kernel.mappings.find((each) => each.pieces[0]?.buffer === buffer.id);
  return own ?? fail(context, 'this object is not mapped for its device');
}

/** The kernel's own address of an object's memory; undefined without one. */
export function kernelMapOf(context: KernelContext, buffer: Buffer): CpuMap | undefined {
  return context.kernel.maps.find(
    ({ buffer: id, kind, live }) => id === buffer.id && live && kind !== 'mmap',
  );
}

/** Parts of a mapping that lie in a byte range of its memory. */
export function partsIn(mapping: DmaMapping, from: number, size: number): readonly SyncPart[] {
  return mapping.pieces.flatMap((piece): readonly SyncPart[] => {
    const start = Math.max(piece.offset, from);
    const end = Math.min(piece.offset + piece.size, from + size);
    return start < end ? [{ piece, from: start, size: end - start }] : [];
  });
}

/** dma_sync_single_for_* of each part. */
export function syncParts(
  context: KernelContext,
  device: number,
  parts: readonly SyncPart[],
  direction: number,
  to: 'cpu' | 'device',
): void {
  const name = `dma_sync_single_for_${to}`;
  if (!context.overrides.has(name)) {
    syncPieces(context, { device, direction, to }, parts);
    return;
  }
  for (const { piece, from, size } of parts) {
    const address = piece.address + (from - piece.offset);
    overridden(context, name, [{ kind: 'device', id: device }, address, size, direction]);
  }
}

/** dma_sync_sgtable_for_* of the whole. */
export function syncWhole(context: KernelContext, buffer: Buffer, to: 'cpu' | 'device'): void {
  const { device, direction, pieces, id } = mappingOf(context, buffer);
  const table = context.kernel.sgts.find((each) => each.mapping === id);
  if (table !== undefined && syncsTable(context, to, device, table, direction)) return;
  const parts = pieces.map((piece) => ({ piece, from: piece.offset, size: piece.size }));
  syncPieces(context, { device, direction, to }, parts);
}

/** dma_free_*: kernel address, mapping and pages go; nothing is maintained. */
export function freeMapped(context: KernelContext, buffer: Buffer): void {
  const mapping = mappingOf(context, buffer);
  freeWith(context, buffer, () => endMapping(context, mapping, mapping.size));
}

export function freeWith(context: KernelContext, buffer: Buffer, unmap: () => void): void {
  const maps = context.kernel.maps.map((each) =>
    each.buffer === buffer.id && each.kind !== 'linear'
      ? { ...each, live: false, present: [] }
      : each,
  );
  context.update({ maps });
  unmap();
  releasePages(context, buffer.id);
  context.setBuffer({ ...context.buffer(buffer.id), gone: 'freed' });
}
