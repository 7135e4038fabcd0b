/** Front door of the kernel layer: registers every operation, re-exports the registry. */
import { cacheOperations } from './ops/cache.js';
import { coherentOperations } from './ops/coherent.js';
import { deviceOperations } from './ops/device.js';
import { dmaAllocOperations } from './ops/dma-alloc.js';
import { maskOperations } from './ops/dma-masks.js';
import { dmaBufOperations } from './ops/dma-buf.js';
import { gemOperations } from './ops/gem.js';
import { iommuOperations } from './ops/iommu-api.js';
import { mappingOperations } from './ops/mappings.js';
import { memoryOperations } from './ops/memory.js';
import { msmOperations } from './ops/msm.js';
import { orderingOperations } from './ops/ordering.js';
import { pageOperations } from './ops/pages.js';
import { scatterlistOperations } from './ops/scatterlist.js';
import { streamingOperations } from './ops/streaming.js';
import { defineOperations } from './registry.js';

defineOperations([
  ...pageOperations,
  ...gemOperations,
  ...msmOperations,
  ...mappingOperations,
  ...memoryOperations,
  ...cacheOperations,
  ...streamingOperations,
  ...scatterlistOperations,
  ...coherentOperations,
  ...dmaAllocOperations,
  ...maskOperations,
  ...iommuOperations,
  ...dmaBufOperations,
  ...deviceOperations,
  ...orderingOperations,
]);

export * from './registry.js';
