/** A finding's dry fields in words: what it needs, how sure it is, what a limit means. */
import { assertNever } from '../base/assert.js';
import type { Finding, Liberty } from '../verdict/result.js';

function libertyWord(liberty: Liberty): string {
  switch (liberty) {
    case 'eviction':
      return 'eviction (M3)';
    case 'reorder':
      return 'reordering (M7, M8)';
    case 'speculation':
      return 'speculation (M4)';
    case 'arch-hit':
      return 'an unexpected hit the architecture allows (M6)';
    case 'may-hit':
      return 'an unexpected hit outside the architecture (M6)';
    case 'stash':
      return 'a device write that allocates in the cache (M10)';
    case 'snoop':
      return 'a snooping read that takes memory instead of a clean copy (M10)';
    default:
      return assertNever(liberty, 'liberty');
  }
}

/** `needs eviction (M3) or speculation (M4)`. */
export function needsInWords(needs: Finding['needs']): string {
  if (needs.length === 0) return 'needs: not determined';
  if (needs.some((set) => set.length === 0)) {
    return 'needs nothing: it happens on an in-order machine without eviction or speculation';
  }
  const sets = needs.map((set) => {
    const words = set.map(libertyWord).join(' and ');
    return set.length > 1 && needs.length > 1 ? `(${words})` : words;
  });
  return `needs ${sets.join(' or ')}`;
}

export function certaintyInWords(finding: Finding): string {
  if (finding.certain) return 'certain: no complete run of that machine avoids it';
  return finding.anyRun
    ? 'possible: whether some complete run of that machine avoids it was not explored'
    : 'possible: some complete runs of that machine avoid it';
}

/** Hazard ids of a result, each once, in the order found. */
export function hazardIds(hazards: readonly Finding[]): string[] {
  return [...new Set(hazards.map((finding) => finding.id))];
}
