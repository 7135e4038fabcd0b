/**
 * Operations: the GPU VM manager as VM_BIND drivers use it (K6, K7): a map over what is mapped
 * already splits it, an object that was evicted stays out of the tables until it is validated.
 * A bind queue is a CPU thread of the scenario, its fences are completions.
 * Sources (v6.12): drivers/gpu/drm/drm_gpuvm.c (drm_gpuvm_sm_map, _sm_unmap, _bo_evict,
 * _validate); panthor/panthor_mmu.c:panthor_vm_unmap_pages, which invalidates the TLB at once.
 * Leaves out: reservation locks, external objects, drivers that batch the invalidations.
 */
import { bufferArg, handle, int } from '../args.js';
import type { KernelContext } from '../context.js';
import { domainOf } from '../iommu.js';
import { residentPages } from '../pages.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Buffer, GpuVa } from '../state.js';
import type { Value } from '../value.js';
import { mapInto, removeRange } from './iommu-api.js';

type Args = readonly Value[];

function isIn(va: GpuVa, vm: number, iova: number, size: number): boolean {
  return va.domain === vm && va.iova < iova + size && iova < va.iova + va.size;
}

/** What is mapped in the range goes, with its TLB invalidation; what stands beside it stays. */
function clear(context: KernelContext, vm: number, iova: number, size: number): void {
  const inTable = domainOf(context, vm)?.entries ?? [];
  if (inTable.some((each) => each.iova < iova + size && iova < each.iova + each.size)) {
    removeRange(context, vm, iova, size, true);
  }
  const kept = context.kernel.gpuVas.flatMap((va): readonly GpuVa[] => {
    if (!isIn(va, vm, iova, size)) return [va];
    const end = va.iova + va.size;
    const before = { ...va, size: iova - va.iova };
    const shift = iova + size - va.iova;
    const after = { ...va, iova: iova + size, size: end - iova - size, offset: va.offset + shift };
    return [before, after].filter((part) => part.size > 0);
  });
  context.update({ gpuVas: kept });
}

function install(context: KernelContext, va: GpuVa): void {
  const { domain, iova, buffer, offset: from, size, prot } = va;
  mapInto(context, [{ kind: 'domain', id: domain }, iova], [{ buffer, from, size }], prot);
}

const smMap: Effect = (context, args) => {
  const domain = handle(context, args[0], 'domain');
  const [iova, size, offset, prot] = [args[1], args[2], args[4], args[5]].map((each) => int(each));
  if (iova === undefined || size === undefined) return 0;
  const buffer = bufferArg(context, args[3]).id;
  clear(context, domain, iova, size);
  const va: GpuVa = { domain, iova, size, buffer, offset: offset ?? 0, prot: prot ?? 0 };
  context.update({ gpuVas: [...context.kernel.gpuVas, va] });
  install(context, va);
  return 0;
};

const smUnmap: Effect = (context, args) => {
  clear(context, handle(context, args[0], 'domain'), int(args[1]), int(args[2]));
  return 0;
};

/** The object leaves the tables of every VM, and each VM remembers where it was. */
const evict: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  const mine = context.kernel.gpuVas.filter((va) => va.buffer === buffer.id);
  if (mine.length === 0) context.noop('the object is in no VM');
  for (const { domain, iova, size } of mine) removeRange(context, domain, iova, size, true);
  return 0;
};

/** The driver's vm_bo_validate: pages back, translations back, for what is missing. */
const validate: Effect = (context, args) => {
  const vm = handle(context, args[0], 'domain');
  const entries = domainOf(context, vm)?.entries ?? [];
  const missing = context.kernel.gpuVas.filter(
    (va) => va.domain === vm && !entries.some((each) => each.iova === va.iova),
  );
  if (missing.length === 0) context.noop('nothing of this VM was evicted');
  for (const va of missing) {
    if (present(context, context.buffer(va.buffer))) install(context, va);
  }
  return 0;
};

function present(context: KernelContext, buffer: Buffer): boolean {
  if (buffer.gone !== 'no') {
    context.contract(`validates an object that was ${buffer.gone}`);
    return false;
  }
  residentPages(context, buffer.id);
  return true;
}

const vm: Param = { name: 'gpuvm', kinds: ['domain'] };
const addr: Param = { name: 'req_addr', kinds: ['int', 'dma'] };
const range: Param = { name: 'req_range', kinds: ['int'] };
const obj: Param = { name: 'req_obj', kinds: ['bo'] };

function op(name: string, params: readonly Param[], doc: string, effect: Effect): Operation {
  return {
    name,
    family: 'IOMMU API',
    where: 'cpu',
    returns: 'int',
    rules: ['K6', 'K7'],
    params,
    doc,
    source: `drivers/gpu/drm/drm_gpuvm.c:${name}`,
    effect,
  };
}

function bind(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[3]);
  if (buffer.gone !== 'no') context.contract(`maps an object that was ${buffer.gone}`);
  return smMap(context, args);
}

export const gpuvmOperations: readonly Operation[] = [
  op(
    'drm_gpuvm_sm_map',
    [
      vm,
      addr,
      range,
      obj,
      { name: 'req_offset', kinds: ['int'] },
      { name: 'prot', kinds: ['prot'] },
    ],
    'maps pages of the object; what the range held before is unmapped first, with its TLB invalidation (prot: as the driver maps)',
    bind,
  ),
  op(
    'drm_gpuvm_sm_unmap',
    [vm, addr, range],
    'unmaps the range, with its TLB invalidation; mappings that it cuts are split',
    smUnmap,
  ),
  op(
    'drm_gpuvm_bo_evict',
    [obj],
    'the object leaves the tables of every VM (as its driver does with it) and is noted as evicted; its pages stay until they are put',
    evict,
  ),
  op(
    'drm_gpuvm_validate',
    [vm],
    'maps again what was evicted from this VM: its pages come back, without cache maintenance',
    validate,
  ),
];
