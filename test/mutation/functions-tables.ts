/**
 * Scenarios about page tables in memory, and about mappings and syncs that no shelf of litmus/ has;
 * see functions.ts. Walks that do not snoop keep them small: what the kernel cleans, no eviction
 * has to write back.
 */
import { behind, type Part, plain, type Scenarios, text } from './part.js';

const walked: Part = {
  device: '.coherent = false, .iommu = smmu, .coherent_walk = false',
  settings: '',
};

/** A page that device nic reaches, or reached, at 0x100000. */
const mapped: Part = {
  ...walked,
  init: `bo = drm_gem_object_init(nic, PAGE_SIZE);
	vm = iommu_domain_alloc(nic);
	drm_gem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);`,
};
const mapIt = 'iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE);';
const use = 'writel(1, nic);\n\twait(nic);';

const process: Part = {
  ...walked,
  init: `bo = drm_gem_object_init(nic, PAGE_SIZE);
	drm_gem_get_pages(bo);
	sgt = drm_prime_pages_to_sg(bo);
	kernel = iommu_domain_alloc(nic, .ttbr1 = true);
	process = msm_iommu_pagetable_create(kernel);`,
};
const mapProcess = 'msm_iommu_pagetable_map(process, 0x100000, sgt, IOMMU_READ | IOMMU_WRITE);';

const table: Part = {
  ...walked,
  init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	sgt = drm_prime_pages_to_sg(page);`,
};

const tables: Scenarios = [
  [
    'iommu_unmap: what the device used is out of its reach before the page is freed',
    text('H14', {
      ...mapped,
      init: `${mapped.init}\n\t${mapIt}`,
      cpu: `${use}
	iommu_unmap(vm, 0x100000, PAGE_SIZE);
	drm_gem_object_put(bo);
	${use}`,
      nic: 'dma_write(vm, 0x100000, 7);',
    }),
  ],
  [
    'dma_map_sgtable: the tables are there before the doorbell',
    text('coherent', {
      ...table,
      cpu: `dma_map_sgtable(nic, sgt, DMA_BIDIRECTIONAL);
	dma = sg_dma_address(sgt);
	writel_relaxed(1, nic);
	wait(nic);`,
      nic: 'dma_write(dma, 7);',
    }),
  ],
  [
    'dma_unmap_sgtable: what the device used is out of its reach before the page is freed',
    text('H14', {
      ...table,
      init: `${table.init}
	dma_map_sgtable(nic, sgt, DMA_BIDIRECTIONAL);
	dma = sg_dma_address(sgt);`,
      cpu: `${use}
	dma_unmap_sgtable(nic, sgt, DMA_BIDIRECTIONAL);
	__free_pages(page, 0);
	${use}`,
      nic: 'dma_write(dma, 7);',
    }),
  ],
  [
    'msm_iommu_pagetable_map: the tables are there before the doorbell',
    text('coherent', {
      ...process,
      cpu: `${mapProcess}\n\twritel_relaxed(1, nic);\n\twait(nic);`,
      nic: 'cp_smmu_table_update(process);\n\tdma_write(0x100000, 7);',
    }),
  ],
  [
    'msm_iommu_pagetable_map: a walk beside it finds a table that is empty',
    text('H14', {
      ...process,
      cpu: `${mapProcess}\n\t${use}`,
      nic: 'cp_smmu_table_update(process);\n\tdma_write(0x400000000, 7);',
    }),
  ],
  [
    'msm_iommu_pagetable_unmap: what the device used is out of its reach before the page is freed',
    text('H14', {
      ...process,
      init: `${process.init}\n\t${mapProcess}`,
      cpu: `${use}
	msm_iommu_pagetable_unmap(process, 0x100000, PAGE_SIZE);
	drm_gem_object_put(bo);
	${use}`,
      nic: 'cp_smmu_table_update(process, .keep_tlb = true);\n\tdma_write(0x100000, 7);',
    }),
  ],
  [
    'iommu_flush_iotlb_all: after the store that clears an entry',
    text('H14', {
      ...walked,
      device: '.coherent = false, .coherent_walk = false',
      names: 'u64 *pgd;\nu32 *data;\ndma_addr_t dma;',
      init: `pgd = dma_alloc_wc(nic, PAGE_SIZE, &dma, GFP_KERNEL);
	data = kzalloc(0x200000, GFP_KERNEL);
	pgd[0] = virt_to_phys(data) | ARM_LPAE_PTE_TYPE_BLOCK | ARM_LPAE_PTE_AF;
	vm = panfrost_mmu_enable(nic, dma);`,
      cpu: `pgd[0] = 0;\n\tiommu_flush_iotlb_all(vm);\n\tkfree(data);\n\t${use}`,
      nic: 'dma_write(vm, 0, 7);',
    }),
  ],
];

/** A device that tries while the entries come: where its walk gets through, so does the data. */
const watched: Part = {
  ...walked,
  device: '.coherent = false, .iommu = smmu, .coherent_walk = true',
  names: 'u32 *p;',
  after: 'forbidden (nic:x == 5)',
};
const watchedPage = `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	arch_dma_prep_coherent(page, PAGE_SIZE);
	sgt = drm_prime_pages_to_sg(page);
	p = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	p[0] = 5;
	wmb();`;

const newTables: Scenarios = [
  [
    'iommu_map_sgtable: a store comes before the new tables are found',
    text('H14', {
      ...watched,
      init: `${watchedPage}\n\tvm = iommu_domain_alloc(nic);`,
      cpu: 'p[0] = 1;\n\tiommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ);',
      nic: 'u32 x = dma_read(vm, 0x100000);',
    }),
  ],
  [
    'msm_iommu_pagetable_map: a store comes before the new tables are found',
    text('H14', {
      ...watched,
      init: `${watchedPage}
	kernel = iommu_domain_alloc(nic, .ttbr1 = true);
	process = msm_iommu_pagetable_create(kernel);`,
      cpu: 'p[0] = 1;\n\tmsm_iommu_pagetable_map(process, 0x100000, sgt, IOMMU_READ);',
      nic: 'cp_smmu_table_update(process);\n\tu32 x = dma_read(0x100000);',
    }),
  ],
  [
    'arm_smmu_tlb_inv_context: what the device used is out of its reach',
    text('H14', {
      ...behind,
      init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);
	vm = iommu_domain_alloc(nic);
	iommu_map(vm, 0x100000, phys, PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);`,
      cpu: `${use}
	iommu_unmap_fast(vm, 0x100000, PAGE_SIZE);
	arm_smmu_tlb_inv_context(vm, nic);
	__free_pages(page, 0);
	${use}`,
      nic: 'dma_write(vm, 0x100000, 7);',
    }),
  ],
];

