/**
 * Operations: page_pool, from which network drivers take their receive buffers (K1, K5).
 * Sources: net/core/page_pool.c (page_pool_dma_map: dma_map_page_attrs with SKIP_CPU_SYNC, then
 * page_pool_dma_sync_for_device; __page_pool_put_page syncs before it recycles;
 * page_pool_scrub unmaps what is out since ee62ce7a1d90), include/net/page_pool/helpers.h
 * (page_pool_dma_sync_for_cpu, page_pool_get_dma_addr).
 * Leaves out: page fragments, a full cache, pages with more than one user, other providers.
 */
import { bufferArg, deviceArg, fail, handle, int } from '../args.js';
import {
  DMA_ATTR_SKIP_CPU_SYNC,
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  PP_FLAG_DMA_MAP,
  PP_FLAG_DMA_SYNC_DEV,
} from '../constants.js';
import type { KernelContext } from '../context.js';
import { dmaMap, endMapping } from '../dma.js';
import { wholeBuffer } from '../maintenance.js';
import { allocatePages, releasePages } from '../pages.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Buffer, PagePool } from '../state.js';
import { NULL, type Value } from '../value.js';
import { dir, page } from './dma-parts.js';
import { deviceParam } from './gem-parts.js';
import { mappingOf, partsIn, syncParts } from './own-mapping.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

const create: Effect = (context, args) => {
  const { site: id } = context.step;
  const flags = int(args[1]);
  const direction = int(args[2]);
  const known = direction === DMA_FROM_DEVICE || direction === DMA_BIDIRECTIONAL;
  const mapped = (flags & PP_FLAG_DMA_MAP) !== 0;
  const synced = (flags & PP_FLAG_DMA_SYNC_DEV) !== 0;
  if ((mapped && !known) || (synced && !mapped)) {
    context.contract('page_pool_create refuses this: -EINVAL');
  }
  const made: PagePool = {
    id,
    device: deviceArg(context, args[0]),
    mapped,
    synced,
    direction,
    maxLen: int(args[3], context.machine.pageSize),
    offset: int(args[4]),
    free: [],
    out: [],
  };
  const others = context.kernel.pagePools.filter((each) => each.id !== id);
  context.update({ pagePools: [...others, made] });
  return { kind: 'buffer', id };
};

function poolArg(context: KernelContext, value: Value | undefined): PagePool {
  const id = handle(context, value, 'buffer');
  const found = context.kernel.pagePools.find((each) => each.id === id);
  return found ?? fail(context, 'this is no page_pool, or it was destroyed');
}

function setPool(context: KernelContext, next: PagePool): void {
  const pools = context.kernel.pagePools.map((each) => (each.id === next.id ? next : each));
  context.update({ pagePools: pools });
}

/** page_pool_dma_sync_for_device: what the device may write next, as far as the caller says. */
function syncForDevice(context: KernelContext, pool: PagePool, buffer: Buffer, size: number): void {
  if (!pool.synced) return;
  const parts = partsIn(mappingOf(context, buffer), pool.offset, Math.min(size, pool.maxLen));
  syncParts(context, pool.device, parts, pool.direction, 'device');
}

const alloc: Effect = (context, args) => {
  const pool = poolArg(context, args[0]);
  const cached = pool.free.at(-1);
  if (cached !== undefined) {
    const free = pool.free.slice(0, -1);
    setPool(context, { ...pool, free, out: [...pool.out, cached] });
    return { kind: 'buffer', id: cached };
  }
  const size = context.machine.pageSize;
  const { id } = newBuffer(context, { kind: 'pages', size, contiguous: true });
  allocatePages(context, id, false);
  const ranges = [wholeBuffer(context.buffer(id))];
  const { device, direction } = pool;
  const what = { device, ranges, direction, attrs: DMA_ATTR_SKIP_CPU_SYNC, type: 'page' } as const;
  if (pool.mapped && dmaMap(context, { ...what, shared: true }) === null) return NULL;
  syncForDevice(context, pool, context.buffer(id), pool.maxLen);
  setPool(context, { ...pool, out: [...pool.out, id] });
  return { kind: 'buffer', id };
};

/** A recycled page costs nothing. */
function hasFreePage(context: KernelContext, args: Args): boolean {
  return poolArg(context, args[0]).free.length > 0;
}

const address: Effect = (context, args) => mappingOf(context, bufferArg(context, args[0])).address;

