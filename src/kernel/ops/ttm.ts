/**
 * Operations: TTM's page tables of an object (struct ttm_tt) in system memory (K1, K3, K7).
 * Sources: drivers/gpu/drm/ttm/ttm_tt.c (ttm_tt_init, ttm_sg_tt_init, ttm_tt_populate),
 * ttm_pool.c (ttm_pool_apply_caching under CONFIG_X86 only; ttm_pool_map: dma_map_page
 * BIDIRECTIONAL where there is a dma_address array), ttm_module.c:ttm_prot_from_caching,
 * ttm_bo_util.c:ttm_bo_vmap.
 * Leaves out: VRAM, pools of the DMA API (use_dma_alloc), pages that x86 keeps
 * write-combined in a pool, objects of more than one page at addresses of their own.
 */
import { bufferArg, deviceArg, int, pointerArg } from '../args.js';
import { DMA_BIDIRECTIONAL, TTM_CACHED, TTM_WRITE_COMBINED } from '../constants.js';
import type { Attribute } from '../../machine/attributes.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap, zapUserMaps } from '../cpu-maps.js';
import { dmaUnmap } from '../dma.js';
import { setLinearAttribute } from '../linear-map.js';
import { wholeBuffer } from '../maintenance.js';
import { releasePages } from '../pages.js';
import { profileOf, uncachedAttribute } from '../profile.js';
import { copyToFile, forgetFile, populateTtm } from '../ttm.js';
import { storesPending } from '../access.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Buffer } from '../state.js';
import { NULL, type Value } from '../value.js';
import { boParam, defaultAttribute, deviceParam, sizeParam } from './gem-parts.js';
import { mappingOf } from './own-mapping.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

/** ttm_prot_from_caching: pgprot_writecombine, or pgprot_noncached, which is Device on arm64. */
function attributeFor(context: KernelContext, caching: number): Attribute {
  if (caching === TTM_CACHED) return 'WB';
  if (caching === TTM_WRITE_COMBINED) return uncachedAttribute(context);
  return context.machine.svpbmt ? 'DEV' : uncachedAttribute(context);
}

function init(mapsForDevice: boolean): Effect {
  return (context, args) => {
    const made = newBuffer(context, {
      kind: 'ttm',
      size: int(args[1]),
      device: deviceArg(context, args[0]),
    });
    const attribute = attributeFor(context, int(args[2]));
    context.setBuffer({ ...made, attribute, ...(mapsForDevice ? { mapsPages: true } : {}) });
    return { kind: 'buffer', id: made.id };
  };
}

function populate(context: KernelContext, args: Args): Value {
  populateTtm(context, bufferArg(context, args[0]));
  return 0;
}

function isPopulated(context: KernelContext, args: Args): boolean {
  return bufferArg(context, args[0]).pages.every(({ state }) => state === 'resident');
}

function unpopulate(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  // What was swapped out has neither pages nor a mapping.
  if (context.kernel.files.some((each) => each.buffer === buffer.id))
    forgetFile(context, buffer.id);
  else dropPages(context, buffer);
  context.setBuffer({ ...context.buffer(buffer.id), gone: 'freed' });
  return 0;
}

/** User mappings and the device's go, and then the pages. */
function dropPages(context: KernelContext, buffer: Buffer): void {
  zapUserMaps(context, buffer.id);
  if (buffer.mapsPages === true) unmapPages(context, buffer);
  if (buffer.attribute !== 'WB' && profileOf(context).tracksMemoryType) {
    setLinearAttribute(context, wholeBuffer(buffer), 'WB');
  }
  releasePages(context, buffer.id);
}

/** Once the device's jobs are done: copied, then as ttm_tt_unpopulate. */
function swapOut(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.pins === 0) {
    context.noop('the object has no pages: nothing is copied');
    return 0;
  }
  if ((buffer.pinned ?? 0) > 0) {
    context.noop('the object is pinned: it stays');
    return 0;
  }
  // The reservation lock orders the CPU's stores before the copies.
  if (storesPending(context) || !isIdle(context, buffer.id)) {
    context.blocked = true;
    return 0;
  }
  copyToFile(context, buffer.id);
  dropPages(context, context.buffer(buffer.id));
  context.setBuffer({ ...context.buffer(buffer.id), pins: 0 });
  return 0;
}

