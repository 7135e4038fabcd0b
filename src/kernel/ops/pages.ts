/** Operations: page allocator, kmalloc, linear map (K1, M13), and shmem swap (K2). */
import { bufferArg, fail, int, pointerArg } from '../args.js';
import { GFP_DMA, GFP_DMA32, GFP_ZERO } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer } from '../cpu-maps.js';
import { physicalPlace } from '../dma-address.js';
import { keepInTlb } from '../kernel-tlb.js';
import {
  allocatePages,
  drainStores,
  emptySlots,
  physicalAddress,
  releasePages,
  residentPages,
  unused,
} from '../pages.js';
import { ENOMEM, withFailures } from '../failures.js';
import type { Operation } from '../registry.js';
import type { Buffer, BufferKind, Zone } from '../state.js';
import { NULL, type Value } from '../value.js';

export interface NewBuffer {
  readonly kind: BufferKind;
  readonly size: number;
  readonly contiguous?: boolean;
  readonly mapWc?: boolean;
  readonly device?: number;
  readonly zone?: Zone;
}

/** Zone that allocation flags ask for. */
export function zoneOf(gfp: number): Zone {
  if ((gfp & GFP_DMA) !== 0) return 'dma';
  return (gfp & GFP_DMA32) !== 0 ? 'dma32' : 'any';
}

/** A buffer named after the running call; calling again from one place is not supported. */
export function newBuffer(context: KernelContext, what: NewBuffer): Buffer {
  const id = context.step.site;
  if (context.kernel.buffers.some((each) => each.id === id)) {
    fail(context, 'this call makes a second object: allocate outside loops that spin');
  }
  const bytes = context.machine.pageSize;
  if (what.size <= 0) fail(context, 'the size must be above 0');
  const buffer: Buffer = {
    id,
    kind: what.kind,
    size: what.kind === 'kmalloc' ? what.size : Math.ceil(what.size / bytes) * bytes,
    pages: emptySlots(context, id),
    contiguous: what.contiguous ?? false,
    zone: what.zone ?? 'any',
    mapWc: what.mapWc ?? false,
    device: what.device ?? -1,
    ...unused,
  };
  context.update({ buffers: [...context.kernel.buffers, buffer] });
  return buffer;
}

export function releaseBuffer(context: KernelContext, id: number): void {
  releasePages(context, id);
  context.setBuffer({ ...context.buffer(id), gone: 'freed' });
}

function checkNotFreed(context: KernelContext, buffer: Buffer): boolean {
  if (buffer.gone === 'no') return true;
  context.contract(`frees memory that was ${buffer.gone} already`);
  return false;
}

function allocPages(context: KernelContext, args: readonly Value[]): Value {
  const size = context.machine.pageSize << int(args[1]);
  const zone = zoneOf(int(args[0]));
  const buffer = newBuffer(context, { kind: 'pages', size, contiguous: true, zone });
  allocatePages(context, buffer.id, (int(args[0]) & GFP_ZERO) !== 0);
  return { kind: 'buffer', id: buffer.id };
}

function freePagesCall(context: KernelContext, args: readonly Value[]): Value {
  const buffer = bufferArg(context, args[0]);
  if (checkNotFreed(context, buffer)) releaseBuffer(context, buffer.id);
  return 0;
}

function kmalloc(zero: boolean) {
  return (context: KernelContext, args: readonly Value[]): Value => {
    const what = { kind: 'kmalloc', size: int(args[0]), contiguous: true } as const;
    const buffer = newBuffer(context, { ...what, zone: zoneOf(int(args[1])) });
    allocatePages(context, buffer.id, zero || (int(args[1]) & GFP_ZERO) !== 0);
    return mapBuffer(context, context.buffer(buffer.id), 'linear', 'WB');
  };
}

function kfree(context: KernelContext, args: readonly Value[]): Value {
  const { map, offset } = pointerArg(context, args[0]);
  const buffer = context.buffer(map.buffer);
  if (offset !== 0 || buffer.kind !== 'kmalloc') {
    context.contract('kfree of a pointer kmalloc did not return');
  } else if (checkNotFreed(context, buffer)) {
    releaseBuffer(context, buffer.id);
  }
  return 0;
}

