/**
 * Operations: dma_alloc_coherent, _wc and _attrs (K5).
 * Sources: include/linux/dma-mapping.h, kernel/dma/mapping.c, kernel/dma/direct.c
 * (dma_direct_alloc, dma_direct_alloc_no_mapping), kernel/dma/pool.c, drivers/iommu/dma-iommu.c.
 * Leaves out: a pool or a zone that is exhausted.
 */
import { deviceArg, int, pointerArg } from '../args.js';
import {
  DMA_ATTR_FORCE_CONTIGUOUS,
  DMA_ATTR_NO_KERNEL_MAPPING,
  DMA_ATTR_PRIVILEGED,
  DMA_BIDIRECTIONAL,
  GFP_NOT_BLOCKING,
} from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBehind, mapBuffer, remapToUser, unmapMap } from '../cpu-maps.js';
import { dmaMap, endMapping } from '../dma.js';
import { coherentLimit, deviceConfig } from '../dma-address.js';
import { withFailures } from '../failures.js';
import { issue, prepCoherent, wholeBuffer } from '../maintenance.js';
import { allocatePages, pageLayouts, releasePages } from '../pages.js';
import { uncachedAttribute } from '../profile.js';
import type { Effect, Operation } from '../registry.js';
import { makeSgt } from '../sg-tables.js';
import type { Buffer, DmaMapping, Zone } from '../state.js';
import { NULL, type Value } from '../value.js';
import { addr, attrs, cpuAddr, dev, gfp, handle, op, size } from './dma-parts.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

/** dma_direct_optimal_gfp_mask, with the step to a lower zone that follows when it misses. */
export function zoneFor(context: KernelContext, device: number): Zone {
  if (deviceConfig(context, device).iommu) return 'any';
  const limit = coherentLimit(context, device);
  if (limit <= context.machine.zoneDma) return 'dma';
  return limit <= 2 ** 32 - 1 ? 'dma32' : 'any';
}

/** How the memory of an allocation is come by, as kind of device, flags and attributes decide. */
function manner(context: KernelContext, device: number, flags: number, attributes: number) {
  const { coherent, iommu } = deviceConfig(context, device);
  const fromPool = !coherent && (flags & GFP_NOT_BLOCKING) !== 0;
  const unmapped = !iommu && (attributes & DMA_ATTR_NO_KERNEL_MAPPING) !== 0;
  return {
    fromPool,
    unmapped,
    contiguous: !iommu || fromPool || (attributes & DMA_ATTR_FORCE_CONTIGUOUS) !== 0,
    // dma-iommu zeroes through the linear map before the clean, dma-direct through the remap.
    zeroFirst: !fromPool && !unmapped && (iommu || coherent),
    cleans: !fromPool && (!coherent || unmapped),
    attribute: coherent ? ('WB' as const) : uncachedAttribute(context),
  };
}

/** The clean of the linear map, the NC remap, the memset through it, each where there is one. */
export function allocCoherent(
  context: KernelContext,
  device: number,
  buffer: Buffer,
  flags: number,
  attributes: number,
): { pointer: Value; address: number } | null {
  if (context.kernel.carveOuts.some((each) => each.device === device)) {
    return fromCarveOut(context, device, buffer);
  }
  const how = manner(context, device, flags, attributes);
  allocatePages(context, buffer.id, how.zeroFirst, how.fromPool);
  const whole = wholeBuffer(context.buffer(buffer.id));
  if (how.cleans) prepCoherent(context, whole);
  const mapping = dmaMap(context, {
    device,
    ranges: [whole],
    direction: DMA_BIDIRECTIONAL,
    attrs: attributes & DMA_ATTR_PRIVILEGED,
    type: 'coherent',
    shared: true,
  });
  if (mapping === null) return null;
  const pointer = mapBuffer(context, context.buffer(buffer.id), 'remap', how.attribute);
  const cookie = how.unmapped ? mapBehind(context, pointer) : undefined;
  if (cookie !== undefined) unmapMap(context, cookie);
  else if (!how.zeroFirst) zeroThroughRemap(context, buffer.id);
  return { pointer, address: mapping.address };
}

