/** DMA_ATTR_SKIP_CPU_SYNC on a mapping that is then never synced for the device. */
import { attributeBits, Direction } from '../events.js';
import type { Severity } from '../model.js';
import type { LiveMapping } from '../track/live-mapping.js';
import { headOf } from './heads.js';
import type { Rule, World } from './rule.js';
import { syncsShow } from './sure.js';
import { duration, mapEvidence, mappingWords, unmapEvidence } from './words.js';

/** Mappings younger than this at the end of the trace may still be synced. */
const settledNs = 100_000_000;

function unsynced(m: LiveMapping): boolean {
  if ((m.attrs & attributeBits.SKIP_CPU_SYNC) === 0 || m.direction === Direction.FromDevice) {
    return false;
  }
  return (m.kind === 'page' || m.kind === 'sg') && m.syncsForDevice === 0 && syncsShow(m);
}

/** The exporter of a shared buffer syncs it for its own device. */
function severityOf(m: LiveMapping): Severity {
  return m.shared ? 'note' : 'warning';
}

function sharedWords(m: LiveMapping): string {
  return m.shared ? '; another device has the memory mapped, and may sync it' : '';
}

function fencesWords(world: World, m: LiveMapping): string {
  const fences = world.fences - m.fencesBefore;
  return fences > 0 ? `; ${fences} fences were signalled meanwhile` : '';
}

export const skipSyncUnsynced: Rule = {
  id: 'skip-sync-unsynced',
  hazard: 'H2',
  severity: 'warning',
  certainty: 'likely',
  title: 'sync skipped at map, and never done',
  meaning:
    'DMA_ATTR_SKIP_CPU_SYNC leaves the hand-over to the driver, and no dma_sync_*_for_device ' +
    'came while it was mapped: what the CPU wrote may still be in its cache, and can be written ' +
    "back over the device's data later.",
  evidence: 'attrs of dma_map_*, and no dma_sync_*_for_device of the mapping before its unmap.',
  limits:
    'Real only if the device does not snoop. No event shows whether the CPU wrote, through ' +
    'which attribute: likely at most. A note where another device has the memory mapped: the ' +
    'exporter of a dma-buf syncs for its own device. Lists of more than 330 entries are left ' +
    'out: their sync events do not fit into a page of the ring buffer.',
  mend: 'dma_sync_*_for_device() after the last CPU write, or drop the attribute',
  dmaDebug: '',
  unmapped(world, m, call) {
    if (!unsynced(m)) return;
    world.findings
      .hit(skipSyncUnsynced, m.site, call.head, 'needs-coherence', m)
      ?.as(severityOf(m))
      .tell(
        `${mappingWords(m)} skipped its sync and lived ` +
          `${duration(call.head.time - m.mappedAt)} without one` +
          fencesWords(world, m) +
          sharedWords(m),
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
  ended(world) {
    for (const m of world.liveMappings()) {
      const age = world.now - m.mappedAt;
      if (!unsynced(m) || m.epoch !== world.epoch || age < settledNs) continue;
      world.findings
        .hit(skipSyncUnsynced, m.site, headOf(m), 'needs-coherence', m)
        ?.as(severityOf(m))
        .tell(
          `${mappingWords(m)} skipped its sync and had none in ${duration(age)} to the end of ` +
            `the trace${fencesWords(world, m)}${sharedWords(m)}`,
          [mapEvidence(m)],
          [m],
        );
    }
  },
};
