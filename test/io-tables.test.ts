/**
 * Page tables in memory (M12): the format, the leaves that a mapping takes, what a scenario with
 * tables of its own finds, and both engines alike.
 */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { IOMMU_CACHE, IOMMU_READ, IOMMU_WRITE } from '../src/kernel/constants.js';
import {
  decode,
  entryByte,
  leafPte,
  leavesOf,
  type Level,
  levelSize,
  tablePte,
} from '../src/kernel/io-pgtable.js';
import { compile } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { scenario } from './corpus-scenarios.js';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

describe('the LPAE format', () => {
  it('has leaves of 1 GiB, 2 MiB and 4 KiB', () => {
    expect(([1, 2, 3] as const).map(levelSize)).toEqual([GiB, 2 * MiB, 4096]);
    expect(entryByte(GiB + 2 * MiB + 4096, 1)).toBe(8);
    expect(entryByte(GiB + 2 * MiB + 4096, 2)).toBe(8);
    expect(entryByte(GiB + 2 * MiB + 4096, 3)).toBe(8);
  });

  it('takes the largest leaves that both addresses allow', () => {
    const levels = (iova: number, address: number, size: number): string =>
      leavesOf(iova, address, size)
        .map(({ level }) => level)
        .join('');
    expect(levels(0, GiB, GiB + 2 * MiB + 4096)).toBe('123');
    expect(levels(0, 2 * MiB, 4 * MiB)).toBe('22');
    // The physical address is not aligned as the other one is: pages only.
    expect(leavesOf(0, 4096, 2 * MiB).every(({ level }) => level === 3)).toBe(true);
    expect(levels(2 * MiB - 4096, 6 * MiB - 4096, 2 * MiB + 4096)).toBe('32');
  });

  it('covers what was asked for, once, in order', () => {
    const page = fc.integer({ min: 0, max: 2 ** 20 });
    fc.assert(
      fc.property(page, page, fc.integer({ min: 1, max: 1500 }), (iova, address, pages) => {
        let at = 0;
        for (const leaf of leavesOf(iova * 4096, address * 4096, pages * 4096)) {
          expect(leaf.iova - iova * 4096).toBe(at);
          expect(leaf.address - address * 4096).toBe(at);
          expect(leaf.iova % levelSize(leaf.level)).toBe(0);
          at += levelSize(leaf.level);
        }
        expect(at).toBe(pages * 4096);
      }),
      { numRuns: 50 },
    );
  });

  it('reads back what it writes', () => {
    for (const level of [1, 2, 3] as readonly Level[]) {
      for (const prot of [IOMMU_READ, IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE]) {
        expect(decode(leafPte(0x40_8000_0000, prot, level), level)).toEqual({
          kind: 'leaf',
          address: 0x40_8000_0000,
          readOnly: (prot & IOMMU_WRITE) === 0,
          cacheable: (prot & IOMMU_CACHE) !== 0,
        });
      }
    }
    expect(decode(tablePte(0x8000_1000), 2)).toEqual({ kind: 'table', address: 0x8000_1000 });
    expect(decode(0, 1)).toEqual({ kind: 'fault' });
    // At the last level an entry with the type of a block is none.
    expect(decode(0x8000_1001, 3)).toEqual({ kind: 'fault' });
  });
});

describe('page tables in memory', () => {
  it.each(['own-tables-not-cleaned', 'walk-cache-table-freed', 'two-iommus-one-flushed'])(
    '%s: both engines alike',
    { timeout: 300_000 },
    (name) => {
      const { program } = scenario(`basics/${name}`);
      const told = (engine: 'fast' | 'reference'): string =>
        JSON.stringify({
          ...check(program, { engine, tablesFrom: 0, por: false }),
          seconds: 0,
          reduction: [],
        });
      expect(told('fast')).toBe(told('reference'));
    },
  );

  it('have pages of 4 KiB', () => {
    const text =
      'machine arm64 {\n\t.page_size = 16384;\n\tdevice gpu { .coherent_walk = true };\n}\n' +
      'cpu a {\n\tsmp_mb();\n}\n';
    const { diagnostics } = compile(text, 'pages.litmus');
    expect(diagnostics.map(({ code }) => code)).toContain('L022');
  });

  it('need to be said of a device whose driver writes them itself', () => {
    const text =
      'machine arm64 {\n\tdevice gpu { .coherent = false };\n}\nu64 *pgd;\n' +
      'init {\n\tpgd = kzalloc(PAGE_SIZE, GFP_KERNEL);\n' +
      '\tvm = panfrost_mmu_enable(gpu, virt_to_phys(pgd));\n}\n' +
      'device gpu {\n\tdma_write(vm, 0, 1);\n}\n';
    const { program } = compile(text, 'own.litmus');
    if (program === null) throw new Error('does not compile');
    expect(() => check(program)).toThrow('.coherent_walk');
  });
});
