/**
 * Operations: the DMA mapping API (K5) with Linux's names and argument orders.
 * Sources: include/linux/dma-mapping.h, kernel/dma/mapping.c, direct.c, drivers/iommu/dma-iommu.c.
 * Leaves out: swiotlb and masks, so a mapping never bounces and never fails.
 */
import { deviceArg, fail, int, pointerArg, rangeArg, sgtArg, bufferArg } from '../args.js';
import { DMA_BIDIRECTIONAL } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap } from '../cpu-maps.js';
import {
  badAddress, checkSync, deviceConfig, dmaMap, dmaSync, dmaUnmap, endMapping,
} from '../dma.js';
import { issue, maintain, syncForCpu, syncForDevice, wholeBuffer } from '../maintenance.js';
import { allocatePages, pageLayouts } from '../pages.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { DmaMapping } from '../state.js';
import type { Value } from '../value.js';
import { makeSgt } from './gem.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];
type Type = DmaMapping['type'];

const dev: Param = { name: 'dev', kinds: ['device'] };
const size: Param = { name: 'size', kinds: ['int'] };
const dir: Param = { name: 'dir', kinds: ['direction'] };
const attrs: Param = { name: 'attrs', kinds: ['attrs'] };
const addr: Param = { name: 'addr', kinds: ['dma'] };
const sgt: Param = { name: 'sgt', kinds: ['sgt'] };
const gfp: Param = { name: 'gfp', kinds: ['gfp'] };

function attrsOf(context: KernelContext, value: Value | undefined): number {
  return int(value) | context.skipSyncAttrs();
}

function mapSingle(attrsAt: number): Effect {
  return (context, args) =>
    dmaMap(context, {
      device: deviceArg(context, args[0]), range: rangeArg(context, args[1], args[2]),
      direction: int(args[3]), attrs: attrsOf(context, args[attrsAt]), type: 'single',
    }).address;
}

const mapPage: Effect = (context, args) =>
  dmaMap(context, {
    device: deviceArg(context, args[0]),
    range: { buffer: bufferArg(context, args[1]).id, from: int(args[2]), size: int(args[3]) },
    direction: int(args[4]), attrs: attrsOf(context, undefined), type: 'page',
  }).address;

function unmapSingle(type: Type, attrsAt: number): Effect {
  return (context, args) => {
    dmaUnmap(context, {
      device: deviceArg(context, args[0]), address: int(args[1]), size: int(args[2]),
      direction: int(args[3]), attrs: attrsOf(context, args[attrsAt]), type,
    });
    return 0;
  };
}

