/**
 * Operations: the kernel's address of a dma-buf, and objects that another device imports (K7, K8).
 * Sources (v6.12): drivers/dma-buf/dma-buf.c (dma_buf_vmap: one mapping, counted), heaps
 * (system_heap_vmap: PAGE_KERNEL), drivers/gpu/drm/drm_prime.c (drm_gem_dmabuf_vmap,
 * drm_gem_prime_import_dev, drm_prime_gem_destroy), drm_gem_shmem_helper.c (vmap and mmap of an
 * import go to the exporter), drm_gem_framebuffer_helper.c (drm_gem_fb_begin_cpu_access).
 * Leaves out: struct iosys_map (the address is the result here), framebuffers (the object itself
 * stands for them), imports by drivers with a private version of these.
 */
import { bufferArg, deviceArg, int, pointerArg } from '../args.js';
import {
  attachDevice,
  attachmentOf,
  detachDevice,
  mapAttached,
  mapsWithSync,
  unmapAttached,
} from '../attachments.js';
import { DMA_BIDIRECTIONAL } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap } from '../cpu-maps.js';
import { ENOMEM, withFailures } from '../failures.js';
import { type Effect, family, type Operation, type Param } from '../registry.js';
import type { Buffer } from '../state.js';
import { NULL, type Value } from '../value.js';
import { cpuAccess, waitForFences } from './dma-buf.js';
import { objectVmap, objectVunmap } from './gem-parts.js';
import { kernelMapOf } from './own-mapping.js';
import { newBuffer } from './pages.js';
import { ttmVmap, ttmVunmap } from './ttm.js';

type Args = readonly Value[];

/** The object itself, or the one of another driver that it was imported from. */
export function exporterOf(context: KernelContext, { id, imported }: Buffer): Buffer {
  return context.buffer(imported === undefined ? id : attachmentOf(context, imported).buffer);
}

/** One mapping for all: later calls get the first one's, and the last vunmap ends it. */
export function dmaBufVmap(context: KernelContext, id: number): Value {
  const { shown } = context.buffer(id);
  if (shown !== undefined) {
    context.setBuffer({ ...context.buffer(id), shown: { ...shown, count: shown.count + 1 } });
    return { kind: 'ptr', map: shown.map, offset: 0 };
  }
  const pointer = exporterVmap(context, context.buffer(id));
  if (typeof pointer === 'object' && pointer.kind === 'ptr') {
    context.setBuffer({ ...context.buffer(id), shown: { map: pointer.map, count: 1 } });
  }
  return pointer;
}

function isShown(context: KernelContext, args: Args): boolean {
  return bufferArg(context, args[0]).shown !== undefined;
}

/** Heaps and videobuf2-dma-sg map their pages cached; GEM as the object's own vmap does. */
function exporterVmap(context: KernelContext, buffer: Buffer): Value {
  const { kind, id } = buffer;
  const object = [{ kind: 'buffer', id }] as const;
  if (kind === 'ttm') return ttmVmap(context, object);
  if (mapsWithSync(buffer)) return mapBuffer(context, buffer, 'vmap', 'WB');
  if (kind !== 'gem-dma' && kind !== 'vb2-dc') return objectVmap(context, object);
  const map = kernelMapOf(context, buffer);
  if (map !== undefined) return { kind: 'ptr', map: map.id, offset: 0 };
  return mapBuffer(context, buffer, buffer.contiguous ? 'linear' : 'vmap', 'WB');
}

export function dmaBufVunmap(context: KernelContext, id: number, pointer: Value): void {
  const { map } = pointerArg(context, pointer);
  const { shown, ...rest } = context.buffer(id);
  if (shown?.map !== map.id) {
    context.contract('dma_buf_vunmap of an address that dma_buf_vmap did not give');
    return;
  }
  if (shown.count > 1) {
    context.setBuffer({ ...rest, shown: { ...shown, count: shown.count - 1 } });
    return;
  }
  context.setBuffer(rest);
  const call = [{ kind: 'buffer', id } as const, pointer];
  if (rest.kind === 'ttm') ttmVunmap(context, call);
  else if (mapsWithSync(rest)) unmapMap(context, map);
  else if (rest.kind !== 'gem-dma' && rest.kind !== 'vb2-dc') objectVunmap(context, call);
}

const vmap: Effect = (context, args) => dmaBufVmap(context, bufferArg(context, args[0]).id);

