/** The end of a thread: whoever waits for it knows what it did (model.md §1). */
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { outcomeOf } from './corpus-scenarios.js';

function compiled(worker: string, driver: string) {
  const text = `machine arm64 {
	device nic { .coherent = false };
}
u32 *p;
dma_addr_t bus;
init {
	p = dma_alloc_coherent(nic, PAGE_SIZE, &bus, GFP_KERNEL);
}
cpu worker {
	${worker}
}
cpu driver {
	${driver}
}
device nic {
	u32 x = dma_read(bus);
}
always (driver:got != 0)
`;
  return compile(text, 'test.litmus');
}

function outcome(worker: string, driver: string): string {
  const { program, diagnostics } = compiled(worker, driver);
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return outcomeOf(check(program));
}

describe('kthread_stop', () => {
  const ring = 'u32 got = p[0]; writel_relaxed(1, nic);';

  it('comes behind all that the thread stored', () => {
    expect(outcome('p[0] = 1;', `kthread_stop(worker); ${ring}`)).toBe('coherent');
    expect(outcome('p[0] = 1;', ring)).toBe('assertion');
  });

  it('waits for ever for a thread that never ends', () => {
    const { program } = compiled(
      'while (READ_ONCE(p[16]) == 0)\n;',
      `kthread_stop(worker); ${ring}`,
    );
    if (program === null) throw new Error('not compiled');
    expect(check(program).notes.some(({ kind }) => kind === 'stuck')).toBe(true);
  });

  it.each([
    ['kthread_stop(driver);', 'worker'],
    ['kthread_stop(nic);', 'worker'],
    ['kthread_stop(p);', 'worker'],
  ])('%s is an error of the scenario', (call, expected) => {
    const { diagnostics } = compiled('', `${call} u32 got = 1;`);
    expect(diagnostics.map((each) => [each.code, each.expected])).toEqual([['L032', expected]]);
  });
});
