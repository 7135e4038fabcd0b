/**
 * Where memory is kept for devices: DMA pools, page pools, carve-outs.
 * Leaves out: what is done with it.
 */

/** A DMA pool: one page of coherent memory, cut into blocks. */
export interface Pool {
  /** As that of the buffer the blocks are cut from. */
  readonly id: number;
  readonly device: number;
  /** Bytes from one block to the next. */
  readonly step: number;
  /** No block crosses a multiple of it. */
  readonly boundary: number;
  /** Id of the CPU mapping of the page; -1 before the first allocation. */
  readonly map: number;
  readonly used: readonly number[];
}

/** A pool of pages for receiving, by the call that made it. */
export interface PagePool {
  readonly id: number;
  readonly device: number;
  /** PP_FLAG_DMA_MAP, PP_FLAG_DMA_SYNC_DEV. */
  readonly mapped: boolean;
  readonly synced: boolean;
  readonly direction: number;
  /** What a page is synced for: that many bytes, from that one on. */
  readonly maxLen: number;
  readonly offset: number;
  /** Buffers that wait to be handed out again, the last one first, and those handed out. */
  readonly free: readonly number[];
  readonly out: readonly number[];
}

/** A device's own memory, no-map, from which its dma_alloc_* are served. */
export interface CarveOut {
  readonly device: number;
}
