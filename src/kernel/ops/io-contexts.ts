/**
 * Operations: which tables an IOMMU walks, and what becomes of its IOTLB (M12): tables that a
 * driver writes itself, TTBR0 per process beside TTBR1, invalidation in one IOMMU only, power.
 * Sources: drivers/gpu/drm/panfrost/panfrost_mmu.c (panfrost_mmu_enable: AS_TRANSTAB),
 * drivers/gpu/drm/msm/msm_iommu.c (msm_iommu_pagetable_create, _map, _unmap), adreno/a6xx_gpu.c
 * (a6xx_set_pagetable), drivers/iommu/arm/arm-smmu/arm-smmu.c (arm_smmu_tlb_inv_context_s1,
 * arm_smmu_runtime_suspend, arm_smmu_runtime_resume), arm-smmu-qcom.c, mtk_iommu.c.
 * Leaves out: Mali's own entry formats; address bits that select TTBR1 other than bit 48.
 */
import { deviceArg, fail, int, sgRanges, sgtArg } from '../args.js';
import { deviceConfig } from '../dma-address.js';
import { isInMemory, queueInvalidate, queueRemove, WHOLE_SPACE } from '../io-tables.js';
import { domainOf, syncIotlb } from '../iommu.js';
import { flushIotlb, invalidateIotlb, observerOf } from '../iotlb.js';
import { family, type Effect, type Operation, type Param } from '../registry.js';
import {
  addDomain,
  clientOption,
  domainArg,
  domainOfClient,
  iotlbSync,
  mapInto,
} from './iommu-api.js';

const ownTables: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const { name, coherentWalk } = deviceConfig(context, device);
  if (coherentWalk === null) {
    fail(context, `device '${name}' needs .coherent_walk: say what its table walks are`);
  }
  context.recorder.couples?.('page tables in memory');
  return addDomain(context, { device, root: int(args[1]) });
};

/** The other IOMMUs that the domain is in keep what they have. */
const flushOne: Effect = (context, args) => {
  const domain = domainArg(context, args[0]);
  const observer = observerOf(context.machine, deviceArg(context, args[1]));
  if (isInMemory(context, domain)) invalidateIotlb(context, domain, WHOLE_SPACE, { observer });
  else syncIotlb(context, domain.id, observer);
  context.say('M12', () => 'invalidated in the IOTLB of one IOMMU');
  return 0;
};

const suspend: Effect = (context, args) => {
  const observer = observerOf(context.machine, deviceArg(context, args[0]));
  const others = context.kernel.iommusOff.filter((each) => each !== observer);
  context.update({ iommusOff: [...others, observer].sort((a, b) => a - b) });
  context.say('M12', () => 'the IOMMU is off: accesses fault, invalidations are lost');
  return 0;
};

/** `reset`: arm_smmu_device_reset() invalidates all; else whatever the IOTLB kept is back. */
function resume(reset: boolean): Effect {
  return (context, args) => {
    const observer = observerOf(context.machine, deviceArg(context, args[0]));
    context.update({ iommusOff: context.kernel.iommusOff.filter((each) => each !== observer) });
    if (!reset) return 0;
    flushIotlb(context, observer);
    for (const { id } of context.kernel.domains) syncIotlb(context, id, observer);
    context.say('M12', () => 'registers restored, the whole IOTLB invalidated');
    return 0;
  };
}

const createPagetable: Effect = (context, args) => {
  const parent = domainArg(context, args[0]);
  const context0 = context.kernel.contexts.find((each) => each.ttbr1 === parent.id);
  if (context0 === undefined) fail(context, 'the domain is not one for TTBR1 (.ttbr1 = true)');
  return addDomain(context, {
    device: parent.device,
    parent: parent.id,
    ...clientOption(context),
  });
};

const mapPagetable: Effect = (context, args) => {
  const table = domainArg(context, args[0]);
  const to = { kind: 'domain', id: table.id } as const;
  mapInto(context, [to, int(args[1])], sgRanges(context, sgtArg(context, args[2])), int(args[3]));
  return 0;
};

/** There is one ASID for all pagetables of a context, so the parent's IOTLB is flushed. */
const unmapPagetable: Effect = (context, args) => {
  const table = domainArg(context, args[0]);
  const parent = domainOf(context, table.parent ?? -1);
  if (parent === undefined) fail(context, 'this domain is no pagetable for TTBR0');
  const inMemory = isInMemory(context, table);
  queueRemove(context, table.id, int(args[1]), int(args[2]), !inMemory);
  if (inMemory) queueInvalidate(context, parent, WHOLE_SPACE.iova, WHOLE_SPACE.size);
  return int(args[2]);
};

