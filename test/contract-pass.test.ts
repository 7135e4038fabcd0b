/**
 * The cheap pass for broken API contracts (H11): what it says where exploring everything hits a
 * limit, and that it says nothing else.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { check } from '../src/verdict/check.js';
import { contractPass } from '../src/verdict/contract-pass.js';
import { scenarios } from './corpus-scenarios.js';

/** Much to explore, and after it an unmap of another size than the map's. */
const text = (unmapped: number): string => `machine arm64 { device nic { .coherent = false }; }
u32 *a;
u32 *b;
init {
	a = kzalloc(PAGE_SIZE, GFP_KERNEL);
	b = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
cpu one {
${Array.from({ length: 6 }, (_, i) => `\ta[${16 * i}] = ${i + 1};`).join('\n')}
	dma_addr_t bus = dma_map_single(nic, a, 512, DMA_TO_DEVICE);
	dma_unmap_single(nic, bus, ${unmapped}, DMA_TO_DEVICE);
}
cpu two {
${Array.from({ length: 6 }, (_, i) => `\tb[${16 * i}] = ${i + 1};`).join('\n')}
	u32 x = b[0];
}
`;

function compiled(source: string): Program {
  const { program, diagnostics } = compile(source, 'contracts.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return program;
}

describe('the pass for broken contracts', () => {
  it('tells what the exploration had no room to come to, with a run', () => {
    const options = { projection: false, maxStates: 600 };
    const cut = check(compiled(text(256)), options);
    expect(cut.reason).toContain('--max-states');
    expect(cut.verdict).toBe('hazard');
    expect(cut.hazards.map(({ id, at }) => [id, at.line])).toEqual([['H11', 16]]);
    const [found] = cut.hazards;
    expect(found?.message).toContain('size');
    expect(found?.needs).toEqual([[]]);
    expect(found?.trace.at(-1)?.wrong).toBe(true);
    expect(found?.anyRun).toBe(true);
  });

  it('never makes a scenario coherent that was not explored', () => {
    const cut = check(compiled(text(512)), { projection: false, maxStates: 600 });
    expect(cut.verdict).toBe('unknown');
    expect(cut.hazards).toEqual([]);
  });

  it('is not asked where everything was explored', () => {
    const whole = check(compiled(text(256)));
    expect(whole.reason).toBeNull();
    expect(whole.hazards.map(({ id }) => id)).toEqual(['H11']);
    expect(whole.hazards[0]?.anyRun).toBeUndefined();
  });

  it('says of the corpus nothing that its headers do not', () => {
    const silent: string[] = [];
    let told = 0;
    for (const { name, program } of scenarios()) {
      const ids = program.header.result;
      const wanted = ids !== null && ids !== 'coherent' && ids.includes('H11');
      const found = (contractPass(program)?.sightings.size ?? 0) > 0;
      if (found) told++;
      if (found && !wanted) expect.fail(`${name}: H11 where the header has none`);
      if (wanted && !found) silent.push(name);
    }
    // These need an allocation that fails just where the one run takes another turn.
    expect(silent).toEqual([
      'nearmiss/alloc-fails-mapping-left.hazard',
      'nearmiss/alloc-fails-unmaps-all.hazard',
    ]);
    expect(told).toBeGreaterThan(20);
  }, 120_000);
});
