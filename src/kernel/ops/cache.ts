/**
 * Operations: cache helpers (K4), from arm64's own routines to what DRM has and what the 2019
 * thread proposed.
 * Sources: arch/arm64/mm/cache.S, arch/arm64/mm/dma-mapping.c, drivers/gpu/drm/drm_cache.c;
 * drm_cflush_*: thread.md §2 (a proposal, not upstream).
 */
import type { Maintenance } from '../../machine/store-buffer.js';
import { bufferArg, fail, int, pointerArg, rangeArg, sgRanges, sgtArg } from '../args.js';
import { CFLUSH_CLEAN, CFLUSH_INVALIDATE } from '../constants.js';
import type { KernelContext } from '../context.js';
import { badAddress } from '../dma.js';
import { physicalPlace } from '../dma-address.js';
import {
  dsb,
  issueMaintenance,
  maintain,
  prepCoherent,
  type Range,
  syncForCpu,
  syncForDevice,
  wholeBuffer,
} from '../maintenance.js';
import { profileOf } from '../profile.js';
import type { Effect, Operation, Param } from '../registry.js';
import type { Value } from '../value.js';

type Args = readonly Value[];

function pointerRange(context: KernelContext, args: Args): Range {
  const start = pointerArg(context, args[0]);
  const end = pointerArg(context, args[1]);
  if (start.map.id !== end.map.id) fail(context, 'start and end are of different mappings');
  if (!start.map.live) badAddress(context, start.offset);
  return {
    buffer: start.map.buffer,
    from: start.offset,
    size: start.map.live ? end.offset - start.offset : 0,
    otherAddress: start.map.kind !== 'linear',
  };
}

function byPointers(op: Maintenance, complete: boolean): Effect {
  return (context, args) => {
    const range = pointerRange(context, args);
    if (range.size <= 0) context.noop('the range is empty: no cache maintenance');
    else if (complete) maintain(context, op, range);
    else {
      context.say('M9', () => `${op} issued, not complete before a dsb`);
      issueMaintenance(context, op, range);
    }
    return 0;
  };
}

/** Range behind a physical address; null where no page is. */
function physicalRange(context: KernelContext, args: Args): Range | null {
  const place = physicalPlace(context, int(args[0]));
  if (place === null) {
    badAddress(context, int(args[0]));
    return null;
  }
  return { buffer: place.buffer, from: place.offset, size: int(args[1]) };
}

function cflushOp(value: Value | undefined): Maintenance {
  const bits = int(value);
  if (bits === CFLUSH_CLEAN) return 'clean';
  return bits === CFLUSH_INVALIDATE ? 'invalidate' : 'clean+invalidate';
}

type Ranges = (context: KernelContext, args: Args) => readonly Range[];

/** mb, CLFLUSHOPT by line, mb on x86; elsewhere a warning. */
function clflush(ranges: Ranges): Effect {
  return (context, args) => {
    const { profile } = context.machine;
    if (profileOf(context).hasClflush) {
      for (const each of ranges(context, args)) maintain(context, 'clean+invalidate', each);
    } else {
      const warning = '"Architecture has no drm_cache.c support"';
      context.noop(`${warning}: a warning and no flush on ${profile}`);
    }
    return 0;
  };
}

const ofPages: Ranges = (context, args) => {
  const buffer = bufferArg(context, args[0]);
  const isResident = buffer.pages.some(({ state }) => state === 'resident');
  if (!isResident) context.noop('the object has no pages now: no cache maintenance');
  return [wholeBuffer(buffer)];
};
const ofTable: Ranges = (context, args) => sgRanges(context, sgtArg(context, args[0]));
const ofPointer: Ranges = (context, args) => {
  const range = rangeArg(context, args[0], args[1]);
  const { map } = pointerArg(context, args[0]);
  return [map.kind === 'linear' ? range : { ...range, otherAddress: map.live }];
};

const pointers: readonly Param[] = [
  { name: 'start', kinds: ['ptr'] },
  { name: 'end', kinds: ['ptr'] },
];
const physical: readonly Param[] = [
  { name: 'paddr', kinds: ['phys'] },
  { name: 'size', kinds: ['int'] },
  { name: 'dir', kinds: ['direction'] },
];
const virtual: readonly Param[] = [
  { name: 'addr', kinds: ['ptr'] },
  { name: 'length', kinds: ['int'] },
];

function poc(name: string, op: Maintenance, complete: boolean, doc: string): Operation {
  return {
    name,
    profiles: ['arm64'],
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['M9', 'K4'],
    params: pointers,
    doc,
    removable: 'drop',
    effect: byPointers(op, complete),
    source: 'arch/arm64/mm/cache.S',
  };
}