/** ttm_bo_wait_ctx: every fence of the reservation object has signalled, and is known to. */
function isIdle(context: KernelContext, id: number): boolean {
  const { fences, ports } = context.kernel;
  const mine = fences.filter((each) => each.buffer === id);
  const done = mine.every(({ device, ticket }) => (ports[device]?.done ?? 0) >= ticket);
  for (const { device } of done ? mine : []) context.learn(ports[device]?.clock ?? []);
  return done;
}

function unmapPages(context: KernelContext, buffer: Buffer): void {
  const { device, address, size } = mappingOf(context, buffer);
  const how = { direction: DMA_BIDIRECTIONAL, attrs: 0, type: 'sg' } as const;
  dmaUnmap(context, { device, address, size, ...how });
}

/** One cached page by the linear map, anything else by a vmap with the object's attribute. */
export function ttmVmap(context: KernelContext, args: Args): Value {
  populate(context, args);
  const buffer = context.buffer(bufferArg(context, args[0]).id);
  const attribute = defaultAttribute(context, buffer);
  const single = attribute === 'WB' && buffer.size === context.machine.pageSize;
  return mapBuffer(context, buffer, single ? 'linear' : 'vmap', attribute);
}

export function ttmVunmap(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  if (!map.live) context.contract('ttm_bo_vunmap of a mapping that is gone');
  else if (map.kind === 'vmap') unmapMap(context, map);
  return 0;
}

const caching: Param = { name: 'caching', kinds: ['int'] };

function ttm(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  source: string,
  effect: Effect,
  removable?: Operation['removable'],
): Operation {
  const plain: Operation = {
    name,
    family: 'GEM',
    where: 'cpu',
    returns,
    rules: ['K1', 'K3', 'K7'],
    params,
    doc,
    source: `drivers/gpu/drm/ttm/${source}`,
    effect,
  };
  return removable === undefined ? plain : { ...plain, removable };
}

const rows: readonly Operation[] = [
  ttm(
    'ttm_tt_init',
    'bo',
    [deviceParam, sizeParam, caching],
    'an object without pages; CPU mappings get the caching; its pages will not be mapped for the device',
    'ttm_tt.c:ttm_tt_init',
    init(false),
  ),
  ttm(
    'ttm_sg_tt_init',
    'bo',
    [deviceParam, sizeParam, caching],
    'as ttm_tt_init, with a dma_address array: its pages will be mapped',
    'ttm_tt.c:ttm_sg_tt_init',
    init(true),
  ),
  ttm(
    'ttm_tt_populate',
    'int',
    [boParam],
    "zeroed pages, once; x86 gives them the object's caching in the linear map, no other architecture does; with ttm_sg_tt_init dma_map_page(BIDIRECTIONAL), the only clean",
    'ttm_tt.c:ttm_tt_populate, ttm_pool.c:ttm_pool_alloc',
    populate,
    'skip-sync',
  ),
  ttm(
    'ttm_tt_unpopulate',
    'void',
    [boParam],
    'user mappings zapped, dma_unmap_page (an invalidate) with ttm_sg_tt_init, pages freed',
    'ttm_tt.c:ttm_tt_unpopulate, ttm_pool.c:ttm_pool_free',
    unpopulate,
  ),
  ttm(
    'ttm_bo_swapout',
    'int',
    [boParam],
    'waits for the fences, copies the pages to a shmem file through the linear map, and unpopulates; the next ttm_tt_populate copies back after its dma_map_page',
    'ttm_bo.c:ttm_bo_swapout, ttm_tt.c:ttm_tt_swapout',
    swapOut,
  ),
  ttm(
    'ttm_bo_vmap',
    'ptr',
    [boParam],
    'populates, and maps for the kernel: one cached page by the linear map, else a vmap with the caching',
    'ttm_bo_util.c:ttm_bo_vmap',
    ttmVmap,
  ),
  ttm(
    'ttm_bo_vunmap',
    'void',
    [boParam, { name: 'map', kinds: ['ptr'] }],
    'ends that mapping',
    'ttm_bo_util.c:ttm_bo_vunmap',
    ttmVunmap,
  ),
  ttm(
    'ttm_tt_dma_address',
    'dma',
    [boParam],
    'the address of the first page (in Linux an element of ttm_tt.dma_address)',
    'ttm_tt.h:struct ttm_tt',
    (context, args) => mappingOf(context, bufferArg(context, args[0])).address,
  ),
];

export const ttmOperations = withFailures(rows, {
  fails: {
    ttm_tt_populate: { returns: ENOMEM, unless: isPopulated },
    ttm_bo_vmap: { returns: NULL, unless: isPopulated },
  },
});
