/**
 * Operations: mappings made piece by piece in one range of I/O virtual addresses (K5, since 6.16).
 * Sources: drivers/iommu/dma-iommu.c (dma_iova_try_alloc, dma_iova_link, dma_iova_sync,
 * dma_iova_unlink, dma_iova_destroy, dma_iova_free, __dma_iova_link: arch_sync_dma_for_device and
 * iommu_map_nosync), Documentation/core-api/dma-api.rst, "IOVA-based DMA mappings".
 * There is no sync call for such a range, and dma-debug does not know it.
 * Leaves out: an unaligned piece whose two ends alone bounce: here all of it does.
 */
import { deviceArg, fail, handle, int } from '../args.js';
import { DMA_ATTR_SKIP_CPU_SYNC } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapMaintenance, protOf, syncPieces, untranslate } from '../dma.js';
import { deviceConfig, iovaFor, pageAligned, physicalPlace } from '../dma-address.js';
import { dmaDomain, domainOf, translationFor } from '../iommu.js';
import { queueInstall, queueInvalidate } from '../io-tables.js';
import { framesIn } from '../pages.js';
import { type Effect, family, type Operation, type Param } from '../registry.js';
import type { IovaState, Piece } from '../state.js';
import { bounces, freeSlots, isFull, takeSlots } from '../swiotlb.js';
import type { Value } from '../value.js';
import { attrs, attrsOf, dev, dir, offset, phys, size } from './dma-parts.js';

type Args = readonly Value[];

const unused = { device: -1, address: 0, size: 0, pieces: [] } as const;

function stateArg(context: KernelContext, value: Value | undefined): IovaState {
  const id = handle(context, value, 'iova');
  return context.kernel.iovas.find((each) => each.id === id) ?? { id, ...unused };
}

function setState(context: KernelContext, next: IovaState): void {
  const others = context.kernel.iovas.filter((each) => each.id !== next.id);
  const iovas = next.size === 0 ? others : [...others, next].sort((a, b) => a.id - b.id);
  context.update({ iovas });
}

const tryAlloc: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  const { id, size: inUse } = stateArg(context, args[1]);
  const { pageSize } = context.machine;
  if (inUse > 0) {
    context.contract('dma_iova_try_alloc of a state that is in use: its range is never freed');
  }
  setState(context, { id, ...unused });
  if (!deviceConfig(context, device).iommu) {
    context.noop('no IOMMU for this device: dma_map_* has to be used');
    return 0;
  }
  const inPage = int(args[2]) % pageSize;
  const length = pageAligned(context, inPage + int(args[3]));
  const start = iovaFor(context, device, context.step.site, length);
  if (start === null) return 0;
  setState(context, { id, device, address: start + inPage, size: int(args[3]), pieces: [] });
  return 1;
};

/** EIO, as integers here are unsigned. */
const EIO = 2 ** 32 - 5;

function refusal(context: KernelContext, state: IovaState, args: Args): string | null {
  const { pageSize } = context.machine;
  const [from, bytes] = [int(args[3]), int(args[4])];
  if (state.size === 0) return 'dma_iova_link without a range: dma_iova_try_alloc has to be first';
  if (from > 0 && int(args[2]) % pageSize !== 0) {
    return 'dma_iova_link: only the first piece may begin inside a page';
  }
  if (from + bytes > state.size) return 'dma_iova_link of more than was allocated';
  return null;
}

/** The clean, or the copy into a bounce buffer, and the translation. */
const link: Effect = (context, args) => {
  const state = stateArg(context, args[1]);
  const why = refusal(context, state, args);
  if (why !== null) {
    context.contract(why);
    return EIO;
  }
  const { device } = state;
  const place = physicalPlace(context, int(args[2]));
  if (place === null) return fail(context, 'no page at this physical address');
  const [direction, attributes] = [int(args[5]), attrsOf(context, args[6])];
  const bytes = int(args[4]);
  const { buffer, offset: from } = place;
  const frames = framesIn(context, context.buffer(buffer), from, bytes);
  const part = { buffer, offset: from, size: bytes, frames };
  const bounced = bounces(context, device, part, direction);
  const wanted = [{ part, bounce: bounced === 'yes' }];
  if (bounced === 'error' || isFull(context, wanted, 0, true)) return EIO;
  context.layout.cut(buffer, from);
  context.layout.cut(buffer, from + bytes);
  const [slot] = takeSlots(context, wanted, true);
  const plain: Piece = { ...part, address: state.address + int(args[3]) };
  const piece = slot === undefined ? plain : { ...plain, slot };
  mapMaintenance(context, { device, attrs: attributes, direction }, [piece]);
  const { coherent } = deviceConfig(context, device);
  const prot = protOf(direction, coherent, attributes);
  queueInstall(context, dmaDomain(device), translationFor(piece, prot));
  setState(context, { ...state, pieces: [...state.pieces, piece] });
  return 0;
};

