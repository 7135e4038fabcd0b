/**
 * Operations: dma-buf (K8), as the system heap and GEM export it.
 * Sources: drivers/dma-buf/dma-buf.c, heaps/system_heap.c, drivers/gpu/drm/drm_prime.c (v6.12).
 * Leaves out: implicit fences, the lock of the reservation object.
 */
import { bufferArg, deviceArg, fail, handle, int, sgtArg } from '../args.js';
import {
  attachDevice,
  attachmentOf,
  detachDevice,
  mapAttached,
  mapsWithSync,
  unmapAttached,
} from '../attachments.js';
import {
  DMA_BIDIRECTIONAL,
  DMA_BUF_SYNC_END,
  DMA_BUF_SYNC_READ,
  DMA_BUF_SYNC_WRITE,
  DMA_FROM_DEVICE,
  DMA_TO_DEVICE,
} from '../constants.js';
import type { KernelContext } from '../context.js';
import { syncPieces } from '../dma.js';
import { syncsTable } from '../overrides.js';
import { allocatePages } from '../pages.js';
import { mapObject } from '../sg-tables.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Operation, Param } from '../registry.js';
import type { Buffer } from '../state.js';
import type { Value } from '../value.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

const size: Param = { name: 'size', kinds: ['int'] };
const dev: Param = { name: 'dev', kinds: ['device'] };

function heapAllocate(context: KernelContext, args: Args): Value {
  const buffer = newBuffer(context, { kind: 'heap', size: int(args[0]) });
  allocatePages(context, buffer.id, true);
  return { kind: 'buffer', id: buffer.id };
}

function attach(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  return { kind: 'attachment', id: attachDevice(context, buffer, deviceArg(context, args[1])) };
}

function mapAttachment(context: KernelContext, args: Args): Value {
  const id = mapAttached(context, handle(context, args[0], 'attachment'), int(args[1]));
  return id === null ? ENOMEM : { kind: 'sgt', id };
}

/** The exporter keeps what it mapped before, so that nothing is allocated. */
function isKept(context: KernelContext, args: Args): boolean {
  return attachmentOf(context, handle(context, args[0], 'attachment')).sgt >= 0;
}

function unmapAttachment(context: KernelContext, args: Args): Value {
  const id = handle(context, args[0], 'attachment');
  unmapAttached(context, id, sgtArg(context, args[1]).id, int(args[2]));
  return 0;
}

function detach(context: KernelContext, args: Args): Value {
  detachDevice(context, handle(context, args[1], 'attachment'));
  return 0;
}

/**
 * system_heap syncs every mapped attachment, for its device; panthor and panfrost the exporter's
 * own table as well; GEM's default dma_buf_ops have no such hook.
 */
export function cpuAccess(
  context: KernelContext,
  buffer: Buffer,
  direction: number,
  begin: boolean,
): void {
  if (!mapsWithSync(buffer) && buffer.syncsAccess !== true) {
    context.noop('the exporter has no begin/end_cpu_access: nothing is done');
    return;
  }
  if (buffer.kind === 'udmabuf' && !hasOwnTable(context, buffer, direction, begin)) return;
  const { attachments, sgts, mappings } = context.kernel;
  const attached = attachments.filter((each) => each.buffer === buffer.id && each.sgt >= 0);
  // videobuf2-dma-sg and udmabuf sync their own table and no attachment's.
  const isOwn = buffer.kind === 'vb2-sg' || buffer.kind === 'udmabuf';
  const others = isOwn ? [] : attached.map((each) => each.sgt);
  const tables = [buffer.sgt, ...others];
  const mapped = tables.flatMap((id) => {
    const table = sgts.find((each) => each.id === id);
    const mapping = mappings.find((each) => each.id === table?.mapping);
    return table === undefined || mapping === undefined ? [] : [{ table, mapping }];
  });
  if (mapped.length === 0) context.noop('no attachment is mapped: nothing to sync');
  const to = begin ? 'cpu' : 'device';
  for (const { table, mapping } of mapped) {
    const { device, pieces } = mapping;
    if (syncsTable(context, to, device, table, direction)) continue;
    const parts = pieces.map((piece) => ({ piece, from: piece.offset, size: piece.size }));
    syncPieces(context, { device, direction, to }, parts);
  }
}

/** begin_cpu_udmabuf: the first one maps for the misc device, which cleans, and syncs nothing. */
function hasOwnTable(
  context: KernelContext,
  { id, sgt, device }: Buffer,
  direction: number,
  begin: boolean,
): boolean {
  if (sgt >= 0) return true;
  if (!begin) {
    context.noop('nobody began an access: -EINVAL, nothing is synced');
    return false;
  }
  context.noop('the first begin_cpu_access maps for the misc device: nothing is invalidated');
  const attrs = context.skipSyncAttrs();
  const made = mapObject(context, context.buffer(id), { device, direction, attrs, shared: true });
  if (made !== null) context.setBuffer({ ...context.buffer(id), sgt: made });
  return false;
}

/**
 * __dma_buf_begin_cpu_access: waits for the buffer's fences, after the exporter's own hook, whose
 * invalidate has run by then.
 */
