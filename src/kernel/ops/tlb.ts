/**
 * Operations: taking CPU mappings down step by step (M18, K3): the parts of munmap, and the change
 * of a page table for a block mapping. Until a TLB invalidation is complete, CPUs may go on using
 * what the page table no longer has.
 * Sources: mm/mmap.c (unmap_region: unmap_vmas, free_pgtables, tlb_finish_mmu), mm/mmu_gather.c,
 * mm/memory.c, mm/vmalloc.c:vmap_try_huge_pmd, arch/arm64/mm/mmu.c (pmd_set_huge,
 * pmd_free_pte_page), lib/usercopy.
 * Leaves out: page tables as memory, ASIDs, and entries of a CPU that never used a mapping.
 */
import { cpuStore } from '../access.js';
import { bufferArg, fail, int, pointerArg } from '../args.js';
import type { KernelContext } from '../context.js';
import { changeMap, cpuReach, dropStale, mapBuffer } from '../cpu-maps.js';
import { family, type Effect, type Operation, type Param } from '../registry.js';
import type { CpuMap } from '../state.js';
import type { Value } from '../value.js';
import { attributeOf } from './mappings.js';

type Args = readonly Value[];

/** Errno of a user access that faults. */
const EFAULT = 14;

function userMap(context: KernelContext, args: Args): CpuMap {
  const { map } = pointerArg(context, args[0]);
  return map.user ? map : fail(context, 'only a user mapping has a VMA to take down');
}

const unmapVmas: Effect = (context, args) => {
  const map = userMap(context, args);
  const gone = map.present.map(([page, frame]) => ({ page, frame, sure: true }));
  changeMap(context, {
    ...map,
    present: [],
    leaving: map.leaving ?? 'detached',
    stale: [...(map.stale ?? []), ...gone],
  });
  context.say('M18', () => 'PTEs cleared; the TLB may keep them');
  return 0;
};

const unlinkFileVma: Effect = (context, args) => {
  const map = userMap(context, args);
  if (map.leaving === undefined) fail(context, 'unmap_vmas() comes before unlink_file_vma()');
  changeMap(context, { ...map, leaving: 'unlinked' });
  return 0;
};

const flushMmu: Effect = (context, args) => {
  dropStale(context, [userMap(context, args)]);
  return 0;
};

/** A store by the kernel to a user address: -EFAULT where no page is mapped, and no finding. */
const putUser: Effect = (context, args) => {
  const { map, offset } = pointerArg(context, args[1]);
  const reached = cpuReach(context, { map: map.id, offset }, 4);
  if (reached.kind === 'again') {
    context.again = true;
    return 0;
  }
  if (reached.kind === 'fault') {
    context.say('K3', () => `-EFAULT: ${reached.why}`);
    return EFAULT;
  }
  cpuStore(context, reached.destination, reached.attribute, int(args[0]));
  return 0;
};

/** The old table of an address range, dropped with break-before-make. */
const freePtePage: Effect = (context, args) => {
  const { map } = pointerArg(context, args[0]);
  if (map.live) fail(context, 'vunmap() the old mapping first');
  changeMap(context, { ...map, leaving: 'unlinked' });
  dropStale(context, [map]);
  context.say('M18', () => 'entry cleared, TLB invalidated, then the table freed');
  return 0;
};

/** A block in place of a table: walks cached before still end in the old, empty table. */
const setHuge: Effect = (context, args) => {
  const { map } = pointerArg(context, args[0]);
  if (map.live) fail(context, 'vunmap() the old mapping first');
  const buffer = bufferArg(context, args[1]);
  const pointer = mapBuffer(context, buffer, 'vmap', attributeOf(context, int(args[2])));
  const made = pointerArg(context, pointer).map;
  if (map.leaving !== 'unlinked') {
    const walks = made.present.map(([page]) => ({ page, frame: -1, sure: false }));
    changeMap(context, { ...made, stale: walks });
  }
  return pointer;
};

const address: readonly Param[] = [{ name: 'address', kinds: ['ptr'] }];

const op = family({ family: 'CPU mappings', where: 'cpu', returns: 'void', rules: ['K3', 'M18'] });

export const tlbOperations: readonly Operation[] = [
  op(
    'unmap_vmas',
    address,
    'munmap, first part: clears the PTEs of a user mapping; CPUs may keep the translations',
    'mm/memory.c:unmap_vmas',
    unmapVmas,
  ),
  op(
    'unlink_file_vma',
    address,
    'munmap, second part (free_pgtables): drm_vma_node_unmap no longer finds the mapping',
    'mm/mmap.c:unlink_file_vma',
    unlinkFileVma,
  ),
  op(
    'tlb_flush_mmu',
    address,
    'invalidates what unmap_vmas left in the TLBs, and waits for stores made through it',
    'mm/mmu_gather.c:tlb_flush_mmu',
    flushMmu,
    { removable: 'drop' },
  ),
  op(
    'tlb_finish_mmu',
    address,
    'munmap, last part: as tlb_flush_mmu',
    'mm/mmu_gather.c:tlb_finish_mmu',
    flushMmu,
    { removable: 'drop' },
  ),
  op(
    'put_user',
    [
      { name: 'value', kinds: ['int'] },
      { name: 'address', kinds: ['ptr'] },
    ],
    'a store to a user address that may fault: returns 14 (EFAULT) where no page is mapped',
    'arch/arm64/include/asm/uaccess.h:put_user',
    putUser,
    { returns: 'int' },
  ),
  op(
    'pmd_free_pte_page',
    address,
    'drops the page table of a vunmapped range: entry cleared, TLB invalidated, table freed',
    'arch/arm64/mm/mmu.c:pmd_free_pte_page',
    freePtePage,
    { removable: 'drop' },
  ),
  op(
    'pmd_set_huge',
    [...address, { name: 'pages', kinds: ['bo', 'page'] }, { name: 'prot', kinds: ['pgprot'] }],
    'maps a block over the page table of a vunmapped range; walks of the table may stay cached',
    'arch/arm64/mm/mmu.c:pmd_set_huge',
    setHuge,
    { returns: 'ptr' },
  ),
];
