/**
 * Operations: CPU mappings: mmap, vmap, zap (K3).
 * Sources: mm/vmalloc.c, mm/memory.c, drivers/gpu/drm/drm_gem_shmem_helper.c (v6.12).
 */

import type { Attribute } from '../../machine/attributes.js';
import { bufferArg, int, pointerArg } from '../args.js';
import { PROT_DEVICE, PROT_EXEC, PROT_WB } from '../constants.js';
import type { KernelContext } from '../context.js';
import {
  changeMap,
  makeExecutable,
  mapBuffer,
  mapOf,
  unmapMap,
  unmapUserMap,
  zapUserMaps,
} from '../cpu-maps.js';
import { uncachedAttribute } from '../profile.js';
import { withFailures } from '../failures.js';
import type { Operation } from '../registry.js';
import type { Buffer } from '../state.js';
import { NULL, type Value } from '../value.js';
import { dmaBufVmap, dmaBufVunmap, exporterOf } from './dma-buf-vmap.js';
import { type Args, boParam, defaultAttribute, getPages, putPages, vaddrRow } from './gem-parts.js';

export function attributeOf(context: KernelContext, prot: number): Attribute {
  const memory = prot % PROT_EXEC;
  if (memory === PROT_WB) return 'WB';
  return memory === PROT_DEVICE && context.machine.svpbmt ? 'DEV' : uncachedAttribute(context);
}

/** vmf_insert_pfn() has a BUG_ON for private mappings; the shmem helper refuses them before. */
function refusesPrivate(context: KernelContext, buffer: Buffer): boolean {
  if (buffer.kind === 'gem-shmem') context.noop('MAP_PRIVATE is refused: -EINVAL, no mapping');
  else if (buffer.kind === 'gem' || buffer.kind === 'msm') {
    context.contract('vmf_insert_pfn() into a private mapping: the kernel stops at a BUG_ON');
  } else return false;
  return true;
}

function mmap(context: KernelContext, args: Args): Value {
  const buffer = exporterOf(context, bufferArg(context, args[0]));
  const isPrivate = context.option('private') !== 0;
  if (isPrivate && refusesPrivate(context, buffer)) return NULL;
  if (buffer.kind === 'gem-shmem') getPages(context, buffer);
  const attribute =
    args[1] === undefined ? defaultAttribute(context, buffer) : attributeOf(context, int(args[1]));
  const pointer = mapBuffer(context, context.buffer(buffer.id), 'mmap', attribute);
  if (isPrivate && typeof pointer === 'object' && pointer.kind === 'ptr') {
    const map = mapOf(context, pointer.map);
    if (map !== undefined) changeMap(context, { ...map, copyOnWrite: true });
  }
  return pointer;
}

function munmap(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[0]);
  if (!map.live) context.contract('munmap of a mapping that is gone');
  else {
    unmapUserMap(context, map);
    const buffer = context.buffer(map.buffer);
    if (buffer.kind === 'gem-shmem' && buffer.gone === 'no') putPages(context, buffer);
  }
  return 0;
}

function vmap(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  const pointer = mapBuffer(context, buffer, 'vmap', attributeOf(context, int(args[1])));
  if (int(args[1]) >= PROT_EXEC) makeExecutable(context, pointer);
  return pointer;
}

/** Of an imported object the exporter's, by dma_buf_vmap() and dma_buf_vunmap(). */
function forwarded({ effect, ...row }: Operation, put: boolean): Operation {
  return {
    ...row,
    effect: (context, args) => {
      const buffer = bufferArg(context, args[0]);
      if (buffer.imported === undefined) return effect(context, args);
      const { id } = exporterOf(context, buffer);
      if (!put) return dmaBufVmap(context, id);
      dmaBufVunmap(context, id, args[1] ?? NULL);
      return 0;
    },
  };
}

const shmemVmap = vaddrRow(
  'drm_gem_shmem_vmap',
  false,
  'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_vmap_locked',
  'kernel mapping of the object, write-combined with map_wc; holds the pages; no cache maintenance; of an imported object dma_buf_vmap()',
);
const shmemVunmap = vaddrRow(
  'drm_gem_shmem_vunmap',
  true,
  'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_vunmap_locked',
  'ends the kernel mapping and its hold on the pages; of an imported object dma_buf_vunmap()',
);

const rows: readonly Operation[] = [
  forwarded(shmemVmap, false),
  forwarded(shmemVunmap, true),
  {
    name: 'drm_vma_node_unmap',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['K3'],
    params: [boParam],
    doc: 'zaps every user mapping of the object; the next access faults',
    source: 'include/drm/drm_vma_manager.h:drm_vma_node_unmap',
    effect: (context, args) => {
      zapUserMaps(context, bufferArg(context, args[0]).id);
      return 0;
    },
  },
  {
    name: 'mmap',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'ptr',
    rules: ['K3'],
    params: [
      { name: 'object', kinds: ['bo', 'page', 'dmabuf'] },
      { name: 'prot', kinds: ['pgprot'], optional: true },
    ],
    options: [
      {
        name: 'private',
        kind: 'bool',
        doc: 'MAP_PRIVATE: the first store makes a copy that no device sees; GEM objects refuse it',
      },
    ],
    doc: "user mapping with the object's attribute or the given one; pages come in at the first access",
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_mmap, mm/memory.c',
    effect: mmap,
  },
  {
    name: 'munmap',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['K3'],
    params: [{ name: 'address', kinds: ['ptr'] }],
    doc: 'ends a user mapping',
    effect: munmap,
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_vm_close',
  },
  {
    name: 'vmap',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'ptr',
    rules: ['K3'],
    params: [
      { name: 'pages', kinds: ['bo', 'page'] },
      { name: 'prot', kinds: ['pgprot'] },
    ],
    doc: 'kernel mapping of the pages with the given attribute; no cache maintenance',
    source: 'mm/vmalloc.c:vmap',
    effect: vmap,
  },
  {
    name: 'vunmap',
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'void',
    rules: ['K3'],
    params: [{ name: 'address', kinds: ['ptr'] }],
    doc: 'ends a vmap',
    source: 'mm/vmalloc.c:vunmap',
    effect: (context, args) => {
      const { map } = pointerArg(context, args[0]);
      if (map.live) unmapMap(context, map);
      else context.contract('vunmap of a mapping that is gone');
      return 0;
    },
  },
];

export const mappingOperations = withFailures(rows, { fails: { vmap: NULL, drm_gem_shmem_vmap: NULL }, takeNull: ['vunmap'] });