/**
 * __dma_alloc_from_coherent: from memory that was remapped write-combined when the device was set
 * up. It was never in the linear map, so there is nothing to maintain.
 */
function fromCarveOut(
  context: KernelContext,
  device: number,
  buffer: Buffer,
): { pointer: Value; address: number } | null {
  // Firmware may have used the region through its caches, and left lines dirty there (M14).
  allocatePages(context, buffer.id, false, !context.machine.dirtyAtBoot);
  for (const slot of context.buffer(buffer.id).pages) {
    const frame = slot.state === 'resident' ? context.frame(slot.frame) : undefined;
    if (slot.state === 'resident' && frame !== undefined) {
      context.setFrame(slot.frame, { ...frame, linear: false });
    }
  }
  const ranges = [wholeBuffer(context.buffer(buffer.id))];
  const what = { device, ranges, direction: DMA_BIDIRECTIONAL, attrs: 0, shared: true } as const;
  const mapping = dmaMap(context, { ...what, type: 'coherent' });
  if (mapping === null) return null;
  const attribute = uncachedAttribute(context);
  const pointer = mapBuffer(context, context.buffer(buffer.id), 'remap', attribute);
  zeroThroughRemap(context, buffer.id);
  return { pointer, address: mapping.address };
}

function alloc(attrsAt: number, managed?: true): Effect {
  return (context, args) => {
    const device = deviceArg(context, args[0]);
    const flags = int(args[3]);
    const attributes = int(args[attrsAt]);
    const buffer = newBuffer(context, {
      kind: 'coherent',
      size: int(args[1]),
      contiguous: manner(context, device, flags, attributes).contiguous,
      zone: zoneFor(context, device),
      device,
    });
    const made = allocCoherent(context, device, buffer, flags, attributes);
    if (made === null) return NULL;
    if (managed) context.setBuffer({ ...context.buffer(buffer.id), managed });
    // dma-debug keeps the size that was asked for, not that of the pages.
    const mappings = context.kernel.mappings.map((each) =>
      each.pieces[0]?.buffer === buffer.id ? { ...each, size: int(args[1]) } : each,
    );
    context.update({ mappings });
    context.out(2, made.address);
    return made.pointer;
  };
}

function zeroThroughRemap(context: KernelContext, id: number): void {
  const tick = context.tick();
  const buffer = context.buffer(id);
  const at = context.step.site;
  const attribute = uncachedAttribute(context);
  pageLayouts(context, id).forEach((page, i) => {
    const slot = buffer.pages[i];
    if (slot?.state !== 'resident') return;
    const { frame } = slot;
    page.lines.forEach((layout, line) => {
      layout.cells.forEach((cell, word) => {
        context.write(cell, 0, tick);
        const store = { frame, line, word, cell: cell.id, value: 0, own: false, at };
        issue(context, [{ kind: 'store', attribute, ...store }]);
      });
    });
  });
}

function freeCoherent(context: KernelContext, args: Args): Value {
  const { map, offset } = pointerArg(context, args[2]);
  const buffer = context.buffer(map.buffer);
  const mapping = context.kernel.mappings.find(
    (each) => each.type === 'coherent' && each.pieces[0]?.buffer === buffer.id,
  );
  if (mapping === undefined || offset !== 0) {
    context.contract('device driver tries to free DMA memory it has not allocated');
    return 0;
  }
  if (int(args[1]) !== mapping.size) {
    context.contract('device driver frees DMA memory with different size');
  }
  if (int(args[3]) !== mapping.address) {
    context.contract('device driver frees DMA memory with different CPU address');
  }
  unmapMap(context, map);
  freeMemory(context, mapping, buffer.id);
  return 0;
}

function freeMemory(context: KernelContext, mapping: DmaMapping, id: number): void {
  endMapping(context, mapping, mapping.pieces[0]?.size ?? mapping.size);
  releasePages(context, id);
  context.setBuffer({ ...context.buffer(id), gone: 'freed' });
}

