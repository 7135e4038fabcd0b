/**
 * What a scenario's kernel does instead of Linux (model §3: a scenario may override an operation's
 * effect by raw steps), where functions of this layer call it. Calls that stand in the scenario
 * itself are replaced in its text (litmus/lower-override.ts).
 * Leaves out: running the steps (system/overrides.ts).
 */
import { sgCount } from './args.js';
import type { KernelContext } from './context.js';
import type { Family, Operation } from './registry.js';
import type { Sgt } from './state.js';
import type { Value } from './value.js';

/** The scenario's own version of a function. */
export type OverrideEffect = (context: KernelContext, args: readonly Value[]) => Value;
export type Overrides = ReadonlyMap<string, OverrideEffect>;

/**
 * Functions that are there for others to call, each with its callers in Linux (v6.12):
 * arch_sync_dma_for_*: kernel/dma/direct.h, direct.c, drivers/iommu/dma-iommu.c;
 * arch_dma_prep_coherent: kernel/dma/direct.c:dma_direct_alloc, drivers/iommu/dma-iommu.c;
 * iommu_iotlb_sync: drivers/iommu/iommu.c:iommu_unmap, dma-iommu.c:__iommu_dma_unmap.
 * Others are called by drivers, and by a few functions here: the table is in docs/language.md.
 */
export const hooks: ReadonlySet<string> = new Set([
  'arch_sync_dma_for_device',
  'arch_sync_dma_for_cpu',
  'arch_dma_prep_coherent',
  'iommu_iotlb_sync',
]);

/** Families of functions that change the kernel's books, and leave work to the machine. */
export const insideFamilies: ReadonlySet<Family> = new Set<Family>([
  'pages',
  'cache helpers',
  'ordering',
  'DMA mapping API',
  'IOMMU API',
]);

/** An override cannot call it where another function calls the override. */
export function waits({ family, blocks }: Operation): boolean {
  return !insideFamilies.has(family) || blocks === true;
}

/** Runs the scenario's version in place of Linux'; false when it has none. */
export function overridden(context: KernelContext, name: string, args: readonly Value[]): boolean {
  return overriddenValue(context, name, args) !== undefined;
}

/** The same for what the function returns; undefined where the scenario has no version. */
export function overriddenValue(
  context: KernelContext,
  name: string,
  args: readonly Value[],
): Value | undefined {
  return context.overrides.get(name)?.(context, args);
}

/**
 * dma_sync_sgtable_for_*, which calls dma_sync_sg_for_* (include/linux/dma-mapping.h), as
 * system_heap.c and etnaviv_gem.c call it: false where both are Linux' own.
 */
export function syncsTable(
  context: KernelContext,
  to: 'cpu' | 'device',
  device: number,
  table: Sgt,
  direction: number,
): boolean {
  const dev = { kind: 'device', id: device } as const;
  const sgt = { kind: 'sgt', id: table.id } as const;
  if (overridden(context, `dma_sync_sgtable_for_${to}`, [dev, sgt, direction])) return true;
  const nents = sgCount(context, table);
  return overridden(context, `dma_sync_sg_for_${to}`, [dev, sgt, nents, direction]);
}

/** iommu_unmap() and the DMA API's unmaps end with iommu_iotlb_sync(). */
export function syncsIotlb(context: KernelContext, domain: number): boolean {
  return overridden(context, 'iommu_iotlb_sync', [{ kind: 'domain', id: domain }]);
}
