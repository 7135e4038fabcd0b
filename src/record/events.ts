/**
 * Which events are recorded: the default set, what a person asked for, and what of it the kernel
 * has. Sources: include/trace/events/{dma,iommu,swiotlb,dma_fence,kmem,vmscan}.h; events come and
 * go with versions, so only names that available_events lists are used. Leaves out: their formats.
 */
import { nearestName } from '../diagnostics/nearest.js';
import { RecordError } from './errors.js';

/** What was chosen out of available_events. */
export interface Chosen {
  /** `system:name`, sorted. */
  readonly events: readonly string[];
  /** Patterns of the default set that match nothing here. */
  readonly missing: readonly string[];
}

/** Patterns, each with older names of the same event; one match is enough. */
const defaults: readonly (readonly string[])[] = [
  ['dma:*'],
  ['iommu:*'],
  ['swiotlb:*'],
  ['dma_fence:*'],
  ['kmem:mm_page_alloc'],
  ['kmem:mm_page_free'],
  // The second is its name from before reclaim went from pages to folios.
  ['vmscan:mm_vmscan_write_folio', 'vmscan:mm_vmscan_writepage'],
];

/** What `-e` takes besides patterns: the set that is recorded without it. */
export const defaultSet = 'default';

export function defaultPatterns(): string[] {
  return defaults.map((names) => names[0] ?? '');
}

function matcher(pattern: string): RegExp {
  const whole = pattern.includes(':') ? pattern : `${pattern}:*`;
  const escaped = whole.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`);
}

function matching(available: readonly string[], pattern: string): string[] {
  const re = matcher(pattern);
  return available.filter((name) => re.test(name));
}

function chooseDefaults(available: readonly string[]): Chosen {
  const events: string[] = [];
  const missing: string[] = [];
  for (const names of defaults) {
    const found = names.flatMap((name) => matching(available, name));
    if (found.length === 0) missing.push(names[0] ?? '');
    events.push(...found);
  }
  if (missing.includes('dma:*')) {
    throw new RecordError(
      "this kernel has no dma: events, which 'civac trace' judges; they came with Linux 6.12.\n" +
        "'-e iommu -e kmem:mm_page_alloc -e kmem:mm_page_free' records what older kernels have",
    );
  }
  return { events, missing };
}

function unknownEvent(available: readonly string[], pattern: string): RecordError {
  const systems = [...new Set(available.map((name) => name.split(':')[0] ?? ''))];
  const pool = pattern.includes(':') ? available : [...systems, defaultSet];
  const near = nearestName(pattern, pool);
  const bare = available.find((name) => name.endsWith(`:${pattern}`));
  const hint = bare ?? near;
  const told = hint === undefined ? "see 'civac record --list'" : `did you mean ${hint}?`;
  return new RecordError(`this kernel has no event ${pattern}; ${told}`);
}

/**
 * The events to record. `wanted` are patterns (`dma`, `dma:*`, `kmem:mm_page_free`) or `default`;
 * none means the default set. A pattern that matches nothing is an error; a part of the default
 * set that the kernel lacks is only noted, unless it is all of dma:.
 */
export function chooseEvents(available: readonly string[], wanted: readonly string[]): Chosen {
  const events = new Set<string>();
  const missing: string[] = [];
  for (const pattern of wanted.length === 0 ? [defaultSet] : wanted) {
    const some = pattern === defaultSet ? chooseDefaults(available) : null;
    const found = some?.events ?? matching(available, pattern);
    if (found.length === 0) throw unknownEvent(available, pattern);
    for (const name of found) events.add(name);
    missing.push(...(some?.missing ?? []));
  }
  return { events: [...events].sort(), missing };
}

/** The names in the text of available_events. */
export function parseAvailable(text: string): string[] {
  return text.split('\n').filter((name) => name.includes(':'));
}
