/**
 * Operations: what a device can address, as its driver says (K9), and allocation zones of objects.
 * Sources: kernel/dma/mapping.c (dma_set_mask, dma_supported), direct.c:dma_direct_supported,
 * dma_need_sync, dma_setup_need_sync; include/linux/pagemap.h:mapping_set_gfp_mask.
 */
import { bufferArg, deviceArg, int } from '../args.js';
import type { KernelContext } from '../context.js';
import { deviceConfig, dmaLimit, mappingAt, masksOf, skipsSync } from '../dma-address.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Masks } from '../state.js';
import { addr, dev, op } from './dma-parts.js';
import { zoneOf } from './pages.js';

const mask: Param = { name: 'mask', kinds: ['int', 'dma', 'phys'] };

/** Errors are negative in the kernel; integers here are unsigned, so they are large. */
const EIO = 2 ** 32 - 5;

/** dma-iommu takes any mask; dma-direct needs one that reaches all of ZONE_DMA. */
function supported(context: KernelContext, device: number, value: number): boolean {
  if (deviceConfig(context, device).iommu || value >= 2 ** 32 - 1) return true;
  return value >= context.machine.zoneDma;
}

function setMask(which: { readonly dma: boolean; readonly coherent: boolean }): Effect {
  return (context, args) => {
    const device = deviceArg(context, args[0]);
    const value = int(args[1]);
    if (!supported(context, device, value)) return EIO;
    // dma_setup_need_sync(): what is bounced by now is forgotten.
    const skips = which.dma && deviceConfig(context, device).coherent && isBounced(context, device);
    say(context, device, {
      ...(skips ? { skipsSync: true as const } : {}),
      ...(which.dma ? { dma: value } : {}),
      ...(which.coherent ? { coherent: value } : {}),
    });
    return 0;
  };
}

function isBounced(context: KernelContext, device: number): boolean {
  return context.kernel.mappings.some(
    (each) => each.device === device && each.pieces.some(({ slot }) => slot !== undefined),
  );
}

function say(context: KernelContext, device: number, what: Partial<Masks>): void {
  const next: Masks = { ...masksOf(context, device), ...what };
  const others = context.kernel.masks.filter((each) => each.device !== device);
  context.update({ masks: [...others, next].sort((a, b) => a.device - b.device) });
}

const setSegment = (which: 'maxSegment' | 'segBoundary'): Effect => {
  return (context, args) => {
    say(context, deviceArg(context, args[0]), { [which]: int(args[1]) });
    return 0;
  };
};

const addressingLimited: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const end = context.machine.memoryAbove4G ? Number.MAX_SAFE_INTEGER : 2 ** 32 - 1;
  if (deviceConfig(context, device).iommu) return 0;
  return dmaLimit(context, device) < end ? 1 : 0;
};

/**
 * dma_direct_need_sync; dma-iommu's devices skip while they are coherent. dma_skip_sync is set where
 * no sync does anything, and the first bounce clears it; a later dma_set_mask() sets it again.
 */
const needSync: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  if (!deviceConfig(context, device).coherent) return 1;
  if (skipsSync(context, device)) return 0;
  return mappingAt(context, device, int(args[1]))?.place.piece?.slot === undefined ? 0 : 1;
};

const setGfpMask: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  context.setBuffer({ ...buffer, zone: zoneOf(int(args[1])) });
  return 0;
};

export const maskOperations: readonly Operation[] = [
  op(
    'dma_set_mask',
    'int',
    [dev, mask],
    'the driver says what streaming mappings may reach; an error where no memory could be',
    setMask({ dma: true, coherent: false }),
  ),
  op(
    'dma_set_coherent_mask',
    'int',
    [dev, mask],
    'the same for dma_alloc_*',
    setMask({ dma: false, coherent: true }),
  ),
  op(
    'dma_set_mask_and_coherent',
    'int',
    [dev, mask],
    'both masks',
    setMask({ dma: true, coherent: true }),
  ),
  op(
    'dma_set_max_seg_size',
    'void',
    [dev, { name: 'size', kinds: ['int'] }],
    'the longest entry of a scatterlist that the device takes (64 KiB unless it says so): an IOMMU merges no further',
    setSegment('maxSegment'),
  ),
  op(
    'dma_set_seg_boundary',
    'void',
    [dev, mask],
    'no entry of a scatterlist may cross a multiple of the mask plus 1: an IOMMU does not merge across',
    setSegment('segBoundary'),
  ),
  op(
    'dma_get_max_seg_size',
    'int',
    [dev],
    'what dma_set_max_seg_size() said, or 64 KiB',
    (context, args) => masksOf(context, deviceArg(context, args[0])).maxSegment,
  ),
  op(
    'dma_addressing_limited',
    'int',
    [dev],
    'not 0 when some memory is out of reach of the device, so that mappings may bounce',
    addressingLimited,
  ),
  op(
    'dma_need_sync',
    'int',
    [dev, addr],
    'not 0 where dma_sync_* would do something: the device is not coherent, or the mapping bounces',
    needSync,
  ),
  {
    name: 'mapping_set_gfp_mask',
    family: 'shmem and swap',
    where: 'cpu',
    returns: 'void',
    rules: ['K1', 'K9'],
    params: [
      { name: 'bo', kinds: ['bo'] },
      { name: 'gfp', kinds: ['gfp'] },
    ],
    doc: "the zone that the object's pages come from: GFP_DMA32 for a device that reaches no more",
    source: 'include/linux/pagemap.h:mapping_set_gfp_mask',
    effect: setGfpMask,
  },
];
