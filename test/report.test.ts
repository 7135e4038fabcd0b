/** The text report, on results made by hand. */
import { describe, expect, it } from 'vitest';
import { explainHazard, hazardNamed } from '../src/report/explain.js';
import { explainRule, explainWord } from '../src/report/explain-words.js';
import { palette } from '../src/report/paint.js';
import { citedRules } from '../src/report/rules.js';
import { briefText, fullText, type TextOptions } from '../src/report/text.js';
import { traceTable } from '../src/report/trace-table.js';
import { needsInWords } from '../src/report/words.js';
import { wordNames, wordPage } from '../src/litmus/index.js';
import { hazards } from '../src/verdict/hazards.js';
import type { CellView } from '../src/verdict/result.js';
import { expectGolden } from './golden.js';
import { coherent, lostWrite, panthor, panthorSource, step, unknown } from './report-fixture.js';

const plain: TextOptions = { width: 100, color: false, stats: false };
const colour = palette(false);

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

describe('the full report', () => {
  it('of a hazard is as reviewed', () => {
    expectGolden(fullText(panthor, panthorSource, plain), 'report-hazard.txt');
  });

  it('of a coherent scenario is as reviewed', () => {
    expectGolden(fullText(coherent, '', { ...plain, stats: true }), 'report-coherent.txt');
  });

  it('says why an unknown is unknown, and never that it is coherent', () => {
    const text = fullText({ ...unknown, hazards: [lostWrite] }, panthorSource, plain);
    expect(text).toContain('unknown: the limit of 10 states was reached; found so far: H3');
    expect(text.split('\n')[0]).not.toContain('coherent');
  });

  it.each([60, 80, 100, 140])('keeps its tables within %i columns', (width) => {
    const text = fullText(panthor, panthorSource, { ...plain, width });
    const table = text.split('\n').filter((line) => /^[ >] +\d/.test(line));
    expect(table.length).toBeGreaterThan(5);
    if (width >= 80) expect(widest(table.join('\n'))).toBeLessThanOrEqual(width);
  });

  it('has no escape codes without colour, and the same words with it', () => {
    const text = fullText(panthor, panthorSource, plain);
    const painted = fullText(panthor, panthorSource, { ...plain, color: true });
    expect(text).not.toContain('\u001b');
    expect(painted).toContain('\u001b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is removed.
    const bare = painted.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '');
    expect(bare).toBe(text);
  });

  it('points at a place that the source does not have without failing', () => {
    expect(fullText(panthor, '', plain)).toContain('litmus/panthor.litmus:8:14, in user');
  });

  it('prints a run once when two findings share it', () => {
    const text = fullText(panthor, panthorSource, plain);
    expect(text).toContain('the shortest run is that of H2 above; wrong in step 2');
  });
});

describe('the one-line report', () => {
  it('names each id once, in the order found', () => {
    const twice = { ...panthor, hazards: [...panthor.hazards, ...panthor.hazards] };
    expect(briefText(twice, plain)).toBe('litmus/panthor.litmus: hazard H2 H6 H3');
  });

  it('compares with what the header states', () => {
    const expect_ = { ...plain, expect: true };
    expect(briefText(panthor, expect_)).toContain('(stated: H2 H3)');
    expect(briefText(coherent, expect_)).toContain('coherent  (as stated)');
    expect(briefText({ ...panthor, expected: null, asExpected: null }, expect_)).toContain(
      '(nothing stated)',
    );
  });
});

