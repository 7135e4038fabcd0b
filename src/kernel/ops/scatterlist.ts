/**
 * Operations: streaming mappings of scatterlists (K5).
 * Sources: include/linux/dma-mapping.h, kernel/dma/mapping.c, direct.c, drivers/iommu/dma-iommu.c.
 * Leaves out: swiotlb and masks, so a mapping never bounces and never fails.
 */
import { deviceArg, fail, int, sgtArg, bufferArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { badAddress, checkSync, deviceConfig, dmaMap, dmaUnmap } from '../dma.js';
import { syncForCpu, syncForDevice, wholeBuffer } from '../maintenance.js';
import type { Operation } from '../registry.js';
import type { DmaMapping } from '../state.js';
import type { Value } from '../value.js';
import { makeSgt } from './gem-parts.js';
import {
  dev,
  dir,
  attrs,
  sgt,
  nents,
  mapDoc,
  unmapDoc,
  forCpuDoc,
  forDeviceDoc,
  attrsOf,
  op,
} from './dma-parts.js';

type Args = readonly Value[];

/** The mapping of a table; undefined (and H11) when it is not mapped for that device. */
function sgMapping(context: KernelContext, args: Args, breach: string): DmaMapping | undefined {
  const table = sgtArg(context, args[1]);
  const device = deviceArg(context, args[0]);
  const found = context.kernel.mappings.find(
    (each) => each.id === table.mapping && each.device === device,
  );
  if (found === undefined) context.contract(breach);
  return found;
}

function mapSg(context: KernelContext, args: Args, direction: number, attributes: number): Value {
  const table = sgtArg(context, args[1]);
  const buffer = context.buffer(table.buffer);
  if (context.kernel.mappings.some((each) => each.id === table.mapping)) {
    context.contract('maps a scatterlist that is mapped already');
  }
  const mapping = dmaMap(context, {
    device: deviceArg(context, args[0]),
    range: wholeBuffer(buffer),
    direction,
    attrs: attributes,
    type: 'sg',
    frames: table.frames,
  });
  context.update({
    sgts: context.kernel.sgts.map((each) =>
      each.id === table.id ? { ...each, mapping: mapping.id } : each,
    ),
  });
  return 0;
}

function unmapSg(context: KernelContext, args: Args, direction: number, attributes: number): Value {
  const breach = 'device driver tries to free DMA memory it has not allocated';
  const mapping = sgMapping(context, args, breach);
  if (mapping === undefined) return 0;
  dmaUnmap(context, {
    device: mapping.device,
    address: mapping.address,
    size: mapping.size,
    direction,
    attrs: attributes,
    type: 'sg',
  });
  const table = sgtArg(context, args[1]);
  context.update({
    sgts: context.kernel.sgts.map((each) =>
      each.id === table.id ? { ...each, mapping: -1 } : each,
    ),
  });
  return 0;
}

/**
 * dma_sync_sg*: dma-direct takes the range from sg_dma_address, dma-iommu from sg_phys; so on a
 * table nobody mapped the first goes to a bogus address and the second happens to work.
 */
export function syncSg(
  context: KernelContext,
  args: Args,
  to: 'cpu' | 'device',
  direction: number,
): Value {
  const breach = 'device driver tries to sync DMA memory it has not allocated';
  const mapping = sgMapping(context, args, breach);
  if (mapping !== undefined) {
    checkSync(context, mapping, { address: mapping.address, size: mapping.size, direction, to });
  }
  const config = deviceConfig(context, deviceArg(context, args[0]));
  if (config.coherent) {
    context.noop('the device is coherent: no cache maintenance');
  } else if (mapping === undefined && !config.iommu) {
    badAddress(context, 0);
  } else {
    const range = wholeBuffer(context.buffer(sgtArg(context, args[1]).buffer));
    if (to === 'device') syncForDevice(context, range);
    else syncForCpu(context, range, direction);
  }
  return 0;
}

function sgAddress(context: KernelContext, mapping: DmaMapping, entry: number): number {
  const step = entry * context.machine.pageSize;
  if (deviceConfig(context, mapping.device).iommu) return mapping.address + step;
  return entry === 0 ? mapping.address : fail(context, 'only entry 0 without an IOMMU');
}

export const scatterlistOperations: readonly Operation[] = [
  op(
    'dma_map_sg',
    'int',
    [dev, sgt, nents, dir],
    mapDoc,
    (c, a) => {
      mapSg(c, a, int(a[3]), attrsOf(c, undefined));
      return int(a[2]);
    },
    'skip-sync',
  ),
  op(
    'dma_map_sgtable',
    'int',
    [dev, sgt, dir, { ...attrs, optional: true }],
    mapDoc,
    (c, a) => mapSg(c, a, int(a[2]), attrsOf(c, a[3])),
    'skip-sync',
  ),
  op(
    'dma_unmap_sg',
    'void',
    [dev, sgt, nents, dir],
    unmapDoc,
    (c, a) => unmapSg(c, a, int(a[3]), attrsOf(c, undefined)),
    'skip-sync',
  ),
  op(
    'dma_unmap_sgtable',
    'void',
    [dev, sgt, dir, { ...attrs, optional: true }],
    unmapDoc,
    (c, a) => unmapSg(c, a, int(a[2]), attrsOf(c, a[3])),
    'skip-sync',
  ),
  op(
    'dma_sync_sg_for_cpu',
    'void',
    [dev, sgt, nents, dir],
    forCpuDoc,
    (c, a) => syncSg(c, a, 'cpu', int(a[3])),
    'drop',
  ),
  op(
    'dma_sync_sg_for_device',
    'void',
    [dev, sgt, nents, dir],
    forDeviceDoc,
    (c, a) => syncSg(c, a, 'device', int(a[3])),
    'drop',
  ),
  op(
    'dma_sync_sgtable_for_cpu',
    'void',
    [dev, sgt, dir],
    forCpuDoc,
    (c, a) => syncSg(c, a, 'cpu', int(a[2])),
    'drop',
  ),
  op(
    'dma_sync_sgtable_for_device',
    'void',
    [dev, sgt, dir],
    forDeviceDoc,
    (c, a) => syncSg(c, a, 'device', int(a[2])),
    'drop',
  ),
  op(
    'drm_prime_pages_to_sg',
    'sgt',
    [{ name: 'bo', kinds: ['bo', 'page'] }],
    "a scatterlist over the object's pages, not mapped for any device",
    (c, a) => makeSgt(c, bufferArg(c, a[0]), -1),
  ),
  op(
    'sg_dma_address',
    'dma',
    [sgt, { name: 'entry', kinds: ['int'], optional: true }],
    "bus address of the table's first entry (or of page `entry`); 0 while it is not mapped",
    (c, a) => {
      const mapping = c.kernel.mappings.find((each) => each.id === sgtArg(c, a[0]).mapping);
      return mapping === undefined ? 0 : sgAddress(c, mapping, int(a[1]));
    },
  ),
];