/** devres_release_all(): what dmam_alloc_* took and nobody gave back, the last one first. */
export function freeManaged(context: KernelContext, device: number): void {
  for (const { id, managed } of context.kernel.buffers.toReversed()) {
    const mapping = context.kernel.mappings.find(
      (each) => each.device === device && each.pieces[0]?.buffer === id,
    );
    if (managed !== true || mapping === undefined) continue;
    for (const map of context.kernel.maps) {
      if (map.buffer === id && map.kind === 'remap' && map.live) unmapMap(context, map);
    }
    freeMemory(context, mapping, id);
  }
}

function mmapCoherent(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  if (map.kind !== 'remap') context.contract('dma_mmap_* of memory dma_alloc_* did not return');
  // dma_pgprot() goes by the device, also where the kernel's own mapping is that of a carve-out.
  const { coherent } = deviceConfig(context, deviceArg(context, args[0]));
  const attribute = coherent ? 'WB' : map.attribute;
  const buffer = context.buffer(map.buffer);
  // Scattered pages behind an IOMMU go in one by one, and each is held (vm_map_pages).
  const isOneRange = buffer.contiguous && buffer.gone === 'no';
  return isOneRange
    ? remapToUser(context, buffer, attribute)
    : mapBuffer(context, buffer, 'mmap', attribute);
}

/** A table over the pages behind an allocation, for page tables of the driver's own. */
function getSgtable(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  if (map.kind !== 'remap')
    context.contract('dma_get_sgtable of memory dma_alloc_* did not return');
  return makeSgt(context, context.buffer(map.buffer), -1);
}

const kinds = ['coherent', 'wc', 'attrs'] as const;

const allocations: readonly Operation[] = kinds.flatMap((kind) => {
  const more = kind === 'attrs' ? [attrs] : [];
  return [
    op(
      `dma_alloc_${kind}`,
      'ptr',
      [dev, size, handle, gfp, ...more],
      'pages cleaned through the linear map, mapped non-cacheable (write-back for a coherent device) and zeroed; with GFP_ATOMIC from a pool that was cleaned before',
      alloc(4),
    ),
    op(
      `dma_free_${kind}`,
      'void',
      [dev, size, cpuAddr, addr, ...more],
      'unmaps and frees; no cache maintenance',
      freeCoherent,
    ),
    op(
      `dma_mmap_${kind}`,
      'ptr',
      [dev, cpuAddr],
      'user mapping with the attribute of the allocation',
      mmapCoherent,
    ),
  ];
});

/** include/linux/dma-mapping.h, kernel/dma/mapping.c: dmam_alloc_coherent is dmam_alloc_attrs. */
const managedAllocations: readonly Operation[] = (['coherent', 'attrs'] as const).map((kind) =>
  op(
    `dmam_alloc_${kind}`,
    'ptr',
    [dev, size, handle, gfp, ...(kind === 'attrs' ? [attrs] : [])],
    `as dma_alloc_${kind}; freed when the driver leaves the device`,
    alloc(4, true),
  ),
);

const rows: readonly Operation[] = [
  ...allocations,
  ...managedAllocations,
  op(
    'dmam_free_coherent',
    'void',
    [dev, size, cpuAddr, addr],
    'unmaps and frees before the driver leaves; no cache maintenance',
    freeCoherent,
  ),
  op(
    'dma_get_sgtable',
    'sgt',
    [dev, cpuAddr, addr, size],
    'a scatterlist over the pages of an allocation (in Linux an argument receives it)',
    getSgtable,
  ),
];

export const coherentOperations = withFailures(rows, {
  fails: {
    dma_alloc_coherent: NULL,
    dma_alloc_wc: NULL,
    dma_alloc_attrs: NULL,
    dmam_alloc_coherent: NULL,
    dmam_alloc_attrs: NULL,
  },
  takeNull: ['dma_free_coherent', 'dma_free_wc', 'dma_free_attrs'],
});
