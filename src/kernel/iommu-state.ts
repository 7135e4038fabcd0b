/**
 * What the kernel knows of IOMMUs, and what an IOTLB may hold (M12): plain immutable records, part
 * of state.ts. Leaves out: what they mean (iommu.ts, io-tables.ts, iotlb.ts).
 */
export interface Translation {
  readonly iova: number;
  readonly size: number;
  readonly buffer: number;
  /** Byte of the buffer that `iova` shows. */
  readonly offset: number;
  /** IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE. */
  readonly prot: number;
  /** [page number of the buffer, frame], for tracked pages. */
  readonly frames: readonly (readonly [number, number])[];
  /** It leads to a bounce buffer, which stands for these bytes. */
  readonly meant?: { readonly buffer: number; readonly offset: number };
  /** Gone from the page table, and its invalidation waits in the flush queue. */
  readonly queued?: boolean;
  /** A device went through it since it was installed, so the IOTLB has it for sure. */
  readonly used: boolean;
  /** Where the domain is in several IOMMUs: those it was used through, by their first device. */
  readonly usedBy?: readonly number[];
  /** Gone from the page table: the IOMMUs that may still hold it; absent: the only one. */
  readonly heldBy?: readonly number[];
}

export interface Domain {
  readonly id: number;
  readonly device: number;
  /** Devices whose accesses it may translate; absent: the one it was made for. */
  readonly attached?: readonly number[];
  readonly entries: readonly Translation[];
  /** Translations gone from the page table that an IOTLB may still hold. */
  readonly stale: readonly Translation[];
  /** Its page tables, where they are memory. */
  readonly tables?: readonly IoTable[];
  /** Physical address of the top table, where the driver writes the tables itself. */
  readonly root?: number;
  /** The client whose address space it is (M14); absent: the driver's own. */
  readonly client?: number;
  /** A table for TTBR0 beside this domain in TTBR1: one ASID, so one set of IOTLB entries. */
  readonly parent?: number;
}

/** A page table in memory: one page. */
export interface IoTable {
  readonly level: 1 | 2 | 3;
  /** First address it translates. */
  readonly iova: number;
  readonly buffer: number;
}

/** What an IOTLB may hold (M12). */
export interface IotlbEntry {
  /** Whose it is: the first device behind that IOMMU. */
  readonly observer: number;
  /** The entry it was read from; for a whole translation its leaf. */
  readonly cell: number;
  readonly value: number;
  readonly level: 1 | 2 | 3;
  /** A whole translation: what it translates, for which ASID, by whose table; else -1. */
  readonly iova: number;
  readonly tag: number;
  readonly domain: number;
  /** It was used, so it is there until it is invalidated or dropped; else maybe. */
  readonly sure: boolean;
}

/** What an entry of a page table meant when it was stored: the page that stood at its address. */
export interface PteMeaning {
  readonly cell: number;
  readonly value: number;
  readonly buffer: number;
  readonly page: number;
}

/** The translation context of a device that switches tables itself (TTBR0, TTBR1). */
export interface IoContext {
  readonly device: number;
  /** Domains; -1: none. */
  readonly ttbr0: number;
  readonly ttbr1: number;
}
