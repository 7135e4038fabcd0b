/** Scenarios about the entries of scatterlists; see functions.ts. */
import { behind, plain, type Scenarios, text } from './part.js';

/** Two pages of an object, behind an IOMMU. */
function twoPages(said: string): string {
  return text('coherent', {
    ...behind,
    init: `bo = drm_gem_object_init(nic, 2 * PAGE_SIZE);
	drm_gem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);`,
    cpu: `${said}\n\tint got = dma_map_sg(nic, sgt, 2, DMA_TO_DEVICE);`,
    after: 'always (driver:got == 2)',
  });
}

const segments: Scenarios = [
  ['dma_set_max_seg_size: no further', twoPages('dma_set_max_seg_size(nic, PAGE_SIZE);')],
  [
    'dma_get_max_seg_size: 64 KiB, or what was said',
    text('coherent', {
      ...plain,
      cpu: `int before = dma_get_max_seg_size(nic);
	dma_set_max_seg_size(nic, 4096);
	int after = dma_get_max_seg_size(nic);`,
      after: 'always (driver:before == 65536 && driver:after == 4096)',
    }),
  ],
  ['dma_set_seg_boundary: not across', twoPages('dma_set_seg_boundary(nic, PAGE_SIZE - 1);')],
  ...[
    'dma_map_sg(nic, sgt, 1, DMA_TO_DEVICE)',
    'dma_map_sg_attrs(nic, sgt, 1, DMA_TO_DEVICE, 0)',
    'dma_map_sgtable(nic, sgt, DMA_TO_DEVICE)',
  ].flatMap(
    (map): Scenarios => [
      [
        `${map}: an entry across a boundary`,
        text('H11', {
          ...plain,
          init: `page = alloc_pages(GFP_KERNEL, 1);
	sgt = sg_alloc_table(1);
	sg_set_page(sgt, 0, page, PAGE_SIZE, 64);
	dma_set_seg_boundary(nic, PAGE_SIZE - 1);`,
          cpu: `${map};`,
        }),
      ],
      [
        `${map}: an entry that is too long`,
        text('H11', {
          ...plain,
          init: `page = alloc_pages(GFP_KERNEL, 1);
	sgt = sg_alloc_table(1);
	sg_set_page(sgt, 0, page, PAGE_SIZE, 64);
	dma_set_max_seg_size(nic, 512);`,
          cpu: `${map};`,
        }),
      ],
    ],
  ),
];

export function segmentScenarios(): Scenarios {
  return segments;
}
