/**
 * Operations: steps of swiotlb by themselves, for what older versions of it did (K9).
 * Source: kernel/dma/swiotlb.c (swiotlb_bounce, swiotlb_release_slots).
 * Leaves out: the search for slots, and how full the pool is.
 */
import { deviceArg, int } from '../args.js';
import { DMA_TO_DEVICE } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mappingAt } from '../dma-address.js';
import type { Effect, Operation, Param } from '../registry.js';
import { freeSlots } from '../swiotlb.js';
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
];
