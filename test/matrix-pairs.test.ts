/** `check --matrix --pairs`: which two settings are tried, and which pairs tell more. */
import { describe, expect, it } from 'vitest';
import { checkOne } from '../src/cli/check-one.js';
import { rowOne } from '../src/cli/matrix-row.js';
import { type MatrixRow, type PairCell, tellsMore, verdictOnAll } from '../src/matrix/cells.js';
import { pairsOf } from '../src/matrix/pairs.js';
import { matrixJson, matrixText } from '../src/matrix/report.js';
import { Bench } from './cli-run.js';
import { scenario } from './corpus-scenarios.js';

const { text, file } = scenario('thread/k-sync-bo.right');

function rowOf(pairs?: number): MatrixRow {
  const outcome = rowOne(pairs === undefined ? { file, text } : { file, text, pairs }, {}, {});
  if (outcome.kind !== 'row') throw new Error(outcome.kind);
  return outcome.row;
}

function pair(row: MatrixRow, ...labels: readonly string[]): PairCell {
  const found = row.pairs?.find(({ settings }) => labels.every((each) => settings.includes(each)));
  if (found === undefined) throw new Error(labels.join(' and '));
  return found;
}

describe('check --matrix --pairs', () => {
  const row = rowOf(100);

  it('finds what neither setting finds alone: bounced where no IOMMU is in between', () => {
    for (const label of ['.swiotlb = force', 'gpu .iommu = none']) {
      const alone = row.others.find(({ setting }) => setting === label);
      expect(alone?.verdict, label).toBe('coherent');
    }
    const both = pair(row, '.swiotlb = force', 'gpu .iommu = none');
    expect(both.hazards).toContain('H1');
    expect(tellsMore(row, both)).toBe(true);
    expect(matrixText(row)).toContain("--with '.swiotlb = force' --with 'gpu .iommu = none'");
  });

  it('agrees with check of the changed text', () => {
    for (const { settings, change } of pairsOf(text, file)) {
      const outcome = checkOne({ file, text: change(text) }, {}, {});
      const cell = pair(row, ...settings);
      if (outcome.kind !== 'result') expect(cell.verdict).toBe('does not apply');
      else {
        expect(cell.verdict, cell.setting).toBe(outcome.result.verdict);
        const ids = outcome.result.hazards.map(({ id }) => id);
        expect([...cell.hazards].sort()).toEqual([...new Set(ids)].sort());
      }
    }
  });

  it('has each two settings once, and never two of one kind', () => {
    const all = pairsOf(text, file).map(({ settings }) => [...settings].sort().join(' and '));
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((each) => each.split('.swiotlb').length > 2)).toEqual([]);
    expect(all.filter((each) => each.includes('may_hit'))).toEqual([]);
    // Only where the other setting brings an IOMMU along can it be lazy.
    const direct = scenario('basics/from-device');
    const labels = pairsOf(direct.text, direct.file).map(({ settings }) => settings);
    expect(labels).toContainEqual(['nic .iommu = smmu', '.iommu_strict = false']);
  });

  it('leaves out pairs beyond the budget, and never calls them coherent', () => {
    const few = rowOf(1);
    const open = few.pairs?.filter(({ verdict }) => verdict === 'unknown') ?? [];
    expect(open.length).toBeGreaterThan(0);
    for (const cell of open) expect(tellsMore(few, cell)).toBeNull();
    for (const cell of few.pairs ?? []) {
      if (cell.verdict === 'unknown') continue;
      expect(cell).toEqual(pair(row, ...cell.settings));
    }
  });

  it('says nothing of pairs unasked', () => {
    expect(rowOf().pairs).toBeUndefined();
    expect(matrixJson([rowOf()], 1)).not.toContain('pairs');
    expect(matrixJson([row], 1)).toContain('tellsMore');
  });

  it('is refused without --matrix, and in parts', () => {
    const bench = new Bench();
    bench.write('a.litmus', text);
    expect(bench.civac(['check', '--pairs', 'a.litmus']).status).toBe(2);
    expect(bench.civac(['check', '--matrix', '--max-pairs', '3', 'a.litmus']).status).toBe(2);
    const part = ['check', '--matrix', '--pairs', '--shard', '1/2', 'a.litmus'];
    expect(bench.civac(part).err).toContain('--pairs does not go with --shard');
    bench.drop();
  });
});

describe('a pair tells more', () => {
  const cell = (setting: string, ...hazards: string[]) => ({
    setting,
    verdict: hazards.length > 0 ? ('hazard' as const) : ('coherent' as const),
    hazards,
    reason: null,
  });
  const row = (written: string[], a: string[], b: string[]): MatrixRow => ({
    file: 'x',
    written: cell('as written', ...written),
    others: [cell('a', ...a), cell('b', ...b)],
  });
  const both = (...hazards: string[]): PairCell => ({
    ...cell('a and b', ...hazards),
    settings: ['a', 'b'],
  });

  it('than the sum of its settings', () => {
    expect(tellsMore(row([], ['H1'], ['H2']), both('H2', 'H1'))).toBe(false);
    expect(tellsMore(row([], ['H1'], ['H2']), both('H1'))).toBe(true);
    expect(tellsMore(row([], [], []), both('H1'))).toBe(true);
    expect(tellsMore(row(['H1'], [], ['H1']), both())).toBe(false);
    expect(tellsMore(row(['H1', 'H2'], ['H1'], ['H2']), both())).toBe(false);
    expect(tellsMore(row(['H1'], [], ['H1', 'H2']), both('H1', 'H2'))).toBe(true);
  });

  it('or nobody knows', () => {
    const open = { ...both(), verdict: 'unknown' as const };
    expect(tellsMore(row([], [], []), open)).toBeNull();
    expect(verdictOnAll({ ...row([], [], []), pairs: [open] })).toBe('unknown');
    expect(tellsMore(row([], [], []), { ...both(), verdict: 'does not apply' })).toBe(false);
  });
});
