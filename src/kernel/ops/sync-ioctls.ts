/**
 * Operations: what drivers offer user space to sync its cached objects (K4), and the rest of the
 * DMA API's mmap family (K3, K5).
 * Sources: panthor/panthor_gem.c:panthor_gem_sync and panfrost/panfrost_gem.c:panfrost_gem_sync
 * (mainline after 6.12), etnaviv/etnaviv_gem.c:etnaviv_gem_cpu_prep, etnaviv_gem_cpu_fini;
 * kernel/dma/mapping.c (dma_mmap_pages, dma_mmap_noncontiguous), drivers/iommu/iommu.c
 * (iommu_map_sg).
 * Leaves out: imported objects, which panthor passes on to the exporter; the fence waits.
 */
import { bufferArg, fail, handle, int, sgRanges, sgtArg } from '../args.js';
import {
  CPU_CACHE_FLUSH,
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
  ETNA_PREP_READ,
  ETNA_PREP_WRITE,
} from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer } from '../cpu-maps.js';
import { syncPieces } from '../dma.js';
import { syncsTable } from '../overrides.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Buffer } from '../state.js';
import type { Value } from '../value.js';
import { addr, dev, op, page, sgt, size } from './dma-parts.js';
import { mapInto } from './iommu-api.js';
import { partsIn, syncParts } from './own-mapping.js';

type Args = readonly Value[];

/** The parts of an object's own mapping that lie in a byte range. */
function ownParts(context: KernelContext, buffer: Buffer, from: number, bytes: number) {
  const table = context.kernel.sgts.find((each) => each.id === buffer.sgt);
  const mapping = context.kernel.mappings.find((each) => each.id === table?.mapping);
  if (mapping === undefined) fail(context, 'the object has no sgt: drm_gem_shmem_get_pages_sgt()');
  return partsIn(mapping, from, bytes);
}

/** PANTHOR_BO_SYNC: for_device(TO_DEVICE); to invalidate as well, then for_cpu(FROM_DEVICE). */
const boSync: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  if (buffer.mapWc) {
    context.noop('the object is mapped write-combined: nothing to sync');
    return 0;
  }
  const parts = ownParts(context, buffer, int(args[2]), int(args[3]));
  const { device } = buffer;
  syncParts(context, device, parts, DMA_TO_DEVICE, 'device');
  if (int(args[1]) !== CPU_CACHE_FLUSH) {
    syncParts(context, device, parts, DMA_FROM_DEVICE, 'cpu');
  }
  return 0;
};

/** etnaviv_op_to_dma_dir. */
function directionOf(prep: number): number {
  if (prep === ETNA_PREP_READ) return DMA_FROM_DEVICE;
  return prep === ETNA_PREP_WRITE ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL;
}

function cpuAccess(to: 'cpu' | 'device'): Effect {
  return (context, args) => {
    const buffer = bufferArg(context, args[0]);
    if (buffer.mapWc) {
      context.noop('no ETNA_BO_CACHED: nothing to sync');
      return 0;
    }
    const direction = directionOf(int(args[1]));
    const parts = ownParts(context, buffer, 0, buffer.size);
    const table = context.kernel.sgts.find((each) => each.id === buffer.sgt);
    if (table && syncsTable(context, to, buffer.device, table, direction)) return 0;
    syncPieces(context, { device: buffer.device, direction, to }, parts);
    return 0;
  };
}

const bo: Param = { name: 'bo', kinds: ['bo'] };
const type: Param = { name: 'type', kinds: ['bosync'] };
const offset: Param = { name: 'offset', kinds: ['int'] };
const prep: Param = { name: 'op', kinds: ['etnaprep'] };

function sync(name: string, params: readonly Param[], doc: string, source: string, effect: Effect) {
  const operation: Operation = {
    name,
    family: 'cache helpers',
    where: 'cpu',
    returns: 'int',
    rules: ['K4'],
    params,
    doc,
    source,
    removable: 'drop',
    effect,
  };
  return operation;
}

const boSyncDoc =
  "cleans the range of a cached object; with FLUSH_AND_INVALIDATE also invalidates it, by the object's own mapping";

/** The caller's protection, which is that of ordinary user memory. */
function mmapCached(context: KernelContext, args: Args): Value {
  return mapBuffer(context, bufferArg(context, args[2]), 'mmap', 'WB');
}

function mmapTable(context: KernelContext, args: Args): Value {
  const [only, ...more] = sgRanges(context, sgtArg(context, args[2]));
  if (only === undefined || more.length > 0) fail(context, 'a table of dma_alloc_noncontiguous()');
  return mapBuffer(context, context.buffer(only.buffer), 'mmap', 'WB');
}

/** The first entries of a table, as many as the caller says. */
function mapSg(context: KernelContext, args: Args): Value {
  const ranges = sgRanges(context, sgtArg(context, args[2])).slice(0, Math.max(1, int(args[3])));
  const to = { kind: 'domain', id: handle(context, args[0], 'domain') } as const;
  return mapInto(context, [to, int(args[1])], ranges, int(args[4]));
}

export const syncIoctlOperations: readonly Operation[] = [
  sync(
    'panthor_gem_sync',
    [bo, type, offset, size],
    boSyncDoc,
    'drivers/gpu/drm/panthor/panthor_gem.c:panthor_gem_sync (after 6.12)',
    boSync,
  ),
  sync(
    'panfrost_gem_sync',
    [bo, type, offset, size],
    boSyncDoc,
    'drivers/gpu/drm/panfrost/panfrost_gem.c:panfrost_gem_sync (after 6.12)',
    boSync,
  ),
  sync(
    'etnaviv_gem_cpu_prep',
    [bo, prep],
    'dma_sync_sgtable_for_cpu of a cached object, in the direction of the access',
    'drivers/gpu/drm/etnaviv/etnaviv_gem.c:etnaviv_gem_cpu_prep',
    cpuAccess('cpu'),
  ),
  sync(
    'etnaviv_gem_cpu_fini',
    [bo, prep],
    'dma_sync_sgtable_for_device of a cached object (in Linux the op is remembered from cpu_prep)',
    'drivers/gpu/drm/etnaviv/etnaviv_gem.c:etnaviv_gem_cpu_fini',
    cpuAccess('device'),
  ),
  op(
    'dma_mmap_pages',
    'ptr',
    [dev, size, page],
    'user mapping with the protection of ordinary memory: cached',
    (context, args) => mmapCached(context, [0, 0, args[2] ?? 0]),
  ),
  op(
    'dma_mmap_noncontiguous',
    'ptr',
    [dev, size, sgt],
    'user mapping with the protection of ordinary memory: cached',
    mmapTable,
  ),
  {
    name: 'iommu_map_sg',
    family: 'IOMMU API',
    where: 'cpu',
    returns: 'int',
    rules: ['K6', 'M12'],
    params: [
      { name: 'domain', kinds: ['domain'] },
      { name: 'iova', kinds: addr.kinds },
      sgt,
      { name: 'nents', kinds: ['int'] },
      { name: 'prot', kinds: ['prot'] },
    ],
    doc: 'installs translations for entries of a table; no CPU cache maintenance',
    source: 'drivers/iommu/iommu.c:iommu_map_sg',
    effect: mapSg,
  },
];
