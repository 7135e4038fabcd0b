/**
 * Operations: V4L2's videobuf2, its two allocators for devices (K5, K8).
 * Sources (v6.12): drivers/media/common/videobuf2/videobuf2-dma-contig.c (vb2_dc_alloc_coherent,
 * vb2_dc_alloc_non_coherent, vb2_dc_prepare, vb2_dc_finish, vb2_dc_mmap, vb2_dc_vaddr,
 * vb2_dc_dmabuf_ops_map: DMA_ATTR_SKIP_CPU_SYNC, begin/end_cpu_access do nothing),
 * videobuf2-dma-sg.c (vb2_dma_sg_alloc: no zeroing, dma_map_sgtable with SKIP_CPU_SYNC,
 * vb2_dma_sg_dmabuf_ops_begin_cpu_access syncs the exporter's own table),
 * videobuf2-v4l2.c:set_buffer_cache_hints, videobuf2-memops.c:vb2_create_framevec.
 * Leaves out: queues and their states: a buffer is given its direction when it is allocated, and
 * prepare and finish take the flags it was queued with. A USERPTR buffer is called by its memory.
 */
import { bufferArg, deviceArg, int, pointerArg } from '../args.js';
import { dmaMap, endMapping } from '../dma.js';
import {
  DMA_ATTR_SKIP_CPU_SYNC,
  DMA_TO_DEVICE,
  V4L2_NO_CACHE_CLEAN,
  V4L2_NO_CACHE_INVALIDATE,
} from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer } from '../cpu-maps.js';
import { deviceConfig } from '../dma-address.js';
import { allocatePages, releasePages, residentPages } from '../pages.js';
import { EINVAL, ENOMEM, withFailures } from '../failures.js';
import { type Effect, family, type Operation, type Option, type Param } from '../registry.js';
import { addSgt, mapObject, unmapTable, wholeEntry } from '../sg-tables.js';
import type { Buffer } from '../state.js';
import type { Value } from '../value.js';
import { allocCoherent, zoneFor } from './coherent.js';
import { allocCached } from './dma-alloc.js';
import { dir } from './dma-parts.js';
import { defaultAttribute, deviceParam, sizeParam } from './gem-parts.js';
import { freeMapped, freeWith, kernelMapOf, mappingOf, syncWhole } from './own-mapping.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

/** The memory of the DMA API: non-cacheable, or cached with syncs (V4L2_MEMORY_FLAG_NON_COHERENT). */
const dcAlloc: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const { iommu, coherent } = deviceConfig(context, device);
  const cached = context.option('non_coherent_mem') !== 0;
  const buffer = newBuffer(context, {
    kind: 'vb2-dc',
    size: int(args[1]),
    contiguous: !iommu,
    zone: zoneFor(context, device),
    mapWc: !cached && !coherent,
    device,
  });
  const made = cached
    ? allocCached(context, buffer, { direction: int(args[2]), zero: !iommu, type: 'sg' })
    : allocCoherent(context, device, buffer, 0, 0);
  if (made === null) return ENOMEM;
  if (cached) {
    const entry = { ...wholeEntry(context, context.buffer(buffer.id)), perPage: false };
    addSgt(context, [entry], mappingOf(context, buffer).id);
  }
  context.setBuffer({ ...context.buffer(buffer.id), pins: 1 });
  return { kind: 'buffer', id: buffer.id };
};

/** Ordinary pages, mapped without any maintenance: prepare() does that. */
const sgAlloc: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const what = { kind: 'vb2-sg', size: int(args[1]), zone: 'any', device } as const;
  const { id } = newBuffer(context, what);
  allocatePages(context, id, true);
  const how = { device, direction: int(args[2]), attrs: DMA_ATTR_SKIP_CPU_SYNC, shared: true };
  const sgt = mapObject(context, context.buffer(id), how);
  if (sgt === null) return ENOMEM;
  context.setBuffer({ ...context.buffer(id), pins: 1, sgt });
  return { kind: 'buffer', id };
};

/** Its memory may be cached, so that ownership takes maintenance. */
function isCached(context: KernelContext, buffer: Buffer): boolean {
  return mappingOf(context, buffer).type === 'sg';
}

