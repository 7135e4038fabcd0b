/**
 * Tables over a buffer's pages (struct sg_table), and dma_map_sgtable() and dma_unmap_sgtable() of
 * them as functions of objects call those: the scenario's own version runs there too.
 * Callers (v6.12): drm_gem_shmem_helper.c, msm/msm_gem.c, drm_prime.c, system_heap.c,
 * videobuf2-dma-sg.c. Leaves out: what drivers map by themselves (ops/scatterlist.ts).
 */
import { int } from './args.js';
import { DMA_ATTR_SKIP_CPU_SYNC } from './constants.js';
import type { KernelContext } from './context.js';
import { dmaMap, dmaUnmap } from './dma.js';
import { objectId } from './ids.js';
import { wholeBuffer } from './maintenance.js';
import { overridden, overriddenValue } from './overrides.js';
import { framesIn } from './pages.js';
import type { Buffer, DmaMapping, SgEntry, Sgt } from './state.js';
import type { Value } from './value.js';

/** A table over all pages of an object, as they are now. */
export function makeSgt(context: KernelContext, buffer: Buffer, mapping: number): Value {
  return { kind: 'sgt', id: addTable(context, [wholeEntry(context, buffer)], mapping) };
}

export function wholeEntry(context: KernelContext, buffer: Buffer): SgEntry {
  const { id, size } = buffer;
  const frames = framesIn(context, buffer, 0, size);
  return { buffer: id, offset: 0, size, frames, perPage: !buffer.contiguous };
}

/** A table made again by the same call takes the place of the last one, unless that is mapped. */
export function addSgt(
  context: KernelContext,
  entries: readonly SgEntry[],
  mapping: number,
): Value {
  return { kind: 'sgt', id: addTable(context, entries, mapping) };
}

function addTable(context: KernelContext, entries: readonly SgEntry[], mapping: number): number {
  const { sgts, mappings } = context.kernel;
  const mapped = (table: Sgt): boolean => mappings.some((each) => each.id === table.mapping);
  const id = objectId(context, (each) => sgts.some((table) => table.id === each && mapped(table)));
  const others = sgts.filter((table) => table.id !== id);
  context.update({ sgts: [...others, { id, entries, mapping }] });
  return id;
}

export interface TableCall {
  readonly device: number;
  readonly direction: number;
  readonly attrs: number;
  /** See MapRequest. */
  readonly shared?: boolean;
}

function deviceValue({ device }: TableCall): Value {
  return { kind: 'device', id: device };
}

/** A table over all of an object, mapped; its number, or null where the mapping fails. */
export function mapObject(context: KernelContext, buffer: Buffer, call: TableCall): number | null {
  const { device, direction, attrs, shared = false } = call;
  if (context.overrides.has('dma_map_sgtable')) {
    const id = addTable(context, [wholeEntry(context, buffer)], -1);
    const args = [deviceValue(call), { kind: 'sgt', id } as const, direction, attrs];
    return int(overriddenValue(context, 'dma_map_sgtable', args)) === 0 ? id : null;
  }
  const ranges = [wholeBuffer(buffer)];
  const mapping = dmaMap(context, { device, ranges, direction, attrs, type: 'sg', shared });
  if (mapping === null) return null;
  return addTable(context, [wholeEntry(context, context.buffer(buffer.id))], mapping.id);
}

/** dma_unmap_sgtable(), which is dma_unmap_sg_attrs() (include/linux/dma-mapping.h). */
export function unmapTable(context: KernelContext, id: number, call: TableCall): void {
  const table = context.kernel.sgts.find((each) => each.id === id);
  const mapping = context.kernel.mappings.find((each) => each.id === table?.mapping);
  const sgt = { kind: 'sgt', id } as const;
  const { direction, attrs } = call;
  if (table !== undefined) {
    const start = [deviceValue(call), sgt] as const;
    if (overridden(context, 'dma_unmap_sgtable', [...start, direction, attrs])) return;
    const nents = mapping?.nents ?? 1;
    if (overridden(context, 'dma_unmap_sg_attrs', [...start, nents, direction, attrs])) return;
  }
  if (mapping !== undefined) unmapWhole(context, mapping, direction, attrs);
}

/** The mapping with the size that it was made with. */
export function unmapWhole(
  context: KernelContext,
  { device, address, size }: DmaMapping,
  direction: number,
  attrs: number,
): void {
  dmaUnmap(context, { device, address, size, direction, attrs, type: 'sg' });
}

/** The attributes of a mapping that somebody made before. */
export function attrsOfTable(context: KernelContext, id: number): number {
  const table = context.kernel.sgts.find((each) => each.id === id);
  const mapping = context.kernel.mappings.find((each) => each.id === table?.mapping);
  return (mapping?.attrs ?? 0) & DMA_ATTR_SKIP_CPU_SYNC;
}
