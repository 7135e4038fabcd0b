/** How a diagnostic looks, and how the nearest name is found. */
import { describe, expect, it } from 'vitest';
import { DiagnosticCollector } from '../src/diagnostics/collector.js';
import type { Diagnostic } from '../src/diagnostics/diagnostic.js';
import { editDistance, nearestName } from '../src/diagnostics/nearest.js';
import { renderDiagnostic } from '../src/diagnostics/render.js';

const diagnostic: Diagnostic = {
  severity: 'error',
  code: 'L020',
  message: "unknown name 'rign'",
  span: { line: 2, column: 2, length: 4 },
  expected: 'a name',
  suggestion: 'ring',
};

describe('rendering', () => {
  it('shows place, line, caret, expectation and suggestion', () => {
    expect(
      renderDiagnostic(diagnostic, 'a.litmus', 'x\n\trign[0] = 1;\r\ny', { color: false }),
    ).toBe(
      [
        "a.litmus:2:2: error[L020]: unknown name 'rign'",
        ' 2 | \trign[0] = 1;',
        '   | \t^~~~',
        '   expected a name',
        "   did you mean 'ring'?",
      ].join('\n'),
    );
  });

  it('colours only when asked to', () => {
    const sequence = '\u001b[';
    expect(renderDiagnostic(diagnostic, 'a', 'x\nrign', { color: true })).toContain(sequence);
    expect(renderDiagnostic(diagnostic, 'a', 'x\nrign', { color: false })).not.toContain(sequence);
  });

  it('cuts long lines around the mistake and masks control characters', () => {
    const text = `${' '.repeat(500)}\u001b[2J${'y'.repeat(500)}`;
    const span = { line: 1, column: 501, length: 900 };
    const lines = renderDiagnostic({ ...diagnostic, span }, 'a', text, { color: false }).split(
      '\n',
    );
    expect(lines.every((line) => line.length < 120)).toBe(true);
    expect(lines.join()).not.toContain('\u001b');
    expect(lines[2]?.indexOf('^')).toBe(lines[1]?.indexOf('·'));
  });

  it('does without a line that is not there', () => {
    const span = { line: 9, column: 1, length: 1 };
    expect(
      renderDiagnostic({ ...diagnostic, span }, 'a', 'x', { color: false }).split('\n'),
    ).toHaveLength(3);
  });
});

describe('nearest name', () => {
  it('counts slips, a swap as one', () => {
    expect(editDistance('ring', 'ring')).toBe(0);
    expect(editDistance('rign', 'ring')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('finds near names only', () => {
    const known = ['dma_sync_single_for_cpu', 'dma_sync_single_for_device', 'wmb'];
    expect(nearestName('dma_sync_single_for_devise', known)).toBe('dma_sync_single_for_device');
    expect(nearestName('WMB', known)).toBe('wmb');
    expect(nearestName('completely', known)).toBeUndefined();
    expect(nearestName('x'.repeat(10_000), known)).toBeUndefined();
  });
});

describe('collector', () => {
  it('keeps one message per place, in file order, up to a limit', () => {
    const diagnostics = new DiagnosticCollector();
    for (let line = 500; line > 0; line--) {
      diagnostics.error('L020', { line, column: 1, length: 1 }, 'first');
      diagnostics.error('L021', { line, column: 1, length: 1 }, 'second');
    }
    const list = diagnostics.list();
    expect(list).toHaveLength(101);
    expect(list.at(-1)?.code).toBe('L099');
    expect(new Set(list.slice(0, -1).map(({ message }) => message))).toEqual(new Set(['first']));
    expect(list[0]?.span.line).toBeLessThan(list[1]?.span.line ?? 0);
  });
});