function hand(to: 'cpu' | 'device'): Effect {
  return (context, args) => {
    const buffer = bufferArg(context, args[0]);
    const { direction } = mappingOf(context, buffer);
    const hint = to === 'device' ? V4L2_NO_CACHE_CLEAN : V4L2_NO_CACHE_INVALIDATE;
    const skipped = (int(args[1]) & hint) !== 0 || (to === 'cpu' && direction === DMA_TO_DEVICE);
    if (skipped) context.noop('a cache hint, or the direction, says that no sync is needed');
    else if (!isCached(context, buffer)) context.noop('the memory is coherent: nothing to sync');
    else syncWhole(context, buffer, to);
    return 0;
  };
}

/** dma_mmap_attrs, or the cached dma_mmap_noncontiguous and vm_map_pages. */
const mmap: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  return mapBuffer(context, buffer, 'mmap', defaultAttribute(context, buffer));
};

/** The address that came with the memory; of cached memory a vmap, made when it is asked for. */
const vaddr: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  const map = kernelMapOf(context, buffer);
  if (map !== undefined) return { kind: 'ptr', map: map.id, offset: 0 };
  return mapBuffer(context, buffer, buffer.contiguous ? 'linear' : 'vmap', 'WB');
};

const cookie: Effect = (context, args) => mappingOf(context, bufferArg(context, args[0])).address;

const put: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  const { device, direction } = mappingOf(context, buffer);
  const call = { device, direction, attrs: DMA_ATTR_SKIP_CPU_SYNC };
  const own = ['dma_unmap_sgtable', 'dma_unmap_sg_attrs'].some((name) =>
    context.overrides.has(name),
  );
  if (!own || buffer.kind !== 'vb2-sg') freeMapped(context, buffer);
  else freeWith(context, buffer, () => unmapTable(context, buffer.sgt, call));
  return 0;
};

/** vb2_*_get_userptr: pins, and maps without maintenance; null where the helper refuses. */
function getUserptr(isDc: boolean): Effect {
  return (context, args) => {
    const device = deviceArg(context, args[0]);
    const { map, offset } = pointerArg(context, args[1]);
    const bytes = int(args[2]);
    const direction = int(args[3]);
    const why = isDc ? refusal(context, device, offset, bytes) : null;
    if (why !== null) {
      context.noop(why);
      return EINVAL;
    }
    residentPages(context, map.buffer);
    const buffer = context.buffer(map.buffer);
    context.setBuffer({ ...buffer, pins: buffer.pins + 1 });
    const ranges = [{ buffer: buffer.id, from: offset, size: bytes }];
    const how = { device, ranges, direction, attrs: DMA_ATTR_SKIP_CPU_SYNC, type: 'sg' } as const;
    return dmaMap(context, how) === null ? ENOMEM : { kind: 'buffer', id: buffer.id };
  };
}

/** vb2_dc_get_userptr: whole cache lines only, and one range of bus addresses. */
function refusal(
  context: KernelContext,
  device: number,
  offset: number,
  bytes: number,
): string | null {
  const { lineSize, pageSize } = context.machine;
  if (offset % lineSize !== 0 || bytes % lineSize !== 0) {
    return 'user data must begin and end with a cache line: -EINVAL';
  }
  const pages = Math.ceil(((offset % pageSize) + bytes) / pageSize);
  if (pages === 1 || deviceConfig(context, device).iommu) return null;
  return 'the pages are not contiguous for the device: -EFAULT';
}

/** dma_unmap_sgtable with SKIP_CPU_SYNC: finish() has synced; then the pages are let go. */
const putUserptr: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  const mapping = mappingOf(context, buffer);
  endMapping(context, mapping, mapping.size);
  context.setBuffer({ ...buffer, pins: Math.max(0, buffer.pins - 1) });
  if (buffer.gone !== 'no' && buffer.pins === 1) releasePages(context, buffer.id);
  return 0;
};

function getDmabuf(context: KernelContext, args: Args): Value {
  return { kind: 'buffer', id: bufferArg(context, args[0]).id };
}

const nonCoherent: Option = {
  name: 'non_coherent_mem',
  kind: 'bool',
  doc: 'the queue was made with V4L2_MEMORY_FLAG_NON_COHERENT: cached memory, synced around each use',
};

const buf: Param = { name: 'buf', kinds: ['bo'] };
const flags: Param = { name: 'flags', kinds: ['int'], optional: true };

