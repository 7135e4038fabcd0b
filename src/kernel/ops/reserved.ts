/**
 * Operations: memory that is set aside: the contiguous allocator and carve-outs of single devices
 * (K1, K5), and arm64's set_memory_*() (K3, M13).
 * Sources (v6.12): kernel/dma/contiguous.c (dma_alloc_from_contiguous), mm/cma.c; drivers/of/
 * of_reserved_mem.c; kernel/dma/coherent.c (rmem_dma_device_init, dma_init_coherent_memory,
 * __dma_alloc_from_coherent), kernel/iomem.c:memremap; arch/arm64/mm/pageattr.c.
 * Leaves out: a region that is full, global pools (DMA_GLOBAL_POOL), set_memory_*() of vmalloc
 * memory.
 */
import { bufferArg, deviceArg, fail, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { allocatePages } from '../pages.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Value } from '../value.js';
import { newBuffer, releaseBuffer } from './pages.js';

type Args = readonly Value[];

const dev: Param = { name: 'dev', kinds: ['device'] };
const count: Param = { name: 'count', kinds: ['int'] };

/** The region was lent to movable pages; what they held is still there when they have left. */
function fromContiguous(context: KernelContext, args: Args): Value {
  deviceArg(context, args[0]);
  const size = int(args[1]) * context.machine.pageSize;
  const what = { kind: 'pages', size, contiguous: true, zone: 'dma' } as const;
  const { id } = newBuffer(context, what);
  allocatePages(context, id, false);
  return { kind: 'buffer', id };
}

function releaseContiguous(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[1]);
  if (buffer.gone !== 'no') context.contract(`frees memory that was ${buffer.gone} already`);
  else releaseBuffer(context, buffer.id);
  return 0;
}

const initReserved: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const { carveOuts } = context.kernel;
  if (carveOuts.some((each) => each.device === device)) fail(context, 'the device has a carve-out');
  if (context.option('mapped') !== 0) {
    context.noop('memremap() refuses memory that is in the linear map: no carve-out');
    return 1;
  }
  context.update({ carveOuts: [...carveOuts, { device }] });
  return 0;
};

/** change_memory_common: -EINVAL outside vmalloc memory, which a scenario has none of. */
const refused: Effect = (context) => {
  context.noop('no vmalloc area with VM_ALLOC: -EINVAL, nothing changed');
  return 1;
};

/** set_memory_valid: does not ask can_set_direct_map(), and flushes the TLB. */
const setValid: Effect = (context, args) => {
  const { map } = pointerArg(context, args[0]);
  if (map.kind !== 'linear') return refused(context, args);
  for (const slot of context.buffer(map.buffer).pages) {
    const frame = slot.state === 'resident' ? context.frame(slot.frame) : undefined;
    if (slot.state === 'resident' && frame !== undefined) {
      context.setFrame(slot.frame, { ...frame, linear: int(args[2]) !== 0 });
    }
  }
  context.queue({ do: 'drained', what: 'all' });
  return 0;
};

const addr: Param = { name: 'addr', kinds: ['ptr'] };
const numpages: Param = { name: 'numpages', kinds: ['int'] };

const attributes: readonly Operation[] = ['ro', 'rw', 'x', 'nx'].map((what) => ({
  name: `set_memory_${what}`,
  profiles: ['arm64'],
  family: 'CPU mappings',
  where: 'cpu',
  returns: 'int',
  rules: ['K3', 'M17'],
  params: [addr, numpages],
  doc: 'of vmalloc memory only: -EINVAL for the linear map and for a vmap, and nothing changes',
  source: 'arch/arm64/mm/pageattr.c:change_memory_common',
  effect: refused,
}));

export const reservedOperations: readonly Operation[] = [
  {
    name: 'dma_alloc_from_contiguous',
    family: 'pages',
    where: 'cpu',
    returns: 'page',
    rules: ['K1', 'M14'],
    params: [dev, count, { name: 'order', kinds: ['int'], optional: true }],
    doc: 'contiguous pages of the CMA region, below the limit of ZONE_DMA, as their last users left them, in memory and in the cache',
    source: 'kernel/dma/contiguous.c:dma_alloc_from_contiguous, mm/cma.c:cma_alloc',
    effect: fromContiguous,
  },
  {
    name: 'dma_release_from_contiguous',
    family: 'pages',
    where: 'cpu',
    returns: 'bool',
    rules: ['K1'],
    params: [dev, { name: 'pages', kinds: ['page'] }, count],
    doc: 'gives them back; no cache maintenance',
    source: 'kernel/dma/contiguous.c:dma_release_from_contiguous',
    effect: releaseContiguous,
  },
  {
    name: 'of_reserved_mem_device_init',
    family: 'pages',
    where: 'cpu',
    returns: 'int',
    rules: ['K1', 'K5'],
    params: [dev],
    options: [
      {
        name: 'mapped',
        kind: 'bool',
        doc: 'the region is not no-map, so the linear map covers it: the call fails',
      },
    ],
    doc: "the device's dma_alloc_* come from its carve-out from now on: remapped write-combined, without any maintenance",
    source: 'drivers/of/of_reserved_mem.c, kernel/dma/coherent.c:rmem_dma_device_init',
    effect: initReserved,
  },
  ...attributes,
  {
    name: 'set_memory_valid',
    profiles: ['arm64'],
    family: 'CPU mappings',
    where: 'cpu',
    returns: 'int',
    rules: ['M13'],
    params: [addr, numpages, { name: 'enable', kinds: ['int'] }],
    doc: 'takes the pages out of the linear map, or puts them back, and flushes the TLB; cached lines stay',
    source: 'arch/arm64/mm/pageattr.c:set_memory_valid',
    effect: setValid,
  },
];
