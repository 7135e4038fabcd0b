/**
 * Operations: memory that only the kernel's own commands may reach through a GPU (M12, H9): buffers
 * of the kernel, IOMMU_PRIV, and accesses by the command stream of a user.
 * Sources: drivers/gpu/drm/msm/msm_gem.c (msm_gem_kernel_new), msm_ringbuffer.c, adreno/a6xx_gpu.c
 * (hw_apriv, check_apriv); drivers/iommu/io-pgtable-arm.c:arm_lpae_prot_to_pte (AP_UNPRIV).
 * Leaves out: whose process a user's command stream belongs to.
 */
import { deviceWrite } from '../access.js';
import { bufferArg, handle, int } from '../args.js';
import { IOMMU_PRIV } from '../constants.js';
import type { KernelContext } from '../context.js';
import { readByDevice } from '../device-cache.js';
import { domainOf, IOMMU_READ, IOMMU_WRITE, translate } from '../iommu.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Destination } from '../standing.js';
import type { Value } from '../value.js';
import { snoops } from './device.js';
import { create, deviceParam, sizeParam, wcOption } from './gem-parts.js';

/** Bytes of a device access: one u32. */
const DEVICE_WORD = 4;

type Args = readonly Value[];

const kernelNew: Effect = (context, args) => {
  const object = create('msm', (wc) => wc)(context, args);
  context.setBuffer({ ...bufferArg(context, object), kernelOnly: true });
  return object;
};

/** Where an unprivileged access arrives; null when it is refused: that is protection at work. */
function reach(
  context: KernelContext,
  args: Args,
  right: number,
): { destination: Destination; cacheable: boolean } | null {
  const id = handle(context, args[0], 'domain');
  const iova = int(args[1]);
  const entry = domainOf(context, id)?.entries.find(
    (each) => each.iova <= iova && iova < each.iova + each.size,
  );
  if (((entry?.prot ?? 0) & IOMMU_PRIV) !== 0) {
    context.say('M12', () => 'refused: the mapping is for privileged accesses');
    return null;
  }
  const reached = translate(context, id, iova, DEVICE_WORD, right);
  if (reached.kind === 'fault') {
    context.say('M12', () => `refused: ${reached.why}`);
    return null;
  }
  const { destination, cacheable } = reached;
  const kernelOnly = context.buffer(destination.cell.buffer).kernelOnly === true;
  const refused = destination.refused ?? (kernelOnly ? 'H9' : null);
  return { destination: { ...destination, refused }, cacheable };
}

const readUnprivileged: Effect = (context, args) => {
  const reached = reach(context, args, IOMMU_READ);
  if (reached === null) return 0;
  return readByDevice(context, reached.destination, snoops(context, reached), context.step.sync);
};

const writeUnprivileged: Effect = (context, args) => {
  const reached = reach(context, args, IOMMU_WRITE);
  if (reached === null) return 0;
  deviceWrite(context, reached.destination, snoops(context, reached), int(args[2]));
  return 0;
};

const domain: Param = { name: 'domain', kinds: ['domain'] };
const iova: Param = { name: 'iova', kinds: ['int', 'dma', 'phys'] };

export const privilegedOperations: readonly Operation[] = [
  {
    name: 'msm_gem_kernel_new',
    family: 'GEM',
    where: 'cpu',
    returns: 'bo',
    rules: ['K7', 'M12'],
    params: [deviceParam, sizeParam],
    options: [wcOption],
    doc: "an object of the kernel's own, as msm_gem_new: no user's command stream may reach it",
    source: 'drivers/gpu/drm/msm/msm_gem.c:msm_gem_kernel_new',
    effect: kernelNew,
  },
  {
    name: 'dma_read_unpriv',
    family: 'device',
    where: 'device',
    returns: 'int',
    rules: ['M10', 'M12'],
    reads: true,
    params: [domain, iova],
    doc: "as dma_read, by a user's command stream: where it is refused, nothing happens",
    source: 'drivers/iommu/io-pgtable-arm.c:arm_lpae_prot_to_pte',
    effect: readUnprivileged,
  },
  {
    name: 'dma_write_unpriv',
    family: 'device',
    where: 'device',
    returns: 'void',
    rules: ['M10', 'M12'],
    params: [domain, iova, { name: 'value', kinds: ['int'] }],
    doc: "as dma_write, by a user's command stream: where it is refused, nothing happens",
    source: 'drivers/iommu/io-pgtable-arm.c:arm_lpae_prot_to_pte',
    effect: writeUnprivileged,
    loadsPass: true,
  },
];