function vb2(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Effect,
  more: Partial<Operation> = {},
): Operation {
  const file = name.startsWith('vb2_dc') ? 'videobuf2-dma-contig.c' : 'videobuf2-dma-sg.c';
  const op = family({ family: 'videobuf2', where: 'cpu', returns, rules: ['K5'] });
  return op(name, params, doc, `drivers/media/common/videobuf2/${file}:${name}`, effect, more);
}

function userptr(prefix: 'vb2_dc' | 'vb2_dma_sg'): readonly Operation[] {
  const isDc = prefix === 'vb2_dc';
  return [
    vb2(
      `${prefix}_get_userptr`,
      'bo',
      [deviceParam, { name: 'vaddr', kinds: ['ptr'] }, sizeParam, dir],
      isDc
        ? 'user memory pinned and mapped with DMA_ATTR_SKIP_CPU_SYNC; -EINVAL unless it is whole cache lines, and contiguous for the device'
        : 'user memory pinned and mapped with DMA_ATTR_SKIP_CPU_SYNC',
      getUserptr(isDc),
      { rules: ['K5', 'K8'] },
    ),
    vb2(
      `${prefix}_put_userptr`,
      'void',
      [buf],
      'unmaps and unpins; no cache maintenance',
      putUserptr,
      { rules: ['K5', 'K8'] },
    ),
  ];
}

function both(prefix: 'vb2_dc' | 'vb2_dma_sg'): readonly Operation[] {
  const isDc = prefix === 'vb2_dc';
  const when = isDc ? ', with non_coherent_mem' : '';
  return [
    vb2(
      `${prefix}_prepare`,
      'void',
      [buf, flags],
      `dma_sync_sgtable_for_device in the queue's direction${when}; not with V4L2_BUF_FLAG_NO_CACHE_CLEAN`,
      hand('device'),
      { removable: 'drop' },
    ),
    vb2(
      `${prefix}_finish`,
      'void',
      [buf, flags],
      `dma_sync_sgtable_for_cpu${when}; not with V4L2_BUF_FLAG_NO_CACHE_INVALIDATE, nor for DMA_TO_DEVICE`,
      hand('cpu'),
      { removable: 'drop' },
    ),
    vb2(
      `${prefix}_mmap`,
      'ptr',
      [buf],
      isDc
        ? 'user mapping: as dma_mmap_attrs; cached with non_coherent_mem'
        : 'cached user mapping',
      mmap,
    ),
    vb2(
      `${prefix}_vaddr`,
      'ptr',
      [buf],
      isDc
        ? "the kernel's address: that of the allocation; cached, and made now, with non_coherent_mem"
        : 'a cached kernel mapping',
      vaddr,
    ),
    vb2(
      `${prefix}_cookie`,
      'dma',
      [buf],
      `the address that the device uses${isDc ? '' : ' (in Linux the table)'}`,
      cookie,
    ),
    vb2(
      `${prefix}_get_dmabuf`,
      'dmabuf',
      [buf],
      isDc
        ? 'exports the buffer: importers map it with DMA_ATTR_SKIP_CPU_SYNC, begin/end_cpu_access do nothing'
        : "exports the buffer: importers map it with maintenance, begin/end_cpu_access sync the exporter's own table",
      getDmabuf,
      { rules: ['K8'] },
    ),
    ...userptr(prefix),
    vb2(`${prefix}_put`, 'void', [buf], 'unmaps and frees; no cache maintenance', put),
  ];
}

const rows: readonly Operation[] = [
  vb2(
    'vb2_dc_alloc',
    'bo',
    [deviceParam, sizeParam, dir],
    'memory of dma_alloc_attrs; with non_coherent_mem of dma_alloc_noncontiguous',
    dcAlloc,
    { options: [nonCoherent] },
  ),
  vb2(
    'vb2_dma_sg_alloc',
    'bo',
    [deviceParam, sizeParam, dir],
    'zeroed pages, mapped with DMA_ATTR_SKIP_CPU_SYNC: nothing is cleaned before prepare',
    sgAlloc,
  ),
  ...both('vb2_dc'),
  ...both('vb2_dma_sg'),
];

export const videobuf2Operations = withFailures(rows, {
  fails: {
    vb2_dc_alloc: ENOMEM,
    vb2_dma_sg_alloc: ENOMEM,
    vb2_dc_get_userptr: ENOMEM,
    vb2_dma_sg_get_userptr: ENOMEM,
  },
});
