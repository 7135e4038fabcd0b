/** Two live mappings share memory, or the granules at their edges: which bytes are at risk. */
import { attributeBits, type EventHead } from '../events.js';
import type { LiveMapping } from '../track/live-mapping.js';
import type { Overlap, Rule, World } from './rule.js';
import { deviceWrites } from './sure.js';
import { bytes, hex, mapEvidence, mappingWords } from './words.js';

const ignored = attributeBits.CACHELINES_OVERLAP;
const skipped = attributeBits.SKIP_CPU_SYNC;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The bytes of `own` in granules that `other` touches. */
function shared(own: Range, other: Range, granule: number): Range {
  const from = Math.floor(other.start / granule) * granule;
  const to = Math.ceil(other.end / granule) * granule;
  return { start: Math.max(own.start, from), end: Math.min(own.end, to) };
}

function riskWords(m: LiveMapping, range: Range): string {
  const size = range.end - range.start;
  const where = `phys_addr ${hex(range.start)}..${hex(range.end)}`;
  return `${bytes(size)} of the ${m.mapEvent} at dma_addr ${hex(m.dma)} (${where})`;
}

/** In words: what of either mapping its device may lose. */
function risksOf({ newer, older, ...at }: Overlap, granule: number): string[] {
  const newRange = { start: at.newerStart, end: at.newerEnd };
  const oldRange = { start: at.olderStart, end: at.olderEnd };
  return [
    ...(deviceWrites(older) ? [riskWords(older, shared(oldRange, newRange, granule))] : []),
    ...(deviceWrites(newer) ? [riskWords(newer, shared(newRange, oldRange, granule))] : []),
  ];
}

function tellRisk(world: World, overlap: Overlap, head: EventHead): void {
  const { newer, older } = overlap;
  const same = overlap.newerStart < overlap.olderEnd && overlap.olderStart < overlap.newerEnd;
  const draft = world.findings.hit(mapOverlap, newer.site, head, 'needs-coherence', newer);
  if (draft === null) return;
  const foreign = newer.deviceState !== older.deviceState;
  // A buffer shared by two devices on purpose, or synced by hand, is how dma-buf works.
  if (foreign || ((newer.attrs | older.attrs) & skipped) !== 0) draft.as('note', 'likely');
  const how = same ? 'maps memory again' : `shares ${world.granule}-byte granules`;
  const whose = foreign ? ` of ${older.device}` : '';
  draft.tell(
    `${mappingWords(newer)} ${how} with the live ${mappingWords(older)}${whose}; at risk: ` +
      risksOf(overlap, world.granule).join(', '),
    [mapEvidence(older), mapEvidence(newer, same ? 'mapped again' : 'mapped beside it')],
    [older, newer],
  );
}

export const mapOverlap: Rule = {
  id: 'map-overlap',
  hazard: 'H10',
  severity: 'warning',
  certainty: 'certain',
  title: 'mappings share memory or cache lines',
  meaning:
    'The device writes into one mapping while maintenance for the other, or a write-back of its ' +
    'neighbouring bytes, goes over the same cache lines. What the device wrote there can be ' +
    "overwritten by an old copy of the line, or the CPU's data invalidated.",
  evidence:
    'phys_addr and size of two live mappings, at least one of them DMA_FROM_DEVICE or ' +
    'DMA_BIDIRECTIONAL; swiotlb_bounced says whether the device writes there at all.',
  limits:
    'Real only if the device does not snoop. The bytes at risk are those of a mapping that its ' +
    'device writes in place: a bounced one is written by the CPU, and then nothing is at risk ' +
    '(overlap-bounced says so). A note where two devices share a buffer or syncs are skipped.',
  mend: 'give device-written data its own granules (ARCH_DMA_MINALIGN, kmalloc for each buffer)',
  dmaDebug: "cacheline tracking EEXIST, overlapping mappings aren't supported",
  overlapped(world, overlap, head) {
    const { newer, older } = overlap;
    if (((newer.attrs | older.attrs) & ignored) !== 0) return;
    if (deviceWrites(newer) || deviceWrites(older)) tellRisk(world, overlap, head);
  },
};
