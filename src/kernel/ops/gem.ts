/**
 * Operations: GEM shmem helper, plain GEM objects, drm/msm's, and CPU mappings (K3, K7).
 * Sources: drivers/gpu/drm/drm_gem_shmem_helper.c, drm_gem.c, drm_prime.c, msm/msm_gem.c (v6.12).
 * Leaves out: resv locks and reference counts; an object lives until it is freed or purged.
 */
import { bufferArg, deviceArg, fail, int, pointerArg } from '../args.js';
import { DMA_BIDIRECTIONAL, PROT_DEVICE, PROT_WC } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap, zapUserMaps } from '../cpu-maps.js';
import { dmaMap, dmaUnmap } from '../dma.js';
import { wholeBuffer } from '../maintenance.js';
import { msmSyncForCpu, msmSyncForDevice } from '../msm.js';
import { freePages, residentPages } from '../pages.js';
import type { Operation } from '../registry.js';
import type { Buffer, BufferKind } from '../state.js';
import type { Value } from '../value.js';
import type { Attribute } from '../../machine/attributes.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

function create(kind: BufferKind, mapWc: (wc: boolean) => boolean) {
  return (context: KernelContext, args: Args): Value => {
    const wc = mapWc(context.option('map_wc') !== 0);
    const buffer = newBuffer(context, {
      kind, size: int(args[1]), device: deviceArg(context, args[0]), mapWc: wc,
    });
    return { kind: 'buffer', id: buffer.id };
  };
}

/** pages_use_count up; the first user makes the pages resident. */
export function getPages(context: KernelContext, buffer: Buffer): void {
  if (buffer.gone !== 'no') fail(context, `the object was ${buffer.gone}`);
  residentPages(context, buffer.id);
  const now = context.buffer(buffer.id);
  context.setBuffer({ ...now, pins: now.pins + 1 });
  msmSyncForDevice(context, context.buffer(buffer.id));
}

export function putPages(context: KernelContext, buffer: Buffer): void {
  if (buffer.pins === 0) {
    context.contract('put_pages without get_pages: the use count is zero already');
    return;
  }
  context.setBuffer({ ...buffer, pins: buffer.pins - 1 });
}

export function makeSgt(context: KernelContext, buffer: Buffer, mapping: number): Value {
  const id = context.step.site;
  context.update({
    sgts: [...context.kernel.sgts, { id, buffer: buffer.id, mapping, freed: false }],
  });
  return { kind: 'sgt', id };
}

function getPagesSgt(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.sgt >= 0) {
    context.noop('the object has its sgt already: no dma_map, no cache maintenance');
    return { kind: 'sgt', id: buffer.sgt };
  }
  getPages(context, buffer);
  const mapping = dmaMap(context, {
    device: buffer.device, range: wholeBuffer(buffer), direction: DMA_BIDIRECTIONAL,
    attrs: context.skipSyncAttrs(), type: 'sg',
  });
  const sgt = makeSgt(context, buffer, mapping.id);
  const id = context.step.site;
  context.setBuffer({ ...context.buffer(buffer.id), sgt: id });
  return sgt;
}

function dropSgt(context: KernelContext, buffer: Buffer): void {
  const sgt = context.kernel.sgts.find((each) => each.id === buffer.sgt);
  const mapping = context.kernel.mappings.find((each) => each.id === sgt?.mapping);
  if (mapping === undefined) return;
  dmaUnmap(context, {
    device: mapping.device, address: mapping.address, size: mapping.size,
    direction: mapping.direction, attrs: context.skipSyncAttrs(), type: 'sg',
  });
}

function attributeOf(prot: number): Attribute {
  return prot === PROT_DEVICE ? 'DEV' : prot === PROT_WC ? 'NC' : 'WB';
}

function defaultAttribute(buffer: Buffer): Attribute {
  return buffer.mapWc ? 'NC' : 'WB';
}