export function waitForFences(context: KernelContext, buffer: Buffer): void {
  for (const { buffer: id, device, ticket } of context.kernel.fences) {
    if (id === buffer.id) context.queue({ do: 'fence', device, ticket });
  }
}

/** The fence of this thread's last job on the device; of one device the last fence counts. */
function addFence(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]).id;
  const device = deviceArg(context, args[1]);
  const ticket = context.step.tickets[device] ?? 0;
  const others = context.kernel.fences.filter(
    (each) => each.buffer !== buffer || each.device !== device,
  );
  context.update({ fences: [...others, { buffer, device, ticket }] });
  return 0;
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
  const begins = (flags & DMA_BUF_SYNC_END) === 0;
  cpuAccess(context, bufferArg(context, args[0]), direction, begins);
  if (begins) waitForFences(context, bufferArg(context, args[0]));
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

const rows: readonly Operation[] = [
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
    'panthor_gem_prime_export',
    'dmabuf',
    [{ name: 'bo', kinds: ['bo'] }],
    'as drm_gem_prime_export, with begin/end_cpu_access: they sync the own table and every attachment',
    'drivers/gpu/drm/panthor/panthor_gem.c:panthor_gem_prime_begin_cpu_access (after 6.12)',
    (context, args) => {
      const buffer = bufferArg(context, args[0]);
      context.setBuffer({ ...buffer, syncsAccess: true });
      return { kind: 'buffer', id: buffer.id };
    },
  ),
  buf(
    'dma_resv_add_fence',
    'void',
    [{ name: 'obj', kinds: ['dmabuf', 'bo'] }, dev],
    "the driver notes the fence of this thread's last job with the buffer: dma_buf_begin_cpu_access waits for it",
    'drivers/dma-buf/dma-resv.c:dma_resv_add_fence',
    addFence,
  ),
  buf(
    'dma_resv_wait_timeout',
    'int',
    [{ name: 'obj', kinds: ['dmabuf', 'bo'] }],
    "waits for the buffer's fences",
    'drivers/dma-buf/dma-resv.c:dma_resv_wait_timeout',
    (context, args) => {
      waitForFences(context, bufferArg(context, args[0]));
      return 1;
    },
  ),
  buf(
    'dma_buf_attach',
    'attachment',
    [dmabuf, dev],
    "a device joins the buffer: a GEM exporter pins the object's pages (drm_gem_map_attach); nothing is mapped",
    'drivers/dma-buf/dma-buf.c:dma_buf_attach, drivers/gpu/drm/drm_prime.c:drm_gem_map_attach',
    attach,
  ),
  buf(
    'dma_buf_detach',
    'void',
    [dmabuf, attachmentParam],
    "the device leaves the buffer: GEM's exporter and videobuf2's unmap it now, and GEM's takes its pin back",
    'drivers/dma-buf/dma-buf.c:dma_buf_detach, drivers/gpu/drm/drm_prime.c:drm_gem_map_detach',
    detach,
  ),
  buf(
    'dma_buf_map_attachment',
    'sgt',
    [attachmentParam, direction],
    "dma-maps for the attached device: with a clean by the system heap, with DMA_ATTR_SKIP_CPU_SYNC by GEM; GEM's exporter (not panthor's) and videobuf2's do so once and keep the mapping until detach",
    'dma-buf.c:dma_buf_map_attachment (cache_sgt_mapping), system_heap_map_dma_buf; drm_prime.c:drm_gem_map_dma_buf',
    mapAttachment,
    'skip-sync',
  ),
  buf(
    'dma_buf_unmap_attachment',
    'void',
    [attachmentParam, { name: 'sgt', kinds: ['sgt'] }, direction],
    "ends the mapping, with the exporter's attributes; nothing where the exporter keeps it",
    'system_heap_unmap_dma_buf; drm_prime.c:drm_gem_unmap_dma_buf',
    unmapAttachment,
    'skip-sync',
  ),
  buf(
    'dma_buf_begin_cpu_access',
    'int',
    [dmabuf, direction],
    "dma_sync_sgtable_for_cpu for every mapped attachment of a heap buffer (panthor: and its own table); nothing for GEM; then it waits for the buffer's fences",
    'drivers/dma-buf/dma-buf.c:dma_buf_begin_cpu_access, system_heap.c:system_heap_dma_buf_begin_cpu_access',
    (context, args) => {
      cpuAccess(context, bufferArg(context, args[0]), int(args[1]), true);
      waitForFences(context, bufferArg(context, args[0]));
      return 0;
    },
    'drop',
  ),
  buf(
    'dma_buf_end_cpu_access',
    'int',
    [dmabuf, direction],
    'dma_sync_sgtable_for_device for every mapped attachment of a heap buffer (panthor: and its own table); nothing for GEM',
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

export const dmaBufOperations = withFailures(rows, {
  fails: {
    system_heap_allocate: ENOMEM,
    drm_gem_prime_export: ENOMEM,
    dma_buf_attach: ENOMEM,
    dma_buf_map_attachment: { returns: ENOMEM, unless: isKept },
  },
});