describe('the table of a run', () => {
  const manyCells: CellView[] = ['a', 'b'].map((name) => ({
    name: `bo[${name}]`,
    dram: '0',
    cache: '-',
    buffer: '-',
    ideal: '0',
  }));

  it('with several cells shows those a step changed', () => {
    const first = { ...step('cpu0', 1, 'M5', 'starts', manyCells[0]!), cells: manyCells };
    const changed = manyCells.map((cell, i) => (i === 1 ? { ...cell, dram: '7' } : cell));
    const second = { ...first, line: 2, text: 'writes b', cells: changed };
    const third = { ...second, line: 3, text: 'waits' };
    const finding = { ...lostWrite, trace: [first, second, third] };
    const lines = traceTable(finding, 100, colour).split('\n');
    const from = lines.findIndex((line) => line.includes('writes b'));
    expect(lines[from]).toMatch(/bo\[b\] +\*7/);
    expect(lines[from + 1]).toMatch(/3: waits +M5$/);
  });

  it('puts many agents into one column when lanes would be too narrow', () => {
    const cell = manyCells[0]!;
    const trace = Array.from({ length: 8 }, (_, i) =>
      step(`thread${i}`, i + 1, 'M5', `does something that takes words ${i}`, cell),
    );
    const table = traceTable({ ...lostWrite, trace }, 100, colour);
    expect(table).toContain('event');
    expect(table).toContain('thread7');
    expect(widest(table)).toBeLessThanOrEqual(100);
  });

  it('gives the machine a lane of its own, and a thread called cache another', () => {
    const cell = manyCells[0]!;
    const trace = [
      step('cache', 4, 'M5', 'a thread', cell),
      step('cache', 0, 'M3', 'evicts', cell),
    ];
    const [, header = ''] = traceTable({ ...lostWrite, trace }, 100, colour).split('\n');
    expect(header.split(/ {2,}/).slice(1, 3)).toEqual(['cache', 'machine']);
  });

  it('leaves out a field of the cells that is empty all along', () => {
    const cell = manyCells[0]!;
    const table = traceTable({ ...lostWrite, trace: [step('a', 1, 'M5', 'x', cell)] }, 100, colour);
    expect(table).toContain('dram');
    expect(table).not.toContain('buffer');
  });
});

describe('words', () => {
  it('name what a finding needs', () => {
    expect(needsInWords([[]])).toContain('needs nothing');
    expect(needsInWords([['eviction'], ['speculation']])).toBe(
      'needs eviction (M3) or speculation (M4)',
    );
    expect(needsInWords([['eviction', 'stash'], ['reorder']])).toMatch(
      /^needs \(eviction \(M3\) and .*\) or reordering/,
    );
  });

  it('find the rules a text cites', () => {
    expect(citedRules(['M5 M7', 'M14', 'M5', 'H2', 'M99'])).toEqual(['M5', 'M7', 'M14']);
  });
});

describe('explain', () => {
  it('tells of every hazard what it is, how it happens and what mends it', () => {
    for (const id of Object.keys(hazards)) {
      const known = hazardNamed(id.toLowerCase());
      expect(known).toBe(id);
      const text = explainHazard(known!, { width: 80, color: false, shownBy: ['a.litmus'] });
      for (const part of ['what it is', 'how it usually', 'what mends it', 'sources', 'a.litmus']) {
        expect(text).toContain(part);
      }
    }
  });

  it('knows rules, and no other name', () => {
    expect(explainRule('m4', 80, null)).toContain('speculation');
    expect(explainRule('toString', 80, null)).toBeNull();
    expect(hazardNamed('toString')).toBeNull();
    expect(hazardNamed('H16')).toBeNull();
  });

  it('gives a rule its own paragraphs, and no more', () => {
    const model = '# x\n\n**M3 Evict.** Any [line](a.md).\n\nMore of it.\n\n**M4 Fill.** Other.\n';
    const text = explainRule('M3', 80, model);
    expect(text).toContain('M3 Evict. Any line.\n\n  More of it.\n');
    expect(text).not.toContain('Other');
    expect(explainRule('M4', 80, model)).toContain('Other');
    expect(explainRule('M5', 80, model)).toContain('docs/model.md');
  });

  it('knows every word of the language, with its source where it has one', () => {
    for (const name of wordNames()) {
      const page = wordPage(name);
      expect(page, name).not.toBeNull();
      const text = explainWord(page!, { width: 80, color: false, usedBy: ['a.litmus'] });
      expect(text).toContain(name);
      expect(text).toContain('a.litmus');
      if (page!.source !== null) expect(text).toContain('source\n');
    }
    expect(wordPage('memset()')).toEqual(wordPage('memset'));
    expect(wordPage('toString')).toBeNull();
    expect(wordPage('.toString')).toBeNull();
  });
});
