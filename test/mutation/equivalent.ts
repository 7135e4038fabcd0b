/**
 * Mutants that no scenario can tell from the model, each with the argument. Reviewed by hand: who
 * adds one here says why nothing can show it, not that nothing did.
 */
const absentCopy =
  'an absent line has no copy to be looked at: whatever was left in it, a fill overwrites it';

const both =
  'never alone: the direction differs too, and of two breaches by one call the first is told';
const waiting =
  'the call then neither waits nor does its work: those runs hang, the ones that had no need to wait remain';
const freed = 'the pages are freed in the same call, and a free page has no cache lines (docs/warts.md)';
const faultsAgain = 'the next access faults again, and finds the pages there';

const syncs = ['single', 'single_range', 'sg', 'sgtable'].flatMap((kind): [string, string][] => [
  [
    `dma_sync_${kind}_for_cpu: tells H11: device driver syncs device read-only DMA memory for cpu`,
    both,
  ],
  [
    `dma_sync_${kind}_for_device: tells H11: device driver syncs device write-only DMA memory to device`,
    both,
  ],
]);

export const equivalent: ReadonlyMap<string, string> = new Map([
  ...syncs,
  ...['complete', 'mutex_unlock', 'spin_unlock', 'migrate_pages'].map((name): [string, string] => [
    `${name}: waits`,
    waiting,
  ]),
  [
    'dma_write: domains changed',
    'a stale IOTLB entry that was not taken is gone for later accesses; what they could do by it, the first one could',
  ],
  ['drm_gem_object_put: buffers.pins', 'the object is gone, and its counts with it'],
  ['drm_gem_object_put: issues invalidate', freed],
  ['drm_gem_object_put: then wait for all', freed],
  ['drm_gem_object_put: then invalidate', freed],
  ['drm_gem_shmem_purge: issues invalidate', freed],
  ['drm_gem_shmem_purge: then wait for all', freed],
  ['msm_gem_purge: issues invalidate', freed],
  ['msm_gem_purge: then invalidate', freed],
  ['msm_gem_purge: then wait for all', freed],
  ['memset: maps changed', faultsAgain],
  [
    'cache row dirty, evict -> absent (eviction): removed',
    'two steps do the same: written back and kept clean, then dropped; both need eviction',
  ],
  ['cache row dirty, evict -> absent (eviction): without drop', absentCopy],
  ['cache row clean, evict -> absent (eviction): without drop', absentCopy],
  ['cache row clean, invalidate -> absent: without drop', absentCopy],
  [
    'cache row dirty, invalidate -> absent (eviction): removed',
    'an eviction just before the invalidate does the same, and needs the same liberty',
  ],
  ['cache row dirty, invalidate -> absent (eviction): without drop', absentCopy],
  [
    'cache row dirty, invalidate -> absent (eviction): without write-back',
    'it is then the row without the liberty; the write-back comes from an eviction just before',
  ],
  ['cache row clean, clean+invalidate -> absent: without drop', absentCopy],
  ['cache row dirty, clean+invalidate -> absent: without drop', absentCopy],
  ['cache row clean, snooping write -> absent: without drop', absentCopy],
  ['cache row dirty, snooping write -> absent: without drop', absentCopy],
]);

/** Functions without an effect: they return a value and change nothing. */
export const returnsOnly: ReadonlyMap<string, string> = new Map([]);
