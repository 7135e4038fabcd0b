/** Operations: the IOMMU API (K6, M12) and dma-buf (K8, as far as the heaps and GEM need it). */
import { bufferArg, deviceArg, fail, handle, int, sgtArg } from '../args.js';
import {
  DMA_ATTR_SKIP_CPU_SYNC,
  DMA_BUF_SYNC_END,
  DMA_BUF_SYNC_READ,
  DMA_BUF_SYNC_WRITE,
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
} from '../constants.js';
import type { KernelContext } from '../context.js';
import { deviceConfig, dmaMap, dmaUnmap, physicalPlace } from '../dma.js';
import { domainOf, remove, syncIotlb, translationFor, install } from '../iommu.js';
import { syncForCpu, syncForDevice, wholeBuffer } from '../maintenance.js';
import { allocatePages } from '../pages.js';
import type { Operation, Param } from '../registry.js';
import type { Attachment, Buffer } from '../state.js';
import type { Value } from '../value.js';
import { makeSgt } from './gem-parts.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

function allocDomain(context: KernelContext, args: Args): Value {
  const device = deviceArg(context, args[0]);
  const id = context.step.site;
  context.update({ domains: [...context.kernel.domains, { id, device, entries: [], stale: [] }] });
  return { kind: 'domain', id };
}

function mapInto(
  context: KernelContext,
  args: Args,
  buffer: Buffer,
  offset: number,
  size: number,
  prot: number,
): number {
  const bytes = context.machine.pageSize;
  const iova = int(args[1]);
  if (iova % bytes !== 0 || size % bytes !== 0 || offset % bytes !== 0) {
    context.contract('iommu: unaligned iova, address or size');
    return 0;
  }
  if (!buffer.pages.every((slot) => slot.state === 'resident')) {
    context.contract('maps an object whose pages are not resident');
    return 0;
  }
  const entry = translationFor(context, buffer, iova, offset, size, prot);
  install(context, handle(context, args[0], 'domain'), entry);
  context.say('M12', () => 'translation installed; no CPU cache maintenance');
  return size;
}

function iommuMap(context: KernelContext, args: Args): Value {
  const place = physicalPlace(context, int(args[2]));
  if (place === null) return fail(context, 'no page at this physical address');
  mapInto(context, args, context.buffer(place.buffer), place.offset, int(args[3]), int(args[4]));
  return 0;
}

function iommuMapSgtable(context: KernelContext, args: Args): Value {
  const buffer = context.buffer(sgtArg(context, args[2]).buffer);
  return mapInto(context, args, buffer, 0, buffer.size, int(args[3]));
}

function iommuUnmap(sync: boolean) {
  return (context: KernelContext, args: Args): Value => {
    const id = handle(context, args[0], 'domain');
    const removed = remove(context, id, int(args[1]), int(args[2]), sync);
    if (removed < int(args[2])) {
      context.contract(`iommu_unmap of ${int(args[2])} bytes found ${removed} mapped`);
    }
    context.say('M12', () =>
      sync ? 'translation removed, IOTLB synced' : 'translation removed; the IOTLB may keep it',
    );
    return removed;
  };
}

function domainFree(context: KernelContext, args: Args): Value {
  const id = handle(context, args[0], 'domain');
  const domain = domainOf(context, id);
  if (domain === undefined) context.contract('iommu_domain_free twice');
  context.update({ domains: context.kernel.domains.filter((each) => each.id !== id) });
  return 0;
}

const domain: Param = { name: 'domain', kinds: ['domain'] };
const iova: Param = { name: 'iova', kinds: ['int', 'dma'] };
const size: Param = { name: 'size', kinds: ['int'] };
const prot: Param = { name: 'prot', kinds: ['prot'] };
const dev: Param = { name: 'dev', kinds: ['device'] };

function iommu(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Operation['effect'],
  removable?: 'drop',
): Operation {
  const plain: Operation = {
    name,
    family: 'IOMMU API',
    where: 'cpu',
    returns,
    params,
    doc,
    effect,
    rules: ['K6', 'M12'],
    source: 'drivers/iommu/iommu.c',
  };
  return removable === undefined ? plain : { ...plain, removable };
}

