/** `.any = true`: a device that stands for every importer (M15), in check, matrix and mend. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { importerSettings } from '../src/compare/settings.js';
import { compile } from '../src/litmus/index.js';
import { advise } from '../src/mend/advise.js';
import { check } from '../src/verdict/check.js';
import { importersOf } from '../src/verdict/importers.js';
import { summarise } from '../src/verdict/summary.js';
import { Bench, root } from './cli-run.js';

function read(name: string): string {
  return readFileSync(join(root, 'litmus/thread', name), 'utf8');
}

function programOf(text: string) {
  const { program, diagnostics } = compile(text, 'x.litmus');
  if (program === null) throw new Error(JSON.stringify(diagnostics));
  return program;
}

const broken = read('g-any-importer.broken.litmus');
const right = read('g-any-importer.right.litmus');

describe('a device that may be any', () => {
  it('is explored for every importer, and the one it fails for is named', () => {
    const result = check(programOf(broken));
    expect(result.verdict).toBe('hazard');
    expect(result.asExpected).toBe(true);
    expect(result.importers?.map(({ verdict }) => verdict)).toEqual([
      'hazard',
      'hazard',
      'coherent',
      'coherent',
    ]);
    expect(result.hazards[0]?.message).toContain('with importer .coherent = false, .iommu = none');
    expect(check(programOf(right))).toMatchObject({ verdict: 'coherent', portable: true });
  });

  it('agrees with the text changed to each importer', () => {
    for (const text of [broken, right]) {
      const program = programOf(text);
      const { importers } = check(program);
      for (const { label, change } of importerSettings(program)) {
        const told = importers?.find(({ importer }) => importer === label);
        const { verdict, hazards } = check(programOf(change(text)));
        expect(told?.verdict, label).toBe(verdict);
        expect(told?.hazards, label).toEqual([...new Set(hazards.map(({ id }) => id))]);
      }
    }
  });

  it('leaves as it is what its block says, and tries masks where memory is high', () => {
    const labels = (settings: string, more = '') =>
      importersOf(
        programOf(`machine arm64 {\n${more}\tdevice d { .any = true${settings} };\n}\ncpu x {}\n`)
          .machine,
      ).length;
    expect(labels('')).toBe(4);
    expect(labels(', .iommu = none')).toBe(2);
    expect(labels('', '\t.memory_above_4g = true;\n')).toBe(8);
    expect(labels(', .coherent = true, .iommu = none, .dma_mask = DMA_BIT_MASK(32)')).toBe(0);
  });

  it('is never coherent because of the importer that happens to be first', () => {
    const snooping = broken.replace('.any = true', '.any = true, .coherent = true');
    expect(check(programOf(snooping)).verdict).toBe('coherent');
    expect(check(programOf(snooping)).asExpected).toBe(false);
    // Right for the first importer, and wrong for the others.
    const plain = broken.replace('DMA_ATTR_SKIP_CPU_SYNC', '0').replace(/^.*vgem, sgt.*\n/gmu, '');
    const late = plain.replace('wait(importer);', 'wait(importer);\n\tu32 seen = p[0];');
    expect(summarise(programOf(late)).verdict).toBe(check(programOf(late)).verdict);
    expect(summarise(programOf(broken)).verdict).toBe('hazard');
  });

  it('gets no advice: a sync is worth something else for each', () => {
    expect(advise(right, 'x.litmus')).toEqual([]);
  });
});

describe('on the command line', () => {
  const bench = new Bench();
  afterAll(() => bench.drop());

  it('check, check --matrix and mend answer for every importer', () => {
    bench.write('any.litmus', broken);
    const shown = bench.civac(['check', 'any.litmus']);
    expect(shown.status).toBe(1);
    expect(shown.out).toContain('importer .coherent = true, .iommu = smmu: coherent');
    const [result] = JSON.parse(bench.civac(['check', '--json', 'any.litmus']).out).results;
    expect(result.importers).toHaveLength(4);
    const matrix = bench.civac(['check', '--matrix', 'any.litmus']);
    expect(matrix.out).toMatch(/importer \.coherent = false, \.iommu = smmu +hazard H2 H6/u);
    const mended = bench.civac(['mend', '--write', 'any.litmus']);
    expect(mended.status).toBe(0);
    expect(bench.civac(['check', '--expect', 'any.litmus']).status).toBe(0);
  });
});