/** A process of the GPU reads, or writes, before the tables of the next one; the IOTLB stays. */
const switches: Scenarios = [
  ['dma_read', 'u32 x = dma_read(0x100000);', 'H2 H6 H15'],
  ['dma_write', 'dma_write(0x100000, 1);', 'H15'],
].map(([name = '', first = '', result = '']) => [
  `${name}: its translation is in the IOTLB after it`,
  text(result, {
    ...walked,
    init: ['1', '2']
      .map(
        (i) => `bo${i} = drm_gem_object_init(nic, PAGE_SIZE);
	drm_gem_get_pages(bo${i});
	sgt${i} = drm_prime_pages_to_sg(bo${i});`,
      )
      .concat('kernel = iommu_domain_alloc(nic, .ttbr1 = true);')
      .concat(
        ['1', '2'].map(
          (i) => `process${i} = msm_iommu_pagetable_create(kernel);
	msm_iommu_pagetable_map(process${i}, 0x100000, sgt${i}, IOMMU_READ | IOMMU_WRITE);`,
        ),
      )
      .join('\n\t'),
    nic: `cp_smmu_table_update(process1);
	${first}
	cp_smmu_table_update(process2, .keep_tlb = true);
	dma_write(0x100000, 2);`,
  }),
]);

const alloced: Scenarios = [
  ['dma_mmap_pages', 'dma_alloc_pages(nic, PAGE_SIZE, &dma, DMA_BIDIRECTIONAL, GFP_KERNEL)', ''],
  [
    'dma_mmap_noncontiguous',
    'dma_alloc_noncontiguous(nic, PAGE_SIZE, DMA_BIDIRECTIONAL, GFP_KERNEL, 0)',
    '\n\tdma = sg_dma_address(got);',
  ],
].map(([name = '', call = '', then = '']) => [
  `${name}: cached, as user space asked`,
  text('H2 H6', {
    ...plain,
    names: `u32 *p;${then === '' ? '\ndma_addr_t dma;' : ''}`,
    init: `got = ${call};\n\tp = ${name}(nic, PAGE_SIZE, got);${then}`,
    cpu: 'p[0] = 1;\n\twritel(1, nic);',
    nic: 'u32 x = dma_read(dma);',
  }),
]);

const cachedObject: Part = {
  ...plain,
  names: 'u32 *p;\nstruct completion done;',
  init: `bo = drm_gem_shmem_create(nic, PAGE_SIZE);
	sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma = sg_dma_address(sgt);
	p = mmap(bo);`,
  reader: 'wait_for_completion(&done);\n\tu32 got = p[0];',
};

