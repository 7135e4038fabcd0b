/**
 * Operations: dma_alloc_coherent and dma_alloc_wc (K5).
 * Sources: include/linux/dma-mapping.h, kernel/dma/mapping.c, direct.c, drivers/iommu/dma-iommu.c.
 * Leaves out: swiotlb and masks, so a mapping never bounces and never fails.
 */
import { deviceArg, int, pointerArg } from '../args.js';
import { DMA_BIDIRECTIONAL } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap } from '../cpu-maps.js';
import { deviceConfig, dmaMap, endMapping } from '../dma.js';
import { issue, maintain, wholeBuffer } from '../maintenance.js';
import { allocatePages, pageLayouts } from '../pages.js';
import type { Operation } from '../registry.js';
import type { Value } from '../value.js';
import { makeSgt } from './gem-parts.js';
import { newBuffer } from './pages.js';
import { dev, size, addr, gfp, cpuAddr, op } from './dma-parts.js';

type Args = readonly Value[];

/** dma_alloc_coherent and _wc: clean of the linear map, NC remap, memset through the remap. */
function allocCoherent(context: KernelContext, args: Args): Value {
  const device = deviceArg(context, args[0]);
  const { coherent, iommu } = deviceConfig(context, device);
  const buffer = newBuffer(context, {
    kind: 'coherent',
    size: int(args[1]),
    contiguous: true,
    device,
  });
  // dma-iommu zeroes through the linear map before the clean, dma-direct through the remap.
  allocatePages(context, buffer.id, iommu || coherent);
  const whole = wholeBuffer(context.buffer(buffer.id));
  if (!coherent) maintain(context, 'clean', whole);
  const mapping = dmaMap(context, {
    device,
    range: whole,
    direction: DMA_BIDIRECTIONAL,
    attrs: 0,
    type: 'coherent',
  });
  const attribute = coherent ? 'WB' : 'NC';
  const pointer = mapBuffer(context, context.buffer(buffer.id), 'remap', attribute);
  if (!coherent && !iommu) zeroThroughRemap(context, buffer.id);
  context.out(2, mapping.address);
  return pointer;
}

function zeroThroughRemap(context: KernelContext, id: number): void {
  const tick = context.tick();
  const buffer = context.buffer(id);
  pageLayouts(context, id).forEach((page, i) => {
    const slot = buffer.pages[i];
    if (slot?.state !== 'resident') return;
    page.lines.forEach((layout, line) => {
      layout.cells.forEach((cell, word) => {
        context.write(cell, 0, tick);
        issue(context, [
          {
            kind: 'store',
            attribute: 'NC',
            frame: slot.frame,
            line,
            word,
            value: 0,
            own: false,
            at: context.step.site,
          },
        ]);
      });
    });
  });
}

function freeCoherent(context: KernelContext, args: Args): Value {
  const { map, offset } = pointerArg(context, args[2]);
  const buffer = context.buffer(map.buffer);
  const mapping = context.kernel.mappings.find(
    (each) => each.buffer === buffer.id && each.type === 'coherent',
  );
  if (mapping === undefined || offset !== 0) {
    context.contract('device driver tries to free DMA memory it has not allocated');
    return 0;
  }
  if (int(args[1]) !== mapping.size) {
    context.contract('device driver frees DMA memory with different size');
  }
  if (int(args[3]) !== mapping.address) {
    context.contract('device driver frees DMA memory with different CPU address');
  }
  unmapMap(context, map);
  endMapping(context, mapping, mapping.size);
  context.queue({ do: 'free', buffer: buffer.id });
  context.setBuffer({ ...context.buffer(buffer.id), gone: 'freed' });
  return 0;
}

function mmapCoherent(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  if (map.kind !== 'remap') context.contract('dma_mmap_* of memory dma_alloc_* did not return');
  return mapBuffer(context, context.buffer(map.buffer), 'mmap', map.attribute);
}

/** A table over the pages behind an allocation, for page tables of the driver's own. */
function getSgtable(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[1]);
  if (map.kind !== 'remap') context.contract('dma_get_sgtable of memory dma_alloc_* did not return');
  return makeSgt(context, context.buffer(map.buffer), -1);
}

const allocations: readonly Operation[] = (['coherent', 'wc'] as const).flatMap(
  (kind) => [
    op(
      `dma_alloc_${kind}`,
      'ptr',
      [dev, size, { name: 'handle', kinds: ['dma'], out: true }, gfp],
      'pages cleaned through the linear map, mapped non-cacheable (write-back for a coherent device) and zeroed',
      allocCoherent,
    ),
    op(
      `dma_free_${kind}`,
      'void',
      [dev, size, cpuAddr, addr],
      'unmaps and frees; no cache maintenance',
      freeCoherent,
    ),
    op(
      `dma_mmap_${kind}`,
      'ptr',
      [dev, cpuAddr],
      'user mapping with the attribute of the allocation',
      mmapCoherent,
    ),
  ],
);

export const coherentOperations: readonly Operation[] = [
  ...allocations,
  op(
    'dma_get_sgtable',
    'sgt',
    [dev, cpuAddr, addr, size],
    'a scatterlist over the pages of an allocation (in Linux an argument receives it)',
    getSgtable,
  ),
];
