/**
 * Operations: user memory and its use by devices (K1, K8): anonymous mappings, pinning, mmu
 * notifiers, reclaim and migration.
 * Sources: mm/gup.c (pin_user_pages_fast), mm/hmm.c (hmm_range_fault), mm/mmu_notifier.c,
 * mm/migrate.c, mm/page_io.c:swap_writepage, mm/rmap.c:try_to_unmap.
 * Leaves out: huge pages; reads that pin without FOLL_WRITE; when reclaim happens: the scenario says so.
 */
import { storesPending } from '../access.js';
import { bufferArg, deviceArg, fail, handle, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { mapBuffer, unmapUserMap, zapUserMaps } from '../cpu-maps.js';
import {
  invalidate,
  invalidateEnds,
  invalidateStarts,
  invalidations,
  isTold,
  setSequence,
} from '../notifiers.js';
import { breakSharing, forkMemory } from '../fork.js';
import { unshare } from '../private-maps.js';
import { drainStores, releasePages, residentPages } from '../pages.js';
import { withFailures } from '../failures.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Buffer, CpuMap } from '../state.js';
import { NULL, type Value } from '../value.js';
import { newBuffer } from './pages.js';

type Args = readonly Value[];

const start: Param = { name: 'start', kinds: ['ptr'] };
const size: Param = { name: 'size', kinds: ['int'] };
const pages: Param = { name: 'pages', kinds: ['page'] };
const count: Param = { name: 'nr_pages', kinds: ['int'] };

function anonymous(context: KernelContext, args: Args): Value {
  const { id } = newBuffer(context, { kind: 'user', size: int(args[0]) });
  return mapBuffer(context, context.buffer(id), 'mmap', 'WB');
}

function memoryAt(context: KernelContext, value: Value | undefined): Buffer {
  return context.buffer(pointerArg(context, value).map.buffer);
}

/**
 * A fault that meets a page on its way out waits: for migration by its entry in the page table, for
 * reclaim by the folio's lock (mm/memory.c:do_swap_page, mm/migrate.c:migration_entry_wait).
 */
function waitsForLeaving(context: KernelContext, { leaving }: Buffer): boolean {
  if (leaving === true) context.blocked = true;
  return leaving === true;
}

/** Faults the pages in and holds them where they are. */
function pin(context: KernelContext, args: Args): Value {
  const { id } = memoryAt(context, args[0]);
  if (waitsForLeaving(context, context.buffer(id))) return 0;
  const held = unsharedAt(context, args[0]);
  const buffer = context.buffer(held);
  context.setBuffer({ ...buffer, pins: buffer.pins + 1 });
  return { kind: 'buffer', id: held };
}

/** Faults for writing: what fork() left shared is copied first (gup_must_unshare). */
function unsharedAt(context: KernelContext, value: Value | undefined): number {
  const { map, offset } = pointerArg(context, value);
  residentPages(context, map.buffer);
  if (isShared(context, map)) unshare(context, { map: map.id, offset });
  return memoryAt(context, value).id;
}

/** get_user_pages(): a reference, but fork() does not know that a device writes there. */
function get(context: KernelContext, args: Args): Value {
  const page = pin(context, args);
  if (typeof page !== 'object' || page.kind !== 'buffer') return page;
  const buffer = context.buffer(page.id);
  context.setBuffer({ ...buffer, got: (buffer.got ?? 0) + 1 });
  return page;
}

function putPage(context: KernelContext, args: Args): Value {
  const given = bufferArg(context, args[0]);
  // What was copied on write since stands elsewhere; the reference is one of the old pages.
  const old = context.kernel.buffers.find((each) => each.heldFor === given.id);
  const { got = 0, heldFor: _, ...buffer } = old ?? given;
  if (got === 0) {
    context.contract('put_page of pages that get_user_pages did not give');
    return 0;
  }
  const left = got > 1 ? { got: got - 1, ...(old && { heldFor: given.id }) } : {};
  context.setBuffer({ ...buffer, ...left });
  return unpin(context, [{ kind: 'buffer', id: buffer.id }]);
}

function isShared(context: KernelContext, map: CpuMap): boolean {
  const isChild = map.copyOnWrite === true && context.buffer(map.buffer).kind === 'user';
  return isChild || map.forked !== undefined;
}

/** dup_mmap(): notifiers first, then the page tables are made read-only. */
function fork(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[0]);
  if (isShared(context, map)) return fail(context, 'this memory is shared by a fork() already');
  if (storesPending(context) || !invalidate(context, map.buffer)) {
    context.blocked = true;
    return 0;
  }
  return forkMemory(context, map);
}

function unpin(context: KernelContext, args: Args): Value {
  const buffer = bufferArg(context, args[0]);
  if (buffer.pins === 0) {
    context.contract('unpin_user_pages of pages that are not pinned');
    return 0;
  }
  context.setBuffer({ ...buffer, pins: buffer.pins - 1 });
  if (buffer.gone !== 'no' && buffer.pins === 1) releasePages(context, buffer.id);
  return 0;
}