function mmap(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.kind === 'gem-shmem') getPages(context, buffer);
  const attribute = args[1] === undefined ? defaultAttribute(buffer) : attributeOf(int(args[1]));
  return mapBuffer(context, context.buffer(buffer.id), 'mmap', attribute);
}

function munmap(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[0]);
  if (!map.live) context.contract('munmap of a mapping that is gone');
  else {
    unmapMap(context, map);
    const buffer = context.buffer(map.buffer);
    if (buffer.kind === 'gem-shmem' && buffer.gone === 'no') putPages(context, buffer);
  }
  return 0;
}

function vmap(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  return mapBuffer(context, buffer, 'vmap', attributeOf(int(args[1])));
}

function objectVmap(context: KernelContext, args: Args): Value {
  getPages(context, bufferArg(context, args[0]));
  const buffer = context.buffer(bufferArg(context, args[0]).id);
  context.setBuffer({ ...buffer, vmaps: buffer.vmaps + 1 });
  return mapBuffer(context, buffer, 'vmap', defaultAttribute(buffer));
}

function objectVunmap(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  const buffer = context.buffer(map.buffer);
  if (!map.live || buffer.vmaps === 0) {
    context.contract('vunmap without vmap');
    return 0;
  }
  unmapMap(context, map);
  context.setBuffer({ ...buffer, vmaps: buffer.vmaps - 1 });
  putPages(context, context.buffer(buffer.id));
  return 0;
}

/** The shmem file is truncated: frames free, user mappings gone, contents lost. */
function truncate(context: KernelContext, buffer: Buffer, gone: 'purged' | 'freed'): void {
  zapUserMaps(context, buffer.id);
  if (context.work.length === 0) freePages(context, buffer.id);
  else context.queue({ do: 'free', buffer: buffer.id });
  context.setBuffer({ ...context.buffer(buffer.id), gone, pins: 0, sgt: -1 });
}

function purge(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
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
  if (buffer.kind === 'msm') {
    unmapIova(context, buffer);
    msmSyncForCpu(context, buffer);
  } else dropSgt(context, buffer);
  truncate(context, context.buffer(buffer.id), 'freed');
  return 0;
}

/** put_iova_spaces: the object leaves every domain, each iommu_unmap with its IOTLB sync. */
function unmapIova(context: KernelContext, buffer: Buffer): void {
  for (const domain of context.kernel.domains) {
    if (domain.id < 0) continue;
    for (const entry of domain.entries.filter((each) => each.buffer === buffer.id)) {
      context.queue({
        do: 'untranslate', domain: domain.id, iova: entry.iova, size: entry.size, sync: true,
      });
    }
  }
}

function msmEvict(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.pins > 0 || buffer.vmaps > 0) {
    context.noop('the object is pinned or vmapped: not evicted');
    return 0;
  }
  unmapIova(context, buffer);
  zapUserMaps(context, buffer.id);
  msmSyncForCpu(context, buffer);
  return 0;
}

function msmPurge(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  unmapIova(context, buffer);
  msmSyncForCpu(context, buffer);
  truncate(context, buffer, 'purged');
  return 0;
}

const deviceParam = { name: 'dev', kinds: ['device'] } as const;
const sizeParam = { name: 'size', kinds: ['int'] } as const;
const boParam = { name: 'bo', kinds: ['bo'] } as const;
const wcOption = {
  name: 'map_wc', kind: 'bool', doc: 'CPU mappings are write-combined instead of write-back',
} as const;