const arm64: readonly Operation[] = [
  poc('dcache_clean_poc', 'clean', true, 'DC CVAC on every line of [start, end), then dsb sy'),
  poc(
    'dcache_inval_poc',
    'invalidate',
    true,
    'DC IVAC on every whole line of [start, end), DC CIVAC on a line the range cuts, then dsb sy',
  ),
  poc(
    'dcache_clean_inval_poc',
    'clean+invalidate',
    true,
    'DC CIVAC on every line of [start, end), then dsb sy',
  ),
  poc(
    'dcache_clean_poc_nosync',
    'clean',
    false,
    'DC CVAC without the dsb: not complete before arch_sync_dma_flush',
  ),
  poc(
    'dcache_inval_poc_nosync',
    'invalidate',
    false,
    'DC IVAC without the dsb: not complete before arch_sync_dma_flush',
  ),
  {
    name: 'arch_sync_dma_flush',
    profiles: ['arm64'],
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['M9'],
    params: [],
    removable: 'drop',
    doc: 'dsb sy: completes all maintenance before it',
    source: 'kernels with ARCH_HAS_BATCHED_DMA_SYNC: kernel/dma/mapping.c',
    effect: (context) => {
      dsb(context);
      return 0;
    },
  },
  {
    name: 'arch_sync_dma_for_device',
    profiles: ['arm64', 'riscv'],
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['K4', 'M9'],
    params: physical,
    removable: 'drop',
    doc: 'cleans through the linear map, whatever the direction',
    source: 'arch/arm64/mm/dma-mapping.c, arch/riscv/mm/dma-noncoherent.c:arch_sync_dma_for_device',
    effect: (context, args) => {
      const range = physicalRange(context, args);
      if (range !== null) syncForDevice(context, int(args[2]), range);
      return 0;
    },
  },
  {
    name: 'arch_sync_dma_for_cpu',
    profiles: ['arm64', 'riscv'],
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['K4', 'M9', 'M17'],
    params: physical,
    removable: 'drop',
    doc: 'invalidates through the linear map; nothing for DMA_TO_DEVICE',
    source: 'arch/arm64/mm/dma-mapping.c, arch/riscv/mm/dma-noncoherent.c:arch_sync_dma_for_cpu',
    effect: (context, args) => {
      const range = physicalRange(context, args);
      if (range !== null) syncForCpu(context, int(args[2]), range);
      return 0;
    },
  },
  {
    name: 'arch_dma_prep_coherent',
    profiles: ['arm64', 'riscv'],
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['K4', 'M9'],
    removable: 'drop',
    params: [
      { name: 'page', kinds: ['page', 'bo'] },
      { name: 'size', kinds: ['int'] },
    ],
    doc: 'cleans through the linear map; clean lines may stay (riscv: cbo.flush, none stay)',
    source: 'arch/arm64/mm/dma-mapping.c, arch/riscv/mm/dma-noncoherent.c:arch_dma_prep_coherent',
    effect: (context, args) => {
      const buffer = bufferArg(context, args[0]);
      prepCoherent(context, { buffer: buffer.id, from: 0, size: int(args[1]) });
      return 0;
    },
  },
];

function drm(name: string, params: readonly Param[], source: string, ranges: Ranges): Operation {
  return {
    name,
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['K4', 'M17'],
    params,
    doc: 'on x86 writes back and invalidates between two mb(); elsewhere a warning and no flush',
    source,
    effect: clflush(ranges),
    removable: 'drop',
  };
}

const cflushParam: Param = { name: 'op', kinds: ['cflush'] };

function proposed(
  name: string,
  params: readonly Param[],
  ranges: Ranges,
) {
  const operation: Operation = {
    name,
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['K4', 'M9'],
    params: [...params, cflushParam],
    removable: 'drop',
    doc: "the thread's proposal: clean, invalidate or both through the linear map, then dsb",
    source: '[PATCH 1/2] drm: add cache support for arm64, 2019 (thread.md §2); not upstream',
    effect: (context, args) => {
      for (const each of ranges(context, args)) {
        maintain(context, cflushOp(args[params.length]), each);
      }
      return 0;
    },
  };
  return operation;
}

export const cacheOperations: readonly Operation[] = [
  ...arm64,
  drm(
    'drm_clflush_pages',
    [{ name: 'pages', kinds: ['bo', 'page'] }],
    'drivers/gpu/drm/drm_cache.c:drm_clflush_pages',
    ofPages,
  ),
  drm(
    'drm_clflush_sg',
    [{ name: 'st', kinds: ['sgt'] }],
    'drivers/gpu/drm/drm_cache.c:drm_clflush_sg',
    ofTable,
  ),
  drm(
    'drm_clflush_virt_range',
    virtual,
    'drivers/gpu/drm/drm_cache.c:drm_clflush_virt_range',
    ofPointer,
  ),
  proposed('drm_cflush_pages', [{ name: 'pages', kinds: ['bo', 'page'] }], ofPages),
  proposed('drm_cflush_sg', [{ name: 'st', kinds: ['sgt'] }], ofTable),
  proposed('drm_cflush_virt_range', virtual, ofPointer),
];