/** iommu_sync_map: what an IOMMU that keeps "not mapped" in its IOTLB needs. */
const sync: Effect = (context, args) => {
  const { device, address } = stateArg(context, args[1]);
  const domain = domainOf(context, dmaDomain(device));
  if (context.machine.devices[device]?.cachesFaults !== true || domain === undefined) {
    context.noop('this IOMMU keeps nothing of what is not mapped');
    return 0;
  }
  queueInvalidate(context, domain, address + int(args[2]), int(args[3]));
  return 0;
};

interface Unlink {
  readonly from: number;
  readonly bytes: number;
  readonly direction: number;
  readonly attributes: number;
  /** With the range itself: then the IOTLB may wait for the flush queue. */
  readonly frees: boolean;
}

function unlinkRange(context: KernelContext, state: IovaState, what: Unlink): void {
  const { from, bytes, direction, attributes, frees } = what;
  const { device } = state;
  const start = state.address + from;
  const inside = state.pieces.filter(
    ({ address, size: length }) => address >= start && address + length <= start + bytes,
  );
  const linked = inside.reduce((sum, each) => sum + each.size, 0);
  if (linked !== bytes) context.contract(`unlinks ${bytes} bytes of which ${linked} are linked`);
  const skip = (attributes & DMA_ATTR_SKIP_CPU_SYNC) !== 0;
  for (const piece of inside) {
    const whole = { piece, from: piece.offset, size: piece.size };
    if (!skip) syncPieces(context, { device, direction, to: 'cpu' }, [whole]);
    untranslate(context, device, piece.address, piece.size, frees ? undefined : true);
    freeSlots(context, [piece]);
  }
  const rest = { ...state, pieces: state.pieces.filter((each) => !inside.includes(each)) };
  if (frees) freeRange(context, rest);
  else setState(context, rest);
}

function freeRange(context: KernelContext, state: IovaState): void {
  if (state.pieces.length > 0) context.contract('frees a range of which a part is still linked');
  setState(context, { ...state, ...unused });
}

const unlink: Effect = (context, args) => {
  const state = stateArg(context, args[1]);
  const [from, bytes, direction] = [int(args[2]), int(args[3]), int(args[4])];
  const attributes = attrsOf(context, args[5]);
  unlinkRange(context, state, { from, bytes, direction, attributes, frees: false });
  return 0;
};

const destroy: Effect = (context, args) => {
  const state = stateArg(context, args[1]);
  const [bytes, direction] = [int(args[2]), int(args[3])];
  const attributes = attrsOf(context, args[4]);
  unlinkRange(context, state, { from: 0, bytes, direction, attributes, frees: true });
  return 0;
};

const free: Effect = (context, args) => {
  freeRange(context, stateArg(context, args[1]));
  return 0;
};

const state: Param = { name: 'state', kinds: ['iova'] };
const mapped: Param = { name: 'mapped_len', kinds: ['int'] };

function iova(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  doc: string,
  effect: Effect,
  more: Pick<Operation, 'removable'> = {},
): Operation {
  const op = family({ family: 'DMA mapping API', where: 'cpu', returns, rules: ['K5', 'M12'] });
  return op(name, params, doc, `drivers/iommu/dma-iommu.c:${name}`, effect, more);
}

export const dmaIovaOperations: readonly Operation[] = [
  iova(
    'dma_iova_try_alloc',
    'int',
    [dev, state, phys, size],
    'a range of I/O virtual addresses, as yet without memory; false where the device has no IOMMU',
    tryAlloc,
  ),
  iova('dma_use_iova', 'int', [state], 'whether the state has a range', (context, args) =>
    stateArg(context, args[0]).size > 0 ? 1 : 0,
  ),
  iova(
    'dma_iova_addr',
    'dma',
    [state],
    'where the range begins (in Linux the member addr of the state)',
    (context, args) => stateArg(context, args[0]).address,
  ),
  iova(
    'dma_iova_link',
    'int',
    [dev, state, phys, offset, size, dir, { ...attrs, optional: true }],
    'cleans the memory whatever the direction (nothing for a coherent device) and translates a part of the range to it; the IOTLB waits for dma_iova_sync',
    link,
    { removable: 'skip-sync' },
  ),
  iova(
    'dma_iova_sync',
    'int',
    [dev, state, offset, size],
    'invalidates what an IOMMU with .caches_faults may have kept; for others nothing',
    sync,
    { removable: 'drop' },
  ),
  iova(
    'dma_iova_unlink',
    'void',
    [dev, state, offset, size, dir, { ...attrs, optional: true }],
    'invalidates the memory unless DMA_TO_DEVICE, takes the translations away and syncs the IOTLB',
    unlink,
    { removable: 'skip-sync' },
  ),
  iova(
    'dma_iova_destroy',
    'void',
    [dev, state, mapped, dir, { ...attrs, optional: true }],
    'unlinks all of it and frees the range; the IOTLB may wait for the flush queue',
    destroy,
    { removable: 'skip-sync' },
  ),
  iova('dma_iova_free', 'void', [dev, state], 'frees a range with nothing linked', free),
];
