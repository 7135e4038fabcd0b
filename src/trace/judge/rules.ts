/** All rules, in the order in which docs/trace-rules.md lists them. */
import { bounceHotSpot } from './bounce-hot-spot.js';
import { bouncedFlush } from './bounced-flush.js';
import { bouncedUnsynced } from './bounced-unsynced.js';
import { deviceFault } from './device-fault.js';
import { freeAddress } from './free-address.js';
import { freedWhileMapped } from './freed-while-mapped.js';
import { fromDeviceUnsynced } from './from-device-unsynced.js';
import { growingLeak } from './growing-leak.js';
import { leak } from './leak.js';
import { mapOverlap } from './map-overlap.js';
import { mapPingPong } from './map-ping-pong.js';
import { mappingErrorUsed } from './mapping-error-used.js';
import { overlapBounced } from './overlap-bounced.js';
import { partialSync } from './partial-sync.js';
import { physAsDma } from './phys-as-dma.js';
import { reusedWhileMapped } from './reused-while-mapped.js';
import type { Rule } from './rule.js';
import { sgEntries } from './sg-entries.js';
import { skipSyncUnsynced } from './skip-sync-unsynced.js';
import { swappedWhileMapped } from './swapped-while-mapped.js';
import { syncCoherent } from './sync-coherent.js';
import { syncDirection } from './sync-direction.js';
import { syncOutside } from './sync-outside.js';
import { syncUnmapped } from './sync-unmapped.js';
import { unalignedEdges } from './unaligned-edges.js';
import { unmapDirection } from './unmap-direction.js';
import { unmapFunction } from './unmap-function.js';
import { unmapSize } from './unmap-size.js';
import { unmapTwice } from './unmap-twice.js';
import { unmapUnmapped } from './unmap-unmapped.js';
import { unsyncedReuse } from './unsynced-reuse.js';
import { wrongDevice } from './wrong-device.js';

export const rules: readonly Rule[] = [
  // The contract of the DMA API, as far as dma-debug knows it.
  unmapTwice,
  unmapUnmapped,
  mappingErrorUsed,
  wrongDevice,
  physAsDma,
  unmapSize,
  unmapDirection,
  unmapFunction,
  sgEntries,
  freeAddress,
  syncOutside,
  syncUnmapped,
  syncDirection,
  mapOverlap,
  overlapBounced,
  leak,
  growingLeak,
  // What dma-debug does not see.
  freedWhileMapped,
  reusedWhileMapped,
  swappedWhileMapped,
  deviceFault,
  syncCoherent,
  skipSyncUnsynced,
  fromDeviceUnsynced,
  unsyncedReuse,
  bouncedUnsynced,
  bouncedFlush,
  unalignedEdges,
  // What is right, but dear.
  partialSync,
  mapPingPong,
  bounceHotSpot,
];

const byId: ReadonlyMap<string, Rule> = new Map(rules.map((rule) => [rule.id, rule]));

export function ruleOf(id: string): Rule | undefined {
  return byId.get(id);
}
