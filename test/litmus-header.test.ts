/** The header comment, and what its Without lines are about. */
import { describe, expect, it } from 'vitest';
import { allOperations } from '../src/kernel/index.js';
import { operationsReference, removableCalls, withoutCall } from '../src/litmus/index.js';
import { compiled, listing, problems, scenario } from './litmus-helper.js';

function header(comment: string, body = 'wmb();\nwmb();\ndma_wmb();') {
  return compiled(`${comment}\n${scenario(body)}`).header;
}

describe('header', () => {
  it('reads the result and why', () => {
    expect(header('// Result: coherent')).toMatchObject({ result: 'coherent', why: '' });
    expect(
      header('// Some words.\n// Result: H2, H6 H3  (fresh pages (old data) show)'),
    ).toMatchObject({
      result: ['H2', 'H6', 'H3'],
      why: 'fresh pages (old data) show',
    });
    expect(header('/*\n * Result: H15 assertion\n */').result).toEqual(['H15', 'assertion']);
    expect(header('// Result: H3 (a long reason\n// that goes on here)\n// Not this.').why).toBe(
      'a long reason that goes on here',
    );
  });

  it('has none where there is none, or where it comes after the first token', () => {
    expect(header('// nothing').result).toBeNull();
    expect(compiled(`${scenario('')}// Result: coherent\n`).header.result).toBeNull();
  });

  it('reads Without lines', () => {
    const lines =
      '// Result: coherent\n// Without wmb: H13; the doorbell overtakes\n' +
      '// Without wmb#2: redundant: writel has one\n// Without dma_wmb: H13, H2';
    expect(header(lines).without.map(({ at: _at, ...claim }) => claim)).toEqual([
      { operation: 'wmb', occurrence: 1, hazards: ['H13'], why: 'the doorbell overtakes' },
      { operation: 'wmb', occurrence: 2, hazards: 'redundant', why: 'writel has one' },
      { operation: 'dma_wmb', occurrence: 1, hazards: ['H13', 'H2'], why: '' },
    ]);
  });

  it('leaves prose alone', () => {
    expect(header('// Without the barrier this breaks.\n// The result: bad.').without).toEqual([]);
  });

  it.each([
    ['// Result:', 'L050 1:4 the Result line is empty'],
    ['// Result: H0', "L050 1:12 'H0' is no hazard"],
    ['// Result: coherent H3', 'L050 1:4 a scenario is coherent or has hazards, not both'],
    ['// result: coherent', 'L050 1:4 the line is not understood'],
    ['// Result: H1\n// Result: H2', 'L050 2:4 a second Result line'],
    ['// Without mb: H1', "L051 1:12 no sync or barrier 'mb' is called in this file"],
    ['// Without wmb#3: H1', "L051 1:12 'wmb' is called 2 times: no #3"],
    ['// Without wmb#0: H1', 'L051 1:12 the line is not understood'],
    ['// Without wmb: H1\n// Without wmb#1: H2', 'L051 2:12 a second line about wmb#1'],
    ['// Without wmb:', 'L051 1:12 no hazard is named'],
  ])('refuses %s', (comment, expected) => {
    expect(problems(`${comment}\n${scenario('wmb();\nwmb();')}`)).toEqual([expected]);
  });
});

describe('dropping a call', () => {
  const text = scenario(
    'for (int i = 0; i < 2; i++)\n\twmb();\nwmb();\nsubmit(gpu);\n' +
      'sgt = drm_gem_shmem_get_pages_sgt(bo);\n' +
      'dma_sync_sgtable_for_device(gpu, sgt, DMA_TO_DEVICE);',
  );
  const program = compiled(text);
  const user = (name: string, occurrence: number): string[] => {
    const [thread] = withoutCall(program, name, occurrence).threads;
    return listing(program, thread?.code ?? [], thread?.locals ?? []);
  };

  it('counts calls in file order, copies of an unrolled call as one', () => {
    expect(
      removableCalls(program).map(({ operation, occurrence, at }) => [
        operation,
        occurrence,
        at.line,
      ]),
    ).toContainEqual(['wmb', 2, 12]);
    expect(removableCalls(program).filter(({ operation }) => operation === 'wmb')).toHaveLength(2);
  });

  it('drops all copies and keeps the numbering', () => {
    expect(user('wmb', 1).slice(1, 4)).toEqual(['1 goto 2', '2 goto 3', '3 wmb()']);
    expect(user('wmb', 2).slice(1, 4)).toEqual(['1 wmb()', '2 wmb()', '3 goto 4']);
  });

  it('changes nothing when there is no such call', () => {
    expect(withoutCall(program, 'wmb', 3)).toBe(program);
    expect(withoutCall(program, 'submit', 1)).toBe(program);
  });

  it('keeps a mapping but not its maintenance', () => {
    const skipped = allOperations().find(({ removable }) => removable === 'skip-sync');
    expect(skipped).toBeDefined();
    expect(user('drm_gem_shmem_get_pages_sgt', 1).join()).toContain(
      'sgt = drm_gem_shmem_get_pages_sgt(bo, .skip_sync=1)',
    );
  });
});

describe('reference page', () => {
  it('has every operation once, under its family', () => {
    const page = operationsReference();
    for (const { name, doc } of allOperations()) {
      expect(page.split(`#### \`${name}(`), name).toHaveLength(2);
      expect(page).toContain(doc);
    }
  });
});
