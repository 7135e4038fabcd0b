/** What the tables of the DMA mapping API share: parameters, wordings, the row maker. */
import { int } from '../args.js';
import type { KernelContext } from '../context.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Value } from '../value.js';

export const dev: Param = { name: 'dev', kinds: ['device'] };

export const size: Param = { name: 'size', kinds: ['int'] };

export const dir: Param = { name: 'dir', kinds: ['direction'] };

export const attrs: Param = { name: 'attrs', kinds: ['attrs'] };

export const addr: Param = { name: 'addr', kinds: ['dma'] };

export const sgt: Param = { name: 'sgt', kinds: ['sgt'] };

export const gfp: Param = { name: 'gfp', kinds: ['gfp'] };

export const ptr: Param = { name: 'ptr', kinds: ['ptr'] };

export const nents: Param = { name: 'nents', kinds: ['int'] };

export const entry: Param = { name: 'entry', kinds: ['int'] };

export const offset: Param = { name: 'offset', kinds: ['int'] };

export const handle: Param = { name: 'handle', kinds: ['dma'], out: true };

export const page: Param = { name: 'page', kinds: ['page'] };

export const phys: Param = { name: 'phys_addr', kinds: ['phys', 'int'] };

export const pool: Param = { name: 'pool', kinds: ['pool'] };

export const cpuAddr: Param = { name: 'cpu_addr', kinds: ['ptr'] };

export const mapDoc =
  'cleans the range whatever the direction (nothing for a coherent device), then gives its bus address';

export const unmapDoc = 'invalidates the range unless DMA_TO_DEVICE, then takes the address away';

export const forCpuDoc = 'invalidates the range unless DMA_TO_DEVICE';

export const forDeviceDoc = 'cleans the range whatever the direction';

export function attrsOf(context: KernelContext, value: Value | undefined): number {
  return int(value) | context.skipSyncAttrs();
}

export function op(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Effect,
  removable?: Operation['removable'],
): Operation {
  const plain: Operation = {
    name,
    family: 'DMA mapping API',
    where: 'cpu',
    returns,
    params,
    doc,
    effect,
    rules: ['K5'],
    source: 'kernel/dma/mapping.c, direct.c, drivers/iommu/dma-iommu.c',
  };
  const idle = /^dma_(sync|unmap)_(single|page|phys|sg)/u.test(name);
  const passed: Operation = idle ? { ...plain, loadsPass: 'where-it-does-nothing' } : plain;
  return removable === undefined ? passed : { ...passed, removable };
}
