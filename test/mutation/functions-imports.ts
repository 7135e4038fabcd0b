/** Scenarios about imported objects and the kernel's address of a dma-buf; see functions.ts. */
import { shared } from './functions-dma-buf.js';
import { object, type Part, type Scenarios, text } from './part.js';

/** An object of gpu, exported to nic. */
const imported: Part = {
  ...object,
  device: '.coherent = false };\n\tdevice gpu { .coherent = false',
  init: `bo = drm_gem_shmem_create(gpu, PAGE_SIZE);
	own = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(own);
	buf = panthor_gem_prime_export(bo);`,
};

/** An object that swap may take, whose dma-buf is imported. */
const swappable: Part = {
  ...imported,
  settings: '.swap = zram;',
  init: `bo = drm_gem_shmem_create(gpu, PAGE_SIZE);
	buf = drm_gem_prime_export(bo);`,
};

function imports(vmap: string): string {
  return `${imported.init ?? ''}\n\tfb = drm_gem_prime_import(nic, buf);\n\tp = ${vmap};`;
}

const importScenes: Scenarios = [
  [
    'drm_gem_prime_import, drm_gem_object_put: leave no mapping',
    text('coherent', {
      ...imported,
      cpu: `fb = drm_gem_prime_import(nic, buf);
	drm_gem_object_put(fb);
	device_release_driver(nic);`,
    }),
  ],
  [
    'drm_gem_prime_import: is mapped, and an attachment that is mapped',
    text('H11', {
      ...imported,
      cpu: 'fb = drm_gem_prime_import(nic, buf);\n\tdevice_release_driver(nic);',
    }),
  ],
  [
    'drm_gem_prime_import: pins the object',
    text('coherent', {
      ...swappable,
      cpu: `fb = drm_gem_prime_import(nic, buf);
	sgt = drm_gem_shmem_get_pages_sgt(fb);
	dma = sg_dma_address(sgt);
	drm_gem_shmem_pin(bo);
	drm_gem_shmem_unpin(bo);
	shmem_writepage(bo);
	writel(1, nic);
	wait(nic);`,
      nic: 'dma_write(dma, 7);',
    }),
  ],
  [
    'drm_gem_object_put: an import no longer holds the pages',
    text('H8', {
      ...swappable,
      cpu: `fb = drm_gem_prime_import(nic, buf);
	sgt = drm_gem_shmem_get_pages_sgt(fb);
	dma = sg_dma_address(sgt);
	drm_gem_object_put(fb);
	shmem_writepage(bo);
	writel(1, nic);
	wait(nic);`,
      nic: 'dma_write(dma, 7);',
    }),
  ],
  [
    'drm_gem_shmem_get_pages: of an imported object',
    text('H11', {
      ...imported,
      cpu: 'fb = drm_gem_prime_import(nic, buf);\n\tdrm_gem_shmem_get_pages(fb);',
    }),
  ],
  ...['dma_buf_vmap(buf)', 'drm_gem_shmem_vmap(fb)'].map(
    (vmap) =>
      [
        `${vmap}, drm_gem_fb_begin_cpu_access: another CPU reads`,
        text('coherent', {
          ...imported,
          names: `${imported.names ?? ''}\nstruct completion done;`,
          init: imports(vmap),
          cpu: `writel(1, gpu);
	wait(gpu);
	drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
	complete(&done);`,
          reader: 'wait_for_completion(&done);\n\tu32 got = p[0];',
          after: 'device gpu {\n\tdma_write(dma, 7);\n}\nalways (reader:got == 7)',
        }),
      ] as const,
  ),
  [
    'drm_gem_fb_begin_cpu_access: waits for the fence',
    text('coherent', {
      ...imported,
      init: imports('dma_buf_vmap(buf)'),
      cpu: `writel(1, gpu);
	dma_resv_add_fence(buf, gpu);
	drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
	drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
	u32 got = p[0];`,
      after: 'device gpu {\n\tdma_write(dma, 7);\n}\nalways (driver:got == 7)',
    }),
  ],
  [
    'drm_gem_fb_end_cpu_access: ring',
    text('coherent', {
      ...imported,
      init: imports('dma_buf_vmap(buf)'),
      cpu: `p[0] = 1;
	drm_gem_fb_end_cpu_access(fb, DMA_TO_DEVICE);
	writel_relaxed(1, gpu);`,
      after: 'device gpu {\n\tu32 x = dma_read(dma);\n}',
    }),
  ],
  [
    'dma_buf_vunmap: the last one ends the mapping',
    text('H14', {
      ...shared,
      cpu: `u32 *a = dma_buf_vmap(buf);
	u32 *b = dma_buf_vmap(buf);
	dma_buf_vunmap(buf, a);
	b[0] = 1;
	dma_buf_vunmap(buf, b);
	u32 got = b[0];`,
    }),
  ],
  [
    'dma_buf_vunmap: a TLB may have it for longer',
    text('H8 H14', {
      ...object,
      init: `bo = drm_gem_shmem_create(nic, PAGE_SIZE);
	buf = drm_gem_prime_export(bo);`,
      cpu: `u32 *a = dma_buf_vmap(buf);
	a[0] = 1;
	dma_buf_vunmap(buf, a);
	drm_gem_object_put(bo);
	a[0] = 2;`,
    }),
  ],
  [
    'dma_buf_vunmap: lines may be fetched through a TLB',
    leavesTlb('dma_buf_vmap(buf)', 'dma_buf_vunmap(buf, wb)'),
  ],
  [
    'drm_gem_shmem_vunmap: of an import: lines may be fetched through a TLB',
    leavesTlb('drm_gem_shmem_vmap(fb)', 'drm_gem_shmem_vunmap(fb, wb)'),
  ],
  [
    'drm_gem_shmem_vunmap: of an import: the next mapping is a new one',
    text('coherent', {
      ...imported,
      cpu: `fb = drm_gem_prime_import(nic, buf);
	u32 *a = drm_gem_shmem_vmap(fb);
	drm_gem_shmem_vunmap(fb, a);
	u32 *b = drm_gem_shmem_vmap(fb);
	b[0] = 1;`,
    }),
  ],
  [
    'dma_buf_vunmap: once too often',
    text('H11', {
      ...shared,
      cpu: `u32 *a = dma_buf_vmap(buf);
	dma_buf_vunmap(buf, a);
	dma_buf_vunmap(buf, a);`,
    }),
  ],
  [
    'dma_buf_vunmap: the next dma_buf_vmap makes a mapping of its own',
    text('coherent', {
      ...shared,
      cpu: `u32 *a = dma_buf_vmap(buf);
	dma_buf_vunmap(buf, a);
	u32 *b = dma_buf_vmap(buf);
	b[0] = 1;`,
    }),
  ],
  [
    'dma_buf_vunmap: no longer holds the pages',
    text('H8', {
      ...object,
      init: `bo = drm_gem_shmem_create(nic, PAGE_SIZE, .map_wc = true);
	buf = drm_gem_prime_export(bo);`,
      cpu: `u32 *a = dma_buf_vmap(buf);
	sgt = drm_prime_pages_to_sg(bo);
	dma_map_sgtable(nic, sgt, DMA_BIDIRECTIONAL);
	dma = sg_dma_address(sgt);
	dma_buf_vunmap(buf, a);
	shmem_writepage(bo);
	writel(1, nic);
	wait(nic);`,
      nic: 'dma_write(dma, 7);',
    }),
  ],
  [
    'dma_buf_vunmap: the object may be purged',
    text('coherent', {
      ...object,
      init: `bo = drm_gem_shmem_create(nic, PAGE_SIZE);
	buf = drm_gem_prime_export(bo);`,
      cpu: `u32 *a = dma_buf_vmap(buf);
	dma_buf_vunmap(buf, a);
	drm_gem_shmem_madvise(bo, MADV_DONTNEED);
	int ok = drm_gem_shmem_is_purgeable(bo);`,
      after: 'always (driver:ok != 0)',
    }),
  ],
  [
    'dma_buf_detach: ends what the exporter kept mapped',
    text('coherent', {
      ...imported,
      cpu: `attach = dma_buf_attach(bo, nic);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(bo, attach);
	device_release_driver(nic);`,
      init: `bo2 = drm_gem_shmem_create(gpu, PAGE_SIZE);
	bo = drm_gem_prime_export(bo2);`,
    }),
  ],
  [
    'dma_buf_vmap: holds the pages, dma_buf_vunmap no longer',
    text('coherent', {
      ...swappable,
      cpu: `u32 *a = dma_buf_vmap(buf);
	a[0] = 5;
	shmem_writepage(bo);
	u32 got = a[0];
	dma_buf_vunmap(buf, a);
	drm_gem_shmem_pin(bo);
	drm_gem_shmem_unpin(bo);`,
      after: 'always (driver:got == 5)',
    }),
  ],
];