/** Faults the pages in and tells which they are; they may go at any time. */
function rangeFault(context: KernelContext, args: Args): Value {
  const { id } = memoryAt(context, args[0]);
  if (waitsForLeaving(context, context.buffer(id))) return 0;
  return { kind: 'buffer', id: unsharedAt(context, args[0]) };
}

/** munmap() of anonymous memory: pinned pages outlive it until they are unpinned. */
function unmapAnonymous(context: KernelContext, args: Args): Value {
  const { map } = pointerArg(context, args[0]);
  if (map.live && map.copyOnWrite === true) {
    unmapUserMap(context, map);
    return 0;
  }
  if (map.live && map.forked !== undefined) breakSharing(context, map);
  const { id, pins } = context.buffer(map.buffer);
  if (!map.live) {
    context.contract('munmap of a mapping that is gone');
    invalidateEnds(context, id);
    return 0;
  }
  if (!invalidate(context, id)) {
    context.blocked = true;
    return 0;
  }
  unmapUserMap(context, map);
  context.setBuffer({ ...context.buffer(id), gone: 'freed' });
  if (pins === 0) releasePages(context, id);
  return 0;
}

/** Reclaim and migration: notifiers first, then the page tables, then the pages. */
function takeAway(how: 'swap-out' | 'migrate'): Effect {
  return (context, args) => {
    const buffer = memoryAt(context, args[0]);
    const why =
      how === 'swap-out' && context.machine.swap === 'none'
        ? 'no swap device: the pages stay'
        : buffer.pins > 0
          ? 'the pages are pinned: they stay'
          : !buffer.pages.some((slot) => slot.state === 'resident')
            ? 'no resident pages'
            : null;
    if (why !== null) {
      invalidateEnds(context, buffer.id);
      context.noop(why);
      return 0;
    }
    if (!invalidate(context, buffer.id)) {
      context.blocked = true;
      return 0;
    }
    zapUserMaps(context, buffer.id);
    context.setBuffer({ ...context.buffer(buffer.id), leaving: true });
    if (how === 'swap-out' && typeof context.machine.swap === 'object') {
      context.queue({ do: 'drained', what: 'all' });
    } else drainStores(context);
    context.queue({ do: how, buffer: buffer.id });
    return 0;
  };
}

const own = { name: 'invalidate', probe: 'mmu_notifier_invalidate_range_start' } as const;

/** What the driver's own callback is called with: the address, or NULL where nobody wants it. */
function rangeStart(context: KernelContext, args: Args): Value {
  return invalidateStarts(context, memoryAt(context, args[0]).id) ? (args[0] ?? NULL) : NULL;
}

function callInvalidate(context: KernelContext, args: Args): Value {
  if (!invalidate(context, memoryAt(context, args[0]).id)) context.blocked = true;
  return 1;
}

function readBegin(context: KernelContext, args: Args): Value {
  const { id } = memoryAt(context, args[0]);
  if (isTold(context, id)) context.blocked = true;
  return invalidations(context, id);
}

function insertNotifier(context: KernelContext, args: Args): Value {
  const buffer = memoryAt(context, args[0]).id;
  const device = deviceArg(context, args[1]);
  const domain = handle(context, args[2], 'domain');
  const { notifiers = [] } = context.kernel;
  const lock = args[3] === undefined ? -1 : handle(context, args[3], 'mutex');
  context.update({ notifiers: [...notifiers, { buffer, device, domain, lock }] });
  return 0;
}

function removeNotifier(context: KernelContext, args: Args): Value {
  const buffer = memoryAt(context, args[0]).id;
  const device = deviceArg(context, args[1]);
  const { notifiers = [] } = context.kernel;
  context.update({
    notifiers: notifiers.filter((each) => each.buffer !== buffer || each.device !== device),
  });
  return 0;
}

function operation(
  name: string,
  returns: Operation['returns'],
  params: readonly Param[],
  source: string,
  doc: string,
  effect: Effect,
  more: Partial<Operation> = {},
): Operation {
  const plain: Operation = {
    name,
    family: 'user memory',
    where: 'cpu',
    returns,
    params,
    doc,
    source,
    rules: ['K1', 'K8'],
    effect,
  };
  return { ...plain, ...more };
}

const dev: Param = { name: 'dev', kinds: ['device'] };
const domain: Param = { name: 'domain', kinds: ['domain'] };

