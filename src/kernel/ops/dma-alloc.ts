/**
 * Operations: memory the DMA API allocates and the CPU uses cached (K1, K5).
 * Sources: kernel/dma/mapping.c (dma_alloc_pages, dma_alloc_noncontiguous, alloc_single_sgt,
 * dma_vmap_noncontiguous, dma_map_resource), direct.c:dma_direct_alloc_pages,
 * drivers/iommu/dma-iommu.c (iommu_dma_alloc_noncontiguous).
 * Leaves out: what stands at the address of a resource other than memory behind a BAR.
 */
import { deviceArg, fail, handle as handleOf, int, pointerArg, sgtArg } from '../args.js';
import { GFP_ZERO } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap } from '../cpu-maps.js';
import { dmaMap, endMapping, protOf } from '../dma.js';
import {
  deviceConfig,
  dmaLimit,
  DMA_MAPPING_ERROR,
  iovaFor,
  physicalPlace,
} from '../dma-address.js';
import { objectId } from '../ids.js';
import { queueInstall } from '../io-tables.js';
import { dmaDomain, translationFor } from '../iommu.js';
import { prepCoherent, wholeBuffer } from '../maintenance.js';
import { allocatePages, framesIn, releasePages } from '../pages.js';
import { withFailures } from '../failures.js';
import type { Effect, Operation } from '../registry.js';
import { addSgt, wholeEntry } from '../sg-tables.js';
import type { Buffer, DmaMapping, Piece } from '../state.js';
import { NULL, type Value } from '../value.js';
import { zoneFor } from './coherent.js';
import { newBuffer } from './pages.js';
import {
  addr,
  attrs,
  cpuAddr,
  dev,
  dir,
  gfp,
  handle,
  op,
  page,
  phys,
  sgt,
  size,
} from './dma-parts.js';

type Args = readonly Value[];

/** Memory of an allocation that the CPU uses through cached addresses, mapped for the device. */
export function allocCached(
  context: KernelContext,
  { id, device }: Buffer,
  { zero, direction, type }: CachedRequest,
): DmaMapping | null {
  allocatePages(context, id, zero);
  const buffer = context.buffer(id);
  const { coherent, iommu } = deviceConfig(context, device);
  if (type === 'sg' && iommu && !coherent) prepCoherent(context, wholeBuffer(buffer));
  const ranges = [wholeBuffer(buffer)];
  // The bytes need no bouncing: they were taken from where the device reaches.
  const request = {
    device,
    ranges,
    direction,
    attrs: 0,
    type: 'noncoherent',
    shared: true,
  } as const;
  const mapping = dmaMap(context, request);
  if (mapping === null) return null;
  const { mappings } = context.kernel;
  const named = { ...mapping, type };
  context.update({ mappings: mappings.map((each) => (each === mapping ? named : each)) });
  return named;
}

export interface CachedRequest {
  readonly direction: number;
  readonly zero: boolean;
  readonly type: DmaMapping['type'];
}

function allocNew(
  context: KernelContext,
  args: Args,
  contiguous: boolean,
  call: CachedRequest,
): { buffer: Buffer; mapping: DmaMapping } | null {
  const device = deviceArg(context, args[0]);
  const zone = zoneFor(context, device);
  const what = { kind: 'coherent', size: int(args[1]), contiguous, zone, device } as const;
  const { id } = newBuffer(context, what);
  const mapping = allocCached(context, context.buffer(id), call);
  return mapping && { buffer: context.buffer(id), mapping };
}

function allocPages(asPage: boolean): Effect {
  return (context, args) => {
    const direction = int(args[3]);
    const call = { direction, zero: true, type: 'noncoherent' } as const;
    const made = allocNew(context, args, true, call);
    if (made === null) return NULL;
    context.out(2, made.mapping.address);
    if (asPage) return { kind: 'buffer', id: made.buffer.id };
    return mapBuffer(context, made.buffer, 'linear', 'WB');
  };
}

function freeCached(context: KernelContext, id: number, bytes: number, address: number): void {
  const mapping = context.kernel.mappings.find(
    (each) => each.address === address && each.pieces[0]?.buffer === id,
  );
  if (mapping === undefined) {
    context.contract('device driver tries to free DMA memory it has not allocated');
    return;
  }
  const { pageSize } = context.machine;
  if (Math.ceil(bytes / pageSize) * pageSize !== mapping.size) {
    context.contract('device driver frees DMA memory with different size');
  }
  endMapping(context, mapping, mapping.size);
  releasePages(context, id);
  context.setBuffer({ ...context.buffer(id), gone: 'freed' });
}

function freePages(asPage: boolean): Effect {
  return (context, args) => {
    const id = asPage
      ? handleOf(context, args[2], 'buffer')
      : pointerArg(context, args[2]).map.buffer;
    freeCached(context, id, int(args[1]), int(args[3]));
    return 0;
  };
}

/** dma-iommu takes scattered pages and cleans them; dma-direct one block, zeroed, not cleaned. */
function allocNoncontiguous(context: KernelContext, args: Args): Value {
  const { iommu } = deviceConfig(context, deviceArg(context, args[0]));
  const zero = !iommu || (int(args[3]) & GFP_ZERO) !== 0;
  const call = { direction: int(args[2]), zero, type: 'sg' } as const;
  const made = allocNew(context, args, !iommu, call);
  if (made === null) return NULL;
  const entry = { ...wholeEntry(context, made.buffer), perPage: false };
  return addSgt(context, [entry], made.mapping.id);
}

function bufferOfTable(context: KernelContext, value: Value | undefined): Buffer {
  const id = sgtArg(context, value).entries[0]?.buffer ?? -1;
  return id < 0 ? fail(context, 'this table names no memory') : context.buffer(id);
}

