/**
 * Named constants a scenario may use, with the kernel's names and, where they matter, values.
 * Sources: include/linux/dma-direction.h, dma-mapping.h, iommu.h, gfp_types.h, arch/arm64
 * asm/pgtable.h (pgprot_*), include/uapi/linux/dma-buf.h. DRM_CFLUSH_* belong to the proposal of
 * the 2019 thread (thread.md §2): upstream has no such names.
 */
import type { Kind } from './registry.js';

export interface Constant {
  readonly kind: Kind;
  readonly value: number;
  readonly doc: string;
}

export const DMA_BIDIRECTIONAL = 0;
export const DMA_TO_DEVICE = 1;
export const DMA_FROM_DEVICE = 2;
export const DMA_ATTR_WRITE_COMBINE = 4;
export const DMA_ATTR_NO_KERNEL_MAPPING = 0x10;
export const DMA_ATTR_SKIP_CPU_SYNC = 0x20;
export const DMA_ATTR_FORCE_CONTIGUOUS = 0x40;
export const DMA_ATTR_ALLOC_SINGLE_PAGES = 0x80;
export const DMA_ATTR_NO_WARN = 0x100;
export const DMA_ATTR_PRIVILEGED = 0x200;
export const DMA_ATTR_OVERWRITE = 0x400;
export const IOMMU_READ = 1;
export const IOMMU_WRITE = 2;
export const IOMMU_CACHE = 4;
export const IOMMU_PRIV = 32;
export const GFP_ZERO = 0x100;
export const GFP_DMA = 1;
export const GFP_DMA32 = 4;
export const GFP_NOFAIL = 0x8000;
/** Set in GFP_ATOMIC and GFP_NOWAIT: the allocation may not sleep. */
export const GFP_NOT_BLOCKING = 0x20;
export const PROT_WB = 0;
export const PROT_WC = 1;
export const PROT_DEVICE = 2;
/** Beside one of these: instructions may be fetched (no execute-never). */
export const PROT_EXEC = 4;
export const CFLUSH_CLEAN = 1;
export const CFLUSH_INVALIDATE = 2;
export const DMA_BUF_SYNC_READ = 1;
export const DMA_BUF_SYNC_WRITE = 2;
export const DMA_BUF_SYNC_END = 4;
/** DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH, PANFROST_BO_SYNC_CPU_CACHE_FLUSH. */
export const CPU_CACHE_FLUSH = 0;
export const CPU_CACHE_FLUSH_AND_INVALIDATE = 1;
export const ETNA_PREP_READ = 1;
export const ETNA_PREP_WRITE = 2;
export const MADV_DONTNEED = 1;
/** V4L2_BUF_FLAG_NO_CACHE_*: include/uapi/linux/videodev2.h. */
export const V4L2_NO_CACHE_INVALIDATE = 0x800;
export const V4L2_NO_CACHE_CLEAN = 0x1000;
/** PP_FLAG_*: include/net/page_pool/types.h. */
export const PP_FLAG_DMA_MAP = 1;
export const PP_FLAG_DMA_SYNC_DEV = 2;
/** enum ttm_caching: include/drm/ttm/ttm_caching.h. */
export const TTM_UNCACHED = 0;
export const TTM_WRITE_COMBINED = 1;
export const TTM_CACHED = 2;
export const PAGE_SIZE = 4096;

/** include/dt-bindings/firmware/qcom,scm.h: who owns memory. */
export const QCOM_SCM_VMID_HLOS = 3;

