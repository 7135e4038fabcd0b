/** A call site whose live mappings grow over the whole trace. */
import type { Site } from '../track/device.js';
import type { LiveMapping } from '../track/live-mapping.js';
import { headOf } from './heads.js';
import type { Rule, World } from './rule.js';
import { mapEvidence, mappingWords } from './words.js';

const samplesMin = 8;
/** Growth that a ring or a pool filling up would explain is not told. */
const liveMin = 64;

/** Never less than before, and more in most of the intervals. */
function grows(samples: readonly number[]): boolean {
  let steps = 0;
  for (let i = 1; i < samples.length; i += 1) {
    if (samples[i]! < samples[i - 1]!) return false;
    if (samples[i]! > samples[i - 1]!) steps += 1;
  }
  return steps * 4 >= (samples.length - 1) * 3;
}

function oldestBySite(world: World): Map<Site, LiveMapping> {
  const oldest = new Map<Site, LiveMapping>();
  for (const m of world.liveMappings()) {
    const known = oldest.get(m.site);
    if (known === undefined || m.id < known.id) oldest.set(m.site, m);
  }
  return oldest;
}

export const growingLeak: Rule = {
  id: 'growing-leak',
  hazard: 'H11',
  severity: 'warning',
  certainty: 'likely',
  title: 'ever more mappings',
  meaning:
    'The number of live mappings of this call site grows from the begin of the trace to its ' +
    'end: some path does not unmap. IOVA space, bounce slots or memory run out in the end.',
  evidence: 'Map and unmap events, counted at up to 32 moments spread over the trace.',
  limits:
    'A cache that fills up all through the trace looks the same: likely at most. Says nothing ' +
    'after lost events, of traces with fewer than 8 samples, and below 64 mappings.',
  mend: 'look for a path without unmap among those this task takes',
  dmaDebug: 'device driver has pending DMA allocations while released from device',
  ended(world) {
    if (world.epoch > 0) return;
    const oldest = oldestBySite(world);
    for (const [site, m] of oldest) {
      const { samples } = site;
      if (site.device.pageTableWalker || samples.length < samplesMin || site.live < liveMin)
        continue;
      if (!grows(samples)) continue;
      world.findings
        .hit(growingLeak, site, headOf(m), 'likely', m)
        ?.tell(
          `${site.live} live mappings at the end, ${samples[samples.length >> 1]} half-way and ` +
            `${samples[0]} at the begin; the oldest is the ${mappingWords(m)}`,
          [mapEvidence(m, 'oldest')],
          [m],
        );
    }
  },
};
