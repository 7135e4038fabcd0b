/**
 * Load buffering (M8, second half): every pair of ways to stand between a load and a later store,
 * against what the architecture allows, and both engines alike.
 */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { check } from '../src/verdict/check.js';

/** How the store comes after the load, and whether it may overtake it. */
const ways: Readonly<Record<string, { readonly text: string; readonly overtakes: boolean }>> = {
  nothing: { text: 'WRITE_ONCE(*TO, 1);', overtakes: true },
  'a store barrier': { text: 'smp_wmb();\n\tWRITE_ONCE(*TO, 1);', overtakes: true },
  'data dependency': { text: 'WRITE_ONCE(*TO, r + 1);', overtakes: false },
  'control dependency': { text: 'if (r < 9) {\n\t\tWRITE_ONCE(*TO, 1);\n\t}', overtakes: false },
  'a load barrier': { text: 'smp_rmb();\n\tWRITE_ONCE(*TO, 1);', overtakes: false },
  'a full barrier': { text: 'dma_mb();\n\tWRITE_ONCE(*TO, 1);', overtakes: false },
  'a release': { text: 'smp_store_release(TO, 1);', overtakes: false },
};

function program(left: string, right: string): Program {
  const side = (name: string, from: string, to: string, text: string): string =>
    `cpu ${name} {\n\tu32 r = READ_ONCE(*${from});\n\t${text.replaceAll('TO', to)}\n}\n`;
  const text =
    'u32 *x;\nu32 *y;\n\ninit {\n\tx = kzalloc(64, GFP_KERNEL);\n' +
    '\ty = kzalloc(64, GFP_KERNEL);\n}\n' +
    side('left', 'x', 'y', left) +
    side('right', 'y', 'x', right);
  const compiled = compile(text, 'lb.litmus');
  if (compiled.program === null) throw new Error(JSON.stringify(compiled.diagnostics));
  return compiled.program;
}

describe('load buffering', () => {
  const names = Object.keys(ways);
  const pairs = names.flatMap((a, i) => names.slice(i).map((b) => [a, b] as const));

  it.each(pairs)('%s against %s', { timeout: 60_000 }, (a, b) => {
    const [left, right] = [ways[a], ways[b]];
    if (left === undefined || right === undefined) throw new Error('no such way');
    const both = program(left.text, right.text);
    const { verdict, hazards } = check(both);
    const ids = [...new Set(hazards.map(({ id }) => id))];
    // A circle needs one store that overtakes: the other side may be in order.
    const wrong = left.overtakes || right.overtakes;
    expect([verdict, ids]).toEqual(wrong ? ['hazard', ['H13']] : ['coherent', []]);
    expect(hazards.every(({ needs }) => needs.every((set) => set.join() === 'reorder'))).toBe(true);
  });

  it('is the same by tables', { timeout: 60_000 }, () => {
    for (const [a, b] of [
      ['nothing', 'nothing'],
      ['nothing', 'data dependency'],
    ] as const) {
      const both = program(ways[a]?.text ?? '', ways[b]?.text ?? '');
      const told = (engine: 'fast' | 'reference'): unknown => ({
        ...check(both, { engine, tablesFrom: 0, por: false }),
        seconds: 0,
        reduction: [],
      });
      expect(JSON.stringify(told('fast'))).toBe(JSON.stringify(told('reference')));
    }
  });
});

/** How the doorbell that gives a buffer back comes after the load from it. */
const doorbells: readonly (readonly [string, string, 'hazard' | 'coherent'])[] = [
  ['arm64', 'writel(1, nic);', 'hazard'],
  ['arm64', 'writel_relaxed(1, nic);', 'hazard'],
  ['arm64', 'wmb(); writel_relaxed(1, nic);', 'hazard'],
  ['arm64', 'dma_rmb(); writel(1, nic);', 'coherent'],
  ['arm64', 'dma_mb(); writel_relaxed(1, nic);', 'coherent'],
  ['arm64', 'if (r < 9) writel(1, nic);', 'coherent'],
  ['arm64', 'p[16] = r; writel(1, nic);', 'coherent'],
  ['arm64', 'submit(nic);', 'coherent'],
  ['x86', 'writel(1, nic);', 'coherent'],
  ['riscv', 'writel(1, nic);', 'hazard'],
];

describe('a doorbell behind a load', () => {
  it.each(doorbells)('%s, %s: %s', (machine, ring, verdict) => {
    const text = `machine ${machine} {
	device nic { ${machine === 'x86' ? '' : '.coherent = false'} };
}
u32 *p;
dma_addr_t bus;
init {
	p = dma_alloc_coherent(nic, PAGE_SIZE, &bus, GFP_KERNEL);
	p[0] = 5;
}
cpu driver {
	writel(1, nic);
	wait(nic);
	u32 r = p[0];
	${ring}
	wait(nic);
}
device nic {
	u32 last = dma_read(bus);
	dma_write(bus, last + 1);
}
`;
    const { program, diagnostics } = compile(text, 'doorbell.litmus');
    if (program === null) throw new Error(JSON.stringify(diagnostics));
    const fast = check(program);
    expect(fast.verdict).toBe(verdict);
    expect(fast.hazards.map(({ id }) => id)).toEqual(verdict === 'hazard' ? ['H13'] : []);
    expect(check(program, { engine: 'reference', por: false }).verdict).toBe(verdict);
  });
});
