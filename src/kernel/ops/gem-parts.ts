/**
 * What GEM objects of every driver share: pages got and put, tables, kernel mappings, the end.
 * Sources: drivers/gpu/drm/drm_gem_shmem_helper.c, drm_gem.c, msm/msm_gem.c (v6.12).
 */
import { bufferArg, deviceArg, fail, int, pointerArg } from '../args.js';
import { queueRemove } from '../io-tables.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap, zapUserMaps } from '../cpu-maps.js';
import { DMA_BIDIRECTIONAL, MADV_DONTNEED } from '../constants.js';
import { msmGetPages, usedNow } from '../msm.js';
import { releasePages, residentPages } from '../pages.js';
import { setLinearAttribute } from '../linear-map.js';
import { wholeBuffer } from '../maintenance.js';
import { profileOf, uncachedAttribute } from '../profile.js';
import type { Buffer, BufferKind } from '../state.js';
import { overridden, syncsIotlb } from '../overrides.js';
import type { Operation } from '../registry.js';
import { unmapTable } from '../sg-tables.js';
import type { Value } from '../value.js';
import type { Attribute } from '../../machine/attributes.js';
import { newBuffer } from './pages.js';

export type Args = readonly Value[];

export function create(kind: BufferKind, mapWc: (wc: boolean) => boolean) {
  return (context: KernelContext, args: Args): Value => {
    const wc = mapWc(context.option('map_wc') !== 0);
    const buffer = newBuffer(context, {
      kind,
      size: int(args[1]),
      device: deviceArg(context, args[0]),
      mapWc: wc,
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
  if (now.pins === 0) changeLinear(context, now, 'NC');
  msmGetPages(context, context.buffer(buffer.id));
}

/**
 * drm_gem_shmem_get_pages with map_wc, under CONFIG_X86 only: set_pages_array_wc, and _wb when the
 * last holder goes (drm_gem_shmem_helper.c: correct flushing exists on x86 only).
 */
function changeLinear(context: KernelContext, buffer: Buffer, attribute: Attribute): void {
  const { tracksMemoryType } = profileOf(context);
  if (!tracksMemoryType || buffer.kind !== 'gem-shmem' || !buffer.mapWc) return;
  setLinearAttribute(context, wholeBuffer(buffer), attribute);
}

export function putPages(context: KernelContext, buffer: Buffer): void {
  if (buffer.pins === 0) {
    context.contract('put_pages without get_pages: the use count is zero already');
    return;
  }
  context.setBuffer({ ...buffer, pins: buffer.pins - 1 });
  usedNow(context, buffer);
  if (buffer.pins === 1) changeLinear(context, buffer, 'WB');
}

/** The table of an object is unmapped; nothing where it has none. */
export function dropSgt(context: KernelContext, buffer: Buffer): void {
  if (buffer.sgt < 0) return;
  const { device, sgt } = buffer;
  const attrs = context.skipSyncAttrs();
  unmapTable(context, sgt, { device, direction: DMA_BIDIRECTIONAL, attrs });
}

export function defaultAttribute(context: KernelContext, buffer: Buffer): Attribute {
  return buffer.attribute ?? (buffer.mapWc ? uncachedAttribute(context) : 'WB');
}

export function objectVmap(context: KernelContext, args: Args): Value {
  getPages(context, bufferArg(context, args[0]));
  const buffer = context.buffer(bufferArg(context, args[0]).id);
  context.setBuffer({ ...buffer, vmaps: buffer.vmaps + 1 });
  return mapBuffer(context, buffer, 'vmap', defaultAttribute(context, buffer));
}

export function objectVunmap(context: KernelContext, args: Args): Value {
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
export function truncate(context: KernelContext, buffer: Buffer, gone: 'purged' | 'freed'): void {
  zapUserMaps(context, buffer.id);
  releasePages(context, buffer.id);
  context.setBuffer({ ...context.buffer(buffer.id), gone, pins: 0, sgt: -1 });
}

/** iommu_unmap(), and the iommu_iotlb_sync() in it. */
function unmapRange(context: KernelContext, id: number, iova: number, size: number): void {
  if (overridden(context, 'iommu_unmap', [{ kind: 'domain', id }, iova, size])) return;
  const own = context.overrides.has('iommu_iotlb_sync');
  queueRemove(context, id, iova, size, !own);
  if (own) syncsIotlb(context, id);
}

/** put_iova_spaces: the object leaves every domain, each iommu_unmap with its IOTLB sync. */
export function unmapIova(context: KernelContext, buffer: Buffer): void {
  for (const domain of context.kernel.domains) {
    if (domain.id < 0) continue;
    for (const entry of domain.entries.filter((each) => each.buffer === buffer.id)) {
      unmapRange(context, domain.id, entry.iova, entry.size);
    }
  }
}

export const deviceParam = { name: 'dev', kinds: ['device'] } as const;

export const sizeParam = { name: 'size', kinds: ['int'] } as const;

export const boParam = { name: 'bo', kinds: ['bo'] } as const;

export const wcOption = {
  name: 'map_wc',
  kind: 'bool',
  doc: 'CPU mappings are write-combined instead of write-back',
} as const;

const madvParam = { name: 'madv', kinds: ['madv'] } as const;

/** A row for a driver's or helper's way to hold the pages of an object. */
export function holdRow(name: string, put: boolean, source: string, doc: string): Operation {
  return {
    name,
    family: 'GEM',
    where: 'cpu',
    returns: put ? 'void' : 'int',
    rules: put ? ['K2', 'K7'] : ['K1', 'K2', 'K7'],
    params: [boParam],
    doc,
    source,
    effect: (context, args) => {
      const buffer = bufferArg(context, args[0]);
      if (buffer.imported !== undefined) {
        // drm_WARN_ON(obj->import_attach)
        context.contract(`${name} of an imported object, whose pages are its exporter's`);
      } else if (put) putPages(context, buffer);
      else getPages(context, buffer);
      return 0;
    },
  };
}

/** A row for a kernel mapping of an object: made, or ended. */
export function vaddrRow(name: string, put: boolean, source: string, doc: string): Operation {
  return {
    name,
    family: 'CPU mappings',
    where: 'cpu',
    returns: put ? 'void' : 'ptr',
    rules: ['K3', 'K7'],
    params: put ? [boParam, { name: 'vaddr', kinds: ['ptr'] }] : [boParam],
    doc,
    source,
    effect: put ? objectVunmap : objectVmap,
  };
}

/** A row for MADV_WILLNEED and MADV_DONTNEED: whether the contents are still there. */
export function madviseRow(name: string, source: string): Operation {
  return {
    name,
    family: 'GEM',
    where: 'cpu',
    returns: 'int',
    rules: ['K2', 'K7'],
    params: [boParam, madvParam],
    doc: 'says whether the contents may be purged; the result is 0 when they are gone already',
    source,
    effect: (context, args) => {
      const buffer = bufferArg(context, args[0]);
      if (buffer.gone !== 'no') return 0;
      context.setBuffer({ ...buffer, dontneed: int(args[1]) === MADV_DONTNEED });
      usedNow(context, buffer);
      return 1;
    },
  };
}

/** What the shrinkers ask before they purge: nobody needs the contents, nobody uses the pages. */
export function isPurgeable(buffer: Buffer): boolean {
  const unused = buffer.kind === 'msm' ? buffer.pins === 0 : buffer.vmaps === 0;
  return buffer.dontneed && buffer.gone === 'no' && unused;
}

/** drm_WARN_ON(!drm_gem_shmem_is_purgeable()), GEM_WARN_ON(!is_purgeable()). */
export function checkPurgeable(context: KernelContext, buffer: Buffer): void {
  if (isPurgeable(buffer)) return;
  context.contract(
    buffer.dontneed
      ? 'purges an object that is pinned or mapped'
      : 'purges an object whose contents are needed (no MADV_DONTNEED)',
  );
}
