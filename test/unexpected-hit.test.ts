/** M6: what changes when a non-cacheable access may hit a cached copy, and the portable verdict. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';

const WC_BUFFER = (hit: string, clean: string) => `machine arm64 {
	device gpu { .coherent = false };
	.unexpected_hit = ${hit};
}
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
}
cpu driver {
	${clean}
	u32 *p = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	p[0] = 1;
	dma_wmb();
	writel(1, gpu);
	wait(gpu);
	u32 seen = p[0];
}
device gpu {
	u32 x = dma_read(0x80000000);
	dma_write(0x80000000, x + 1);
}
`;

function run(text: string) {
  const { program, diagnostics } = compile(text, 'm6.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  const result = check(program);
  return { ids: [...new Set(result.hazards.map((each) => each.id))].sort(), result };
}

const CLEAN = 'arch_dma_prep_coherent(page, PAGE_SIZE);';
const BOTH = 'drm_cflush_pages(page, DRM_CFLUSH_BOTH);';

describe('unexpected hits (M6)', () => {
  it('clean before use is coherent, and portable: only clean copies can be left', () => {
    const { ids, result } = run(WC_BUFFER('ignore', CLEAN));
    expect(ids).toEqual([]);
    expect(result.portable).toBe(true);
    expect(run(WC_BUFFER('arch', CLEAN)).ids).toEqual([]);
  });

  it('may_hit returns the clean copies that speculation brings back (H4)', () => {
    expect(run(WC_BUFFER('may_hit', CLEAN)).ids).toContain('H4');
    expect(run(WC_BUFFER('may_hit', BOTH)).ids).toContain('H4');
  });

  it('without a clean the dirty copy may be hit under arch', () => {
    const { ids, result } = run(WC_BUFFER('arch', ''));
    expect(ids).toContain('H3');
    expect(result.portable).toBe(false);
    const hit = result.hazards.find((each) => each.needs.some((set) => set.includes('arch-hit')));
    expect(hit).toBeDefined();
  });

  it('a line this CPU just accessed WB may be hit under arch until a DMB', () => {
    const body = (barrier: string) => `machine arm64 {
	device nic { .coherent = false };
	.unexpected_hit = arch;
}
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	arch_dma_prep_coherent(page, PAGE_SIZE);
}
cpu driver {
	u32 *wb = page_address(page);
	u32 *nc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
	u32 old = wb[0];
	${barrier}
	writel(1, nic);
	while (READ_ONCE(nc[0]) == 0) {
	}
	u32 seen = nc[16];
}
device nic {
	dma_write(0x80000000 + 64, 5);
	dma_write(0x80000000, 1);
}
`;
    expect(run(body('')).ids).toContain('H12');
    expect(run(body('dma_mb();')).ids).not.toContain('H12');
  });
});