/** A heap's buffer, imported by the device that works on it. */
const drawn: Part = {
  ...object,
  names: `${object.names ?? ''}\nstruct completion done;`,
  init: `buf = system_heap_allocate(PAGE_SIZE);
	fb = drm_gem_prime_import(nic, buf);
	sgt = drm_gem_shmem_get_pages_sgt(fb);
	dma = sg_dma_address(sgt);
	p = dma_buf_vmap(buf);`,
};

const frames: Scenarios = ['', '.swiotlb = force;'].flatMap(
  (settings): Scenarios => [
    [
      `drm_gem_prime_import: a store before it is there ${settings}`,
      text('coherent', {
        ...object,
        settings,
        init: 'buf = system_heap_allocate(PAGE_SIZE);\n\tp = mmap(buf);',
        cpu: `p[0] = 1;
	fb = drm_gem_prime_import(nic, buf);
	sgt = drm_gem_shmem_get_pages_sgt(fb);
	dma = sg_dma_address(sgt);
	writel_relaxed(1, nic);`,
        nic: 'u32 x = dma_read(dma);',
      }),
    ],
    [
      `drm_gem_fb_begin_cpu_access: of a heap's buffer, another CPU reads ${settings}`,
      text('coherent', {
        ...drawn,
        settings,
        cpu: `writel(1, nic);
	wait(nic);
	drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
	complete(&done);`,
        reader: 'wait_for_completion(&done);\n\tu32 got = p[0];',
        nic: 'dma_write(dma, 7);',
        after: 'always (reader:got == 7)',
      }),
    ],
    [
      `drm_gem_fb_end_cpu_access: of a heap's buffer, ring ${settings}`,
      text('coherent', {
        ...drawn,
        settings,
        cpu: `p[0] = 1;
	drm_gem_fb_end_cpu_access(fb, DMA_TO_DEVICE);
	writel_relaxed(1, nic);`,
        nic: 'u32 x = dma_read(dma);',
      }),
    ],
  ],
);

/** The linear map is away, and a line may be fetched through what the vmap left in a TLB. */
function leavesTlb(vmap: string, vunmap: string): string {
  return text('H1', {
    ...imported,
    settings: '.linear_map_removable = true;',
    init: `${imported.init ?? ''}
	fb = drm_gem_prime_import(nic, buf);
	p = page_address(bo);
	u32 *wc = vmap(bo, pgprot_writecombine(PAGE_KERNEL));
	u32 *wb = ${vmap};
	set_memory_valid(p, 1, 0);
	${vunmap};
	dcache_clean_inval_poc(wc, wc + 1024);`,
    cpu: `writel(1, gpu);
	wait(gpu);
	set_memory_valid(p, 1, 1);
	u32 got = p[0];`,
    after: 'device gpu {\n\tdma_write(dma, 7);\n}',
  });
}

export function importScenarios(): Scenarios {
  return [...importScenes, ...frames];
}
