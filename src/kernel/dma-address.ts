/**
 * Bus addresses: which ones the DMA API gives out, and what lies behind one (K5, K9).
 * Sources: kernel/dma/direct.h (phys_to_dma, dma_direct_map_page), drivers/iommu/dma-iommu.c
 * (iommu_dma_alloc_iova, __finalise_sg: entries follow each other, each in pages of its own).
 * Leaves out: reuse of I/O virtual addresses while another window is free.
 */
import type { DeviceConfig } from './config.js';
import type { KernelContext } from './context.js';
import { originOf } from './ids.js';
import { NewCell } from './layout.js';
import { dmaDomain, lookup } from './iommu.js';
import type { Range } from './maintenance.js';
import { frameOf } from './pages.js';
import type { DmaMapping, Masks, Piece } from './state.js';

/** DMA_MAPPING_ERROR: all ones, as far as scenarios have numbers. */
export const DMA_MAPPING_ERROR = Number.MAX_SAFE_INTEGER;

/** Bytes of address space for what one call maps: the first that is enough and below the limit. */
const WINDOWS: readonly number[] = [0x1000_0000, 0x10_0000, 0x1_0000, 0x100_0000_0000];

export function deviceConfig(context: KernelContext, device: number): DeviceConfig {
  const found = context.machine.devices[device];
  if (found === undefined) throw new Error(`no device ${device}`);
  return found;
}

/** dma_get_max_seg_size() and dma_get_seg_boundary() of a device that says nothing. */
const SZ_64K = 0x1_0000;
const ULONG_MAX = Number.MAX_SAFE_INTEGER;

/** What the driver has said the device can address. */
export function masksOf(context: KernelContext, device: number): Masks {
  const { dmaMask: dma, coherentDmaMask: coherent } = deviceConfig(context, device);
  const said = context.kernel.masks.find((each) => each.device === device);
  return said ?? { device, dma, coherent, maxSegment: SZ_64K, segBoundary: ULONG_MAX };
}

/** dev->dma_skip_sync, where it makes a difference: dma_sync_* return at once. */
export function skipsSync(context: KernelContext, device: number): boolean {
  return context.kernel.masks.some((each) => each.device === device && each.skipsSync === true);
}

/** swiotlb_tbl_map_single: dma_reset_need_sync(). */
export function resetNeedSync(context: KernelContext, device: number): void {
  if (!skipsSync(context, device)) return;
  const masks = context.kernel.masks.map((each) => {
    const { skipsSync: _, ...rest } = each;
    return each.device === device ? rest : each;
  });
  context.update({ masks });
}

/** dma_capable: a mapping ends at or below this address. */
export function dmaLimit(context: KernelContext, device: number): number {
  return Math.min(masksOf(context, device).dma, deviceConfig(context, device).busDmaLimit);
}

/** dma_coherent_ok: as dmaLimit, for dma_alloc_*. */
export function coherentLimit(context: KernelContext, device: number): number {
  return Math.min(masksOf(context, device).coherent, deviceConfig(context, device).busDmaLimit);
}

export function pageAligned(context: KernelContext, bytes: number): number {
  return Math.ceil(bytes / context.machine.pageSize) * context.machine.pageSize;
}

/** Start of free I/O virtual addresses for a mapping; null when none fits below the mask. */
export function iovaFor(
  context: KernelContext,
  device: number,
  id: number,
  size: number,
): number | null {
  const limit = dmaLimit(context, device);
  const { site, nth } = originOf(id);
  const window = WINDOWS.find((each) => size <= each && (site + 2) * each - 1 <= limit);
  if (window === undefined) return null;
  const mine = context.kernel.mappings.filter((each) => each.device === device);
  let base = (site + 1) * window + (nth * window) / 16;
  const taken = (piece: Piece): boolean =>
    piece.address < base + size && base < piece.address + piece.size;
  while (mine.some((each) => each.pieces.some(taken))) {
    base += pageAligned(context, size);
    if (base + size - 1 > limit) return null;
  }
  return base;
}

/** Bytes of I/O virtual address space a list of ranges takes. */
export function iovaLength(context: KernelContext, ranges: readonly Range[]): number {
  const { pageSize } = context.machine;
  return ranges
    .map(({ from, size }) => pageAligned(context, (from % pageSize) + size))
    .reduce((sum, each) => sum + each, 0);
}

