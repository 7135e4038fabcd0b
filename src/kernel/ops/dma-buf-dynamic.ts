/**
 * Operations: importers that let the exporter move the buffer (K8): nothing is pinned, and the
 * exporter tells them before the pages go.
 * Sources (v6.12): drivers/dma-buf/dma-buf.c (dma_buf_dynamic_attach, dma_buf_pin,
 * dma_buf_move_notify), include/linux/dma-buf.h:struct dma_buf_attach_ops,
 * drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c (amdgpu_dmabuf_ops has pin and unpin),
 * drivers/infiniband/core/umem_dmabuf.c. CONFIG_DMABUF_MOVE_NOTIFY is taken for set.
 * Leaves out: VRAM and peer-to-peer; the lock of the reservation object, which callers hold.
 */
import { bufferArg, deviceArg, handle } from '../args.js';
import { attachDevice, attachmentOf, drop, pinBuffer } from '../attachments.js';
import type { KernelContext } from '../context.js';
import { isBusy, takeFrom } from '../notifiers.js';
import { type Effect, family, type Operation, type Param } from '../registry.js';
import type { Attachment } from '../state.js';
import { NULL, type Value } from '../value.js';

const exportDynamic: Effect = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  context.setBuffer({ ...buffer, dynamic: true });
  return { kind: 'buffer', id: buffer.id };
};

const attach: Effect = (context, args) => {
  const id = attachDevice(context, bufferArg(context, args[0]), deviceArg(context, args[1]), true);
  return { kind: 'attachment', id };
};

function pin(by: 1 | -1): Effect {
  return (context, args) => {
    const { buffer } = attachmentOf(context, handle(context, args[0], 'attachment'));
    pinBuffer(context, context.buffer(buffer), by);
    return 0;
  };
}

/** The right callback: false while the device still works on the buffer. */
function letGo(context: KernelContext, attachment: Attachment): boolean {
  const { buffer, device, sgt, dir } = attachment;
  if (isBusy(context, device)) return false;
  // Domains of the DMA API have numbers below 0: drop() ends what is mapped there.
  const mine = context.kernel.domains.filter((each) => each.id >= 0 && each.device === device);
  for (const domain of mine) takeFrom(context, domain.id, buffer);
  if (sgt >= 0) drop(context, attachment, dir);
  context.say('K8', () => 'the importer has taken the pages from its device');
  return true;
}

const callBack: Effect = (context, args) => {
  const attachment = attachmentOf(context, handle(context, args[0], 'attachment'));
  if (!letGo(context, attachment)) context.blocked = true;
  return 0;
};

/** Every dynamic importer is told; the scenario's own callback gets the first of them. */
const tell: Effect = (context, args): Value => {
  const { id } = bufferArg(context, args[0]);
  const mine = context.kernel.attachments.filter((each) => each.buffer === id && each.dynamic);
  const [first] = mine;
  if (first === undefined) context.noop('no importer wants to know');
  else if (context.overrides.has('move_notify')) return { kind: 'attachment', id: first.id };
  else if (mine.some((each) => isBusy(context, each.device))) context.blocked = true;
  else for (const each of mine) letGo(context, each);
  return NULL;
};

const dmabuf: Param = { name: 'dmabuf', kinds: ['dmabuf'] };
const attachment: Param = { name: 'attach', kinds: ['attachment'] };

const op = family({ family: 'dma-buf', where: 'cpu', returns: 'int', rules: ['K8'] });
const DMA_BUF = 'drivers/dma-buf/dma-buf.c';

export const dmaBufDynamicOperations: readonly Operation[] = [
  op(
    'amdgpu_gem_prime_export',
    [{ name: 'bo', kinds: ['bo'] }],
    'a TTM object as a dma-buf that may move: dynamic importers do not pin it, and map it anew each time',
    'drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c:amdgpu_gem_prime_export',
    exportDynamic,
    { returns: 'dmabuf', rules: ['K7', 'K8'] },
  ),
  op(
    'dma_buf_dynamic_attach',
    [dmabuf, { name: 'dev', kinds: ['device'] }],
    'a device joins that can let the buffer move: nothing is pinned or mapped, unless the exporter cannot',
    `${DMA_BUF}:dma_buf_dynamic_attach`,
    attach,
    { returns: 'attachment' },
  ),
  op(
    'dma_buf_pin',
    [attachment],
    'the exporter may not move the buffer from here on',
    `${DMA_BUF}:dma_buf_pin`,
    pin(1),
  ),
  op('dma_buf_unpin', [attachment], 'and may again', `${DMA_BUF}:dma_buf_unpin`, pin(-1), {
    returns: 'void',
  }),
  op(
    'dma_buf_move_notify',
    [dmabuf],
    "tells every dynamic importer before the exporter moves the pages; waits for their devices' jobs, takes the pages out of their domains and ends their mappings, unless the scenario overrides move_notify() (its result is nothing in Linux)",
    `${DMA_BUF}:dma_buf_move_notify`,
    tell,
    {
      returns: 'attachment',
      blocks: true,
      callback: { name: 'move_notify', probe: 'dma_buf_move_notify' },
    },
  ),
  op(
    'move_notify',
    [attachment],
    "the importer's callback before pages move; without an override the right one, see dma_buf_move_notify()",
    'include/linux/dma-buf.h:struct dma_buf_attach_ops',
    callBack,
    { returns: 'void', blocks: true },
  ),
];
