/**
 * What one DMA API call makes arm64 do to caches and bounce buffers, in bytes, if the device is
 * not coherent. Leaves out coherent devices (the report drops these numbers for them) and what a
 * line costs. An atomic dma_alloc takes memory that was cleaned before, but counts: its event has
 * no room for the difference.
 *
 * Sources: arch/arm64/mm/dma-mapping.c (a clean in every direction for the device, an invalidate
 * for the CPU unless DMA_TO_DEVICE); kernel/dma/direct.h and drivers/iommu/dma-iommu.c (no
 * maintenance with DMA_ATTR_SKIP_CPU_SYNC and for resources); kernel/dma/swiotlb.c (a map copies
 * in every direction, so that nothing of the slot leaks; the rest as the direction says).
 */
import { attributeBits, Direction } from '../events.js';
import type { LiveMapping } from '../track/live-mapping.js';

const SKIP = attributeBits.SKIP_CPU_SYNC;

/** Memory that the streaming calls maintain: neither dma_alloc nor a resource. */
function streams(m: LiveMapping): boolean {
  return m.kind === 'page' || m.kind === 'sg' || m.kind === 'pages' || m.kind === 'sgt';
}

function bouncedPart(m: LiveMapping, size: number): number {
  return m.bounced ? Math.min(size, m.bouncedSize) : 0;
}

export function onMap(m: LiveMapping, pageSize: number): void {
  if (m.kind === 'coherent') {
    // arch_dma_prep_coherent on the linear map's alias, in whole pages.
    m.bytesCleaned += Math.ceil(m.size / pageSize) * pageSize;
    return;
  }
  if (m.kind === 'sgt' && m.translated === true) {
    // dma-iommu prepares the pages; dma-direct leaves all to the syncs.
    m.bytesCleaned += m.size;
    return;
  }
  if (m.kind !== 'page' && m.kind !== 'sg') return;
  m.bytesBounced += bouncedPart(m, m.size);
  if ((m.attrs & SKIP) === 0) m.bytesCleaned += m.size;
}

export function onUnmap(m: LiveMapping, attrs: number): void {
  if (m.kind !== 'page' && m.kind !== 'sg') return;
  if ((attrs & SKIP) !== 0 || m.direction === Direction.ToDevice) return;
  m.bytesInvalidated += m.size;
  m.bytesBounced += bouncedPart(m, m.size);
}

export function onSync(m: LiveMapping, forCpu: boolean, size: number, dir: Direction): void {
  if (!streams(m)) return;
  if (forCpu) {
    if (dir === Direction.ToDevice) return;
    m.bytesInvalidated += size;
    m.bytesBounced += bouncedPart(m, size);
  } else {
    m.bytesCleaned += size;
    if (dir !== Direction.FromDevice) m.bytesBounced += bouncedPart(m, size);
  }
}