/** Physical address of a byte, by the pages as they were when a table was made. */
export function physicalIn(
  context: KernelContext,
  piece: { readonly buffer: number; readonly frames: Piece['frames'] },
  byte: number,
): number {
  const bytes = context.machine.pageSize;
  const page = Math.floor(byte / bytes);
  const known = piece.frames.find(([each]) => each === page)?.[1];
  const frame = known ?? frameOf(context, context.buffer(piece.buffer), byte);
  const pfn = context.frame(frame)?.pfn;
  return pfn === undefined ? 0 : pfn * bytes + (byte % bytes);
}

/** Bus address of a byte of a piece. */
export function busAddress(
  context: KernelContext,
  mapping: DmaMapping,
  piece: Piece,
  byte: number,
): number {
  const { iommu } = deviceConfig(context, mapping.device);
  if (iommu || piece.slot !== undefined) return piece.address + (byte - piece.offset);
  return physicalIn(context, piece, byte);
}

/** A byte of a buffer, as found from an address. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
  /** The pages as they were mapped, if that is known. */
  readonly frames?: Piece['frames'];
  /** The part of the mapping that shows it. */
  readonly piece?: Piece;
}

/** What a mapping shows at a bus address; null when it is outside. */
export function placeIn(
  context: KernelContext,
  mapping: DmaMapping,
  address: number,
): Place | null {
  const { iommu } = deviceConfig(context, mapping.device);
  for (const piece of mapping.pieces) {
    const { buffer, frames } = piece;
    const at = address - piece.address;
    const apart = !iommu && !context.buffer(buffer).contiguous && piece.slot === undefined;
    if (!apart && at >= 0 && at < piece.size) {
      return { buffer, offset: piece.offset + at, frames, piece };
    }
    if (!apart) continue;
    const bytes = context.machine.pageSize;
    const pfn = Math.floor(address / bytes);
    const page = frames.find(([, frame]) => context.frame(frame)?.pfn === pfn)?.[0];
    const offset = (page ?? -1) * bytes + (address % bytes);
    const inside = offset >= piece.offset && offset < piece.offset + piece.size;
    if (page !== undefined && inside) return { buffer, offset, frames, piece };
  }
  return null;
}

/** The mapping of a device that covers an address, and what it shows there. */
export function mappingAt(
  context: KernelContext,
  device: number,
  address: number,
): { mapping: DmaMapping; place: Place } | null {
  for (const mapping of context.kernel.mappings) {
    if (mapping.device !== device) continue;
    const place = placeIn(context, mapping, address);
    if (place !== null) return { mapping, place };
  }
  return null;
}

/** Buffer and byte behind a DMA address of a device, as dma-direct or dma-iommu find it. */
export function placeOf(context: KernelContext, device: number, address: number): Place | null {
  if (deviceConfig(context, device).iommu) return lookup(context, dmaDomain(device), address);
  return physicalPlace(context, address);
}

/** The page that stands at a physical address; null where there is none, or a free one. */
export function physicalPlace(context: KernelContext, address: number): Place | null {
  const bytes = context.machine.pageSize;
  const pfn = Math.floor(address / bytes);
  const frame = context.step.frames.find((each) => each.pfn === pfn);
  if (frame !== undefined && frame.buffer >= 0) {
    return { buffer: frame.buffer, offset: frame.page * bytes + (address % bytes) };
  }
  return frame === undefined ? inContiguous(context, address) : null;
}

/** A page of a contiguous buffer that no access has named yet: it is tracked from now on. */
function inContiguous(context: KernelContext, address: number): null {
  const bytes = context.machine.pageSize;
  for (const buffer of context.kernel.buffers) {
    const slot = buffer.pages.find((each) => each.state === 'resident');
    const frame = slot?.state === 'resident' ? context.frame(slot.frame) : undefined;
    if (!buffer.contiguous || frame === undefined) continue;
    const byte = address - (frame.pfn - frame.page) * bytes;
    if (byte >= 0 && byte < buffer.size) {
      throw new NewCell(buffer.id, Math.floor(byte / bytes) * bytes, 0);
    }
  }
  return null;
}
