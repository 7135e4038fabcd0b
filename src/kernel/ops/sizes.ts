/**
 * Operations: what the kernel knows of the sizes of caches (M1).
 * Sources (v6.12): include/linux/dma-mapping.h:dma_get_cache_alignment, arch/arm64/include/asm/
 * cache.h (ARCH_DMA_MINALIGN, cache_line_size_of_cpu: 4 << CTR_EL0.CWG, read_cpuid_effective_
 * cachetype), arch/arm64/include/asm/assembler.h:dcache_line_size (DminLine, the helpers' step).
 * Leaves out: a CWG of 0, where arm64 takes ARCH_DMA_MINALIGN.
 */
import { family, type Operation } from '../registry.js';

const op = family({ family: 'cache helpers', where: 'cpu', returns: 'int', rules: ['M1'] });

export const sizeOperations: readonly Operation[] = [
  op(
    'dma_get_cache_alignment',
    [],
    'bytes that memory for a device has to be aligned and padded to: the write-back granule',
    'include/linux/dma-mapping.h:dma_get_cache_alignment',
    (context) => context.machine.lineSize,
  ),
  op(
    'cache_line_size',
    [],
    'on arm64 the write-back granule too, not the line that cache maintenance goes by',
    'arch/arm64/kernel/cacheinfo.c:cache_line_size',
    (context) => context.machine.lineSize,
    { profiles: ['arm64'] },
  ),
];
