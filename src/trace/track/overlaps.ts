/**
 * Which live mappings share granules of memory with a new one. Only pairs with a device that
 * writes are told: two devices that only read disturb nobody.
 */
import { Direction, type EventHead } from '../events.js';
import type { Overlap, World } from '../judge/rule.js';
import type { LiveMapping } from './live-mapping.js';
import type { RangeIndex } from './range-index.js';

type Told = readonly ((world: World, overlap: Overlap, head: EventHead) => void)[];

/** Call before the range is added to the index. */
export function tellOverlaps(
  world: World,
  index: RangeIndex,
  newer: LiveMapping,
  start: number,
  size: number,
  head: EventHead,
  hooks: Told,
): void {
  const { granule } = world;
  const from = Math.floor(start / granule) * granule;
  const to = Math.ceil((start + size) / granule) * granule;
  const count = index.overlapping(from, to);
  for (let i = 0; i < count; i += 1) {
    const node = index.found[i]!;
    const older = node.owner;
    if (older === newer || older.epoch !== world.epoch) continue;
    if (older.deviceState !== newer.deviceState) {
      older.shared = true;
      newer.shared = true;
    }
    if (older.direction === Direction.ToDevice && newer.direction === Direction.ToDevice) continue;
    const overlap: Overlap = {
      newer,
      older,
      newerStart: start,
      newerEnd: start + size,
      olderStart: node.start,
      olderEnd: node.end,
    };
    for (let each = 0; each < hooks.length; each += 1) hooks[each]!(world, overlap, head);
  }
}
