/**
 * Overrides: what a scenario's kernel does instead of Linux. In place of a call, and inside the
 * functions that call it; how it is told; both engines.
 */
import { describe, expect, it } from 'vitest';
import { compile, format } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import type { CheckResult } from '../src/verdict/result.js';

function checked(text: string): CheckResult {
  const { program, diagnostics } = compile(text, 'x.litmus');
  if (program === null) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  const fast = check(program, { maxStates: 100_000 });
  const plain = check(program, { maxStates: 100_000, engine: 'reference' });
  expect(told(fast)).toEqual(told(plain));
  return fast;
}

function told({ verdict, hazards }: CheckResult): unknown {
  return { verdict, hazards: hazards.map(({ id, at, needs }) => ({ id, at, needs })) };
}

function ids(text: string): string {
  const found = checked(text).hazards.map(({ id }) => id);
  return [...new Set(found)].sort().join(' ');
}

const dev = 'machine arm64 {\n device nic { .coherent = false };\n}\n';

/** A page that the device writes and the CPU reads afterwards, by way of `calls`. */
function receive(override: string, unmap: string, machine = dev): string {
  return `${machine}u32 *buf;
dma_addr_t addr;
${override}
init { buf = kzalloc(4096, GFP_KERNEL); }
cpu driver {
  addr = dma_map_single(nic, buf, 4096, DMA_FROM_DEVICE);
  submit(nic);
  wait(nic);
  ${unmap}
  u32 got = buf[0];
}
device nic { dma_write(addr, 7); }
`;
}

const unmap = 'dma_unmap_single(nic, addr, 4096, DMA_FROM_DEVICE);';
const sync = 'dma_sync_single_for_cpu(nic, addr, 4096, DMA_FROM_DEVICE);';

/** A heap buffer that the CPU has read, and reads again when the device has written it. */
const heap = (override: string, direction: string, call: string): string => `${dev}u32 *p;
dma_addr_t addr;
${override}
init {
  buf = system_heap_allocate(4096);
  att = dma_buf_attach(buf, nic);
  sgt = dma_buf_map_attachment(att, ${direction});
  addr = sg_dma_address(sgt);
  p = mmap(buf);
}
cpu user {
  u32 before = p[0];
  submit(nic);
  wait(nic);
  ${call}
  u32 got = p[0];
}
device nic { dma_write(addr, 7); }
`;

describe('an override in place of a call', () => {
  it('takes the arguments of the call, by position', () => {
    const steps = `override dma_sync_single_for_cpu(d, a, n, way) {
  if (way == DMA_FROM_DEVICE && n == 4096) arch_sync_dma_for_cpu((phys_addr_t)a, n, way);
}`;
    expect(ids(receive(steps, sync))).toBe('');
    expect(ids(receive(steps.replace('n == 4096', 'n == 64'), sync))).toBe('H1');
  });

  it('may store and load, which a function inside the kernel may not', () => {
    const steps = 'override dma_sync_single_for_cpu(d, a, n, way) { buf[0] = 9; }';
    const found = checked(receive(steps, `${sync}\n  if (buf[0] == 9) { }`));
    expect(found.verdict).toBe('coherent');
  });

  it('returns early, and a value', () => {
    const steps = `override dma_map_page(d, page, offset, size, dir) {
  if (size > 64) return dma_map_single(d, page_address(page), size, dir);
  return 0;
}`;
    const text = `${dev}struct page *page;
dma_addr_t addr;
${steps}
init { page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0); }
cpu driver {
  addr = dma_map_page(nic, page, 0, 4096, DMA_TO_DEVICE);
  submit(nic);
}
device nic { u32 x = dma_read(addr); }
`;
    expect(ids(text)).toBe('');
  });

  it('keeps its variables apart from those of the thread', () => {
    const steps = `override dma_sync_single_for_cpu(d, a, n, way) {
  u32 got = 1;
  for (int i = 0; i < 2; i++) arch_sync_dma_for_cpu((phys_addr_t)a, n, way);
  got++;
}`;
    const twice = `for (int i = 0; i < 2; i++) { ${sync} }`;
    expect(ids(receive(steps, twice))).toBe('');
  });

  it('names its own lines', () => {
    const steps = 'override dma_sync_single_for_cpu(d, a, n, way) { dcache_clean_poc(buf, buf); }';
    const { notes } = checked(receive(steps, sync));
    const line = receive(steps, sync).split('\n').indexOf(steps) + 1;
    expect(notes.map((note) => note.line)).toContain(line);
  });
});

