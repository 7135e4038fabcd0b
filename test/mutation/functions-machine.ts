/** Scenarios about TLBs of kernel mappings and device memory behind BARs; see functions.ts. */
import { type Part, plain, type Scenarios, text } from './part.js';

/** Another CPU stores through a mapping that goes, and says so before the store has left it. */
function flushed(init: string, remove: string, through: string): Part {
  return {
    ...plain,
    settings: '.linear_map_removable = true;',
    names: 'u32 *p;\nu32 *flag;\nu32 *wc;\nu32 *wb;',
    init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	flag = kzalloc(64, GFP_KERNEL);
	p = page_address(page);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	${init}`,
    cpu: `while (READ_ONCE(flag[0]) == 0)
		;
	${remove}
	dcache_clean_poc(wc, wc + 16);
	u32 x = wc[0];`,
    reader: `${through}[0] = 5;\n\tWRITE_ONCE(flag[0], 1);`,
  };
}

const ring: Part = {
  ...plain,
  names: 'u32 *p;\nu32 *flag;\nphys_addr_t vram;\ndma_addr_t bus;',
  init: `vram = pci_resource_start(nic, 0);
	p = ioremap_wc(vram, PAGE_SIZE);
	flag = dma_alloc_coherent(nic, PAGE_SIZE, &bus, GFP_KERNEL);`,
};

const flushes: Scenarios = [
  [
    'flush_tlb_kernel_range: stores through the mapping are in',
    text(
      'coherent',
      flushed(
        '',
        'set_direct_map_invalid_noflush(page);\n\tflush_tlb_kernel_range(p, p + 1024);',
        'p',
      ),
    ),
  ],
  [
    'flush_tlb_all: stores through the mapping are in',
    text('coherent', flushed('', 'set_direct_map_invalid_noflush(page);\n\tflush_tlb_all();', 'p')),
  ],
  [
    'flush_tlb_all: no line comes in any more',
    text('coherent', {
      ...plain,
      settings: '.linear_map_removable = true;',
      names: 'u32 *p;\nu32 *wc;\nphys_addr_t phys;',
      init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);
	p = page_address(page);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	set_direct_map_invalid_noflush(page);
	flush_tlb_all();
	dcache_clean_inval_poc(wc, wc + 16);`,
      cpu: 'submit(nic);\n\twait(nic);\n\tset_direct_map_default_noflush(page);\n\tu32 x = p[0];',
      nic: 'dma_write(phys, 7);',
    }),
  ],
  [
    'vm_unmap_aliases: stores through the mapping are in',
    text(
      'coherent',
      flushed('wb = vmap(page, PAGE_KERNEL);', 'vunmap(wb);\n\tvm_unmap_aliases();', 'wb'),
    ),
  ],
];

