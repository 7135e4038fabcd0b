/**
 * What Linux does for cache coherence on each architecture (K3, K4, K5).
 * Sources (v6.12), arm64: arch/arm64/mm/dma-mapping.c, cache.S, pageattr.c. x86: no
 * ARCH_HAS_SYNC_DMA_*, so that include/linux/dma-map-ops.h:dev_is_dma_coherent is always true;
 * drivers/gpu/drm/drm_cache.c, arch/x86/mm/pat/set_memory.c. riscv:
 * arch/riscv/mm/dma-noncoherent.c, arch/riscv/Kconfig (ARCH_DMA_DEFAULT_COHERENT,
 * RISCV_DMA_NONCOHERENT), asm/errata_list.h:ALT_CMO_OP (whole blocks, no fence), asm/pgtable.h.
 * Leaves out: RISC-V vendors' own cache operations, encrypted memory.
 */
import type { Attribute } from '../machine/attributes.js';
import type { ProfileName } from '../machine/profile.js';
import type { Maintenance } from '../machine/store-buffer.js';
import type { KernelContext } from './context.js';

export interface KernelProfile {
  /** What a device is when the machine block does not say: dev_is_dma_coherent(). */
  readonly coherentByDefault: boolean;
  /** The DMA API may take a device for non-coherent at all. */
  readonly knowsNonCoherent: boolean;
  /** arch_dma_prep_coherent(). */
  readonly prepCoherent: Maintenance;
  /** What an invalidate does to a line that its range cuts. */
  readonly cutLine: 'clean+invalidate' | 'invalidate';
  /** Helpers end with a barrier that completes their maintenance. */
  readonly completes: boolean;
  /** drm_clflush_*, clflush_cache_range() and set_memory_wc() exist. */
  readonly hasClflush: boolean;
  /** The linear map can lose single pages when the machine block does not say. */
  readonly linearMapRemovable: boolean;
  /** Behind an IOMMU a device snoops only where the translation is cacheable (IOMMU_CACHE). */
  readonly cacheBitDecides: boolean;
  /** A user mapping takes the memory type that the pages have in the linear map (PAT). */
  readonly tracksMemoryType: boolean;
}

export const kernelProfiles: Readonly<Record<ProfileName, KernelProfile>> = {
  arm64: {
    coherentByDefault: false,
    knowsNonCoherent: true,
    prepCoherent: 'clean',
    cutLine: 'clean+invalidate',
    completes: true,
    hasClflush: false,
    linearMapRemovable: false,
    cacheBitDecides: true,
    tracksMemoryType: false,
  },
  x86: {
    coherentByDefault: true,
    knowsNonCoherent: false,
    prepCoherent: 'clean+invalidate',
    cutLine: 'clean+invalidate',
    completes: true,
    hasClflush: true,
    linearMapRemovable: true,
    // Snooping is an attribute of the PCI transaction (VT-d, "Snoop Behavior").
    cacheBitDecides: false,
    tracksMemoryType: true,
  },
  riscv: {
    coherentByDefault: true,
    knowsNonCoherent: true,
    prepCoherent: 'clean+invalidate',
    cutLine: 'invalidate',
    completes: false,
    hasClflush: false,
    linearMapRemovable: true,
    cacheBitDecides: true,
    tracksMemoryType: false,
  },
};

export function profileOf(context: KernelContext): KernelProfile {
  return kernelProfiles[context.machine.profile];
}

/** pgprot_writecombine and pgprot_dmacoherent: without Svpbmt, RISC-V pages cannot say so. */
export function uncachedAttribute(context: KernelContext): Attribute {
  return context.machine.svpbmt ? 'NC' : 'WB';
}
