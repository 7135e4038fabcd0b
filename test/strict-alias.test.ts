/** H5: rule R1 to R4 of B2.11 broken, nothing else wrong; only where it is asked for. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf, scenarios } from './corpus-scenarios.js';

function outcome(body: string, strictAlias = true): string {
  const text = `machine arm64 {
	.linear_map_removable = true;
	device gpu { .coherent = false };
	device nic { .coherent = true };
}
u32 *wb;
u32 *wc;
dma_addr_t bus;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	wb = page_address(page);
	arch_dma_prep_coherent(page, PAGE_SIZE);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	bus = (dma_addr_t)page_to_phys(page);
}
${body}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return outcomeOf(check(program, { strictAlias }));
}

const clean = 'dcache_clean_poc(wb, wb + 16);';
const snooping = 'device nic { dma_write(bus, 1); }';
const inval = 'dcache_inval_poc(wb, wb + 16);';

describe('a mismatched access', () => {
  it.each([
    ['R1', 'cpu a { wb[0] = 1; dma_mb(); wc[1] = 2; wmb(); }', 'H5'],
    ['R1 kept', `cpu a { wb[0] = 1; ${clean} wc[1] = 2; wmb(); }`, 'coherent'],
    ['R2', 'cpu a { wb[0] = 1; dma_mb(); u32 x = wc[0]; }', 'H2 H5'],
    ['R3 of a read', `cpu a { wc[0] = 1; wmb(); u32 x = wb[0]; }`, 'H1 H5'],
    ['R3 kept', `cpu a { wc[0] = 1; wmb(); ${inval} u32 x = wb[0]; }`, 'coherent'],
    ['R3 of a store beside it', 'cpu a { wc[0] = 1; wmb(); wb[1] = 2; wmb(); }', 'H5'],
    ['R3 of a store over it', 'cpu a { wc[0] = 1; wmb(); wb[0] = 2; wmb(); }', 'coherent'],
    ['R4', 'cpu a { u32 x = wb[0]; u32 y = wc[0]; }', 'H5'],
    ['R4 kept', 'cpu a { u32 x = wb[0]; dma_mb(); u32 y = wc[0]; }', 'coherent'],
    ['R4 is about one line', 'cpu a { u32 x = wb[0]; u32 y = wc[16]; }', 'coherent'],
    ['a coherent device beside a read', `${snooping} cpu a { u32 x = wc[1]; }`, 'coherent'],
    ['a coherent device beside WC', `${snooping} cpu a { wc[1] = 2; wmb(); submit(nic); }`, 'H5'],
  ])('%s', (_, body, expected) => {
    expect(outcome(body)).toBe(expected);
  });

  it('is no finding unless it is asked for', () => {
    expect(outcome('cpu a { u32 x = wb[0]; u32 y = wc[0]; }', false)).toBe('coherent');
  });

  it('R3 asks for nothing where no cacheable mapping is left', () => {
    const gone = `set_direct_map_invalid_noflush(page);
	flush_tlb_all();
	drm_cflush_virt_range(wc, 64, DRM_CFLUSH_BOTH);
	wc[0] = 1;
	wmb();
	set_direct_map_default_noflush(page);
	u32 x = wb[0];`;
    expect(outcome(`cpu a { ${gone} }`)).toBe('coherent');
  });
});

describe('the near misses', () => {
  const safe = scenarios().filter(({ name }) => /^nearmiss\/.*\.safe$/u.test(name));
  // What firmware left dirty is zeroed past the cache before anybody could invalidate it (R1).
  const zeroed = 'nearmiss/carve-out-firmware.safe';

  it.each(safe.filter(({ name }) => name !== zeroed).map((each) => [each.name, each] as const))(
    '%s is none',
    (_, { program }) => {
      expect(outcomeOf(check(program, { strictAlias: true }))).toBe('coherent');
    },
  );

  it('what firmware left dirty is written over before it can be invalidated', () => {
    const found = safe.find(({ name }) => name === zeroed);
    expect(found && outcomeOf(check(found.program, { strictAlias: true }))).toBe('H5');
  });
});