const deviceMemory: Scenarios = [
  [
    'dma_read: the device does not look at its memory before what was sent to it is in',
    text('coherent', {
      ...ring,
      cpu: 'p[0] = 7;\n\twmb();\n\tflag[0] = 1;',
      nic: 'while (dma_read_sync(bus) == 0)\n\t\t;\n\tu32 x = dma_read(vram);',
      after: 'always (nic:x == 7)',
    }),
  ],
  [
    'dma_read_sync: nor by a read that it relies on',
    text('coherent', {
      ...ring,
      cpu: 'p[0] = 7;\n\twmb();\n\tflag[0] = 1;',
      nic: 'while (dma_read_sync(bus) == 0)\n\t\t;\n\tu32 x = dma_read_sync(vram);',
      after: 'always (nic:x == 7)',
    }),
  ],
  [
    'ioremap_cache: the stores stay in the cache',
    text('H2 H6', {
      ...ring,
      cpu: 'u32 *wb = ioremap_cache(vram, PAGE_SIZE);\n\twb[0] = 7;\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vram);',
    }),
  ],
  [
    'qcom_scm_assign_mem: an access faults',
    text('H14', {
      ...plain,
      settings: '.linear_map_removable = true;',
      names: 'u32 *wc;',
      init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	set_direct_map_invalid_noflush(page);
	flush_tlb_all();
	dcache_clean_inval_poc(wc, wc + 1024);`,
      cpu: `qcom_scm_assign_mem(page_to_phys(page), PAGE_SIZE, QCOM_SCM_VMID_CP_PIXEL);
	u32 x = wc[0];`,
    }),
  ],
  [
    'ioremap_np: the store is over with the barrier',
    text('coherent', {
      ...plain,
      settings: 'device gpu { };',
      names: 'u32 *np;\nphys_addr_t vram;',
      init: 'vram = pci_resource_start(gpu, 0);\n\tnp = ioremap_np(vram, PAGE_SIZE);',
      cpu: 'np[0] = 7;\n\twmb();\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vram);',
    }),
  ],
  [
    'ioremap_np: of system memory',
    text(
      'H11',
      {
        ...ring,
        cpu: 'u32 *q = ioremap_np(page_to_phys(alloc_pages(GFP_KERNEL, 0)), PAGE_SIZE);',
      },
      'ioremap() of system memory: a warning, and no mapping',
    ),
  ],
  ['iounmap: an access after it faults', text('H14', { ...ring, cpu: 'iounmap(p);\n\tp[0] = 7;' })],
  [
    'iounmap: twice',
    text(
      'H11',
      { ...ring, cpu: 'iounmap(p);\n\tiounmap(p);' },
      'iounmap of a mapping that is gone',
    ),
  ],
];

const refused: Scenarios = [
  [
    'ioremap: of system memory',
    text(
      'H11',
      { ...ring, cpu: 'u32 *q = ioremap(page_to_phys(alloc_pages(GFP_KERNEL, 0)), PAGE_SIZE);' },
      'ioremap() of system memory: a warning, and no mapping',
    ),
  ],
  [
    'ioremap_wc: of system memory',
    text(
      'H11',
      {
        ...ring,
        cpu: 'u32 *q = ioremap_wc(page_to_phys(alloc_pages(GFP_KERNEL, 0)), PAGE_SIZE);',
      },
      'ioremap() of system memory: a warning, and no mapping',
    ),
  ],
  [
    'ioremap_cache: of system memory',
    text(
      'H11',
      {
        ...ring,
        cpu: 'u32 *q = ioremap_cache(page_to_phys(alloc_pages(GFP_KERNEL, 0)), PAGE_SIZE);',
      },
      'ioremap() of system memory: a warning, and no mapping',
    ),
  ],
  [
    'memcpy_toio: it is newer than what the device reads instead',
    text('H6 H13', {
      ...ring,
      init: `${ring.init}\n\tflag[0] = 7;`,
      cpu: 'memcpy_toio(p, flag, 4);\n\twritel_relaxed(1, nic);',
      nic: 'u32 x = dma_read(vram);',
    }),
  ],
  [
    'memcpy_toio: what it copied is newer than what was there',
    text('coherent', {
      ...ring,
      init: `${ring.init}\n\tflag[0] = 7;`,
      cpu: 'memcpy_toio(p, flag, 4);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vram);',
      after: 'always (nic:x == 7)',
    }),
  ],
  [
    'memcpy_fromio: it waits for what was sent',
    text('coherent', {
      ...ring,
      cpu: 'p[0] = 7;\n\twmb();\n\tmemcpy_fromio(flag, p, 4);\n\tu32 x = flag[0];',
      after: 'always (driver:x == 7)',
    }),
  ],
  [
    'memset_io: it is newer than what the device reads instead',
    text('H6 H13', {
      ...ring,
      init: `${ring.init}\n\tflag[0] = 7;`,
      cpu: 'memset_io(p, 1, 64);\n\twritel_relaxed(1, nic);',
      nic: 'u32 x = dma_read(vram);',
    }),
  ],
  [
    'memset_io: what it stored is newer than what was there',
    text('coherent', {
      ...ring,
      cpu: 'memset_io(p, 1, 64);\n\twritel(1, nic);',
      nic: 'u32 x = dma_read(vram);',
      after: 'always (nic:x == 16843009)',
    }),
  ],
];

export function machineScenarios(): Scenarios {
  return [...flushes, ...deviceMemory, ...refused];
}
