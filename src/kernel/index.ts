/** Front door of the kernel layer: registers every operation, re-exports what is above its use. */
import { cacheOperations } from './ops/cache.js';
import { dmaOperations } from './ops/dma-api.js';
import { gemOperations } from './ops/gem.js';
import { dmaBufOperations, iommuOperations } from './ops/iommu-api.js';
import { pageOperations } from './ops/pages.js';
import { syncOperations } from './ops/sync.js';
import { defineOperations, findOperation } from './registry.js';

if (findOperation('alloc_pages') === undefined) {
  for (const family of [
    pageOperations, gemOperations, cacheOperations, dmaOperations, iommuOperations,
    dmaBufOperations, syncOperations,
  ]) {
    defineOperations(family);
  }
}

export * from './registry.js';
