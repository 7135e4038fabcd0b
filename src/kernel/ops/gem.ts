/**
 * Operations: GEM shmem helper, plain GEM objects, drm/msm's, and CPU mappings (K3, K7).
 * Sources: drivers/gpu/drm/drm_gem_shmem_helper.c, drm_gem.c, drm_prime.c, msm/msm_gem.c (v6.12).
 * Leaves out: resv locks and reference counts; an object lives until it is freed or purged.
 */
import { bufferArg } from '../args.js';
import { DMA_BIDIRECTIONAL } from '../constants.js';
import type { KernelContext } from '../context.js';
import { zapUserMaps } from '../cpu-maps.js';
import { msmPutPages } from '../msm.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Operation } from '../registry.js';
import { mapObject } from '../sg-tables.js';
import type { Value } from '../value.js';
import { putImported } from './dma-buf-vmap.js';
import { freeMapped } from './own-mapping.js';
import {
  type Args,
  create,
  getPages,
  putPages,
  checkPurgeable,
  holdRow,
  isPurgeable,
  madviseRow,
  dropSgt,
  truncate,
  unmapIova,
  deviceParam,
  sizeParam,
  boParam,
  wcOption,
} from './gem-parts.js';

function getPagesSgt(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.sgt >= 0) {
    context.noop('the object has its sgt already: no dma_map, no cache maintenance');
    return { kind: 'sgt', id: buffer.sgt };
  }
  getPages(context, buffer);
  const { device } = buffer;
  const attrs = context.skipSyncAttrs();
  const how = { device, direction: DMA_BIDIRECTIONAL, attrs };
  const sgt = mapObject(context, context.buffer(buffer.id), how);
  if (sgt === null) {
    putPages(context, context.buffer(buffer.id));
    return ENOMEM;
  }
  context.setBuffer({ ...context.buffer(buffer.id), sgt });
  return { kind: 'sgt', id: sgt };
}

/** drm_gem_shmem_get_pages_locked: pages_use_count is above 0. */
function hasPages(context: KernelContext, args: Args): boolean {
  return bufferArg(context, args[0]).pins > 0;
}

function hasTable(context: KernelContext, args: Args): boolean {
  return bufferArg(context, args[0]).sgt >= 0;
}

function purge(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  checkPurgeable(context, buffer);
  dropSgt(context, buffer);
  truncate(context, buffer, 'purged');
  return 0;
}

function objectPut(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.gone === 'freed') {
    context.contract('drm_gem_object_put of an object that is freed already');
    return 0;
  }
  if (buffer.kind === 'gem-imported') {
    putImported(context, buffer);
    return 0;
  }
  if (buffer.kind === 'gem-dma') {
    zapUserMaps(context, buffer.id);
    freeMapped(context, buffer);
    return 0;
  }
  if (buffer.kind === 'msm') {
    unmapIova(context, buffer);
    msmPutPages(context, context.buffer(buffer.id));
  } else dropSgt(context, buffer);
  truncate(context, context.buffer(buffer.id), 'freed');
  return 0;
}

function sourceOf(name: string): string {
  const file = name.startsWith('drm_gem_shmem_') ? 'drm_gem_shmem_helper.c' : 'drm_gem.c';
  return `drivers/gpu/drm/${file}:${name}`;
}

const rows: readonly Operation[] = [
  {
    name: 'drm_gem_shmem_create',
    family: 'GEM',
    where: 'cpu',
    returns: 'bo',
    rules: ['K7'],
    params: [deviceParam, sizeParam],
    options: [wcOption],
    doc: 'an object of the shmem helper, without pages',
    effect: create('gem-shmem', (wc) => wc),
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_create',
  },
  {
    name: 'drm_gem_object_init',
    family: 'GEM',
    where: 'cpu',
    returns: 'bo',
    rules: ['K7'],
    params: [deviceParam, sizeParam],
    options: [wcOption],
    doc: 'a plain object on a shmem file; user faults get its pages, nothing maintains the cache',
    effect: create('gem', (wc) => wc),
    source: 'drivers/gpu/drm/drm_gem.c:drm_gem_object_init',
  },
  ...['drm_gem_shmem_get_pages', 'drm_gem_shmem_pin', 'drm_gem_get_pages'].map((name) =>
    holdRow(
      name,
      false,
      sourceOf(name),
      'makes the pages resident (new ones zeroed through the linear map) and holds them; no cache maintenance, except that x86 makes the pages of map_wc write-combining in the linear map',
    ),
  ),
  ...['drm_gem_shmem_put_pages', 'drm_gem_shmem_unpin', 'drm_gem_put_pages'].map((name) =>
    holdRow(
      name,
      true,
      sourceOf(name),
      'one holder less; with none left the pages may be swapped out',
    ),
  ),
  madviseRow(
    'drm_gem_shmem_madvise',
    'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_madvise_locked',
  ),
  {
    name: 'drm_gem_shmem_is_purgeable',
    family: 'GEM',
    where: 'cpu',
    returns: 'int',
    rules: ['K2', 'K7'],
    params: [boParam],
    doc: 'not 0 when the contents are not needed and no kernel mapping is left',
    source: 'include/drm/drm_gem_shmem_helper.h:drm_gem_shmem_is_purgeable',
    effect: (context, args) => (isPurgeable(bufferArg(context, args[0])) ? 1 : 0),
  },
  {
    name: 'drm_gem_shmem_get_pages_sgt',
    family: 'GEM',
    where: 'cpu',
    returns: 'sgt',
    rules: ['K5', 'K7'],
    params: [boParam],
    removable: 'skip-sync',
    doc: 'gets the pages and dma-maps them BIDIRECTIONAL, once: the only clean the helper does on arm64',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_get_pages_sgt_locked',
    effect: getPagesSgt,
  },
  {
    name: 'drm_gem_shmem_purge',
    family: 'GEM',
    where: 'cpu',
    returns: 'void',
    rules: ['K2', 'K7'],
    params: [boParam],
    doc: 'dma_unmap_sgtable(BIDIRECTIONAL), user mappings zapped, the shmem file truncated',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_purge_locked',
    effect: purge,
  },
  {
    name: 'drm_gem_object_put',
    family: 'GEM',
    where: 'cpu',
    returns: 'void',
    rules: ['K7'],
    params: [boParam],
    doc: 'frees the object: dma_unmap_sgtable if it was mapped, then the pages',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_free',
    effect: objectPut,
  },
];

export const gemOperations = withFailures(rows, {
  fails: {
    drm_gem_shmem_create: ENOMEM,
    drm_gem_shmem_get_pages: { returns: ENOMEM, unless: hasPages },
    drm_gem_shmem_pin: { returns: ENOMEM, unless: hasPages },
    drm_gem_get_pages: ENOMEM,
    drm_gem_shmem_get_pages_sgt: { returns: ENOMEM, unless: hasTable },
  },
  takeNull: ['drm_gem_object_put'],
});