const vunmap: Effect = (context, args) => {
  dmaBufVunmap(context, bufferArg(context, args[0]).id, args[1] ?? NULL);
  return 0;
};

/** The object of a device's own driver comes back as it is; others are attached and mapped. */
const primeImport: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const exported = bufferArg(context, args[1]);
  const isObject = exported.kind.startsWith('gem') || ['msm', 'ttm'].includes(exported.kind);
  if (isObject && exported.device === device) return { kind: 'buffer', id: exported.id };
  const made = newBuffer(context, { kind: 'gem-imported', size: exported.size, device });
  const imported = attachDevice(context, exported, device);
  const sgt = mapAttached(context, imported, DMA_BIDIRECTIONAL);
  if (sgt === null) {
    detachDevice(context, imported);
    context.setBuffer({ ...made, gone: 'freed' });
    return ENOMEM;
  }
  context.setBuffer({ ...made, imported, sgt });
  return { kind: 'buffer', id: made.id };
};

/** drm_prime_gem_destroy(). */
export function putImported(context: KernelContext, { id, imported, sgt }: Buffer): void {
  if (imported === undefined) return;
  unmapAttached(context, imported, sgt, DMA_BIDIRECTIONAL);
  detachDevice(context, imported);
  context.setBuffer({ ...context.buffer(id), gone: 'freed', sgt: -1 });
}

function frameAccess(begin: boolean): Effect {
  return (context: KernelContext, args: Args): Value => {
    const buffer = bufferArg(context, args[0]);
    if (buffer.imported === undefined) {
      context.noop('the object is not imported: nothing is done');
      return 0;
    }
    const exporter = exporterOf(context, buffer);
    cpuAccess(context, exporter, int(args[1]), begin);
    if (begin) waitForFences(context, context.buffer(exporter.id));
    return 0;
  };
}

const dmabuf: Param = { name: 'dmabuf', kinds: ['dmabuf'] };
const vaddr: Param = { name: 'vaddr', kinds: ['ptr'] };
const fb: Param = { name: 'fb', kinds: ['bo'] };
const dir: Param = { name: 'dir', kinds: ['direction'] };

const int32 = family({ family: 'dma-buf', where: 'cpu', returns: 'int', rules: ['K7', 'K8'] });
const HELPER = 'drivers/gpu/drm/drm_gem_framebuffer_helper.c';

const rows: readonly Operation[] = [
  int32(
    'dma_buf_vmap',
    [dmabuf],
    "the kernel's address of the buffer: cached of a heap, of GEM as the object's own vmap; one mapping, counted; no cache maintenance (in Linux into a struct iosys_map)",
    'drivers/dma-buf/dma-buf.c:dma_buf_vmap',
    vmap,
    { returns: 'ptr', rules: ['K3', 'K8'] },
  ),
  int32(
    'dma_buf_vunmap',
    [dmabuf, vaddr],
    'one user of the address less; the last one ends the mapping',
    'drivers/dma-buf/dma-buf.c:dma_buf_vunmap',
    vunmap,
    { returns: 'void', rules: ['K3', 'K8'] },
  ),
  int32(
    'drm_gem_prime_import',
    [{ name: 'dev', kinds: ['device'] }, dmabuf],
    "an object over another driver's buffer: dma_buf_attach and dma_buf_map_attachment(BIDIRECTIONAL); its vmap and mmap are the exporter's; a device's own object comes back as it is",
    'drivers/gpu/drm/drm_prime.c:drm_gem_prime_import_dev',
    primeImport,
    { returns: 'bo', removable: 'skip-sync' },
  ),
  int32(
    'drm_gem_fb_begin_cpu_access',
    [fb, dir],
    'dma_buf_begin_cpu_access of an imported object; nothing for others (in Linux of a framebuffer)',
    `${HELPER}:drm_gem_fb_begin_cpu_access`,
    frameAccess(true),
    { removable: 'drop' },
  ),
  int32(
    'drm_gem_fb_end_cpu_access',
    [fb, dir],
    'dma_buf_end_cpu_access of an imported object; nothing for others (in Linux of a framebuffer)',
    `${HELPER}:drm_gem_fb_end_cpu_access`,
    frameAccess(false),
    { returns: 'void', removable: 'drop' },
  ),
];

export const dmaBufVmapOperations = withFailures(rows, { fails: { dma_buf_vmap: { returns: NULL, unless: isShown }, drm_gem_prime_import: ENOMEM } });