function freeNoncontiguous(context: KernelContext, args: Args): Value {
  const table = sgtArg(context, args[2]);
  const mapping = context.kernel.mappings.find((each) => each.id === table.mapping);
  const buffer = bufferOfTable(context, args[2]);
  freeCached(context, buffer.id, int(args[1]), mapping?.address ?? DMA_MAPPING_ERROR);
  context.update({ sgts: context.kernel.sgts.filter((each) => each.id !== table.id) });
  return 0;
}

function vmapNoncontiguous(context: KernelContext, args: Args): Value {
  const buffer = bufferOfTable(context, args[2]);
  const kind = buffer.contiguous ? 'linear' : 'vmap';
  return mapBuffer(context, buffer, kind, 'WB');
}

function vunmapNoncontiguous(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  if (map.kind === 'vmap') unmapMap(context, map);
  return 0;
}

/** Memory or registers of another device: never bounced, never maintained. */
function mapResource(context: KernelContext, args: Args): Value {
  const device = deviceArg(context, args[0]);
  const bytes = int(args[2]);
  const place = physicalPlace(context, int(args[1]));
  const isBar = place !== null && context.buffer(place.buffer).kind === 'bar';
  // dma_map_resource: pfn_valid(), under CONFIG_DMA_API_DEBUG.
  if (place !== null && !isBar) context.contract('dma_map_resource called for RAM address');
  const { mappings } = context.kernel;
  const id = objectId(context, (each) => mappings.some((mapping) => mapping.id === each));
  const { iommu } = deviceConfig(context, device);
  const address = iommu ? iovaFor(context, device, id, bytes) : int(args[1]);
  if (address === null || address + bytes - 1 > dmaLimit(context, device)) {
    return DMA_MAPPING_ERROR;
  }
  const mapping: DmaMapping = {
    id,
    type: 'resource',
    device,
    address,
    size: bytes,
    direction: int(args[3]),
    attrs: int(args[4]),
    nents: 1,
    pieces: resourcePieces(context, int(args[1]), address, bytes),
    checked: true,
  };
  context.update({ mappings: [...mappings, mapping] });
  // __iommu_dma_map(…, dma_info_to_prot(dir, false, attrs) | IOMMU_MMIO): never cacheable.
  const prot = protOf(mapping.direction, false, mapping.attrs);
  for (const piece of iommu ? mapping.pieces : []) {
    queueInstall(context, dmaDomain(device), translationFor(piece, prot));
  }
  return address;
}

/** Device memory behind a BAR; of registers nothing is known. */
function resourcePieces(
  context: KernelContext,
  phys: number,
  address: number,
  size: number,
): readonly Piece[] {
  const place = context.step.hasBars ? physicalPlace(context, phys) : null;
  const buffer = place === null ? undefined : context.buffer(place.buffer);
  if (place === null || buffer?.kind !== 'bar') return [];
  const frames = framesIn(context, buffer, place.offset, size);
  return [{ address, buffer: buffer.id, offset: place.offset, size, frames }];
}

function unmapResource(context: KernelContext, args: Args): Value {
  const device = deviceArg(context, args[0]);
  const mapping = context.kernel.mappings.find(
    (each) => each.device === device && each.address === int(args[1]) && each.type === 'resource',
  );
  if (mapping === undefined) {
    context.contract('device driver tries to free DMA memory it has not allocated');
    return 0;
  }
  endMapping(context, mapping, mapping.size);
  return 0;
}

const cachedDoc =
  'memory for the device that the CPU uses cached: zeroed through the linear map, no cache maintenance; the driver syncs it';
const freeDoc = 'unmaps and frees; no cache maintenance';

const cached: readonly Operation[] = [
  op('dma_alloc_pages', 'page', [dev, size, handle, dir, gfp], cachedDoc, allocPages(true)),
  op('dma_free_pages', 'void', [dev, size, page, addr, dir], freeDoc, freePages(true)),
  op('dma_alloc_noncoherent', 'ptr', [dev, size, handle, dir, gfp], cachedDoc, allocPages(false)),
  op('dma_free_noncoherent', 'void', [dev, size, cpuAddr, addr, dir], freeDoc, freePages(false)),
  op(
    'dma_alloc_noncontiguous',
    'sgt',
    [dev, size, dir, gfp, { ...attrs, optional: true }],
    'as dma_alloc_pages, in pieces: behind an IOMMU scattered pages, which are cleaned; else one block, which is not',
    allocNoncontiguous,
  ),
  op('dma_free_noncontiguous', 'void', [dev, size, sgt, dir], freeDoc, freeNoncontiguous),
  op(
    'dma_vmap_noncontiguous',
    'ptr',
    [dev, size, sgt],
    'a cached kernel mapping: a vmap of scattered pages, else the linear map',
    vmapNoncontiguous,
  ),
  op('dma_vunmap_noncontiguous', 'void', [dev, cpuAddr], 'ends the mapping', vunmapNoncontiguous),
];

const rows: readonly Operation[] = [
  ...cached,
  op(
    'dma_map_resource',
    'dma',
    [dev, phys, size, dir, { ...attrs, optional: true }],
    'a bus address for MMIO: no cache maintenance, no bounce buffer; nothing answers there here',
    mapResource,
  ),
  op(
    'dma_unmap_resource',
    'void',
    [dev, addr, size, dir, { ...attrs, optional: true }],
    'takes the address away; no cache maintenance',
    unmapResource,
  ),
];

export const dmaAllocOperations = withFailures(rows, {
  fails: {
    dma_alloc_pages: NULL,
    dma_alloc_noncoherent: NULL,
    dma_alloc_noncontiguous: NULL,
    dma_vmap_noncontiguous: NULL,
  },
});
