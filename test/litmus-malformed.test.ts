/**
 * Malformed input: each file of test/malformed with the messages it must give, word for word.
 * `npm run promote` rewrites them.
 */
import { describe, expect, it } from 'vitest';
import { diagnosticCodes } from '../src/diagnostics/codes.js';
import { compile } from '../src/litmus/index.js';
import { expectGoldenFile } from './golden.js';
import { expectValidSpans, filesOf, pathOf, rendered } from './litmus-helper.js';

const files = filesOf('test/malformed');

describe('malformed input', () => {
  for (const { name, text } of files) {
    it(`${name} is refused in words`, () => {
      const { program, diagnostics } = compile(text, name);
      expect(program).toBeNull();
      expect(diagnostics.length).toBeGreaterThan(0);
      expectValidSpans(text, diagnostics);
      const expected = pathOf('test/malformed', name.replace(/litmus$/, 'expected'));
      expectGoldenFile(`${rendered(text, name)}\n`, expected);
    });
  }

  it('covers every code of the language', () => {
    const seen = new Set(
      files.flatMap(({ name, text }) => compile(text, name).diagnostics.map(({ code }) => code)),
    );
    const unseen = Object.keys(diagnosticCodes).filter((code) => !seen.has(code));
    // What a scenario can only get wrong while it runs is the engine's to say; a design is refused
    // before anyone asks what it lacks (compare-expand.test.ts).
    expect(unseen).toEqual(['L070', 'L082']);
  });

  it('gives every message once per place, and no more than a reader can use', () => {
    for (const { name, text } of files) {
      const { diagnostics } = compile(text, name);
      const places = diagnostics.filter(({ code }) => code !== 'L099').map(({ span }) => span);
      expect(new Set(places.map(({ line, column }) => `${line}:${column}`)).size).toBe(
        places.length,
      );
      expect(diagnostics.length).toBeLessThanOrEqual(101);
    }
  });

  it('survives a megabyte of brackets', () => {
    for (const unit of ['(', '{', '!', 'if (', '[', '-', '/*', 'cpu a {']) {
      for (const before of ['', 'cpu a {\n', 'exists (']) {
        const { program, diagnostics } = compile(before + unit.repeat(2 ** 20 / unit.length), 'x');
        expect(program).toBeNull();
        expect(diagnostics.length).toBeGreaterThan(0);
      }
    }
  });
});