describe('an override inside functions of the kernel', () => {
  const nothing = 'override arch_sync_dma_for_cpu(paddr, size, dir) { }';

  it('is called by unmaps and syncs', () => {
    expect(ids(receive(nothing, unmap))).toBe('H1');
    expect(ids(receive(nothing, sync))).toBe('H1');
    expect(ids(receive('', unmap))).toBe('');
  });

  it('gets the physical address, the size and the direction', () => {
    const steps = `override arch_sync_dma_for_cpu(paddr, size, dir) {
  if (size == 4096 && dir == DMA_FROM_DEVICE)
    dcache_inval_poc(phys_to_virt(paddr), phys_to_virt(paddr) + size);
}`;
    expect(ids(receive(steps, unmap))).toBe('');
    const behind = dev.replace('.coherent = false', '.coherent = false, .iommu = smmu');
    expect(ids(receive(steps, unmap, behind))).toBe('');
    expect(ids(receive(steps.replace('4096', '64'), unmap, behind))).toBe('H1');
  });

  it('is not called for a coherent device, nor with DMA_ATTR_SKIP_CPU_SYNC', () => {
    const wrong = `override arch_sync_dma_for_cpu(paddr, size, dir) {
  dcache_clean_poc(phys_to_virt(paddr), phys_to_virt(paddr) + size);
}`;
    const coherent = dev.replace('.coherent = false', '.coherent = true');
    const { notes } = checked(receive(wrong, unmap, coherent));
    expect(notes.map(({ message }) => message).join()).not.toContain('override');
  });

  it('says in a note that it did nothing, and in which line it stands', () => {
    const { notes } = checked(receive(nothing, unmap));
    const said = notes.map(({ message }) => message);
    expect(said).toContain('nothing is done (override of arch_sync_dma_for_cpu, line 6)');
  });

  it('is among the assumptions', () => {
    const { assumptions } = checked(receive(nothing, unmap));
    expect(assumptions.overrides).toBe('arch_sync_dma_for_cpu (line 6)');
  });

  it('is refused when it comes back to itself through another function', () => {
    const steps = `override arch_sync_dma_for_cpu(paddr, size, dir) {
  dma_sync_single_for_cpu(nic, (dma_addr_t)paddr, size, dir);
}`;
    expect(() => checked(receive(steps, unmap))).toThrow(/comes back to arch_sync_dma_for_cpu/u);
  });

  it('is called for the table of a heap buffer, and by dma_sync_sgtable_for_cpu', () => {
    const text = (override: string, call: string): string =>
      heap(override, 'DMA_BIDIRECTIONAL', call);
    const skips = 'override dma_sync_sg_for_cpu(dev, sgl, nents, dir) { }';
    const begin = 'dma_buf_begin_cpu_access(buf, DMA_FROM_DEVICE);';
    const table = 'dma_sync_sgtable_for_cpu(nic, sgt, DMA_FROM_DEVICE);';
    expect(ids(text('', begin))).toBe('');
    expect(ids(text(skips, begin))).toBe('H1');
    expect(ids(text('', table))).toBe('');
    expect(ids(text(skips, table))).toBe('H1');
  });
});

