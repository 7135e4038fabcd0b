/**
 * Words that a scenario most likely names because it does on another platform: they shorten the
 * way, and change nothing of what comes out. Leaves out what a matrix prints (matrix.test.ts).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Layout, NewCell } from '../src/kernel/layout.js';
import { compile } from '../src/litmus/index.js';
import type { Program } from '../src/litmus/program.js';
import { platformsOf } from '../src/matrix/platforms.js';
import { libertiesOf, onLayout } from '../src/verdict/check.js';
import type { Likely } from '../src/verdict/runs.js';
import { summarise } from '../src/verdict/summary.js';

function programOf(text: string): Program {
  const { program } = compile(text, 'test');
  if (program === null) throw new Error('does not compile');
  return program;
}

function textOf(name: string): string {
  return readFileSync(new URL(`../litmus/${name}.litmus`, import.meta.url), 'utf8');
}

/** Walked tables, a bounce buffer, lines of their own, ranges, a scenario that is large. */
const SCENARIOS = [
  'basics/io-tables-coherent-walk',
  'bugs/b70-swiotlb-ath9k.attempt',
  'nearmiss/rx-ring.safe',
  'arch/cut-line.arm64',
];

function wordsWith(program: Program, like?: Likely) {
  const options = like === undefined ? {} : { like };
  return onLayout(program, options, libertiesOf(program), (runs) => {
    runs.run(libertiesOf(program));
    return runs.words;
  });
}

describe('guessed words', () => {
  it('are open until each was asked for, marks of page tables too', () => {
    const layout = new Layout(4096, 64);
    layout.guess([
      { buffer: 0, byte: 0, size: 8 },
      { buffer: 0, byte: 8, size: 8 },
      { buffer: 0, byte: 8, size: -1 },
    ]);
    expect(layout.hasGuesses).toBe(true);
    layout.cell(0, 0, 8);
    const entry = layout.cell(0, 8, 8);
    expect(layout.hasGuesses).toBe(true);
    layout.walked(entry);
    expect(layout.hasGuesses).toBe(false);
    expect(() => layout.walked(layout.cell(0, 0, 8))).toThrow(NewCell);
  });

  it('stay open where ranges name words', () => {
    const layout = new Layout(4096, 64);
    layout.guess([{ buffer: 0, byte: 0, size: 1 }]);
    expect(() => layout.range(0, 0, 128)).toThrow(NewCell);
    layout.cell(0, 0, 1);
    expect(layout.hasGuesses).toBe(true);
  });

  it('leave no word that no run names', () => {
    const program = programOf(textOf('nearmiss/rx-ring.safe'));
    const words = wordsWith(program);
    const extra = { buffer: words[0]?.buffer ?? 0, byte: 512, size: 8 };
    const named = (given: typeof words) => given.map((word) => JSON.stringify(word)).sort();
    for (const isLarge of [false, true]) {
      for (const guessed of [words, [...words, extra]]) {
        expect(named(wordsWith(program, { words: guessed, isLarge }))).toEqual(named(words));
      }
    }
  });

  it.each(SCENARIOS)('%s: the same answers on every platform as without', (name) => {
    const text = textOf(name);
    const { like } = summarise(programOf(text));
    for (const { label, change } of platformsOf(programOf(text))) {
      const { program } = compile(change(text), label);
      if (program === null) continue;
      const plain = summarise(program);
      for (const isLarge of [false, true]) {
        const { verdict, hazards } = summarise(program, { like: { ...like, isLarge } });
        expect({ label, verdict, hazards }).toEqual({
          label,
          verdict: plain.verdict,
          hazards: plain.hazards,
        });
      }
    }
  });
});
