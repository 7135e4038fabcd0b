/**
 * What a mend costs: the review each edit takes, and what the operations it adds do at run time.
 * The unit is about ten nanoseconds: one cache line's maintenance. Replaceable as a whole or in
 * parts by a JSON file (`--costs`).
 * Leaves out: any particular machine; the defaults are orders of magnitude (docs/mend.md).
 */
import type { Diagnosis } from './outcome.js';

export interface Costs {
  /** Of one edit, by what it does to the text. */
  readonly insert: number;
  readonly change: number;
  readonly move: number;
  readonly remove: number;
  /** Added where the edit alters how a buffer is allocated or mapped for the CPU. */
  readonly allocation: number;
  /** Added where an edit gives up something the driver had: a pin, an alias, a mapping. */
  readonly giveUp: number;
  /** Added where memory is pinned, or freed later than it was. */
  readonly keepLonger: number;
  /** A CPU that waits for a device it did not wait for. */
  readonly wait: number;
  /** Maintenance of one cache line. */
  readonly cleanLine: number;
  readonly invalidateLine: number;
  readonly cleanInvalidateLine: number;
  /** Waiting for maintenance to complete: the DSB behind it. */
  readonly complete: number;
  /** A DSB with nothing of that kind to wait for: mb, wmb, rmb. */
  readonly dsb: number;
  /** A DMB for the outer shareable domain (dma_wmb), and for CPUs alone (smp_wmb). */
  readonly dmb: number;
  readonly dmbIsh: number;
  /** An IOTLB invalidation with its sync. */
  readonly iotlb: number;
  /** Installing translations. */
  readonly map: number;
  /** A register read: the CPU waits until the answer is back from the device. */
  readonly readBack: number;
  /** Any other call into the kernel's APIs. */
  readonly call: number;
  /** Bytes assumed where the text does not say how large a buffer is. */
  readonly unknownBytes: number;
  /** An operation inside a loop runs once a frame: how many frames there are in a buffer's life. */
  readonly framesPerLife: number;
}

export const DEFAULT_COSTS: Costs = {
  insert: 100,
  change: 100,
  move: 100,
  remove: 100,
  allocation: 200,
  giveUp: 50,
  keepLonger: 200,
  wait: 300,
  cleanLine: 1,
  invalidateLine: 1,
  cleanInvalidateLine: 1,
  complete: 100,
  dsb: 10,
  dmb: 4,
  dmbIsh: 2,
  iotlb: 200,
  map: 20,
  call: 1,
  readBack: 50,
  unknownBytes: 4096,
  framesPerLife: 60,
};

const names = new Set<string>(Object.keys(DEFAULT_COSTS));

/** Reads the text of a costs file; what it leaves out keeps its default. */
export function readCosts(text: string): Costs | Diagnosis {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    return { problem: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { problem: 'expected an object such as { "insert": 100, "cleanLine": 1 }' };
  }
  const costs: Record<string, number> = { ...DEFAULT_COSTS };
  for (const [name, value] of Object.entries(given)) {
    if (!names.has(name)) {
      return { problem: `unknown cost '${name}'; the costs are ${[...names].join(', ')}` };
    }
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 1e9) {
      return { problem: `'${name}' must be a whole number from 0 to 1000000000` };
    }
    costs[name] = value;
  }
  return completed(costs);
}

/** Every edit has to cost something, or sets of edits without end would cost the same. */
function completed(costs: Readonly<Record<string, number>>): Costs | Diagnosis {
  const read = (name: keyof Costs): number => costs[name] ?? DEFAULT_COSTS[name];
  for (const kind of ['insert', 'change', 'move', 'remove'] as const) {
    if (read(kind) < 1) return { problem: `'${kind}' must be at least 1` };
  }
  return {
    insert: read('insert'),
    change: read('change'),
    move: read('move'),
    remove: read('remove'),
    allocation: read('allocation'),
    giveUp: read('giveUp'),
    keepLonger: read('keepLonger'),
    wait: read('wait'),
    cleanLine: read('cleanLine'),
    invalidateLine: read('invalidateLine'),
    cleanInvalidateLine: read('cleanInvalidateLine'),
    complete: read('complete'),
    dsb: read('dsb'),
    dmb: read('dmb'),
    dmbIsh: read('dmbIsh'),
    iotlb: read('iotlb'),
    map: read('map'),
    call: read('call'),
    readBack: read('readBack'),
    unknownBytes: read('unknownBytes'),
    framesPerLife: read('framesPerLife'),
  };
}

/** What a call does at run time, as far as its cost goes. */
export interface CallFacts {
  readonly callee: string;
  /** Bytes its maintenance covers; null: the text does not say. */
  readonly bytes: number | null;
  readonly lineSize: number;
  /** `DMA_TO_DEVICE` and the like; empty when it takes none. */
  readonly direction: string;
  /** DMA_ATTR_SKIP_CPU_SYNC, or a device that snoops. */
  readonly skipsSync: boolean;
  readonly hasIommu: boolean;
  readonly cflush: string;
}

export function runtimeOf(facts: CallFacts, costs: Costs): number {
  const { callee } = facts;
  const lines = Math.ceil((facts.bytes ?? costs.unknownBytes) / facts.lineSize);
  const maintained = (perLine: number): number =>
    facts.skipsSync ? 0 : lines * perLine + costs.complete;
  const iotlb = facts.hasIommu ? costs.iotlb : 0;
  if (/mb$/u.test(callee)) return barrierCost(callee, costs);
  if (/^iommu_(unmap|iotlb_sync|flush_iotlb_all)$|tlb_inv_context$/u.test(callee))
    return costs.call + costs.iotlb;
  if (/^iommu_(map|map_sgtable)$/u.test(callee)) return costs.call + costs.map;
  if (callee === 'arch_sync_dma_flush') return costs.complete;
  if (callee === 'wait') return costs.wait;
  if (callee === 'readl') return costs.readBack;
  if (/^dcache_clean_inval|^drm_cflush.*BOTH/u.test(callee + facts.cflush)) {
    return costs.call + maintained(costs.cleanInvalidateLine);
  }
  if (/^dcache_inval|INVALIDATE$/u.test(callee + facts.cflush)) {
    return costs.call + maintained(costs.invalidateLine);
  }
  if (/_for_cpu$|begin_cpu_access$|SYNC_START/u.test(callee + facts.cflush)) {
    const none = facts.direction === 'DMA_TO_DEVICE';
    return costs.call + (none ? 0 : maintained(costs.invalidateLine));
  }
  if (/^dma_unmap_|dma_buf_unmap/u.test(callee)) {
    const none = facts.direction === 'DMA_TO_DEVICE';
    return costs.call + iotlb + (none ? 0 : maintained(costs.invalidateLine));
  }
  if (/^dma_map_|dma_buf_map|get_pages_sgt$|msm_gem_pin/u.test(callee)) {
    return costs.call + maintained(costs.cleanLine) + (facts.hasIommu ? costs.map : 0);
  }
  if (
    /_for_device$|end_cpu_access$|prep_coherent$|dcache_clean|SYNC_END|CLEAN$/u.test(
      callee + facts.cflush,
    )
  ) {
    return costs.call + maintained(costs.cleanLine);
  }
  return costs.call;
}

function barrierCost(callee: string, costs: Costs): number {
  if (callee.startsWith('smp_')) return costs.dmbIsh;
  return callee.startsWith('dma_') ? costs.dmb : costs.dsb;
}
