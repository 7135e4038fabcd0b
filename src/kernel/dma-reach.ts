/**
 * Where a device's access arrives when it uses an address of the DMA API, or a raw one (M10, M12).
 * Without an IOMMU nothing confines it: memory answers at every physical address (K5).
 */
import type { KernelContext } from './context.js';
import { deviceConfig, mappingAt, physicalPlace, type Place } from './dma-address.js';
import { asMeant, dmaDomain, outside, refusal, translate, type Reached } from './iommu.js';

/** Where a device's access at a DMA API address arrives. */
export function deviceReach(
  context: KernelContext,
  device: number,
  address: number,
  size: number,
  right: number,
): Reached {
  if (deviceConfig(context, device).iommu) {
    return translate(context, dmaDomain(device), address, size, right);
  }
  const meant = mappingAt(context, device, address)?.place ?? standsAt(context, address);
  if (meant === null) {
    return { kind: 'fault', why: `no memory answers at 0x${address.toString(16)}` };
  }
  if (meant.offset + size > context.buffer(meant.buffer).size) return outside();
  const cell = context.layout.cell(meant.buffer, meant.offset, size);
  const slot = slotCell(context, meant, size);
  const pfn = Math.floor(address / context.machine.pageSize);
  const frame = context.step.frames.findIndex((each) => each.pfn === pfn);
  const { buffer, page } = slot ?? cell;
  const plain = { frame, cell, refused: refusal(context, frame, buffer, page) };
  const destination = asMeant(context, slot === undefined ? plain : { ...plain, slot });
  return { kind: 'memory', destination, cacheable: true };
}

/** The word of the bounce buffer that the device reaches instead. */
function slotCell(context: KernelContext, { offset, piece }: Place, size: number) {
  if (piece?.slot === undefined) return undefined;
  const { buffer, offset: start } = piece.slot;
  return context.layout.cell(buffer, start + (offset - piece.offset), size);
}

/**
 * Without a mapping the page's present owner is meant, for raw physical addresses are allowed; at
 * a free page its last one: the access comes after the free (H8).
 */
function standsAt(context: KernelContext, address: number): Place | null {
  const bytes = context.machine.pageSize;
  const pfn = Math.floor(address / bytes);
  const freed = context.step.frames.find((each) => each.pfn === pfn)?.freed;
  if (freed === undefined) return physicalPlace(context, address);
  return { buffer: freed.buffer, offset: freed.page * bytes + (address % bytes) };
}