const NO_PAGES = 'the object has no pages now: nothing changed';

function setLinear(present: boolean) {
  return (context: KernelContext, args: readonly Value[]): Value => {
    if (!context.machine.linearMapRemovable) {
      context.noop('the linear map of this machine has no page-granular mapping: nothing changed');
      return 0;
    }
    const { pages } = bufferArg(context, args[0]);
    if (!pages.some(({ state }) => state === 'resident')) context.noop(NO_PAGES);
    for (const slot of pages) {
      const frame = slot.state === 'resident' ? context.frame(slot.frame) : undefined;
      if (slot.state === 'resident' && frame !== undefined) {
        if (!present && frame.linear) keepInTlb(context, slot.frame, 'linear');
        context.setFrame(slot.frame, { ...(context.frame(slot.frame) ?? frame), linear: present });
      }
    }
    return 0;
  };
}

function writepage(context: KernelContext, args: readonly Value[]): Value {
  const buffer = bufferArg(context, args[0]);
  if (context.machine.swap === 'none') context.noop('no swap device: the pages stay');
  else if (buffer.pins > 0) context.noop('the pages are pinned: not swapped');
  else if (buffer.held) context.noop('the driver holds the pages until it evicts: not swapped');
  else if (!buffer.pages.some((slot) => slot.state === 'resident')) {
    context.noop('no resident pages');
  } else {
    // Block DMA follows a dma_map, whose clean ends with a dsb, and a doorbell by writel. For zram
    // the folio's and the swap cache's locks order the CPU's stores before its own copy.
    if (typeof context.machine.swap === 'object') context.queue({ do: 'drained', what: 'all' });
    else drainStores(context);
    context.queue({ do: 'swap-out', buffer: buffer.id });
  }
  return 0;
}

function readMappingPage(context: KernelContext, args: readonly Value[]): Value {
  residentPages(context, bufferArg(context, args[0]).id);
  return 0;
}

