/** MIPS' dma_cache_inv drops what else is in a line that its range cuts; arm64's helper cleans. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function outcome(call: string): string {
  const text = `machine arm64 {
}
u32 *p;
init {
	p = kzalloc(64, GFP_KERNEL);
}
cpu driver {
	p[4] = 1;
	${call}
	u32 neighbour = p[4];
}
`;
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

describe('invalidating a part of a line', () => {
  it('throws the neighbour away on MIPS', () => {
    expect(outcome('dma_cache_inv(p, 16);')).toBe('H10');
  });

  it('cleans the line on arm64', () => {
    expect(outcome('dcache_inval_poc(p, p + 4);')).toBe('coherent');
  });

  it('does not reach the next line', () => {
    expect(outcome('dma_cache_inv(p + 16, 16);')).toBe('coherent');
  });
});