export const gemOperations: readonly Operation[] = [
  {
    name: 'drm_gem_shmem_create', family: 'GEM', where: 'cpu', returns: 'bo', rules: ['K7'],
    params: [deviceParam, sizeParam], options: [wcOption],
    doc: 'an object of the shmem helper, without pages', effect: create('gem-shmem', (wc) => wc),
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_create',
  },
  {
    name: 'drm_gem_object_init', family: 'GEM', where: 'cpu', returns: 'bo', rules: ['K7'],
    params: [deviceParam, sizeParam], options: [wcOption],
    doc: 'a plain object on a shmem file; user faults get its pages, nothing maintains the cache',
    effect: create('gem', (wc) => wc), source: 'drivers/gpu/drm/drm_gem.c:drm_gem_object_init',
  },
  {
    name: 'msm_gem_new', family: 'GEM', where: 'cpu', returns: 'bo', rules: ['K7'],
    params: [deviceParam, sizeParam], options: [wcOption],
    doc: 'an object of drm/msm; with map_wc (MSM_BO_WC) its get_pages dma-maps it for the clean',
    effect: create('msm', (wc) => wc), source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_new',
  },
  ...(['drm_gem_shmem_get_pages', 'drm_gem_shmem_pin', 'drm_gem_get_pages'] as const).map(
    (name): Operation => ({
      name, family: 'GEM', where: 'cpu', returns: 'int', rules: ['K1', 'K2', 'K7'],
      params: [boParam],
      doc: 'makes the pages resident (new ones zeroed through the linear map) and holds them; no cache maintenance on arm64',
      source: name === 'drm_gem_get_pages'
        ? 'drivers/gpu/drm/drm_gem.c:drm_gem_get_pages'
        : `drivers/gpu/drm/drm_gem_shmem_helper.c:${name}`,
      effect: (context, args) => {
        getPages(context, bufferArg(context, args[0]));
        return 0;
      },
    }),
  ),
  ...(['drm_gem_shmem_put_pages', 'drm_gem_shmem_unpin', 'drm_gem_put_pages'] as const).map(
    (name): Operation => ({
      name, family: 'GEM', where: 'cpu', returns: 'void', rules: ['K2', 'K7'], params: [boParam],
      doc: 'one holder less; with none left the pages may be swapped out',
      source: name === 'drm_gem_put_pages'
        ? 'drivers/gpu/drm/drm_gem.c:drm_gem_put_pages'
        : `drivers/gpu/drm/drm_gem_shmem_helper.c:${name}`,
      effect: (context, args) => {
        putPages(context, bufferArg(context, args[0]));
        return 0;
      },
    }),
  ),
  {
    name: 'drm_gem_shmem_get_pages_sgt', family: 'GEM', where: 'cpu', returns: 'sgt',
    rules: ['K5', 'K7'], params: [boParam], removable: 'skip-sync',
    doc: 'gets the pages and dma-maps them BIDIRECTIONAL, once: the only clean the helper does on arm64',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_get_pages_sgt_locked',
    effect: getPagesSgt,
  },
  {
    name: 'drm_gem_shmem_vmap', family: 'CPU mappings', where: 'cpu', returns: 'ptr',
    rules: ['K3', 'K7'], params: [boParam],
    doc: 'kernel mapping of the object, write-combined with map_wc; holds the pages; no cache maintenance',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_vmap_locked', effect: objectVmap,
  },
  {
    name: 'drm_gem_shmem_vunmap', family: 'CPU mappings', where: 'cpu', returns: 'void',
    rules: ['K3', 'K7'], params: [boParam, { name: 'vaddr', kinds: ['ptr'] }],
    doc: 'ends the kernel mapping and its hold on the pages',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_vunmap_locked',
    effect: objectVunmap,
  },
  {
    name: 'msm_gem_get_vaddr', family: 'CPU mappings', where: 'cpu', returns: 'ptr',
    rules: ['K3', 'K7'], params: [boParam],
    doc: 'gets the pages (with their clean) and vmaps them with the object\'s attribute',
    source: 'drivers/gpu/drm/msm/msm_gem.c:get_vaddr', effect: objectVmap,
  },
  {
    name: 'msm_gem_put_vaddr', family: 'CPU mappings', where: 'cpu', returns: 'void',
    rules: ['K3', 'K7'], params: [boParam, { name: 'vaddr', kinds: ['ptr'] }],
    doc: 'ends the vmap', source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_put_vaddr_locked',
    effect: objectVunmap,
  },
  {
    name: 'msm_gem_pin_pages_locked', family: 'GEM', where: 'cpu', returns: 'int',
    rules: ['K2', 'K7'], params: [boParam],
    doc: 'get_pages and a pin: for MSM_BO_WC a dma_map_sgtable(BIDIRECTIONAL) cleans new pages',
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_pin_pages_locked',
    effect: (context, args) => {
      getPages(context, bufferArg(context, args[0]));
      return 0;
    },
  },
  {
    name: 'msm_gem_unpin_pages_locked', family: 'GEM', where: 'cpu', returns: 'void',
    rules: ['K2', 'K7'], params: [boParam], doc: 'takes the pin back; the pages stay until evicted',
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_unpin_pages_locked',
    effect: (context, args) => {
      putPages(context, bufferArg(context, args[0]));
      return 0;
    },
  },
  {
    name: 'msm_gem_evict', family: 'GEM', where: 'cpu', returns: 'void', rules: ['K2', 'K7', 'M17'],
    params: [boParam],
    doc: 'the shrinker unmaps the object from every domain and from user space, then put_pages; nothing while pinned or vmapped',
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_evict', effect: msmEvict,
  },
  {
    name: 'msm_gem_purge', family: 'GEM', where: 'cpu', returns: 'void', rules: ['K2', 'K7'],
    params: [boParam], doc: 'as evict, and the contents are thrown away',
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_purge', effect: msmPurge,
  },
  {
    name: 'drm_gem_shmem_purge', family: 'GEM', where: 'cpu', returns: 'void', rules: ['K2', 'K7'],
    params: [boParam],
    doc: 'dma_unmap_sgtable(BIDIRECTIONAL), user mappings zapped, the shmem file truncated',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_purge_locked', effect: purge,
  },
  {
    name: 'drm_gem_object_put', family: 'GEM', where: 'cpu', returns: 'void', rules: ['K7'],
    params: [boParam],
    doc: 'frees the object: dma_unmap_sgtable if it was mapped, then the pages',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_free', effect: objectPut,
  },
  {
    name: 'drm_vma_node_unmap', family: 'CPU mappings', where: 'cpu', returns: 'void',
    rules: ['K3'], params: [boParam],
    doc: 'zaps every user mapping of the object; the next access faults',
    source: 'include/drm/drm_vma_manager.h:drm_vma_node_unmap',
    effect: (context, args) => {
      zapUserMaps(context, bufferArg(context, args[0]).id);
      return 0;
    },
  },
  {
    name: 'mmap', family: 'CPU mappings', where: 'cpu', returns: 'ptr', rules: ['K3'],
    params: [{ name: 'object', kinds: ['bo', 'page', 'dmabuf'] },
      { name: 'prot', kinds: ['pgprot'], optional: true }],
    doc: 'user mapping with the object\'s attribute or the given one; pages come in at the first access',
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_mmap, mm/memory.c', effect: mmap,
  },
  {
    name: 'munmap', family: 'CPU mappings', where: 'cpu', returns: 'void', rules: ['K3'],
    params: [{ name: 'address', kinds: ['ptr'] }], doc: 'ends a user mapping', effect: munmap,
    source: 'drivers/gpu/drm/drm_gem_shmem_helper.c:drm_gem_shmem_vm_close',
  },
  {
    name: 'vmap', family: 'CPU mappings', where: 'cpu', returns: 'ptr', rules: ['K3'],
    params: [{ name: 'pages', kinds: ['bo', 'page'] }, { name: 'prot', kinds: ['pgprot'] }],
    doc: 'kernel mapping of the pages with the given attribute; no cache maintenance',
    source: 'mm/vmalloc.c:vmap', effect: vmap,
  },
  {
    name: 'vunmap', family: 'CPU mappings', where: 'cpu', returns: 'void', rules: ['K3'],
    params: [{ name: 'address', kinds: ['ptr'] }], doc: 'ends a vmap',
    source: 'mm/vmalloc.c:vunmap',
    effect: (context, args) => {
      const { map } = pointerArg(context, args[0]);
      if (map.live) unmapMap(context, map);
      else context.contract('vunmap of a mapping that is gone');
      return 0;
    },
  },
];

