/** Code copied out of a driver: other names of operations, PAGE_SIZE, devices by their address. */
import { describe, expect, it } from 'vitest';
import { allAliases } from '../src/kernel/registry.js';
import { compile, findOperation } from '../src/litmus/index.js';
import { spellings } from '../src/litmus/spellings.js';
import { wordPage } from '../src/litmus/words.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function scenario(body: string, machine = ''): string {
  return `machine arm64 { ${machine} device nic { .coherent = false }; }
struct mutex m;
spinlock_t l;
u32 *buf;
dma_addr_t addr;
init {
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
cpu drv {
	${body}
}
device nic {
	u32 x = dma_read(addr);
}
`;
}

function codesOf(body: string): string[] {
  return compile(scenario(body), 'test.litmus').diagnostics.map(({ code }) => code);
}

function outcome(text: string): string {
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

const given: Readonly<Record<string, string>> = {
  gfp: 'GFP_KERNEL',
  order: '0',
  page: 'virt_to_page(buf)',
  pages: 'virt_to_page(buf)',
  addr: 'buf',
  to: 'buf',
  from: 'buf',
  dst: 'buf',
  src: 'buf + 16',
  phys: 'virt_to_phys(buf)',
  prot: 'PAGE_KERNEL',
  flags: 'VM_MAP',
  dev: 'nic',
  lock: 'l',
  done: 'm',
  count: '64',
};

describe('other spellings', () => {
  it('of operations are none themselves, but with other arguments', () => {
    for (const { name, params } of spellings()) {
      const operation = findOperation(name);
      expect(operation?.params.length).not.toBe(params.length);
      expect(allAliases().map((alias) => alias.name)).not.toContain(name);
    }
  });

  it.each([...spellings()].filter(({ params }) => !params.includes('obj')))(
    'can be compiled: $name',
    ({ name, params, body }) => {
      const args = params.map((each) => given[each] ?? '4').join(', ');
      const isValue = body !== '' && !/^(mem|write|udelay|spin|free)/.test(body);
      expect(codesOf(`${isValue ? 'buf[0] == ' : ''}${name}(${args});`).join()).not.toMatch(
        /L02|L031|L032/,
      );
    },
  );

  it('mean what they stand for', () => {
    const copied = `
	unsigned long flags;
	u32 *ring = get_zeroed_page(GFP_KERNEL | __GFP_NOWARN);
	spin_lock_irqsave(&l, flags);
	ring[0] = cpu_to_le32(BIT(3));
	spin_unlock_irqrestore(&l, flags);
	addr = dma_map_single(&nic, ring, SZ_4K, DMA_TO_DEVICE);
	if (unlikely(dma_mapping_error(&nic->dev, addr)))
		return;
	SYNC
	iowrite32(1, nic);
	wait(nic);
	WARN_ON(ring[0] != 8);
	while (READ_ONCE(ring[0]) == 0)
		cpu_relax();
	dma_unmap_single(&nic->dev, addr, SZ_4K, DMA_TO_DEVICE);
	free_page(ring);`;
    expect(outcome(scenario(copied.replace('SYNC', '')))).toBe('coherent');
    expect(outcome(scenario(copied.replace('SYNC', 'ring[0] = 9;')))).toBe('H2');
  });

  it('evaluate no argument twice', () => {
    expect(codesOf('buf[1] = ALIGN(64, buf[0]);')).toEqual(['L037']);
    expect(codesOf('buf[1] = ALIGN(5, 64);')).toEqual([]);
  });

  it('say how they are written', () => {
    const { diagnostics } = compile(scenario('u32 *q = kcalloc(4, GFP_KERNEL);'), 'test.litmus');
    expect(diagnostics[0]?.code).toBe('L031');
    expect(JSON.stringify(diagnostics)).toContain('kcalloc(n, size, gfp)');
  });

  it('take members for the whole where they are it', () => {
    const table = 'sgt = sg_alloc_table(1, GFP_KERNEL);';
    expect(codesOf(`${table} dma_map_sg(nic->dev, sgt->sgl, 1, DMA_TO_DEVICE);`)).toEqual([]);
    expect(codesOf(`${table} dma_map_sg(nic, sgt->nents, 1, DMA_TO_DEVICE);`)).toEqual(['L012']);
    const object = 'bo = drm_gem_shmem_create(nic, PAGE_SIZE);';
    expect(codesOf(`${object} drm_gem_object_put(&bo->base);`)).toEqual([]);
  });
});

describe('PAGE_SIZE', () => {
  it('is that of the machine', () => {
    const last =
      'buf[4095] = 1; addr = dma_map_single(nic, buf, PAGE_SIZE, DMA_TO_DEVICE); submit(nic);';
    expect(outcome(scenario(last, '.page_size = 16384;'))).toBe('coherent');
    expect(outcome(scenario(last))).toBe('H14');
  });
});

describe('other names of operations', () => {
  it('are the operations, in calls and in headers', () => {
    const text = (name: string): string => `// Result: coherent
// Without ${name}: H2 H6; nobody cleans
machine arm64 {
	device gpu { .coherent = false, .iommu = smmu };
}
init {
	bo = drm_gem_shmem_create(gpu, 4096, .map_wc = true);
	vm = iommu_domain_alloc(gpu);
}
cpu user {
	u32 *p = mmap(bo);
	sgt = ${name}(bo);
	p[0] = 1;
	iommu_map_sgtable(vm, 0x1000000, sgt, IOMMU_READ);
	submit(gpu);
}
device gpu {
	u32 x = dma_read(vm, 0x1000000);
}
`;
    for (const name of ['drm_gem_shmem_get_pages_sgt', 'drm_gem_shmem_get_pages_sgt_locked']) {
      const { program } = compile(text(name), 'test.litmus');
      const claims = program?.header.without.map(({ operation }) => operation);
      expect(claims, name).toEqual(['drm_gem_shmem_get_pages_sgt']);
      expect(outcome(text(name))).toBe('coherent');
    }
  });

  it('have a page of their own, with the rest of the names', () => {
    const page = wordPage('alloc_page');
    expect(page?.title).toBe('alloc_page(gfp)');
    expect(page?.meaning).toMatch(/^as alloc_pages\(\): /);
    expect(page?.facts.join()).toContain('also `alloc_pages()`');
    expect(wordPage('alloc_pages')?.facts.join()).toContain('also `alloc_page()`');
  });
});
