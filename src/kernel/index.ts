/** Front door of the kernel layer: registers every operation, re-exports the registry. */
import { cacheOperations } from './ops/cache.js';
import { coherentOperations } from './ops/coherent.js';
import { dmaIovaOperations } from './ops/dma-iova.js';
import { errorOperations } from './ops/errors.js';
import { deviceOperations } from './ops/device.js';
import { deviceRangeOperations } from './ops/device-ranges.js';
import { dmaAllocOperations } from './ops/dma-alloc.js';
import { dmaPoolOperations } from './ops/dma-pool.js';
import { maskOperations } from './ops/dma-masks.js';
import { dmaBufOperations } from './ops/dma-buf.js';
import { dmaBufDynamicOperations } from './ops/dma-buf-dynamic.js';
import { dmaBufVmapOperations } from './ops/dma-buf-vmap.js';
import { driverOperations } from './ops/driver.js';
import { gpuvmOperations } from './ops/gpuvm.js';
import { gemOperations } from './ops/gem.js';
import { gemHandleOperations } from './ops/gem-handles.js';
import { gemDmaOperations } from './ops/gem-dma.js';
import { ioContextOperations } from './ops/io-contexts.js';
import { iommuOperations } from './ops/iommu-api.js';
import { iommuDefaultOperations } from './ops/iommu-default.js';
import { ioremapOperations } from './ops/ioremap.js';
import { mappingOperations } from './ops/mappings.js';
import { memoryOperations } from './ops/memory.js';
import { mmioOperations } from './ops/mmio.js';
import { msmOperations } from './ops/msm.js';
import { kernelTlbOperations } from './ops/kernel-tlb.js';
import { sizeOperations } from './ops/sizes.js';
import { remoteprocOperations } from './ops/remoteproc.js';
import { orderingOperations } from './ops/ordering.js';
import { otherArchOperations } from './ops/other-arch.js';
import { pageOperations } from './ops/pages.js';
import { pl310Operations } from './ops/pl310.js';
import { privilegedOperations } from './ops/privileged.js';
import { reservedOperations } from './ops/reserved.js';
import { scatterlistOperations } from './ops/scatterlist.js';
import { secureOperations } from './ops/secure.js';
import { setMemoryOperations } from './ops/set-memory.js';
import { streamingOperations } from './ops/streaming.js';
import { swiotlbOperations } from './ops/swiotlb.js';
import { syncIoctlOperations } from './ops/sync-ioctls.js';
import { tlbOperations } from './ops/tlb.js';
import { userptrOperations } from './ops/userptr.js';
import { pagePoolOperations } from './ops/page-pool.js';
import { ttmOperations } from './ops/ttm.js';
import { videobuf2Operations } from './ops/videobuf2.js';
import { virtToPageOperations } from './ops/virt-to-page.js';
import { aliases } from './ops/aliases.js';
import { udmabufOperations } from './ops/udmabuf.js';
import { vmallocOperations } from './ops/vmalloc.js';
import { defineAliases, defineOperations } from './registry.js';

defineOperations([
  ...pageOperations,
  ...errorOperations,
  ...vmallocOperations,
  ...userptrOperations,
  ...secureOperations,
  ...reservedOperations,
  ...virtToPageOperations,
  ...gemOperations,
  ...gemHandleOperations,
  ...gemDmaOperations,
  ...ttmOperations,
  ...msmOperations,
  ...privilegedOperations,
  ...mappingOperations,
  ...tlbOperations,
  ...memoryOperations,
  ...cacheOperations,
  ...syncIoctlOperations,
  ...otherArchOperations,
  ...pl310Operations,
  ...setMemoryOperations,
  ...streamingOperations,
  ...scatterlistOperations,
  ...swiotlbOperations,
  ...dmaIovaOperations,
  ...coherentOperations,
  ...dmaAllocOperations,
  ...dmaPoolOperations,
  ...maskOperations,
  ...iommuOperations,
  ...iommuDefaultOperations,
  ...ioContextOperations,
  ...gpuvmOperations,
  ...dmaBufOperations,
  ...dmaBufVmapOperations,
  ...udmabufOperations,
  ...dmaBufDynamicOperations,
  ...videobuf2Operations,
  ...pagePoolOperations,
  ...deviceOperations,
  ...deviceRangeOperations,
  ...remoteprocOperations,
  ...mmioOperations,
  ...ioremapOperations,
  ...driverOperations,
  ...orderingOperations,
  ...kernelTlbOperations,
  ...sizeOperations,
]);
defineAliases(aliases);

export * from './registry.js';