describe('the text of an override', () => {
  it('may have the head of a C function', () => {
    const bare = 'override arch_sync_dma_for_cpu(paddr, size, dir) { }';
    const typed =
      'override void arch_sync_dma_for_cpu(phys_addr_t paddr, size_t size, ' +
      'enum dma_data_direction dir) { }';
    expect(ids(receive(typed, unmap))).toBe(ids(receive(bare, unmap)));
    const struct =
      'override void dma_unmap_single(struct device *d, dma_addr_t a, size_t n, ' +
      'enum dma_data_direction dir) { }';
    expect(ids(receive(struct, unmap))).toBe('H1');
  });

  it('is laid out by fmt and means the same then', () => {
    const text = receive('override iommu_iotlb_sync(domain) { wmb(); }', unmap);
    const once = format(text).text ?? '';
    expect(format(once).text).toBe(once);
    expect(once).toContain('override iommu_iotlb_sync(domain) {\n\twmb();\n}');
  });
});

describe('an override of what functions of objects call', () => {
  const object = (override: string, more = ''): string => `${dev}u32 *p;
dma_addr_t addr;
${override}
init {
  bo = drm_gem_shmem_create(nic, 4096);
  sgt = drm_gem_shmem_get_pages_sgt(bo);
  addr = sg_dma_address(sgt);
  p = mmap(bo);
}
cpu user {
  ${more}
  submit(nic);
}
device nic { u32 x = dma_read(addr); }
`;

  it('maps the table of an object, and may fail', () => {
    const skips = `override dma_map_sgtable(dev, sgt, dir, attrs) {
  dma_map_sg_attrs(dev, sgt, 1, dir, DMA_ATTR_SKIP_CPU_SYNC);
  return 0;
}`;
    expect(ids(object(''))).toBe('');
    expect(ids(object(skips))).toBe('H2 H6');
    const cleans = skips.replace('DMA_ATTR_SKIP_CPU_SYNC', 'attrs');
    expect(ids(object(cleans))).toBe('');
    const fails = 'override dma_map_sgtable(dev, sgt, dir, attrs) { return 1; }';
    // -ENOMEM in an error pointer: init faults, and nobody comes after it.
    expect(ids(object(fails))).toBe('H14');
  });

  it('unmaps it', () => {
    const unmaps = 'dma_buf_unmap_attachment(att, sgt, DMA_FROM_DEVICE);';
    const text = (override: string): string => heap(override, 'DMA_FROM_DEVICE', unmaps);
    const skips = (name: string, args: string): string => `override ${name}(dev, sgt, ${args}) { }`;
    expect(ids(text(''))).toBe('');
    expect(ids(text(skips('dma_unmap_sgtable', 'dir, attrs')))).toBe('H1');
    expect(ids(text(skips('dma_unmap_sg_attrs', 'nents, dir, attrs')))).toBe('H1');
  });

  it('is called by msm, whose clean at get_pages is a mapping', () => {
    const text = (override: string): string =>
      `${dev}u32 *p;
${override}
init {
  vm = iommu_domain_alloc(nic);
  bo = msm_gem_new(nic, 4096, .map_wc = true);
  msm_gem_pin_pages_locked(bo);
  pages = drm_prime_pages_to_sg(bo);
  iommu_map_sgtable(vm, 0x10000, pages, IOMMU_READ);
  p = mmap(bo);
}
cpu user { p[0] = 5; submit(nic); }
device nic { u32 x = dma_read(vm, 0x10000); }
`.replace('.coherent = false', '.coherent = false, .iommu = smmu');
    const nothing = 'override dma_map_sgtable(dev, sgt, dir, attrs) { return 0; }';
    expect(ids(text(''))).toBe('');
    expect(ids(text(nothing))).toBe('H3');
    const none = 'override iommu_map_sg(domain, iova, sgt, nents, prot) { return 0; }';
    expect(ids(text(none))).toBe('H14');
  });
});