const table: Readonly<Record<string, Constant>> = {
  PAGE_SIZE: { kind: 'int', value: PAGE_SIZE, doc: 'bytes in a page' },
  NULL: { kind: 'int', value: 0, doc: 'no pointer' },
  true: { kind: 'int', value: 1, doc: '' },
  false: { kind: 'int', value: 0, doc: '' },
  DMA_BIDIRECTIONAL: {
    kind: 'direction',
    value: DMA_BIDIRECTIONAL,
    doc: 'device reads and writes',
  },
  DMA_TO_DEVICE: { kind: 'direction', value: DMA_TO_DEVICE, doc: 'device reads' },
  DMA_FROM_DEVICE: { kind: 'direction', value: DMA_FROM_DEVICE, doc: 'device writes' },
  DMA_ATTR_SKIP_CPU_SYNC: {
    kind: 'attrs',
    value: DMA_ATTR_SKIP_CPU_SYNC,
    doc: 'no cache maintenance in map and unmap',
  },
  DMA_ATTR_WRITE_COMBINE: {
    kind: 'attrs',
    value: DMA_ATTR_WRITE_COMBINE,
    doc: 'dma_alloc_attrs: as dma_alloc_wc; on arm64 the mapping is the same',
  },
  DMA_ATTR_NO_KERNEL_MAPPING: {
    kind: 'attrs',
    value: DMA_ATTR_NO_KERNEL_MAPPING,
    doc: 'dma_alloc_attrs: no CPU address (with dma-direct), and the memory is not cleared',
  },
  DMA_ATTR_FORCE_CONTIGUOUS: {
    kind: 'attrs',
    value: DMA_ATTR_FORCE_CONTIGUOUS,
    doc: 'dma_alloc_attrs: contiguous pages also behind an IOMMU',
  },
  DMA_ATTR_ALLOC_SINGLE_PAGES: {
    kind: 'attrs',
    value: DMA_ATTR_ALLOC_SINGLE_PAGES,
    doc: 'page by page: no difference here',
  },
  DMA_ATTR_NO_WARN: { kind: 'attrs', value: DMA_ATTR_NO_WARN, doc: 'no difference here' },
  DMA_ATTR_PRIVILEGED: {
    kind: 'attrs',
    value: DMA_ATTR_PRIVILEGED,
    doc: "behind an IOMMU only the kernel's own commands may go there (IOMMU_PRIV)",
  },
  DMA_ATTR_OVERWRITE: {
    kind: 'attrs',
    value: DMA_ATTR_OVERWRITE,
    doc: 'of 5.17-rc: no copy into the bounce buffer for DMA_FROM_DEVICE, as before ddbd89deb7d3',
  },
  IOMMU_READ: { kind: 'prot', value: IOMMU_READ, doc: 'the device may read' },
  IOMMU_WRITE: { kind: 'prot', value: IOMMU_WRITE, doc: 'the device may write' },
  IOMMU_PRIV: {
    kind: 'prot',
    value: IOMMU_PRIV,
    doc: "only the kernel's own commands may go through: dma_*_unpriv may not",
  },
  IOMMU_CACHE: {
    kind: 'prot',
    value: IOMMU_CACHE,
    doc: 'the access is cacheable, so a coherent device snoops',
  },
  IOMMU_NOEXEC: { kind: 'prot', value: 0, doc: 'no difference here: devices fetch no code' },
  ARM_LPAE_PTE_TYPE_BLOCK: { kind: 'int', value: 1, doc: 'an entry that maps 1 GiB or 2 MiB' },
  ARM_LPAE_PTE_TYPE_TABLE: { kind: 'int', value: 3, doc: 'an entry that leads to a table' },
  ARM_LPAE_PTE_TYPE_PAGE: { kind: 'int', value: 3, doc: 'an entry that maps 4 KiB' },
  ARM_LPAE_PTE_AP_UNPRIV: { kind: 'int', value: 0x40, doc: 'without privilege too' },
  ARM_LPAE_PTE_AP_RDONLY: { kind: 'int', value: 0x80, doc: 'no writes' },
  ARM_LPAE_PTE_AF: { kind: 'int', value: 0x400, doc: 'the access flag' },
  GFP_KERNEL: { kind: 'gfp', value: 0, doc: 'ordinary pages, content not cleared' },
  GFP_USER: { kind: 'gfp', value: 0, doc: 'as GFP_KERNEL here' },
  GFP_HIGHUSER: { kind: 'gfp', value: 0, doc: 'as GFP_KERNEL here: arm64 has no highmem' },
  __GFP_ZERO: { kind: 'gfp', value: GFP_ZERO, doc: 'cleared through the linear map: dirty lines' },
  __GFP_NOFAIL: { kind: 'gfp', value: GFP_NOFAIL, doc: 'never fails (.allocation_may_fail)' },
  GFP_DMA: { kind: 'gfp', value: GFP_DMA, doc: 'from ZONE_DMA' },
  GFP_DMA32: { kind: 'gfp', value: GFP_DMA32, doc: 'from below 4 GiB' },
  __GFP_DMA32: { kind: 'gfp', value: GFP_DMA32, doc: 'from below 4 GiB' },
  GFP_ATOMIC: {
    kind: 'gfp',
    value: GFP_NOT_BLOCKING,
    doc: 'may not sleep: dma_alloc_* take their pool',
  },
  __GFP_NOWARN: { kind: 'gfp', value: 0, doc: 'no difference here' },
  __GFP_NORETRY: { kind: 'gfp', value: 0, doc: 'no difference here' },
  __GFP_RETRY_MAYFAIL: { kind: 'gfp', value: 0, doc: 'no difference here' },
  __GFP_COMP: { kind: 'gfp', value: 0, doc: 'no difference here' },
  GFP_NOWAIT: { kind: 'gfp', value: GFP_NOT_BLOCKING, doc: 'as GFP_ATOMIC here' },
  PAGE_KERNEL: { kind: 'pgprot', value: PROT_WB, doc: 'Normal write-back' },
  PAGE_KERNEL_EXEC: {
    kind: 'pgprot',
    value: PROT_WB + PROT_EXEC,
    doc: 'as PAGE_KERNEL, and not execute-never: instruction fetches may go there (M4)',
  },
  DRM_CFLUSH_CLEAN: { kind: 'cflush', value: CFLUSH_CLEAN, doc: 'write back' },
  DRM_CFLUSH_INVALIDATE: { kind: 'cflush', value: CFLUSH_INVALIDATE, doc: 'drop' },
  DRM_CFLUSH_BOTH: {
    kind: 'cflush',
    value: CFLUSH_CLEAN | CFLUSH_INVALIDATE,
    doc: 'write back, then drop',
  },
  MADV_WILLNEED: { kind: 'madv', value: 0, doc: 'contents are needed' },
  MADV_DONTNEED: { kind: 'madv', value: MADV_DONTNEED, doc: 'contents may be purged' },
  DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH: {
    kind: 'bosync',
    value: CPU_CACHE_FLUSH,
    doc: 'write back what the CPU wrote',
  },
  DRM_PANTHOR_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE: {
    kind: 'bosync',
    value: CPU_CACHE_FLUSH_AND_INVALIDATE,
    doc: 'write back, then drop what is cached',
  },
  PANFROST_BO_SYNC_CPU_CACHE_FLUSH: { kind: 'bosync', value: CPU_CACHE_FLUSH, doc: 'write back' },
  PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE: {
    kind: 'bosync',
    value: CPU_CACHE_FLUSH_AND_INVALIDATE,
    doc: 'write back, then drop',
  },
  ETNA_PREP_READ: { kind: 'etnaprep', value: ETNA_PREP_READ, doc: 'the CPU will read' },
  ETNA_PREP_WRITE: { kind: 'etnaprep', value: ETNA_PREP_WRITE, doc: 'the CPU will write' },
  QCOM_SCM_VMID_HLOS: { kind: 'int', value: QCOM_SCM_VMID_HLOS, doc: 'this world, Linux' },
  QCOM_SCM_VMID_CP_PIXEL: { kind: 'int', value: 0xa, doc: 'protected content: frames' },
  DMA_BUF_IOCTL_SYNC: { kind: 'ioctl', value: 1, doc: 'the request of ioctl()' },
  DMA_BUF_SYNC_START: { kind: 'bufsync', value: 0, doc: 'CPU access begins' },
  DMA_BUF_SYNC_END: { kind: 'bufsync', value: DMA_BUF_SYNC_END, doc: 'CPU access ends' },
  DMA_BUF_SYNC_READ: { kind: 'bufsync', value: DMA_BUF_SYNC_READ, doc: 'the CPU reads' },
  DMA_BUF_SYNC_WRITE: { kind: 'bufsync', value: DMA_BUF_SYNC_WRITE, doc: 'the CPU writes' },
  V4L2_BUF_FLAG_NO_CACHE_CLEAN: {
    kind: 'int',
    value: V4L2_NO_CACHE_CLEAN,
    doc: 'user space says that it wrote nothing: prepare does not sync',
  },
  V4L2_BUF_FLAG_NO_CACHE_INVALIDATE: {
    kind: 'int',
    value: V4L2_NO_CACHE_INVALIDATE,
    doc: 'user space says that it will not read: finish does not sync',
  },
  PP_FLAG_DMA_MAP: { kind: 'int', value: PP_FLAG_DMA_MAP, doc: 'the pool maps its pages' },
  PP_FLAG_DMA_SYNC_DEV: {
    kind: 'int',
    value: PP_FLAG_DMA_SYNC_DEV,
    doc: 'the pool syncs pages for the device before it hands them out again',
  },
  ttm_cached: { kind: 'int', value: TTM_CACHED, doc: 'write-back CPU mappings' },
  ttm_write_combined: { kind: 'int', value: TTM_WRITE_COMBINED, doc: 'write-combined ones' },
  ttm_uncached: {
    kind: 'int',
    value: TTM_UNCACHED,
    doc: 'pgprot_noncached ones: Device memory on arm64',
  },
  DMA_BUF_SYNC_RW: { kind: 'bufsync', value: DMA_BUF_SYNC_READ | DMA_BUF_SYNC_WRITE, doc: 'both' },
  FOLL_WRITE: { kind: 'int', value: 1, doc: 'no difference here' },
  FOLL_LONGTERM: { kind: 'int', value: 0x100, doc: 'no difference here' },
};

/** include/linux/sizes.h, as far as the numbers are exact in 32 bits. */
const sizes = ['1K', '2K', '4K', '8K', '16K', '32K', '64K', '128K', '256K', '512K', '1M', '2M'];

function sizeOf(name: string): number {
  return Number.parseInt(name, 10) * (name.endsWith('M') ? 2 ** 20 : 2 ** 10);
}

export const constants: ReadonlyMap<string, Constant> = new Map<string, Constant>([
  ...Object.entries(table),
  ...sizes.map((size): [string, Constant] => {
    const doc = `${size.slice(0, -1)} ${size.endsWith('M') ? 'MiB' : 'KiB'}`;
    return [`SZ_${size}`, { kind: 'int', value: sizeOf(size), doc }];
  }),
]);
