/**
 * Operations: memory by its kernel address, other than kmalloc's: vmalloc, __get_free_pages (K1).
 * Sources: mm/vmalloc.c, mm/page_alloc.c, include/linux/highmem-internal.h.
 * Leaves out: huge pages, and that vfree() gives address space back late but for the TLB (M18).
 */
import { int, pointerArg } from '../args.js';
import { GFP_ZERO } from '../constants.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapMap } from '../cpu-maps.js';
import { withFailures } from '../failures.js';
import { allocatePages } from '../pages.js';
import { type Effect, family, type Operation, type Param } from '../registry.js';
import { NULL, type Value } from '../value.js';
import { newBuffer, releaseBuffer, zoneOf } from './pages.js';

/** Pages that lie apart, in a write-back mapping of their own beside the linear map. */
function vmalloc(zero: boolean): Effect {
  return (context, args) => {
    const { id } = newBuffer(context, { kind: 'pages', size: int(args[0]) });
    allocatePages(context, id, zero);
    return mapBuffer(context, context.buffer(id), 'vmap', 'WB');
  };
}

/** Memory on the kernel's stack, which VMAP_STACK has in the vmalloc area. */
const alloca: Effect = (context, args) => {
  const { id } = newBuffer(context, { kind: 'stack', size: int(args[0]) });
  allocatePages(context, id, false);
  return mapBuffer(context, context.buffer(id), 'vmap', 'WB');
};

const vfree: Effect = (context, args) => {
  const { map, offset } = pointerArg(context, args[0]);
  if (map.kind !== 'vmap' || offset !== 0) {
    context.contract('vfree of an address that vmalloc did not return');
  } else if (!map.live) {
    context.contract('vfree of memory that was freed already');
  } else {
    unmapMap(context, map);
    releaseBuffer(context, map.buffer);
  }
  return 0;
};

const freePages: Effect = (context, args): Value => {
  const { map, offset } = pointerArg(context, args[0]);
  const buffer = context.buffer(map.buffer);
  if (offset !== 0 || buffer.kind !== 'pages' || map.kind !== 'linear') {
    context.contract('free_pages of an address that __get_free_pages did not return');
  } else if (buffer.gone !== 'no') context.contract(`frees memory that was ${buffer.gone} already`);
  else releaseBuffer(context, buffer.id);
  return 0;
};

function getFreePages(context: KernelContext, args: readonly Value[]): Value {
  const flags = int(args[0]);
  const size = context.machine.pageSize << int(args[1]);
  const what = { kind: 'pages', size, contiguous: true, zone: zoneOf(flags) } as const;
  const { id } = newBuffer(context, what);
  allocatePages(context, id, (flags & GFP_ZERO) !== 0);
  return mapBuffer(context, context.buffer(id), 'linear', 'WB');
}

const size: Param = { name: 'size', kinds: ['int'] };
const addr: Param = { name: 'addr', kinds: ['ptr'] };
const op = family({ family: 'pages', where: 'cpu', returns: 'ptr', rules: ['K1', 'M14'] });
const nothing = { returns: 'void', rules: ['K1'] } as const;

const rows: readonly Operation[] = [
  op(
    'vmalloc',
    [size],
    'pages that lie apart, in a write-back mapping of their own; dma_map_single() must not have it',
    'mm/vmalloc.c:vmalloc',
    vmalloc(false),
  ),
  op(
    'vzalloc',
    [size],
    'as vmalloc, cleared through the linear map',
    'mm/vmalloc.c:vzalloc',
    vmalloc(true),
  ),
  op('vfree', [addr], 'ends the mapping and frees the pages', 'mm/vmalloc.c:vfree', vfree, nothing),
  op(
    'alloca',
    [size],
    'a variable on the stack of the kernel thread (VMAP_STACK): vmalloc memory, which no device ' +
      'may be given',
    'kernel/fork.c:alloc_thread_stack_node',
    alloca,
  ),
  op(
    '__get_free_pages',
    [
      { name: 'gfp', kinds: ['gfp'] },
      { name: 'order', kinds: ['int'] },
    ],
    'as alloc_pages, and the linear-map address of the pages',
    'mm/page_alloc.c:get_free_pages_noprof',
    getFreePages,
  ),
  op(
    'free_pages',
    [addr, { name: 'order', kinds: ['int'] }],
    'gives the pages back; no cache maintenance',
    'mm/page_alloc.c:free_pages',
    freePages,
    nothing,
  ),
  op(
    'kunmap_local',
    [addr],
    'nothing: there is no highmem',
    'include/linux/highmem-internal.h:kunmap_local',
    () => 0,
    nothing,
  ),
];

export const vmallocOperations = withFailures(rows, {
  fails: { vmalloc: NULL, vzalloc: NULL, __get_free_pages: NULL },
  takeNull: ['vfree', 'free_pages'],
});