describe('an override of what the DMA API asks of the IOMMU', () => {
  const behind = dev.replace('.coherent = false', '.coherent = false, .iommu = smmu');

  it('maps, by page', () => {
    const readOnly = `override iommu_map(domain, iova, paddr, size, prot, gfp) {
  if (size == 4096) return iommu_map_sgtable(domain, iova, pages, IOMMU_READ);
  return 0;
}`;
    const made = `page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
 buf = page_address(page);
 pages = drm_prime_pages_to_sg(page);`;
    const text = receive(readOnly, unmap, behind);
    const own = text
      .replace('dma_addr_t addr;', 'dma_addr_t addr;\nstruct page *page;')
      .replace('buf = kzalloc(4096, GFP_KERNEL);', made);
    expect(ids(own.replace(readOnly, ''))).toBe('');
    expect(ids(own)).toContain('H14');
    const whole = own.replace('IOMMU_READ)', 'IOMMU_READ | IOMMU_WRITE)');
    expect(ids(whole)).toBe('');
  });

  it('unmaps, and the driver of the IOMMU syncs', () => {
    const after = `${unmap}\n  kfree(buf);\n  submit(nic);`;
    const late = receive('', after, behind).replace('u32 got = buf[0];', '');
    expect(ids(late)).toBe('H14');
    const kept = 'override iommu_unmap_fast(domain, iova, size) { return size; }';
    const left = receive(kept, after, behind).replace('u32 got = buf[0];', '');
    expect(ids(left)).toContain('H8');
  });
});

describe("an override of the page tables' sync", () => {
  const text = (override: string, walk = ''): string => `machine arm64 {
 ${walk}
 device gpu { .coherent = false, .iommu = smmu, .coherent_walk = false };
}
u32 *p;
dma_addr_t addr;
${override}
init { p = kzalloc(4096, GFP_KERNEL); }
cpu driver {
  addr = dma_map_single(gpu, p, 4096, DMA_TO_DEVICE);
  writel(1, gpu);
}
device gpu { u32 x = dma_read(addr); }
`;

  it('runs where io-pgtable-arm syncs its entries', () => {
    expect(ids(text(''))).toBe('');
    const nothing = 'override dma_sync_single_for_device(dev, addr, size, dir) { }';
    expect(ids(text(nothing))).toContain('H2');
    const cleans = `override dma_sync_single_for_device(dev, addr, size, dir) {
  dcache_clean_poc(phys_to_virt((phys_addr_t)addr), phys_to_virt((phys_addr_t)addr) + size);
}`;
    expect(ids(text(cleans))).toBe('');
  });

  it('and so does arch_sync_dma_for_device', () => {
    expect(ids(text('', '.arch_sync_dma_for_device = none;'))).toContain('H2');
  });
});

describe('what an override stores through an argument', () => {
  const text = (body: string): string => `${dev}u32 *p;
dma_addr_t addr;
override dma_alloc_coherent(dev, size, dma_handle, gfp) {
  ${body}
}
init { p = dma_alloc_coherent(nic, 4096, &addr, GFP_KERNEL); }
cpu driver { p[0] = 5; writel(1, nic); }
device nic { u32 x = dma_read(addr); }
`;

  it('is what it assigns', () => {
    const cached = `u32 *mem = kzalloc(size, gfp);
  *dma_handle = dma_map_single(dev, mem, size, DMA_BIDIRECTIONAL);
  return mem;`;
    expect(ids(text(cached))).toBe('H2');
    expect(ids(text(`if (size > 4096) return 0;\n${cached}`))).toBe('H2');
  });

  it('may come from another function', () => {
    expect(ids(text('return dma_alloc_attrs(dev, size, dma_handle, gfp, 0);'))).toBe('');
    const cached = 'return dma_alloc_noncoherent(dev, size, dma_handle, DMA_BIDIRECTIONAL, gfp);';
    expect(ids(text(cached))).toBe('H2 H6');
    expect(ids(text('return dma_alloc_attrs(dev, size, (dma_handle), gfp, 0);'))).toBe('');
  });

  it('is laid out by fmt as it was written', () => {
    const once = format(text('*dma_handle = 0;\nreturn 0;')).text ?? '';
    expect(once).toContain('*dma_handle = 0;');
  });
});
