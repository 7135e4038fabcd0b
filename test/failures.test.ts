/** Memory that runs out (K1): which calls fail, what they return, what an unchecked NULL does. */
import { describe, expect, it } from 'vitest';
import { allOperations } from '../src/kernel/index.js';
import { compile } from '../src/litmus/index.js';
import { mend } from '../src/mend/mend.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf, outcomeOnBoth } from './corpus-scenarios.js';

const HEAD = `machine arm64 {
	.allocation_may_fail = true;
	device nic { .coherent = false };
}
`;

function compiled(text: string): Parameters<typeof check>[0] {
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return program;
}

/** The outcome, the same from both engines. */
function outcome(names: string, init: string, cpu: string, machine = HEAD): string {
  const text = `${machine}${names}\ninit {\n${init}\n}\ncpu driver {\n${cpu}\n}\n`;
  return outcomeOnBoth(text);
}

describe('an allocation that fails', () => {
  it('does so only on a machine that says so, and never in init', () => {
    const use = 'u32 *q = kzalloc(64, GFP_KERNEL);\nq[0] = 1;';
    expect(outcome('', '', use)).toBe('H14');
    expect(outcome('', '', use, 'machine arm64 { }\n')).toBe('coherent');
    expect(outcome('u32 *p;', 'p = kzalloc(64, GFP_KERNEL);\np[0] = 1;', 'p[0] = 2;')).toBe(
      'coherent',
    );
    expect(outcome('', '', use.replace('GFP_KERNEL', 'GFP_KERNEL | __GFP_NOFAIL'))).toBe(
      'coherent',
    );
  });

  it('is seen by the question that fits what the call returns', () => {
    const create = (asks: string): string => `bo = drm_gem_shmem_create(nic, PAGE_SIZE);
	if (${asks}) return;
	drm_gem_shmem_pin(bo);`;
    expect(outcome('', '', create('IS_ERR(bo)'))).toBe('coherent');
    expect(outcome('', '', create('IS_ERR_OR_NULL(bo)'))).toBe('coherent');
    expect(outcome('', '', create('!bo'))).toBe('H14');
    const kmalloc = (asks: string): string => `u32 *p = kmalloc(64, GFP_KERNEL);
	if (${asks}) return;
	p[0] = 1;`;
    expect(outcome('', '', kmalloc('!p'))).toBe('coherent');
    expect(outcome('', '', kmalloc('IS_ERR(p)'))).toBe('H14');
  });

  it('ends the thread that uses its NULL there', () => {
    const cpu = `u32 *p = kmalloc(64, GFP_KERNEL);
	u32 before = 1;
	p[0] = 1;
	u32 behind = 2;
	dma_unmap_single(nic, 0x1000, 64, DMA_TO_DEVICE);`;
    expect(outcome('', '', cpu)).toBe('H11 H14');
    expect(outcome('', '', cpu.replace('p[0] = 1;', 'if (p) return;\np[0] = 1;'))).toBe('H14');
  });

  it('gives no address where dma_alloc_coherent has no memory', () => {
    const cpu = 'dma_alloc_coherent(nic, PAGE_SIZE, &bus, GFP_KERNEL);';
    const text = `${HEAD}dma_addr_t bus;\ncpu driver {\n\t${cpu}\n\tsubmit(nic);\n\twait(nic);\n}
device nic {\n\tdma_write(bus, 1);\n}\n`;
    expect(outcomeOf(check(compiled(text)))).toBe('H14');
  });

  it('leaves alone what needs no memory', () => {
    const pool = `pool = dma_pool_create(nic, 64, 64);
	p = dma_pool_alloc(pool, GFP_KERNEL, &bus);`;
    const names = 'u32 *p;\ndma_addr_t bus;\ndma_addr_t next;';
    const second = 'u32 *q = dma_pool_alloc(pool, GFP_KERNEL, &next);\nq[0] = 1;';
    expect(outcome(names, pool, second)).toBe('coherent');
    const object = 'bo = drm_gem_shmem_create(nic, PAGE_SIZE);\ndrm_gem_shmem_pin(bo);';
    const again = `u32 error = drm_gem_shmem_pin(bo);
	if (error != 0) dma_unmap_single(nic, 0x1000, 64, DMA_TO_DEVICE);`;
    expect(outcome('', object, again)).toBe('coherent');
    const first = object.replace('\ndrm_gem_shmem_pin(bo);', '');
    expect(outcome('', first, again)).toBe('H11');
  });

  it('is nothing to what takes NULL', () => {
    for (const free of ['kfree(p)', 'vunmap(p)', 'dma_free_coherent(nic, 64, p, 0)']) {
      const of = free.startsWith('vunmap')
        ? 'vmap(pg, PAGE_KERNEL)'
        : free.startsWith('kfree')
          ? 'kmalloc(64, GFP_KERNEL)'
          : 'dma_alloc_coherent(nic, 64, &bus, GFP_KERNEL)';
      const init = 'pg = alloc_pages(GFP_KERNEL, 0);';
      const cpu = `u32 *p = ${of};\n\tif (!p) ${free};`;
      expect(outcome('dma_addr_t bus;', init, cpu), free).toBe('coherent');
    }
    expect(outcome('', '', 'pg = alloc_pages(GFP_KERNEL, 0);\n\t__free_pages(pg, 0);')).toBe('H14');
  });

  it('is known of what allocates, one by one', () => {
    const failing = allOperations().filter(({ fails }) => fails !== undefined);
    expect(failing.length).toBe(58);
    const pointers = failing.filter(({ returns }) => returns !== 'int');
    expect(pointers.every(({ returns }) => returns !== 'void')).toBe(true);
  });
});

describe('mend', () => {
  it('does not move what may fail to init, where it would only not be seen', () => {
    const text = `${HEAD}init {
	bo = drm_gem_shmem_create(nic, PAGE_SIZE);
}
cpu driver {
	sgt = drm_gem_shmem_get_pages_sgt(bo);
	dma_addr_t at = sg_dma_address(sgt);
}
`;
    const found = JSON.stringify(mend(text, 'a.litmus'));
    expect(found).toContain('insert `if (IS_ERR(sgt)) return;` behind line 9');
    expect(found).not.toContain('(init)');
  });

  it('asks whether an allocation failed', () => {
    const text = `${HEAD}u32 *p;
cpu driver {
	p = kmalloc(64, GFP_KERNEL);
	p[0] = 1;
}
`;
    const found = mend(text, 'a.litmus');
    expect(JSON.stringify(found)).toContain('insert `if (!p) return;` behind line 7');
  });
});