const syncs: Scenarios = [
  [
    'etnaviv_gem_cpu_prep: over before another CPU reads',
    text('coherent', {
      ...cachedObject,
      cpu: `u32 old = p[0];
	etnaviv_gem_cpu_fini(bo, ETNA_PREP_READ);
	${use}
	etnaviv_gem_cpu_prep(bo, ETNA_PREP_READ);
	complete(&done);`,
      nic: 'dma_write(dma, 7);',
    }),
  ],
  ...['panfrost', 'panthor'].map((driver) => {
    const flush = `${driver === 'panthor' ? 'DRM_PANTHOR' : 'PANFROST'}_BO_SYNC_CPU_CACHE_FLUSH`;
    return [
      `${driver}_gem_sync: before a relaxed doorbell, and before another CPU reads`,
      text('coherent', {
        ...cachedObject,
        cpu: `p[0] = 1;
	${driver}_gem_sync(bo, ${flush}, 0, 64);
	writel_relaxed(1, nic);
	wait(nic);
	${driver}_gem_sync(bo, ${flush}_AND_INVALIDATE, 0, 64);
	complete(&done);`,
        nic: 'u32 x = dma_read(dma);\n\tdma_write(dma, 7);',
      }),
    ] as const;
  }),
  [
    'dma_map_single: invalidates on a kernel that was patched to do so',
    text('H3', {
      ...plain,
      settings: '.arch_sync_dma_for_device_from_device = inval;',
      names: 'u32 *p;\ndma_addr_t dma;',
      init: 'p = kzalloc(PAGE_SIZE, GFP_KERNEL);',
      cpu: `p[0] = 1;
	dma = dma_map_single(nic, p, PAGE_SIZE, DMA_FROM_DEVICE);
	u32 got = p[0];`,
    }),
  ],
];

/** What a TLB keeps is flushed once no store of a CPU is under way to those pages. */
const flushes: Scenarios = [
  [
    'flush_tlb_kernel_range: a store by the linear map is there',
    text('coherent', {
      device: '.coherent = true',
      settings: '.linear_map_removable = true;',
      names: 'u32 *p;',
      init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);
	p = page_address(page);`,
      cpu: `p[0] = 1;
	set_direct_map_invalid_noflush(page);
	flush_tlb_kernel_range(p, p + 1024);
	writel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
  [
    'vm_unmap_aliases: a store by a vmap is there',
    text('coherent', {
      device: '.coherent = true',
      settings: '',
      init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	phys = page_to_phys(page);`,
      cpu: `u32 *p = vmap(page, PAGE_KERNEL);
	p[0] = 1;
	vunmap(p);
	vm_unmap_aliases();
	writel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(phys);',
    }),
  ],
];

const others: Scenarios = [
  [
    'qcom_scm_assign_mem: maintenance under way is over before the memory goes',
    text('coherent', {
      ...plain,
      settings: '.linear_map_removable = true;',
      names: 'u32 *wc;',
      init: `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	set_direct_map_invalid_noflush(page);
	flush_tlb_all();`,
      cpu: `dcache_clean_poc_nosync(wc, wc + 1024);
	qcom_scm_assign_mem(page_to_phys(page), PAGE_SIZE, QCOM_SCM_VMID_CP_PIXEL);`,
    }),
  ],
  [
    'dma_read: of its own memory, behind what is on the way there',
    text('coherent', {
      ...plain,
      names: 'u32 *ring;\nphys_addr_t vram;',
      init: `vram = pci_resource_start(nic, 2);
	ring = ioremap_wc(vram, PAGE_SIZE);
	ring[0] = 5;
	wmb();`,
      cpu: 'ring[0] = 7;',
      nic: 'u32 x = dma_read(vram);',
      after: 'forbidden (nic:x == 0)',
    }),
  ],
  [
    'dma_map_single: has the barriers of a kernel that does its maintenance otherwise',
    text('coherent', {
      ...plain,
      names: `u32 *p;
u32 *wc;
dma_addr_t addr;
dma_addr_t dma;
override arch_sync_dma_for_device(paddr, size, dir) {
	dcache_clean_poc_nosync(phys_to_virt(paddr), phys_to_virt(paddr) + size);
	dma_wmb();
}`,
      init: `p = kmalloc(256, GFP_KERNEL);
	wc = dma_alloc_wc(nic, PAGE_SIZE, &dma, GFP_KERNEL);`,
      cpu: `wc[0] = 1;
	addr = dma_map_single(nic, p, 256, DMA_TO_DEVICE);
	writel_relaxed(1, nic);`,
      nic: 'u32 x = dma_read(dma);',
    }),
  ],
];

export function tableScenarios(): Scenarios {
  return [...tables, ...newTables, ...switches, ...alloced, ...syncs, ...flushes, ...others];
}