function syncSingle(to: 'cpu' | 'device', range: boolean): Effect {
  return (context, args) => {
    const shift = range ? 1 : 0;
    dmaSync(context, {
      device: deviceArg(context, args[0]), to,
      address: int(args[1]) + (range ? int(args[2]) : 0), size: int(args[2 + shift]),
      direction: int(args[3 + shift]),
    });
    return 0;
  };
}

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
    device: deviceArg(context, args[0]), range: wholeBuffer(buffer), direction,
    attrs: attributes, type: 'sg',
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
    device: mapping.device, address: mapping.address, size: mapping.size, direction,
    attrs: attributes, type: 'sg',
  });
  const table = sgtArg(context, args[1]);
  context.update({
    sgts: context.kernel.sgts.map((each) => (each.id === table.id ? { ...each, mapping: -1 } : each)),
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

/** dma_alloc_coherent and _wc: clean of the linear map, NC remap, memset through the remap. */
function allocCoherent(context: KernelContext, args: Args): Value {
  const device = deviceArg(context, args[0]);
  const { coherent, iommu } = deviceConfig(context, device);
  const buffer = newBuffer(context, {
    kind: 'coherent', size: int(args[1]), contiguous: true, device,
  });
  // dma-iommu zeroes through the linear map before the clean, dma-direct through the remap.
  allocatePages(context, buffer.id, iommu || coherent);
  const whole = wholeBuffer(context.buffer(buffer.id));
  if (!coherent) maintain(context, 'clean', whole);
  const mapping = dmaMap(context, {
    device, range: whole, direction: DMA_BIDIRECTIONAL, attrs: 0, type: 'coherent',
  });
  const attribute = coherent ? 'WB' : 'NC';
  const pointer = mapBuffer(context, context.buffer(buffer.id), 'remap', attribute);
  if (!coherent && !iommu) zeroThroughRemap(context, buffer.id);
  context.out(2, mapping.address);
  return pointer;
}

function zeroThroughRemap(context: KernelContext, id: number): void {
  const tick = context.tick();
  const buffer = context.buffer(id);
  pageLayouts(context, id).forEach((page, i) => {
    const slot = buffer.pages[i];
    if (slot?.state !== 'resident') return;
    page.lines.forEach((layout, line) => {
      layout.cells.forEach((cell, word) => {
        context.write(cell, 0, tick);
        issue(context, [{
          kind: 'store', attribute: 'NC', frame: slot.frame, line, word, value: 0,
          at: context.step.site,
        }]);
      });
    });
  });
}

function freeCoherent(context: KernelContext, args: Args): Value {
  const { map, offset } = pointerArg(context, args[2]);
  const buffer = context.buffer(map.buffer);
  const mapping = context.kernel.mappings.find(
    (each) => each.buffer === buffer.id && each.type === 'coherent',
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
  endMapping(context, mapping, mapping.size);
  context.queue({ do: 'free', buffer: buffer.id });
  context.setBuffer({ ...context.buffer(buffer.id), gone: 'freed' });
  return 0;
}

function mmapCoherent(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  if (map.kind !== 'remap') context.contract('dma_mmap_* of memory dma_alloc_* did not return');
  return mapBuffer(context, context.buffer(map.buffer), 'mmap', map.attribute);
}

function op(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Effect,
  removable?: Operation['removable'],
): Operation {
  const plain: Operation = {
    name, family: 'DMA mapping API', where: 'cpu', returns, params, doc, effect,
    rules: ['K5'], source: 'kernel/dma/mapping.c, direct.c, drivers/iommu/dma-iommu.c',
  };
  return removable === undefined ? plain : { ...plain, removable };
}

const mapDoc = 'cleans the range whatever the direction (nothing for a coherent device), then gives its bus address';
const unmapDoc = 'invalidates the range unless DMA_TO_DEVICE, then takes the address away';
const forCpuDoc = 'invalidates the range unless DMA_TO_DEVICE';
const forDeviceDoc = 'cleans the range whatever the direction';
const ptr: Param = { name: 'ptr', kinds: ['ptr'] };
const nents: Param = { name: 'nents', kinds: ['int'] };
const offset: Param = { name: 'offset', kinds: ['int'] };
const cpuAddr: Param = { name: 'cpu_addr', kinds: ['ptr'] };

const single: readonly Operation[] = [
  op('dma_map_single', 'dma', [dev, ptr, size, dir], mapDoc, mapSingle(9), 'skip-sync'),
  op('dma_map_single_attrs', 'dma', [dev, ptr, size, dir, attrs], mapDoc, mapSingle(4), 'skip-sync'),
  op('dma_map_page', 'dma', [dev, { name: 'page', kinds: ['page'] }, offset, size, dir], mapDoc,
    mapPage, 'skip-sync'),
  op('dma_unmap_single', 'void', [dev, addr, size, dir], unmapDoc, unmapSingle('single', 9),
    'skip-sync'),
  op('dma_unmap_single_attrs', 'void', [dev, addr, size, dir, attrs], unmapDoc,
    unmapSingle('single', 4), 'skip-sync'),
  op('dma_unmap_page', 'void', [dev, addr, size, dir], unmapDoc, unmapSingle('page', 9),
    'skip-sync'),
  op('dma_sync_single_for_cpu', 'void', [dev, addr, size, dir], forCpuDoc,
    syncSingle('cpu', false), 'drop'),
  op('dma_sync_single_for_device', 'void', [dev, addr, size, dir], forDeviceDoc,
    syncSingle('device', false), 'drop'),
  op('dma_sync_single_range_for_cpu', 'void', [dev, addr, offset, size, dir], forCpuDoc,
    syncSingle('cpu', true), 'drop'),
  op('dma_sync_single_range_for_device', 'void', [dev, addr, offset, size, dir], forDeviceDoc,
    syncSingle('device', true), 'drop'),
  op('dma_mapping_error', 'int', [dev, addr], 'always 0 here: a mapping never fails',
    () => 0),
];

const sg: readonly Operation[] = [
  op('dma_map_sg', 'int', [dev, sgt, nents, dir], mapDoc, (c, a) => {
    mapSg(c, a, int(a[3]), attrsOf(c, undefined));
    return int(a[2]);
  }, 'skip-sync'),
  op('dma_map_sgtable', 'int', [dev, sgt, dir, { ...attrs, optional: true }], mapDoc,
    (c, a) => mapSg(c, a, int(a[2]), attrsOf(c, a[3])), 'skip-sync'),
  op('dma_unmap_sg', 'void', [dev, sgt, nents, dir], unmapDoc,
    (c, a) => unmapSg(c, a, int(a[3]), attrsOf(c, undefined)), 'skip-sync'),
  op('dma_unmap_sgtable', 'void', [dev, sgt, dir, { ...attrs, optional: true }], unmapDoc,
    (c, a) => unmapSg(c, a, int(a[2]), attrsOf(c, a[3])), 'skip-sync'),
  op('dma_sync_sg_for_cpu', 'void', [dev, sgt, nents, dir], forCpuDoc,
    (c, a) => syncSg(c, a, 'cpu', int(a[3])), 'drop'),
  op('dma_sync_sg_for_device', 'void', [dev, sgt, nents, dir], forDeviceDoc,
    (c, a) => syncSg(c, a, 'device', int(a[3])), 'drop'),
  op('dma_sync_sgtable_for_cpu', 'void', [dev, sgt, dir], forCpuDoc,
    (c, a) => syncSg(c, a, 'cpu', int(a[2])), 'drop'),
  op('dma_sync_sgtable_for_device', 'void', [dev, sgt, dir], forDeviceDoc,
    (c, a) => syncSg(c, a, 'device', int(a[2])), 'drop'),
  op('drm_prime_pages_to_sg', 'sgt', [{ name: 'bo', kinds: ['bo', 'page'] }],
    'a scatterlist over the object\'s pages, not mapped for any device',
    (c, a) => makeSgt(c, bufferArg(c, a[0]), -1)),
  op('sg_dma_address', 'dma', [sgt, { name: 'entry', kinds: ['int'], optional: true }],
    'bus address of the table\'s first entry (or of page `entry`); 0 while it is not mapped',
    (c, a) => {
      const mapping = c.kernel.mappings.find((each) => each.id === sgtArg(c, a[0]).mapping);
      return mapping === undefined ? 0 : sgAddress(c, mapping, int(a[1]));
    }),
];

function sgAddress(context: KernelContext, mapping: DmaMapping, entry: number): number {
  const step = entry * context.machine.pageSize;
  if (deviceConfig(context, mapping.device).iommu) return mapping.address + step;
  return entry === 0 ? mapping.address : fail(context, 'only entry 0 without an IOMMU');
}

const coherent: readonly Operation[] = (['coherent', 'wc'] as const).flatMap((kind) => [
  op(`dma_alloc_${kind}`, 'ptr', [dev, size, { name: 'handle', kinds: ['dma'], out: true }, gfp],
    'pages cleaned through the linear map, mapped non-cacheable (write-back for a coherent device) and zeroed',
    allocCoherent),
  op(`dma_free_${kind}`, 'void', [dev, size, cpuAddr, addr],
    'unmaps and frees; no cache maintenance', freeCoherent),
  op(`dma_mmap_${kind}`, 'ptr', [dev, cpuAddr],
    'user mapping with the attribute of the allocation', mmapCoherent),
]);

export const dmaOperations: readonly Operation[] = [...single, ...sg, ...coherent];