/** The GPU's own command: which process's tables it walks from now on. */
const tableUpdate: Effect = (context, args) => {
  const table = domainArg(context, args[0]);
  const { device } = context.step;
  const known = context.kernel.contexts.find((each) => each.device === device);
  if (known === undefined || table.parent !== known.ttbr1) {
    fail(context, 'this pagetable is not of this device: msm_iommu_pagetable_create() makes one');
  }
  const others = context.kernel.contexts.filter((each) => each !== known);
  context.update({ contexts: [...others, { ...known, ttbr0: table.id }] });
  const observer = observerOf(context.machine, device);
  const keep = context.option('keep_tlb') !== 0;
  if (!keep) invalidateIotlb(context, table, WHOLE_SPACE, { observer });
  context.say('M12', () => (keep ? 'TTBR0 switched; the IOTLB stays' : 'TTBR0 switched'));
  return 0;
};

const dev: Param = { name: 'dev', kinds: ['device'] };
const domain: Param = { name: 'domain', kinds: ['domain'] };
const iova: Param = { name: 'iova', kinds: ['int', 'dma'] };
const size: Param = { name: 'size', kinds: ['int'] };

const op = family({ family: 'IOMMU API', where: 'cpu', returns: 'void', rules: ['M12'] });

const SMMU = 'drivers/iommu/arm/arm-smmu/arm-smmu.c';
const MSM = 'drivers/gpu/drm/msm/msm_iommu.c';

export const ioContextOperations: readonly Operation[] = [
  op(
    'panfrost_mmu_enable',
    [dev, { name: 'transtab', kinds: ['dma', 'phys', 'int'] }],
    'the device walks the LPAE table at this address, which the driver writes by its own stores',
    'drivers/gpu/drm/panfrost/panfrost_mmu.c:panfrost_mmu_enable',
    ownTables,
    { returns: 'domain' },
  ),
  op(
    'iommu_flush_iotlb_all',
    [domain],
    'invalidates all translations of the domain, in every IOMMU that has power',
    'include/linux/iommu.h:iommu_flush_iotlb_all',
    iotlbSync,
    { removable: 'drop', rules: ['K6', 'M12'] },
  ),
  op(
    'arm_smmu_tlb_inv_context',
    [domain, dev],
    'invalidates all translations of the domain in the IOMMU of this device only',
    `${SMMU}:arm_smmu_tlb_inv_context_s1`,
    flushOne,
    { removable: 'drop' },
  ),
  op(
    'arm_smmu_runtime_suspend',
    [dev],
    'the IOMMU of this device loses its power: accesses fault, invalidations do nothing',
    `${SMMU}:arm_smmu_runtime_suspend`,
    suspend,
  ),
  op(
    'arm_smmu_runtime_resume',
    [dev],
    'power is back, registers are restored, the whole IOTLB is invalidated',
    `${SMMU}:arm_smmu_runtime_resume, arm_smmu_device_reset`,
    resume(true),
  ),
  op(
    'mtk_iommu_runtime_resume',
    [dev],
    'before 4f23f6d45821: registers are restored, and the IOTLB has what it had',
    'drivers/iommu/mtk_iommu.c:mtk_iommu_runtime_resume',
    resume(false),
  ),
  op(
    'msm_iommu_pagetable_create',
    [domain],
    'a table for TTBR0 beside a domain in TTBR1: addresses of one process',
    `${MSM}:msm_iommu_pagetable_create`,
    createPagetable,
    { returns: 'domain', options: [domainOfClient] },
  ),
  op(
    'msm_iommu_pagetable_map',
    [domain, iova, { name: 'sgt', kinds: ['sgt'] }, { name: 'prot', kinds: ['prot'] }],
    "maps a table's pages for one process",
    `${MSM}:msm_iommu_pagetable_map`,
    mapPagetable,
  ),
  op(
    'msm_iommu_pagetable_unmap',
    [domain, iova, size],
    'takes the pages out, then flushes all of the context: there is one ASID',
    `${MSM}:msm_iommu_pagetable_unmap`,
    unmapPagetable,
    { returns: 'int' },
  ),
  {
    ...op(
      'cp_smmu_table_update',
      [domain],
      "the GPU switches TTBR0 to a process's table; the firmware invalidates the IOTLB with it",
      'drivers/gpu/drm/msm/adreno/a6xx_gpu.c:a6xx_set_pagetable (CP_SMMU_TABLE_UPDATE)',
      tableUpdate,
    ),
    where: 'device',
    family: 'device',
    options: [{ name: 'keep_tlb', kind: 'bool', doc: 'firmware that forgets the invalidation' }],
  },
];
