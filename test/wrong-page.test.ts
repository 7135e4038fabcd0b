/** virt_to_page of what is no linear address (H15), and privileged mappings (H9). */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(init: string, cpu: string, device: string): string {
  const text = `machine arm64 {
	device dev { .coherent = false };
}
u32 *va;
dma_addr_t dma;
init {
	${init}
}
cpu driver {
	${cpu}
	submit(dev);
	wait(dev);
}
device dev {
	${device}
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

describe('virt_to_page', () => {
  const use = 'u32 *p = vmap(page, PAGE_KERNEL); p[0] = 1; u32 x = p[0];';

  it('finds the page of a linear address', () => {
    const init = 'va = kzalloc(PAGE_SIZE, GFP_KERNEL); page = virt_to_page(va);';
    expect(outcome(init, use, '')).toBe('coherent');
  });

  it('finds another page for a remap', () => {
    const alloc = 'va = dma_alloc_coherent(dev, PAGE_SIZE, &dma, GFP_KERNEL);';
    expect(outcome(`${alloc} page = virt_to_page(va);`, use, '')).toBe('H15');
  });
});

describe('vmalloc_to_page', () => {
  const use = 'u32 *p = page_address(page); p[0] = 1; u32 x = p[0];';
  const pages = 'mem = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);';

  it('finds the page of a vmap, and keeps its contract', () => {
    const init = `${pages} va = vmap(mem, PAGE_KERNEL); page = vmalloc_to_page(va);`;
    expect(outcome(init, use, '')).toBe('coherent');
    const linear = `${pages} va = page_address(mem); page = vmalloc_to_page(va);`;
    expect(outcome(linear, use, '')).toBe('H11');
  });
});

describe('an unprivileged access', () => {
  const kernel = `bo = msm_gem_kernel_new(dev, PAGE_SIZE, .map_wc = true);
	vm = iommu_domain_alloc(dev);
	msm_gem_pin_pages_locked(bo);
	sgt = drm_prime_pages_to_sg(bo);`;
  const user = kernel.replace('msm_gem_kernel_new', 'msm_gem_new');
  const map = (rights: string): string => `iommu_map_sgtable(vm, 0, sgt, IOMMU_READ | ${rights});`;
  const open = map('IOMMU_WRITE');
  const closed = map('IOMMU_WRITE | IOMMU_PRIV');

  it.each([
    ['a buffer of the kernel', kernel, open, 'dma_write_unpriv(vm, 0, 5);', 'H9'],
    ['a buffer of the kernel', kernel, open, 'u32 x = dma_read_unpriv(vm, 0);', 'H6 H9'],
    ['a privileged mapping', kernel, closed, 'dma_write_unpriv(vm, 0, 5);', 'coherent'],
    ['a privileged mapping', kernel, closed, 'u32 x = dma_read_unpriv(vm, 0);', 'coherent'],
    ['an object of the user', user, open, 'dma_write_unpriv(vm, 0, 5);', 'coherent'],
    ['nothing', kernel, '', 'dma_write_unpriv(vm, 0, 5);', 'coherent'],
    ['nothing, by the kernel', kernel, '', 'dma_write(vm, 0, 5);', 'H14'],
    ['a privileged mapping, by the kernel', kernel, closed, 'dma_write(vm, 0, 5);', 'coherent'],
  ])('reaches %s', (_, init, cpu, device, expected) => {
    expect(outcome(init, cpu, device)).toBe(expected);
  });
});
