/**
 * Whether a device snoops the CPU caches. No event of a trace says it; it comes from the command
 * line, from the sidecar of `civac record`, from a device tree, and else from what the kernel did:
 * it syncs and bounces small buffers only where it has to.
 *
 * Source of the inference: include/linux/dma-mapping.h:dma_dev_need_sync and
 * kernel/dma/mapping.c:dma_setup_need_sync (no sync events for a coherent device that has not
 * bounced, unless CONFIG_DMA_API_DEBUG); include/linux/dma-map-ops.h:dma_kmalloc_needs_bounce.
 */
import type { CoherenceSource } from '../model.js';
import type { DeviceState } from '../track/device.js';

export interface CoherenceFact {
  readonly coherent: boolean | null;
  readonly from: CoherenceSource;
  readonly because: string;
}

/** Answers for a device name what one source says, null if it says nothing. */
export type CoherenceBook = (device: string) => CoherenceFact | null;

/** The first book that knows. */
export function firstOf(books: readonly CoherenceBook[]): CoherenceBook {
  return (device) => {
    for (const book of books) {
      const fact = book(device);
      if (fact !== null && fact.coherent !== null) return fact;
    }
    return null;
  };
}

/** What the trace itself shows. */
export function inferred(device: DeviceState): CoherenceFact {
  if (device.syncedUnbounced) {
    const because = 'it is synced without a bounce before, which the kernel skips if it snoops';
    return { coherent: false, from: 'inferred', because };
  }
  if (device.alignmentBounces > 0) {
    const because = 'small buffers are bounced although its mask reaches them';
    return { coherent: false, from: 'inferred', because };
  }
  const because = 'it is never synced: it may snoop, or its driver needs no syncs';
  return { coherent: null, from: 'unknown', because };
}

export function coherenceOf(device: DeviceState, book: CoherenceBook): CoherenceFact {
  return book(device.name) ?? inferred(device);
}
