/**
 * Operations: steps of swiotlb by themselves, for what older versions of it did (K9).
 * Source: kernel/dma/swiotlb.c (swiotlb_bounce, swiotlb_release_slots).
 * Leaves out: the search for slots, and how full the pool is.
 */
import { deviceArg, int } from '../args.js';
import { DMA_TO_DEVICE } from '../constants.js';
import type { KernelContext } from '../context.js';
import { deviceConfig, dmaLimit, mappingAt } from '../dma-address.js';
import type { Effect, Operation, Param } from '../registry.js';
import { freeSlots, SLOTS_MOST } from '../swiotlb.js';
import type { Value } from '../value.js';
import { addr, dev, dir, op, size } from './dma-parts.js';

function slotAt(context: KernelContext, args: readonly Value[]) {
  const found = mappingAt(context, deviceArg(context, args[0]), int(args[1]));
  const piece = found?.place.piece;
  if (found === null || piece?.slot === undefined) {
    context.noop('no bounce buffer there');
    return null;
  }
  return { piece, from: found.place.offset };
}

const bounce: Effect = (context, args) => {
  const at = slotAt(context, args);
  const way = int(args[3]) === DMA_TO_DEVICE ? 'in' : 'out';
  if (at !== null) {
    context.queue({ do: 'bounce', way, piece: at.piece, from: at.from, size: int(args[2]) });
  }
  return 0;
};

/** The mapping does not notice: its slot may be given out again. */
const release: Effect = (context, args) => {
  const at = slotAt(context, args);
  if (at !== null) freeSlots(context, [at.piece]);
  return 0;
};

/** SIZE_MAX, as far as scenarios have numbers. */
const SIZE_MAX = 2 ** 32 - 1;

/** dma_direct_max_mapping_size; dma-iommu bounces parts of pages only. */
const maxMapping: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const { swiotlb, memoryAbove4G } = context.machine;
  if (deviceConfig(context, device).iommu || swiotlb === 'noforce') return SIZE_MAX;
  const end = memoryAbove4G ? Number.MAX_SAFE_INTEGER : 2 ** 32 - 1;
  return swiotlb === 'force' || dmaLimit(context, device) < end ? SLOTS_MOST : SIZE_MAX;
};

const params: readonly Param[] = [dev, addr, size, dir];

export const swiotlbOperations: readonly Operation[] = [
  {
    ...op(
      'swiotlb_bounce',
      'void',
      params,
      'copies into the bounce buffer (DMA_TO_DEVICE) or out of it, and nothing else',
      bounce,
    ),
    rules: ['K9'],
    source: 'kernel/dma/swiotlb.c:swiotlb_bounce',
  },
  {
    ...op(
      'swiotlb_release_slots',
      'void',
      [dev, addr],
      'the slots of a mapping count as free, though it goes on using them',
      release,
    ),
    rules: ['K9'],
    source: 'kernel/dma/swiotlb.c:swiotlb_release_slots',
  },
  {
    ...op(
      'dma_max_mapping_size',
      'int',
      [dev],
      'the longest mapping that can work: 256 KiB where a bounce buffer may be needed',
      maxMapping,
    ),
    rules: ['K9'],
    source: 'kernel/dma/direct.c:dma_direct_max_mapping_size',
  },
];