const syncForCpu: Effect = (context, args) => {
  const pool = poolArg(context, args[0]);
  const mapping = mappingOf(context, bufferArg(context, args[1]));
  const parts = partsIn(mapping, pool.offset + int(args[2]), int(args[3]));
  syncParts(context, pool.device, parts, pool.direction, 'cpu');
  return 0;
};

function put(context: KernelContext, args: Args, size: number): Value {
  const pool = poolArg(context, args[0]);
  const buffer = bufferArg(context, args[1]);
  if (!pool.out.includes(buffer.id)) {
    context.contract('a page goes back to a page_pool that it did not come from');
    return 0;
  }
  syncForDevice(context, pool, buffer, size);
  const out = pool.out.filter((each) => each !== buffer.id);
  setPool(context, { ...pool, out, free: [...pool.free, buffer.id] });
  return 0;
}

/** Cached pages are unmapped and freed; those that are out are only unmapped. */
const destroy: Effect = (context, args) => {
  const pool = poolArg(context, args[0]);
  for (const id of [...pool.free, ...pool.out]) {
    if (!pool.mapped) continue;
    const mapping = mappingOf(context, context.buffer(id));
    endMapping(context, mapping, mapping.size);
  }
  for (const id of pool.free) {
    releasePages(context, id);
    context.setBuffer({ ...context.buffer(id), gone: 'freed' });
  }
  const pagePools = context.kernel.pagePools.filter((each) => each.id !== pool.id);
  context.update({ pagePools });
  return 0;
};

const pool: Param = { name: 'pool', kinds: ['pool'] };
const direct: Param = { name: 'allow_direct', kinds: ['bool'] };
const syncSize: Param = { name: 'dma_sync_size', kinds: ['int'] };

function pp(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Effect,
  more: Partial<Operation> = {},
): Operation {
  return {
    name,
    family: 'page_pool',
    where: 'cpu',
    returns,
    rules: ['K1', 'K5'],
    params,
    doc,
    source: `net/core/page_pool.c, include/net/page_pool/helpers.h:${name}`,
    effect,
    ...more,
  };
}

const putDoc =
  'gives the page back for recycling; with PP_FLAG_DMA_SYNC_DEV cleans what the device wrote last, up to max_len';

const rows: readonly Operation[] = [
  pp(
    'page_pool_create',
    'pool',
    [
      deviceParam,
      { name: 'flags', kinds: ['int'] },
      dir,
      { name: 'max_len', kinds: ['int'], optional: true },
      { name: 'offset', kinds: ['int'], optional: true },
    ],
    'a pool of single pages without any yet (in Linux the parameters are a struct)',
    create,
  ),
  pp(
    'page_pool_dev_alloc_pages',
    'page',
    [pool],
    'a page: a recycled one as it was put, else a new one, which PP_FLAG_DMA_MAP maps without maintenance and PP_FLAG_DMA_SYNC_DEV then cleans',
    alloc,
  ),
  pp(
    'page_pool_get_dma_addr',
    'dma',
    [page],
    'the address that the pool mapped the page at',
    address,
  ),
  pp(
    'page_pool_dma_sync_for_cpu',
    'void',
    [pool, page, { name: 'offset', kinds: ['int'] }, syncSize],
    'dma_sync_single_range_for_cpu of what the device wrote',
    syncForCpu,
    { removable: 'drop', loadsPass: 'where-it-does-nothing' },
  ),
  pp('page_pool_put_page', 'void', [pool, page, syncSize, direct], putDoc, (context, args) =>
    put(context, args, int(args[2])),
  ),
  pp('page_pool_put_full_page', 'void', [pool, page, direct], putDoc, (context, args) =>
    put(context, args, Number.MAX_SAFE_INTEGER),
  ),
  pp('page_pool_recycle_direct', 'void', [pool, page], putDoc, (context, args) =>
    put(context, args, Number.MAX_SAFE_INTEGER),
  ),
  pp(
    'page_pool_destroy',
    'void',
    [pool],
    'unmaps the pages, those that are out too, without maintenance; frees those that are not out',
    destroy,
  ),
];

export const pagePoolOperations = withFailures(rows, {
  fails: {
    page_pool_create: ENOMEM,
    page_pool_dev_alloc_pages: { returns: NULL, unless: hasFreePage },
  },
  takeNull: ['page_pool_destroy'],
});