const rows: readonly Operation[] = [
  operation(
    'mmap_anonymous',
    'ptr',
    [size],
    'mm/mmap.c:vm_mmap, mm/memory.c:do_anonymous_page',
    'user memory: mmap() with MAP_ANONYMOUS; pages come in at the first access, zeroed through the linear map',
    anonymous,
  ),
  operation(
    'munmap_anonymous',
    'void',
    [start],
    'mm/mmap.c:vm_munmap',
    'notifiers first; then the mapping goes, and the pages that are not pinned',
    unmapAnonymous,
    { blocks: true, callback: own },
  ),
  operation(
    'pin_user_pages_fast',
    'page',
    [start, count, { name: 'gup_flags', kinds: ['int'], optional: true }],
    'mm/gup.c:pin_user_pages_fast',
    'faults the pages in and holds them: no swap, no migration; no cache maintenance',
    pin,
  ),
  operation(
    'unpin_user_pages',
    'void',
    [pages, count],
    'mm/gup.c:unpin_user_pages',
    'one holder less; pages whose mapping is gone are freed with the last',
    unpin,
  ),
  operation(
    'get_user_pages_fast',
    'page',
    [start, count, { name: 'gup_flags', kinds: ['int'], optional: true }],
    'mm/gup.c:get_user_pages_fast',
    'as pin_user_pages_fast without FOLL_PIN: no swap, no migration, but a store after fork() leaves the pages to the child',
    get,
  ),
  operation(
    'put_page',
    'void',
    [pages],
    'include/linux/mm.h:put_page',
    'gives a reference of get_user_pages_fast() back',
    putPage,
  ),
  operation(
    'fork',
    'ptr',
    [start],
    'kernel/fork.c:dup_mmap, mm/memory.c:copy_page_range',
    "the child's address of the same memory (in Linux the same number): notifiers; pinned pages are copied for the child, others are shared until one of the two stores",
    fork,
    { blocks: true, callback: own },
  ),
  operation(
    'hmm_range_fault',
    'page',
    [start],
    'mm/hmm.c:hmm_range_fault',
    'faults the pages in and tells which they are, without holding them',
    rangeFault,
  ),
  operation(
    'swap_writepage',
    'void',
    [start],
    'mm/page_io.c:swap_writepage, mm/vmscan.c',
    'reclaim: notifiers, page tables, then the pages go to swap; nothing while they are pinned',
    takeAway('swap-out'),
    { blocks: true, callback: own },
  ),
  operation(
    'migrate_pages',
    'void',
    [start],
    'mm/migrate.c:migrate_pages',
    'notifiers, page tables, then the CPU copies the pages to others; nothing while pinned',
    takeAway('migrate'),
    { blocks: true, callback: own },
  ),
  operation(
    'mmu_interval_notifier_insert',
    'int',
    [start, dev, domain, { name: 'lock', kinds: ['mutex'], optional: true }],
    'mm/mmu_notifier.c:mmu_interval_notifier_insert',
    "before pages go, takes the lock, waits for the device's jobs and takes the pages out of the domain",
    insertNotifier,
  ),
  operation(
    'mmu_interval_notifier_remove',
    'void',
    [start, dev],
    'mm/mmu_notifier.c:mmu_interval_notifier_remove',
    'nobody is told any more',
    removeNotifier,
  ),
  operation(
    'mmu_interval_read_begin',
    'int',
    [start],
    'mm/mmu_notifier.c:mmu_interval_read_begin',
    'a number that changes when pages are taken away; waits while they are, once the callback said so',
    readBegin,
    { blocks: true },
  ),
  operation(
    'mmu_interval_set_seq',
    'void',
    [start, { name: 'cur_seq', kinds: ['int'], optional: true }],
    'include/linux/mmu_notifier.h:mmu_interval_set_seq',
    'for an invalidate callback: the number of mmu_interval_read_begin() changes',
    (context, args) => {
      setSequence(context, memoryAt(context, args[0]).id);
      return 0;
    },
  ),
  operation(
    'invalidate',
    'bool',
    [start],
    'include/linux/mmu_notifier.h:struct mmu_interval_notifier_ops',
    "the driver's callback before pages go; without an override the right one, see mmu_interval_notifier_insert()",
    callInvalidate,
    { blocks: true },
  ),
  operation(
    'mmu_notifier_invalidate_range_start',
    'ptr',
    [start],
    'mm/mmu_notifier.c:__mmu_notifier_invalidate_range_start',
    'calls the notifiers: what unmaps, swaps out or migrates does so first; NULL where nobody wants to know',
    rangeStart,
    { blocks: true },
  ),
  operation(
    'mmu_interval_read_retry',
    'int',
    [start, { name: 'seq', kinds: ['int'] }],
    'include/linux/mmu_notifier.h:mmu_interval_read_retry',
    'not 0 when pages were taken away since mmu_interval_read_begin()',
    (context, args) =>
      invalidations(context, memoryAt(context, args[0]).id) === int(args[1]) ? 0 : 1,
  ),
];

export const userptrOperations = withFailures(rows, { fails: { pin_user_pages_fast: NULL, hmm_range_fault: NULL, get_user_pages_fast: NULL } });
