/**
 * The cheap first pass for broken API contracts (H11): what it says before exploring everything is
 * done, and where that hits a limit, and that it says nothing else.
 */
import { describe, expect, it } from 'vitest';
import { BrokenSoFar } from '../src/cli/broken-so-far.js';
import { lostOutcome } from '../src/cli/check-one.js';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { check } from '../src/verdict/check.js';
import { contractPass } from '../src/verdict/contract-pass.js';
import type { Finding } from '../src/verdict/result.js';
import { summarise } from '../src/verdict/summary.js';
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

/** Two threads; only where `two` is through before `one` syncs is a contract broken. */
const race = (after: string): string => `machine arm64 { device nic { .coherent = false }; }
u32 *a;
u32 *b;
dma_addr_t bus;
init {
	a = kzalloc(PAGE_SIZE, GFP_KERNEL);
	b = kzalloc(PAGE_SIZE, GFP_KERNEL);
	bus = dma_map_single(nic, a, 512, DMA_FROM_DEVICE);
}
cpu one {
${after}
	dma_sync_single_for_cpu(nic, bus, 512, DMA_FROM_DEVICE);
}
cpu two {
${Array.from({ length: 6 }, (_, i) => `\tb[${16 * i}] = ${i + 1};`).join('\n')}
	u32 x = b[0];
	dma_unmap_single(nic, bus, 512, DMA_FROM_DEVICE);
}
`;

const many = Array.from({ length: 6 }, (_, i) => `\tb[${512 + 16 * i}] = ${i + 1};`).join('\n');
const cut = { projection: false, maxStates: 600 };

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

  it('is the first that is made, and tells of it at once', () => {
    const told: Finding[] = [];
    let states = 0;
    const result = check(compiled(text(256)), {
      projection: false,
      onBroken: (findings) => told.push(...findings),
      interrupted: () => told.length > 0,
      onProgress: (now) => {
        states = now.states;
      },
    });
    expect(told.map(({ id, at, certain }) => [id, at.line, certain])).toEqual([['H11', 16, false]]);
    expect(told[0]?.trace.at(-1)?.wrong).toBe(true);
    expect(states).toBeLessThan(1000);
    expect(result.reason).toBe('interrupted');
    expect(result.verdict).toBe('hazard');
  });

  it('tells of nothing where nothing is broken, nor where the report is there as soon', () => {
    const onBroken = (): never => expect.fail('told');
    check(compiled(text(512)), { ...cut, maxStates: 3000, onBroken });
    const small = text(256).replace(/^\t[ab]\[.*\n/gmu, '');
    expect(check(compiled(small), { onBroken }).hazards.map(({ id }) => id)).toEqual(['H11']);
  });

  it('follows every order of calls, also where one run would miss the broken one', () => {
    const result = check(compiled(race(many)), cut);
    expect(result.reason).toContain('--max-states');
    expect(result.hazards.map(({ id, at }) => [id, at.agent])).toEqual([['H11', 'one']]);
    expect(result.hazards[0]?.certain).toBe(false);
    for (const source of [race(''), race(many)]) {
      expect(contractPass(compiled(source))?.sightings.size).toBe(1);
    }
  });

  it('changes nothing of what a complete exploration says', () => {
    for (const source of [text(256), race('')]) {
      const own = check(compiled(source));
      const told = check(compiled(source), { onBroken: () => {} });
      const facts = ({ verdict, hazards }: typeof own) => ({ verdict, hazards });
      expect(own.reason).toBeNull();
      expect(facts(told)).toEqual(facts(own));
    }
  });

  it('answers for a cell of the matrix, and for a verdict alone', () => {
    const cell = summarise(compiled(text(256)), cut);
    expect([cell.verdict, cell.hazards]).toEqual(['hazard', ['H11']]);
    expect(summarise(compiled(text(512)), cut).verdict).toBe('unknown');
    const alone = { ...cut, verdictOnly: true };
    expect(check(compiled(text(256)), alone).verdict).toBe('hazard');
    expect(check(compiled(text(512)), alone).verdict).toBe('unknown');
  });

  it('is what is left of a scenario whose worker is lost', () => {
    const input = { file: 'contracts.litmus', text: text(256) };
    const { hazards } = check(compiled(text(256)), cut);
    const lost = lostOutcome(input, 'out of memory', [...hazards, ...hazards]);
    if (lost.kind !== 'result') throw new Error(lost.kind);
    expect(lost.result.verdict).toBe('hazard');
    expect(lost.result.hazards).toHaveLength(1);
    const silent = lostOutcome(input, 'out of memory');
    expect(silent.kind === 'result' && silent.result.verdict).toBe('unknown');
  });

  it('is told on stderr once, after a second, and not to who wants to hear nothing', () => {
    const { hazards } = check(compiled(text(256)), cut);
    const said: string[] = [];
    const write = (words: string) => said.push(words);
    const teller = new BrokenSoFar(false, write);
    teller.tell('a.litmus', 0.5, hazards, () => {});
    expect(said).toEqual([]);
    teller.tell('a.litmus', 1.5, hazards, () => said.push('cleared'));
    teller.tell('a.litmus', 2.5, hazards, () => {});
    new BrokenSoFar(true, write).tell('b.litmus', 1.5, hazards, () => {});
    const place = 'a.litmus:16:2: H11';
    expect(said.map((each) => each.slice(0, place.length))).toEqual(['cleared', place]);
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
    expect(silent).toEqual([]);
    expect(told).toBeGreaterThan(20);
  }, 120_000);
});
