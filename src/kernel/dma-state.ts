/**
 * What the kernel keeps of the DMA API: scatterlists, mappings, ranges of I/O virtual addresses,
 * attachments of dma-bufs. Part of the kernel's books (state.ts).
 * Leaves out: what calls do with it (dma.ts, sg-tables.ts, attachments.ts).
 */

/** Part of a buffer that a scatterlist names. */
export interface SgEntry {
  readonly buffer: number;
  readonly offset: number;
  readonly size: number;
  /** The pages as they were when the table was made: [page number, frame]. */
  readonly frames: readonly (readonly [number, number])[];
  /** It stands for one entry of the list for each page. */
  readonly perPage: boolean;
}

export interface Sgt {
  readonly id: number;
  readonly entries: readonly SgEntry[];
  /** Index into `mappings` by id while dma-mapped; -1 otherwise. */
  readonly mapping: number;
}

/** A part of a DMA mapping: bytes of a buffer and the bus address that shows them. */
export interface Piece {
  /** Bus address of the first byte. Without an IOMMU later pages lie where their frames do. */
  readonly address: number;
  readonly buffer: number;
  readonly offset: number;
  readonly size: number;
  /** The pages as they were mapped: [page number, frame]. */
  readonly frames: readonly (readonly [number, number])[];
  /** The bounce buffer that the device sees instead, from this byte of it on (K9). */
  readonly slot?: {
    readonly buffer: number;
    readonly offset: number;
    readonly frames: readonly (readonly [number, number])[];
  };
}

/** A live DMA API mapping: what dma-debug would keep an entry for. */
export interface DmaMapping {
  readonly id: number;
  readonly type: 'single' | 'page' | 'sg' | 'coherent' | 'noncoherent' | 'resource';
  readonly device: number;
  /** Bus address of the first byte of the first piece. */
  readonly address: number;
  /** Bytes of all pieces together. */
  readonly size: number;
  readonly direction: number;
  readonly attrs: number;
  /** Entries of the scatterlist that was mapped; 1 for other mappings. */
  readonly nents: number;
  readonly pieces: readonly Piece[];
  /** dma_mapping_error() was asked about it (or need not be). */
  readonly checked: boolean;
}

/** struct dma_iova_state in use: a range of addresses, and what is linked into it. */
export interface IovaState {
  readonly id: number;
  readonly device: number;
  readonly address: number;
  readonly size: number;
  readonly pieces: readonly Piece[];
}

export interface Attachment {
  readonly id: number;
  readonly buffer: number;
  readonly device: number;
  /** The table that the exporter has mapped; -1 for none. */
  readonly sgt: number;
  /** The direction it was mapped for; -1 for none. */
  readonly dir: number;
  /** The importer has it mapped, as far as it knows. */
  readonly mapped: boolean;
  /** It lets the exporter move the buffer (dma_buf_dynamic_attach). */
  readonly dynamic: boolean;
}
