/**
 * Operations: objects of DRM's DMA helper, whose memory the DMA API allocates (K7, K5).
 * Sources (v6.12): drivers/gpu/drm/drm_gem_dma_helper.c (drm_gem_dma_create: dma_alloc_wc, or
 * dma_alloc_noncoherent(DMA_TO_DEVICE) with map_noncoherent; drm_gem_dma_vmap, _mmap, _free),
 * drm_fb_dma_helper.c (drm_fb_dma_get_gem_addr, drm_fb_dma_sync_non_coherent).
 * Leaves out: framebuffers and plane states: both functions take the object itself here.
 */
import { bufferArg, deviceArg, int } from '../args.js';
import { DMA_TO_DEVICE } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer } from '../cpu-maps.js';
import { deviceConfig } from '../dma-address.js';
import { ENOMEM, withFailures } from '../failures.js';
import { type Effect, family, type Operation, type Option, type Param } from '../registry.js';
import { NULL, type Value } from '../value.js';
import { allocCoherent, zoneFor } from './coherent.js';
import { allocCached } from './dma-alloc.js';
import { boParam, defaultAttribute, deviceParam, sizeParam } from './gem-parts.js';
import { kernelMapOf, mappingOf, partsIn, syncParts } from './own-mapping.js';
import { newBuffer } from './pages.js';

const create: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const { iommu, coherent } = deviceConfig(context, device);
  const cached = context.option('map_noncoherent') !== 0;
  const buffer = newBuffer(context, {
    kind: 'gem-dma',
    size: int(args[1]),
    contiguous: cached || !iommu,
    zone: zoneFor(context, device),
    mapWc: !cached && !coherent,
    device,
  });
  if (cached) {
    const call = { direction: DMA_TO_DEVICE, zero: true, type: 'noncoherent' } as const;
    const mapping = allocCached(context, buffer, call);
    if (mapping === null) return ENOMEM;
    mapBuffer(context, context.buffer(buffer.id), 'linear', 'WB');
  } else if (allocCoherent(context, device, buffer, 0, 0) === null) return ENOMEM;
  context.setBuffer({ ...context.buffer(buffer.id), pins: 1 });
  return { kind: 'buffer', id: buffer.id };
};

const vmap: Effect = (context, args): Value => {
  const map = kernelMapOf(context, bufferArg(context, args[0]));
  return map === undefined ? NULL : { kind: 'ptr', map: map.id, offset: 0 };
};

const mmap: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  return mapBuffer(context, buffer, 'mmap', defaultAttribute(context, buffer));
};

const syncNonCoherent: Effect = (context, args) => {
  const buffer = bufferArg(context, args[1]);
  const mapping = mappingOf(context, buffer);
  if (mapping.type !== 'noncoherent') {
    context.noop('the object is mapped write-combined: nothing to sync');
    return 0;
  }
  const from = int(args[2]);
  const parts = partsIn(mapping, from, int(args[3], buffer.size - from));
  syncParts(context, deviceArg(context, args[0]), parts, DMA_TO_DEVICE, 'device');
  return 0;
};

function addressOf(context: KernelContext, args: readonly Value[]): Value {
  return mappingOf(context, bufferArg(context, args[0])).address;
}

const noncoherent: Option = {
  name: 'map_noncoherent',
  kind: 'bool',
  doc: 'the CPU uses the memory cached (map_noncoherent of struct drm_gem_dma_object)',
};

function gem(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Effect,
  more: Partial<Operation> = {},
): Operation {
  const file = name.startsWith('drm_fb') ? 'drm_fb_dma_helper.c' : 'drm_gem_dma_helper.c';
  const op = family({ family: 'GEM', where: 'cpu', returns, rules: ['K7', 'K5'] });
  return op(name, params, doc, `drivers/gpu/drm/${file}:${name}`, effect, more);
}

const part: readonly Param[] = [
  { name: 'offset', kinds: ['int'], optional: true },
  { name: 'size', kinds: ['int'], optional: true },
];

const rows: readonly Operation[] = [
  gem(
    'drm_gem_dma_create',
    'bo',
    [deviceParam, sizeParam],
    'an object whose memory is that of dma_alloc_wc; with map_noncoherent of dma_alloc_noncoherent(DMA_TO_DEVICE), which cleans nothing',
    create,
    { options: [noncoherent] },
  ),
  gem(
    'drm_gem_dma_vmap',
    'ptr',
    [boParam],
    "the kernel's address that came with the memory: no other mapping is made",
    vmap,
  ),
  gem(
    'drm_gem_dma_mmap',
    'ptr',
    [boParam],
    'user mapping: dma_mmap_wc, or dma_mmap_pages (cached) with map_noncoherent',
    mmap,
  ),
  gem(
    'drm_fb_dma_get_gem_addr',
    'dma',
    [boParam],
    'the address that the device uses (in Linux of a framebuffer in a plane)',
    addressOf,
  ),
  gem(
    'drm_fb_dma_sync_non_coherent',
    'void',
    [deviceParam, boParam, ...part],
    'dma_sync_single_for_device(DMA_TO_DEVICE) of the bytes that changed, with map_noncoherent only (in Linux from damage clips)',
    syncNonCoherent,
    { removable: 'drop', rules: ['K4', 'K7'] },
  ),
];

export const gemDmaOperations = withFailures(rows, { fails: { drm_gem_dma_create: ENOMEM } });