export const iommuOperations: readonly Operation[] = [
  iommu(
    'iommu_domain_alloc',
    'domain',
    [dev],
    "a domain of the driver's own for this device (6.12: iommu_paging_domain_alloc)",
    allocDomain,
  ),
  iommu(
    'iommu_paging_domain_alloc',
    'domain',
    [dev],
    "a domain of the driver's own for this device",
    allocDomain,
  ),
  iommu('iommu_domain_free', 'void', [domain], 'the domain and its translations go', domainFree),
  iommu(
    'iommu_map',
    'int',
    [
      domain,
      iova,
      { name: 'paddr', kinds: ['phys'] },
      size,
      prot,
      { name: 'gfp', kinds: ['gfp'], optional: true },
    ],
    'installs a translation; no CPU cache maintenance of the pages',
    iommuMap,
  ),
  iommu(
    'iommu_map_sgtable',
    'int',
    [domain, iova, { name: 'sgt', kinds: ['sgt'] }, prot],
    'installs translations for a whole table; no CPU cache maintenance',
    iommuMapSgtable,
  ),
  iommu(
    'iommu_unmap',
    'int',
    [domain, iova, size],
    'removes the translation and syncs the IOTLB',
    iommuUnmap(true),
  ),
  iommu(
    'iommu_unmap_fast',
    'int',
    [domain, iova, size],
    'removes the translation; the IOTLB keeps it until iommu_iotlb_sync',
    iommuUnmap(false),
  ),
  iommu(
    'iommu_iotlb_sync',
    'void',
    [domain],
    'invalidates what iommu_unmap_fast left behind',
    (context, args) => {
      syncIotlb(context, handle(context, args[0], 'domain'));
      context.say('M12', () => 'IOTLB invalidated');
      return 0;
    },
    'drop',
  ),
];

function heapAllocate(context: KernelContext, args: Args): Value {
  const buffer = newBuffer(context, { kind: 'heap', size: int(args[0]) });
  allocatePages(context, buffer.id, true);
  return { kind: 'buffer', id: buffer.id };
}

function attach(context: KernelContext, args: Args): Value {
  const id = context.step.site;
  const buffer = bufferArg(context, args[0]).id;
  const attachment = { id, buffer, device: deviceArg(context, args[1]), sgt: -1 };
  context.update({ attachments: [...context.kernel.attachments, attachment] });
  return { kind: 'attachment', id };
}

function attachmentArg(context: KernelContext, value: Value | undefined): Attachment {
  const id = handle(context, value, 'attachment');
  return context.kernel.attachments.find((each) => each.id === id) ?? fail(context, 'not attached');
}

function setAttachment(context: KernelContext, next: Attachment): void {
  context.update({
    attachments: context.kernel.attachments.map((each) => (each.id === next.id ? next : each)),
  });
}

/** The system heap maps with attrs 0; GEM's exporter skips the CPU sync (drm_prime.c). */
function mapAttachment(context: KernelContext, args: Args): Value {
  const attachment = attachmentArg(context, args[0]);
  const buffer = context.buffer(attachment.buffer);
  const attrs = buffer.kind === 'heap' ? 0 : DMA_ATTR_SKIP_CPU_SYNC;
  const mapping = dmaMap(context, {
    device: attachment.device,
    range: wholeBuffer(buffer),
    direction: int(args[1]),
    attrs: attrs | context.skipSyncAttrs(),
    type: 'sg',
  });
  const sgt = makeSgt(context, buffer, mapping.id);
  setAttachment(context, { ...attachment, sgt: context.step.site });
  return sgt;
}

function unmapAttachment(context: KernelContext, args: Args): Value {
  const attachment = attachmentArg(context, args[0]);
  const table = sgtArg(context, args[1]);
  const mapping = context.kernel.mappings.find((each) => each.id === table.mapping);
  if (mapping === undefined) {
    context.contract('dma_buf_unmap_attachment of a table that is not mapped');
    return 0;
  }
  dmaUnmap(context, {
    device: mapping.device,
    address: mapping.address,
    size: mapping.size,
    direction: int(args[2]),
    attrs: mapping.attrs,
    type: 'sg',
  });
  setAttachment(context, { ...attachment, sgt: -1 });
  return 0;
}

/** system_heap: every mapped attachment is synced; GEM's default dma_buf_ops have no such hook. */
function cpuAccess(
  context: KernelContext,
  buffer: Buffer,
  direction: number,
  begin: boolean,
): void {
  if (buffer.kind !== 'heap') {
    context.noop('the exporter has no begin/end_cpu_access: nothing is done');
    return;
  }
  const mapped = context.kernel.attachments.filter(
    (each) => each.buffer === buffer.id && each.sgt >= 0,
  );
  if (mapped.length === 0) context.noop('no attachment is mapped: nothing to sync');
  for (const attachment of mapped) {
    if (deviceConfig(context, attachment.device).coherent) {
      context.noop('the attached device is coherent: no cache maintenance');
    } else if (begin) {
      syncForCpu(context, wholeBuffer(buffer), direction);
    } else {
      syncForDevice(context, wholeBuffer(buffer));
    }
  }
}

