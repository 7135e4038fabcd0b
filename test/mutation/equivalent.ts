/**
 * Mutants that no scenario can tell from the model, each with the argument. Reviewed by hand: who
 * adds one here says why nothing can show it, not that nothing did.
 */
const absentCopy =
  'an absent line has no copy to be looked at: whatever was left in it, a fill overwrites it';

export const equivalent: ReadonlyMap<string, string> = new Map([
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
