/** Scenarios about dma-bufs that may move; see functions.ts. */
import { object, type Part, type Scenarios, text } from './part.js';

/** A TTM object of nic that may move. */
const moving: Part = {
  ...object,
  device: '.coherent = true, .iommu = smmu',
  init: `bo = ttm_tt_init(nic, PAGE_SIZE, ttm_cached);
	buf = amdgpu_gem_prime_export(bo);`,
};
const dynamic = `${moving.init ?? ''}
	at = dma_buf_dynamic_attach(buf, nic);
	vm = iommu_domain_alloc(nic);`;
const inTables = `sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE);`;
const rawTables = `sgt = drm_prime_pages_to_sg(bo);
	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE);`;
const nicWrites = 'dma_write(vm, 0x100000, 7);';

const moves: Scenarios = [
  [
    'amdgpu_gem_prime_export, dma_buf_dynamic_attach: nothing is pinned',
    text('H8', {
      ...moving,
      init: dynamic,
      cpu: `${inTables}\n\tttm_bo_swapout(bo);\n\twritel(1, nic);\n\twait(nic);`,
      nic: nicWrites,
    }),
  ],
  [
    'amdgpu_gem_prime_export: nothing stays mapped',
    text('coherent', {
      ...moving,
      init: dynamic,
      cpu: `sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment(at, sgt, DMA_BIDIRECTIONAL);
	device_release_driver(nic);`,
    }),
  ],
  [
    'dma_buf_attach: of a buffer that moves: pinned, and mapped at once',
    text('H11', {
      ...moving,
      cpu: `at = dma_buf_attach(buf, nic);\n\tttm_bo_swapout(bo);\n\tdevice_release_driver(nic);`,
    }),
  ],
  [
    'dma_buf_dynamic_attach: of one that does not: mapped at once, until it leaves',
    text('coherent', {
      ...moving,
      init: 'buf = system_heap_allocate(PAGE_SIZE);',
      cpu: `at = dma_buf_dynamic_attach(buf, nic);
	sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment(at, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf, at);
	device_release_driver(nic);`,
    }),
  ],
  [
    'dma_buf_dynamic_attach: a mapping that stays',
    text('H11', {
      ...moving,
      init: 'buf = system_heap_allocate(PAGE_SIZE);',
      cpu: 'at = dma_buf_dynamic_attach(buf, nic);\n\tdevice_release_driver(nic);',
    }),
  ],
  [
    'dma_buf_pin: it stays where it is',
    text('coherent', {
      ...moving,
      init: dynamic,
      cpu: `dma_buf_pin(at);
	${inTables}
	ttm_bo_swapout(bo);
	writel(1, nic);
	wait(nic);`,
      nic: nicWrites,
    }),
  ],
  [
    'dma_buf_pin: gets the pages',
    text('coherent', {
      ...moving,
      init: `${dynamic}\n\tdma_buf_pin(at);`,
      cpu: 'q = ttm_bo_vmap(bo);\n\tq[0] = 1;\n\tu32 got = q[0];',
    }),
  ],
  [
    'dma_buf_unpin: it may move again',
    text('H8', {
      ...moving,
      init: dynamic,
      cpu: `dma_buf_pin(at);
	dma_buf_unpin(at);
	${inTables}
	ttm_bo_swapout(bo);
	writel(1, nic);
	wait(nic);`,
      nic: nicWrites,
    }),
  ],
  [
    'dma_buf_unpin: once too often',
    text('H11', { ...moving, init: dynamic, cpu: 'dma_buf_unpin(at);' }),
  ],
  ...['dma_buf_move_notify(buf)', 'move_notify(at)'].map(
    (call) =>
      [
        `${call}: the device no longer reaches the page, and nothing is mapped`,
        text('H14', {
          ...moving,
          init: dynamic,
          cpu: `${inTables}
	${call};
	ttm_bo_swapout(bo);
	writel(1, nic);
	wait(nic);
	device_release_driver(nic);`,
          nic: nicWrites,
        }),
      ] as const,
  ),
  ...['dma_buf_move_notify(buf)', 'move_notify(at)'].map(
    (call) =>
      [
        `${call}: waits for the job`,
        text('coherent', {
          ...moving,
          init: dynamic,
          cpu: `${inTables}\n\twritel(1, nic);\n\t${call};\n\tttm_bo_swapout(bo);`,
          nic: nicWrites,
        }),
      ] as const,
  ),
  [
    'dma_buf_detach: a buffer that moves may move again',
    text('H8', {
      ...moving,
      init: `${moving.init ?? ''}\n\tvm = iommu_domain_alloc(nic);`,
      cpu: `at = dma_buf_attach(buf, nic);
	${rawTables}
	dma_buf_detach(buf, at);
	ttm_bo_swapout(bo);
	writel(1, nic);
	wait(nic);`,
      nic: nicWrites,
    }),
  ],
  [
    'dma_buf_pin: the pages are swapped out when it is over',
    text('H8', {
      ...moving,
      init: dynamic,
      cpu: `dma_buf_pin(at);
	${rawTables}
	dma_buf_unpin(at);
	ttm_bo_swapout(bo);
	writel(1, nic);
	wait(nic);`,
      nic: nicWrites,
    }),
  ],
  ...['dma_buf_move_notify(buf)', 'move_notify(at)'].map(
    (call) =>
      [
        `${call}: the attachment is not mapped any more`,
        text('coherent', {
          ...moving,
          init: dynamic,
          cpu: `${inTables}\n\t${call};\n\tdma_buf_detach(buf, at);`,
        }),
      ] as const,
  ),
  [
    'ttm_bo_vmap: what was swapped out comes back, once',
    text('coherent', {
      ...moving,
      cpu: `u32 *one = ttm_bo_vmap(bo);
	one[0] = 1;
	ttm_bo_swapout(bo);
	u32 *again = ttm_bo_vmap(bo);
	again[0] = 2;
	ttm_bo_swapout(bo);
	u32 *last = ttm_bo_vmap(bo);
	u32 got = last[0];`,
      after: 'always (driver:got == 2)',
    }),
  ],
  [
    'dma_buf_map_attachment: what was swapped out comes back, once',
    text('coherent', {
      ...moving,
      init: dynamic,
      cpu: `q = ttm_bo_vmap(bo);
	q[0] = 1;
	ttm_bo_swapout(bo);
	sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	u32 *again = ttm_bo_vmap(bo);
	again[0] = 2;
	dma_buf_move_notify(buf);
	ttm_bo_swapout(bo);
	u32 *last = ttm_bo_vmap(bo);
	u32 got = last[0];`,
      after: 'always (driver:got == 2)',
    }),
  ],
  [
    'dma_buf_dynamic_attach, dma_buf_detach: the device reaches what was mapped at once',
    text('coherent', {
      ...moving,
      init: 'buf = system_heap_allocate(PAGE_SIZE);',
      cpu: `at = dma_buf_dynamic_attach(buf, nic);
	sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	dma = sg_dma_address(sgt);
	writel(1, nic);
	wait(nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
  [
    'dma_buf_detach: the device no longer reaches what was mapped until then',
    text('H14', {
      ...moving,
      init: 'buf = system_heap_allocate(PAGE_SIZE);',
      cpu: `at = dma_buf_dynamic_attach(buf, nic);
	sgt = dma_buf_map_attachment(at, DMA_BIDIRECTIONAL);
	dma = sg_dma_address(sgt);
	dma_buf_unmap_attachment(at, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf, at);
	writel(1, nic);
	wait(nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
];

export function moveScenarios(): Scenarios {
  return moves;
}
