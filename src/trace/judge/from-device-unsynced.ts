/** Device-written data that was never synced for the CPU, up to the unmap that skips it. */
import { attributeBits, Direction } from '../events.js';
import type { Rule } from './rule.js';
import { syncsShow } from './sure.js';
import { duration, mapEvidence, mappingWords, unmapEvidence } from './words.js';

export const fromDeviceUnsynced: Rule = {
  id: 'from-device-unsynced',
  hazard: 'H1',
  severity: 'warning',
  certainty: 'likely',
  title: 'device data never synced for the CPU',
  meaning:
    'The unmap skipped the sync (DMA_ATTR_SKIP_CPU_SYNC) and no dma_sync_*_for_cpu came before ' +
    'it. The unmap was the last chance: from now on the page is reused, and whoever reads it ' +
    'may get lines from before the DMA. A bounced buffer was not copied back at all.',
  evidence:
    'attrs of the dma_unmap_* of a DMA_FROM_DEVICE or DMA_BIDIRECTIONAL mapping without any ' +
    'dma_sync_*_for_cpu.',
  limits:
    'Real only if the device does not snoop, or bounces. If nobody reads the data (a transfer ' +
    'that was cancelled, a receive ring taken down) it is right: likely at most. A note where ' +
    'another device has the memory mapped, whose driver may sync it (dma-buf).',
  mend:
    'dma_sync_*_for_cpu() of what the device wrote before the unmap, or unmap without the ' +
    'attribute',
  dmaDebug: '',
  unmapped(world, m, call) {
    if (m.direction === Direction.ToDevice || m.syncsForCpu > 0) return;
    if ((call.attrs & attributeBits.SKIP_CPU_SYNC) === 0) return;
    if (m.kind !== 'page' && m.kind !== 'sg') return;
    if (!syncsShow(m)) return;
    const certainty = m.bounced ? 'likely' : 'needs-coherence';
    world.findings
      .hit(fromDeviceUnsynced, m.site, call.head, certainty, m)
      ?.as(m.shared ? 'note' : 'warning')
      .tell(
        `${mappingWords(m)} was unmapped after ${duration(call.head.time - m.mappedAt)} without ` +
          'any sync for the CPU',
        [mapEvidence(m), unmapEvidence(call)],
        [m],
      );
  },
};
