/** arm64, x86 and riscv answer one program differently, exactly where they should. */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Entry } from '../src/machine/store-buffer.js';
import { mayDrain, tidy } from '../src/machine/store-buffer.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf, scenario, scenarios } from './corpus-scenarios.js';

function verdict(text: string): string {
  const { program, diagnostics } = compile(text, 'test.litmus');
  if (program === null) throw new Error(diagnostics[0]?.message);
  return outcomeOf(check(program));
}

/** A scenario of the shelf on another machine. */
function on(name: string, machine: string): string {
  const { text } = scenario(`arch/${name}`);
  return verdict(text.replace(/machine [^}]*\};\n\}/u, machine));
}

const arm64 = 'machine arm64 { device gpu { .coherent = false, .iommu = mmu }; }';
const riscv = 'machine riscv { device gpu { .coherent = false, .iommu = mmu }; }';
const x86 = 'machine x86 { device gpu { .snoops = false, .iommu = mmu }; }';

describe('the panthor scenario', () => {
  it.each([
    ['panthor.arm64', arm64, 'H2 H3 H6'],
    ['panthor.arm64', riscv, 'H2 H3 H6'],
    ['panthor.arm64', x86, 'coherent'],
    ['panthor-fixed.riscv', arm64, 'coherent'],
    ['panthor-fixed.riscv', riscv, 'coherent'],
    ['panthor-fixed.riscv', x86, 'coherent'],
    ['panthor-fixed.riscv', riscv.replace('{', '{ .svpbmt = false;'), 'H1 H2'],
  ])('%s on %s', (name, machine, expected) => {
    expect(on(name, machine)).toBe(expected);
  });
});

describe('the explorers', () => {
  const shelf = scenarios().filter(({ name }) => name.startsWith('arch/'));
  it.each(shelf.map((each) => [each.name, each] as const))('agree about %s', (_, { program }) => {
    const fast = check(program, { tablesFrom: 0, order: 'reverse' });
    const slow = check(program, { engine: 'reference' });
    const told = ({ verdict, portable, hazards }: typeof fast): string =>
      JSON.stringify([verdict, portable, hazards.map(({ id, at, needs }) => [id, at, needs])]);
    expect(told(fast)).toBe(told(slow));
  });
});

describe('a flush by drm_clflush_virt_range', () => {
  it('is one on x86 only', () => {
    expect(on('no-snoop-clflush.x86', x86)).toBe('coherent');
    expect(on('no-snoop-clflush.x86', arm64)).toBe('H1 H2');
    expect(on('no-snoop-clflush.x86', riscv)).toBe('H1 H2');
  });
});

const at = 0;
const store = (attribute: 'WB' | 'NC' | 'DEV', line: number): Entry => {
  const place = { frame: 0, line, word: 0, cell: line, value: 1, own: false };
  return { kind: 'store', attribute, ...place, at };
};
const clean: Entry = {
  kind: 'maintain',
  op: 'clean',
  frame: 0,
  line: 0,
  cell: 0,
  from: 0,
  to: 64,
  at,
};
const bell: Entry = { kind: 'doorbell', device: 0, clock: [], at };
const fence = (scope: 'st' | 'w'): Entry => ({ kind: 'barrier', scope, at });

describe('what may leave a store buffer first', () => {
  it.each([
    ['x86: total store order', 'x86', [store('WB', 0), store('WB', 1)], false],
    ['x86: a doorbell is in it', 'x86', [store('WB', 0), bell], false],
    ['x86: write-combining stores are not', 'x86', [store('NC', 0), bell], true],
    ['x86: nor do they wait', 'x86', [store('WB', 0), store('NC', 1)], true],
    ['arm64: no such order', 'arm64', [store('WB', 0), store('WB', 1)], true],
    ['riscv: a fence orders a clean', 'riscv', [clean, fence('st'), bell], false],
    ['arm64: a dmb does not', 'arm64', [clean, fence('st'), bell], true],
    ['riscv: no fence, no order', 'riscv', [clean, bell], true],
    ['riscv: a clean is a store to its block', 'riscv', [clean, store('NC', 0)], false],
    ['arm64: it is not for NC', 'arm64', [clean, store('NC', 0)], true],
    ['riscv: fence w,w and NC', 'riscv', [store('NC', 0), fence('w'), store('NC', 1)], false],
    ['riscv: fence w,w and a doorbell', 'riscv', [store('NC', 0), fence('w'), bell], true],
  ] as const)('%s', (_, profile, buffer, free) => {
    expect(mayDrain(buffer, buffer.length - 1, false, profile)).toBe(free);
  });

  it('keeps a fence behind maintenance on riscv only', () => {
    expect(tidy([clean, fence('st')], 'riscv')).toHaveLength(2);
    expect(tidy([clean, fence('st')], 'arm64')).toEqual([clean]);
  });
});

describe('loads on x86', () => {
  const ring = (profile: string): string => `machine ${profile} {
	device nic { .dma_mask = DMA_BIT_MASK(40) };
}
u32 *ring;
dma_addr_t bus;
init {
	ring = dma_alloc_coherent(nic, PAGE_SIZE, &bus, GFP_KERNEL);
}
cpu driver {
	while (READ_ONCE(ring[0]) == 0)
		;
	u32 data = ring[16];
}
device nic {
	dma_write(bus + 64, 7);
	dma_write(bus, 1);
}
`;
  it('stay in order', () => {
    expect(verdict(ring('x86'))).toBe('coherent');
    expect(verdict(ring('riscv'))).toBe('H13');
  });
});

describe('what an architecture does not have', () => {
  const machine = (settings: string, call = ''): readonly string[] => {
    const text = `machine ${settings}
u32 *p;
init {
	p = kzalloc(64, GFP_KERNEL);
}
cpu driver {
	p[0] = 1;
	${call}
}
`;
    return compile(text, 'test.litmus').diagnostics.map(
      ({ code, span, message }) => `${code} ${span.line} ${message}`,
    );
  };

  it('is one error with its place', () => {
    expect(machine('x86 { }', 'dcache_clean_poc(p, p + 16);')).toEqual([
      'L028 8 dcache_clean_poc() does not exist on x86',
    ]);
    expect(machine('arm64 { }', 'set_memory_wc(p, 1);')).toEqual([
      'L028 8 set_memory_wc() does not exist on arm64',
    ]);
    expect(machine('x86 { device nic { .coherent = false }; }')).toEqual([
      'L028 1 on x86 the DMA API takes every device for coherent',
    ]);
    expect(machine('riscv { .unexpected_hit = arch; }')).toEqual([
      'L028 1 what Arm allows says nothing about riscv',
    ]);
    expect(machine('x86 { .svpbmt = false; }')).toEqual([
      "L028 1 '.svpbmt' is a setting of riscv, not of x86",
    ]);
    expect(machine('sparc { }')).toEqual(["L022 1 unknown machine profile 'sparc'"]);
  });
});
