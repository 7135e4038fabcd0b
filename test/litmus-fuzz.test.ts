/** Whatever the text: no exception, a program exactly when there is no error, valid places. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiagnostic } from '../src/diagnostics/render.js';
import { compile, format } from '../src/litmus/index.js';
import { programTexts } from './litmus-generator.js';
import { compiled, expectValidSpans, filesOf, scenario } from './litmus-helper.js';

const seeds = [
  ...filesOf('litmus').map(({ text }) => text),
  ...filesOf('test/malformed').map(({ text }) => text.slice(0, 2000)),
  scenario('for (int i = 0; i < 4; i++)\n\tp[i] = p[i + 1] ? 1 : 2;\nwhile (p[0] && !p[1])\n\t;'),
];

const fragments = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  '=',
  '==',
  '&&',
  '*',
  '&',
  '"',
  '/*',
  '*/',
  '//',
  '\n',
  '#',
  '\0',
  '\r',
  '\u2028',
  '🙂',
  'cpu ',
  'device ',
  'machine ',
  'exists',
  'while',
  'for',
  'else',
  'u32 ',
  'struct ',
  'return',
  '0x',
  '99999999999999999999',
  '// Result: ',
  '// Without wmb#: ',
  'READ_ONCE(',
];

interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.constantFrom(0, 0, 1, 2, 10, 100),
    insert: fc.oneof(fc.constant(''), fc.constantFrom(...fragments), fc.string({ maxLength: 3 })),
  }),
  { minLength: 1, maxLength: 5 },
);

function mutated(text: string, changes: readonly Mutation[]): string {
  return changes.reduce((before, { at, remove, insert }) => {
    const from = Math.floor(at * before.length);
    return before.slice(0, from) + insert + before.slice(from + remove);
  }, text);
}

function expectSane(text: string): void {
  const { program, diagnostics } = compile(text, 'x.litmus');
  expect(program === null).toBe(diagnostics.length > 0);
  expectValidSpans(text, diagnostics);
  for (const diagnostic of diagnostics) {
    const shown = renderDiagnostic(diagnostic, 'x.litmus', text, { color: false });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may reach the terminal.
    expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  }
  const result = format(text);
  if (result.text !== null) expect(format(result.text).text).toBe(result.text);
}

describe('fuzz', () => {
  it('survives random changes of valid and malformed files', () => {
    const texts = fc.constantFrom(...seeds);
    fc.assert(
      fc.property(texts, mutations, (text, changes) => expectSane(mutated(text, changes))),
      { numRuns: 3000 },
    );
  });

  it('survives random text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectSane), {
      numRuns: 500,
    });
    const words = fc.array(fc.constantFrom(...fragments), { maxLength: 60 });
    fc.assert(
      fc.property(words, (list) => expectSane(list.join(' '))),
      { numRuns: 1000 },
    );
  });

  it('compiles every generated program', () => {
    fc.assert(
      fc.property(programTexts, (text) => void compiled(text)),
      { numRuns: 200 },
    );
  });

  it('gives code whose jumps and variables exist', () => {
    const check = (text: string) => {
      const program = compiled(text);
      for (const thread of [program.init, ...program.threads]) {
        for (const instruction of thread.code) {
          const target =
            instruction.op === 'jump'
              ? instruction.to
              : instruction.op === 'branch'
                ? instruction.otherwise
                : 0;
          expect(target).toBeLessThanOrEqual(thread.code.length);
          expect(Number.isInteger(target) && target >= 0).toBe(true);
          if ('target' in instruction && instruction.target?.kind === 'local') {
            expect(thread.locals[instruction.target.index]).toBeDefined();
          }
        }
      }
    };
    fc.assert(fc.property(programTexts, check), { numRuns: 200 });
  });
});
