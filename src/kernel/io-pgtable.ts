/**
 * The Arm LPAE page table format as an IOMMU walks it (M12): 4 KiB granule, three levels of 512
 * entries, leaves of 1 GiB, 2 MiB and 4 KiB. Pure arithmetic on numbers.
 * Sources: drivers/iommu/io-pgtable-arm.c (arm_lpae_prot_to_pte, arm_lpae_install_table,
 * iopte_leaf, ARM_LPAE_PTE_*), drivers/iommu/iommu.c:iommu_pgsize.
 * Leaves out: attribute bits above bit 47 (execute-never, contiguous hints), other granules.
 */
import { IOMMU_CACHE, IOMMU_PRIV, IOMMU_WRITE } from './constants.js';

export type Level = 1 | 2 | 3;

/** Bytes of an entry, and entries of a table. */
export const PTE_BYTES = 8;
export const TABLE_ENTRIES = 512;
/** The only granule the walker knows. */
export const GRANULE = 4096;

const VALID = 1;
const TABLE_OR_PAGE = 2;
const ATTR_CACHE = 1 << 2;
const AP_UNPRIV = 1 << 6;
const AP_RDONLY = 1 << 7;
const ACCESSED = 1 << 10;

/** Bytes that one entry of a level maps: 1 GiB, 2 MiB, 4 KiB. */
export function levelSize(level: Level): number {
  return GRANULE * TABLE_ENTRIES ** (3 - level);
}

/** Byte of a table of this level where the entry for an address stands. */
export function entryByte(iova: number, level: Level): number {
  return (Math.floor(iova / levelSize(level)) % TABLE_ENTRIES) * PTE_BYTES;
}

export function tablePte(address: number): number {
  return address + VALID + TABLE_OR_PAGE;
}

/** arm_lpae_prot_to_pte for stage 1: what is mapped can always be read. */
export function leafPte(address: number, prot: number, level: Level): number {
  const type = VALID + (level === 3 ? TABLE_OR_PAGE : 0);
  const rights =
    ((prot & IOMMU_WRITE) === 0 ? AP_RDONLY : 0) + ((prot & IOMMU_PRIV) === 0 ? AP_UNPRIV : 0);
  return address + type + rights + ((prot & IOMMU_CACHE) === 0 ? 0 : ATTR_CACHE) + ACCESSED;
}

export type Decoded =
  | { readonly kind: 'fault' }
  | { readonly kind: 'table'; readonly address: number }
  | {
      readonly kind: 'leaf';
      readonly address: number;
      readonly readOnly: boolean;
      readonly cacheable: boolean;
    };

/** What a walker makes of an entry. */
export function decode(value: number, level: Level): Decoded {
  const low = value % GRANULE;
  const address = value - low;
  if ((low & VALID) === 0) return { kind: 'fault' };
  if (level < 3 && (low & TABLE_OR_PAGE) !== 0) return { kind: 'table', address };
  if (level === 3 && (low & TABLE_OR_PAGE) === 0) return { kind: 'fault' };
  const readOnly = (low & AP_RDONLY) !== 0;
  return { kind: 'leaf', address, readOnly, cacheable: (low & ATTR_CACHE) !== 0 };
}

export interface Leaf {
  readonly iova: number;
  readonly address: number;
  readonly level: Level;
}

/** iommu_pgsize: the largest leaves that both addresses are aligned to, from left to right. */
export function leavesOf(iova: number, address: number, size: number): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const levels: readonly Level[] = [1, 2, 3];
  for (let at = 0; at < size; ) {
    const level =
      levels.find((each) => {
        const bytes = levelSize(each);
        return (iova + at) % bytes === 0 && (address + at) % bytes === 0 && at + bytes <= size;
      }) ?? 3;
    leaves.push({ iova: iova + at, address: address + at, level });
    at += levelSize(level);
  }
  return leaves;
}