const rows: readonly Operation[] = [
  {
    name: 'alloc_pages',
    family: 'pages',
    where: 'cpu',
    returns: 'page',
    rules: ['K1', 'M14'],
    params: [
      { name: 'gfp', kinds: ['gfp'] },
      { name: 'order', kinds: ['int'] },
    ],
    doc: "takes 2^order contiguous pages; without __GFP_ZERO they hold the last owner's data, possibly dirty in the cache",
    source: 'mm/page_alloc.c:alloc_pages',
    effect: allocPages,
  },
  {
    name: '__free_pages',
    family: 'pages',
    where: 'cpu',
    returns: 'void',
    rules: ['K1'],
    params: [
      { name: 'page', kinds: ['page'] },
      { name: 'order', kinds: ['int'], optional: true },
    ],
    doc: 'gives the pages back; no cache maintenance',
    source: 'mm/page_alloc.c:__free_pages',
    effect: freePagesCall,
  },
  {
    name: 'page_address',
    family: 'pages',
    where: 'cpu',
    returns: 'ptr',
    rules: ['M13'],
    params: [{ name: 'page', kinds: ['page', 'bo'] }],
    doc: 'the linear-map address of the pages: write-back cacheable',
    source: 'include/linux/mm.h:lowmem_page_address',
    effect: (context, args) => mapBuffer(context, bufferArg(context, args[0]), 'linear', 'WB'),
  },
  {
    name: 'kmalloc',
    family: 'pages',
    where: 'cpu',
    returns: 'ptr',
    rules: ['K1', 'M14'],
    params: [
      { name: 'size', kinds: ['int'] },
      { name: 'gfp', kinds: ['gfp'] },
    ],
    doc: "memory with a linear-map address and the last owner's content",
    source: 'mm/slub.c:__kmalloc',
    effect: kmalloc(false),
  },
  {
    name: 'kzalloc',
    family: 'pages',
    where: 'cpu',
    returns: 'ptr',
    rules: ['K1'],
    params: [
      { name: 'size', kinds: ['int'] },
      { name: 'gfp', kinds: ['gfp'] },
    ],
    doc: 'as kmalloc, cleared through the linear map: dirty lines',
    source: 'include/linux/slab.h:kzalloc',
    effect: kmalloc(true),
  },
  {
    name: 'kfree',
    family: 'pages',
    where: 'cpu',
    returns: 'void',
    rules: ['K1'],
    params: [{ name: 'objp', kinds: ['ptr'] }],
    doc: 'gives the memory back; no cache maintenance',
    source: 'mm/slub.c:kfree',
    effect: kfree,
  },
  {
    name: 'virt_to_phys',
    family: 'pages',
    where: 'cpu',
    returns: 'phys',
    rules: ['M13'],
    params: [{ name: 'address', kinds: ['ptr'] }],
    doc: 'physical address behind a linear-map address',
    source: 'arch/arm64/include/asm/memory.h',
    effect: (context, args) => {
      const { map, offset } = pointerArg(context, args[0]);
      if (map.kind !== 'linear')
        context.contract('virt_to_phys of an address outside the linear map');
      return physicalAddress(context, context.buffer(map.buffer), offset);
    },
  },
  {
    name: 'phys_to_virt',
    family: 'pages',
    where: 'cpu',
    returns: 'ptr',
    rules: ['M13'],
    params: [{ name: 'address', kinds: ['phys'] }],
    doc: 'the linear-map address of a physical one: write-back cacheable',
    source: 'arch/arm64/include/asm/memory.h:phys_to_virt',
    effect: (context, args) => {
      const place = physicalPlace(context, int(args[0]));
      if (place === null) return fail(context, 'no page at this physical address');
      const start = mapBuffer(context, context.buffer(place.buffer), 'linear', 'WB');
      return typeof start === 'object' && start.kind === 'ptr'
        ? { ...start, offset: place.offset }
        : start;
    },
  },
  {
    name: 'page_to_phys',
    family: 'pages',
    where: 'cpu',
    returns: 'phys',
    rules: ['M1'],
    params: [{ name: 'page', kinds: ['page'] }],
    doc: 'physical address of the first page',
    source: 'include/asm-generic/memory_model.h',
    effect: (context, args) => physicalAddress(context, bufferArg(context, args[0]), 0),
  },
  {
    name: 'set_direct_map_invalid_noflush',
    family: 'pages',
    where: 'cpu',
    returns: 'int',
    rules: ['M13', 'M17'],
    params: [{ name: 'page', kinds: ['page', 'bo'] }],
    doc: 'removes the pages from the linear map where the machine can; cached lines stay, and TLB entries until flush_tlb_kernel_range',
    source: 'arch/arm64/mm/pageattr.c:set_direct_map_invalid_noflush',
    effect: setLinear(false),
  },
  {
    name: 'set_direct_map_default_noflush',
    family: 'pages',
    where: 'cpu',
    returns: 'int',
    rules: ['M13', 'M17'],
    params: [{ name: 'page', kinds: ['page', 'bo'] }],
    doc: 'puts the pages back into the linear map',
    source: 'arch/arm64/mm/pageattr.c:set_direct_map_default_noflush',
    effect: setLinear(true),
  },
  {
    name: 'shmem_writepage',
    family: 'shmem and swap',
    where: 'cpu',
    returns: 'int',
    rules: ['K2', 'M17'],
    params: [{ name: 'bo', kinds: ['bo'] }],
    doc: "reclaim swaps the object's pages out (through DMA or zram, as the machine says) and frees them; nothing while they are pinned",
    source: 'mm/shmem.c:shmem_writepage',
    effect: writepage,
  },
  {
    name: 'shmem_read_mapping_page',
    family: 'shmem and swap',
    where: 'cpu',
    returns: 'int',
    rules: ['K1', 'K2'],
    params: [{ name: 'bo', kinds: ['bo'] }],
    doc: "makes the object's pages resident: new ones cleared through the linear map, swapped ones read back into other pages",
    source: 'include/linux/shmem_fs.h, mm/shmem.c:shmem_get_folio_gfp',
    effect: readMappingPage,
  },
];

export const pageOperations = withFailures(rows, {
  fails: { alloc_pages: NULL, kmalloc: NULL, kzalloc: NULL, shmem_read_mapping_page: ENOMEM },
  takeNull: ['kfree'],
});