function ioctlSync(context: KernelContext, args: Args): Value {
  const flags = int(args[2]);
  const access = flags & (DMA_BUF_SYNC_READ | DMA_BUF_SYNC_WRITE);
  if (access === 0) fail(context, 'DMA_BUF_IOCTL_SYNC needs DMA_BUF_SYNC_READ, _WRITE or _RW');
  const direction =
    access === DMA_BUF_SYNC_READ
      ? DMA_FROM_DEVICE
      : access === DMA_BUF_SYNC_WRITE
        ? DMA_TO_DEVICE
        : DMA_BIDIRECTIONAL;
  cpuAccess(context, bufferArg(context, args[0]), direction, (flags & DMA_BUF_SYNC_END) === 0);
  return 0;
}

const dmabuf: Param = { name: 'dmabuf', kinds: ['dmabuf'] };
const attachmentParam: Param = { name: 'attach', kinds: ['attachment'] };
const direction: Param = { name: 'dir', kinds: ['direction'] };

function buf(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  source: string,
  effect: Operation['effect'],
  removable?: 'drop' | 'skip-sync',
): Operation {
  const plain: Operation = {
    name,
    family: 'dma-buf',
    where: 'cpu',
    returns,
    params,
    doc,
    effect,
    rules: ['K8'],
    source,
  };
  return removable === undefined ? plain : { ...plain, removable };
}

export const dmaBufOperations: readonly Operation[] = [
  buf(
    'system_heap_allocate',
    'dmabuf',
    [size],
    'a dma-buf of the system heap: cached pages, zeroed through the linear map',
    'drivers/dma-buf/heaps/system_heap.c:system_heap_allocate',
    heapAllocate,
  ),
  buf(
    'drm_gem_prime_export',
    'dmabuf',
    [{ name: 'bo', kinds: ['bo'] }],
    'the object as a dma-buf; the pages are not pinned by this',
    'drivers/gpu/drm/drm_prime.c:drm_gem_prime_export',
    (context, args) => ({ kind: 'buffer', id: bufferArg(context, args[0]).id }),
  ),
  buf(
    'dma_buf_attach',
    'attachment',
    [dmabuf, dev],
    'a device joins the buffer; nothing is mapped',
    'drivers/dma-buf/dma-buf.c:dma_buf_attach',
    attach,
  ),
  buf(
    'dma_buf_map_attachment',
    'sgt',
    [attachmentParam, direction],
    'dma-maps for the attached device: with a clean by the system heap, with DMA_ATTR_SKIP_CPU_SYNC by GEM',
    'system_heap_map_dma_buf; drm_prime.c:drm_gem_map_dma_buf',
    mapAttachment,
    'skip-sync',
  ),
  buf(
    'dma_buf_unmap_attachment',
    'void',
    [attachmentParam, { name: 'sgt', kinds: ['sgt'] }, direction],
    "ends the mapping, with the exporter's attributes",
    'system_heap_unmap_dma_buf; drm_prime.c:drm_gem_unmap_dma_buf',
    unmapAttachment,
    'skip-sync',
  ),
  buf(
    'dma_buf_begin_cpu_access',
    'int',
    [dmabuf, direction],
    'dma_sync_sgtable_for_cpu for every mapped attachment of a heap buffer; nothing for GEM',
    'system_heap.c:system_heap_dma_buf_begin_cpu_access',
    (context, args) => {
      cpuAccess(context, bufferArg(context, args[0]), int(args[1]), true);
      return 0;
    },
    'drop',
  ),
  buf(
    'dma_buf_end_cpu_access',
    'int',
    [dmabuf, direction],
    'dma_sync_sgtable_for_device for every mapped attachment of a heap buffer; nothing for GEM',
    'system_heap.c:system_heap_dma_buf_end_cpu_access',
    (context, args) => {
      cpuAccess(context, bufferArg(context, args[0]), int(args[1]), false);
      return 0;
    },
    'drop',
  ),
  buf(
    'ioctl',
    'int',
    [dmabuf, { name: 'request', kinds: ['ioctl'] }, { name: 'flags', kinds: ['bufsync'] }],
    'DMA_BUF_IOCTL_SYNC: begin_cpu_access, or end_cpu_access with DMA_BUF_SYNC_END',
    'drivers/dma-buf/dma-buf.c:dma_buf_ioctl',
    ioctlSync,
    'drop',
  ),
];
