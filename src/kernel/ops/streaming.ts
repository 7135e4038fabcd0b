/**
 * Operations: streaming mappings of one range: dma_map_single, _page and their syncs (K5).
 * Sources: include/linux/dma-mapping.h, kernel/dma/mapping.c, direct.c, drivers/iommu/dma-iommu.c.
 * Leaves out: kernel text (dma-debug.ts).
 */
import { bufferArg, deviceArg, fail, int, pointerArg, rangeArg } from '../args.js';
import { dmaMap, dmaSync, dmaUnmap } from '../dma.js';
import { DMA_MAPPING_ERROR, physicalPlace } from '../dma-address.js';
import type { Effect, Operation } from '../registry.js';
import type { DmaMapping } from '../state.js';
import {
  dev,
  size,
  dir,
  attrs,
  addr,
  phys,
  ptr,
  offset,
  mapDoc,
  unmapDoc,
  forCpuDoc,
  forDeviceDoc,
  attrsOf,
  op,
} from './dma-parts.js';

type Type = DmaMapping['type'];

function mapSingle(attrsAt: number): Effect {
  return (context, args) => {
    const { map } = pointerArg(context, args[1]);
    // Of the stack dmaMap() tells, in words that say more.
    const isStack = context.buffer(map.buffer).kind === 'stack';
    if (!isStack && (map.kind === 'vmap' || map.kind === 'remap')) {
      context.contract('device driver maps memory from vmalloc area');
    } else if (map.kind === 'mmap') {
      context.contract('device driver maps memory from invalid area');
    }
    const mapping = dmaMap(context, {
      device: deviceArg(context, args[0]),
      ranges: [rangeArg(context, args[1], args[2])],
      direction: int(args[3]),
      attrs: attrsOf(context, args[attrsAt]),
      type: 'single',
    });
    return mapping?.address ?? DMA_MAPPING_ERROR;
  };
}

const mapPage: Effect = (context, args) =>
  dmaMap(context, {
    device: deviceArg(context, args[0]),
    ranges: [{ buffer: bufferArg(context, args[1]).id, from: int(args[2]), size: int(args[3]) }],
    direction: int(args[4]),
    attrs: attrsOf(context, args[5]),
    type: 'page',
  })?.address ?? DMA_MAPPING_ERROR;

/** As dma_map_page_attrs, which calls it since 6.18; DMA_ATTR_MMIO is left to dma_map_resource. */
const mapPhys: Effect = (context, args) => {
  const place = physicalPlace(context, int(args[1]));
  if (place === null) return fail(context, 'no page at this physical address');
  const { buffer, offset: from } = place;
  const mapping = dmaMap(context, {
    device: deviceArg(context, args[0]),
    ranges: [{ buffer, from, size: int(args[2]) }],
    direction: int(args[3]),
    attrs: attrsOf(context, args[4]),
    type: 'page',
  });
  return mapping?.address ?? DMA_MAPPING_ERROR;
};

function unmapSingle(type: Type, attrsAt: number): Effect {
  return (context, args) => {
    dmaUnmap(context, {
      device: deviceArg(context, args[0]),
      address: int(args[1]),
      size: int(args[2]),
      direction: int(args[3]),
      attrs: attrsOf(context, args[attrsAt]),
      type,
    });
    return 0;
  };
}

function syncSingle(to: 'cpu' | 'device', range: boolean): Effect {
  return (context, args) => {
    const shift = range ? 1 : 0;
    dmaSync(context, {
      device: deviceArg(context, args[0]),
      to,
      address: int(args[1]) + (range ? int(args[2]) : 0),
      size: int(args[2 + shift]),
      direction: int(args[3 + shift]),
    });
    return 0;
  };
}

const mappingError: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const address = int(args[1]);
  const mappings = context.kernel.mappings.map((each) =>
    each.device === device && each.address === address ? { ...each, checked: true } : each,
  );
  context.update({ mappings });
  return address === DMA_MAPPING_ERROR ? 1 : 0;
};

export const streamingOperations: readonly Operation[] = [
  op('dma_map_single', 'dma', [dev, ptr, size, dir], mapDoc, mapSingle(9), 'skip-sync'),
  op(
    'dma_map_single_attrs',
    'dma',
    [dev, ptr, size, dir, attrs],
    mapDoc,
    mapSingle(4),
    'skip-sync',
  ),
  op(
    'dma_map_page',
    'dma',
    [dev, { name: 'page', kinds: ['page'] }, offset, size, dir],
    mapDoc,
    mapPage,
    'skip-sync',
  ),
  op(
    'dma_map_page_attrs',
    'dma',
    [dev, { name: 'page', kinds: ['page'] }, offset, size, dir, attrs],
    mapDoc,
    mapPage,
    'skip-sync',
  ),
  op('dma_map_phys', 'dma', [dev, phys, size, dir, attrs], mapDoc, mapPhys, 'skip-sync'),
  op(
    'dma_unmap_phys',
    'void',
    [dev, addr, size, dir, attrs],
    unmapDoc,
    unmapSingle('page', 4),
    'skip-sync',
  ),
  op(
    'dma_unmap_single',
    'void',
    [dev, addr, size, dir],
    unmapDoc,
    unmapSingle('single', 9),
    'skip-sync',
  ),
  op(
    'dma_unmap_single_attrs',
    'void',
    [dev, addr, size, dir, attrs],
    unmapDoc,
    unmapSingle('single', 4),
    'skip-sync',
  ),
  op(
    'dma_unmap_page',
    'void',
    [dev, addr, size, dir],
    unmapDoc,
    unmapSingle('page', 9),
    'skip-sync',
  ),
  op(
    'dma_unmap_page_attrs',
    'void',
    [dev, addr, size, dir, attrs],
    unmapDoc,
    unmapSingle('page', 4),
    'skip-sync',
  ),
  op(
    'dma_sync_single_for_cpu',
    'void',
    [dev, addr, size, dir],
    forCpuDoc,
    syncSingle('cpu', false),
    'drop',
  ),
  op(
    'dma_sync_single_for_device',
    'void',
    [dev, addr, size, dir],
    forDeviceDoc,
    syncSingle('device', false),
    'drop',
  ),
  op(
    'dma_sync_single_range_for_cpu',
    'void',
    [dev, addr, offset, size, dir],
    forCpuDoc,
    syncSingle('cpu', true),
    'drop',
  ),
  op(
    'dma_sync_single_range_for_device',
    'void',
    [dev, addr, offset, size, dir],
    forDeviceDoc,
    syncSingle('device', true),
    'drop',
  ),
  op(
    'dma_mapping_error',
    'int',
    [dev, addr],
    'not 0 when the mapping failed, which it does where the device says .mapping_may_fail',
    mappingError,
  ),
];
