/** Tokens, comments and places. */
import { describe, expect, it } from 'vitest';
import { DiagnosticCollector } from '../src/diagnostics/collector.js';
import { lex } from '../src/litmus/lexer.js';

function tokens(text: string): string[] {
  return lex(text, new DiagnosticCollector()).tokens.map(({ text: token }) => token);
}

function errors(text: string): string[] {
  const diagnostics = new DiagnosticCollector();
  lex(text, diagnostics);
  return diagnostics
    .list()
    .map(({ code, span }) => `${code} ${span.line}:${span.column}+${span.length}`);
}

describe('lexer', () => {
  it('splits names, numbers and the longest symbols', () => {
    expect(tokens('a<<=b>>c->d++ != 0x1FUL')).toEqual([
      'a',
      '<<=',
      'b',
      '>>',
      'c',
      '->',
      'd',
      '++',
      '!=',
      '0x1FUL',
      '',
    ]);
  });

  it('reads herd spellings of and, or', () => {
    expect(tokens('a /\\ b \\/ c')).toEqual(['a', '&&', 'b', '||', 'c', '']);
  });

  it('knows the value of a number whatever its suffix', () => {
    const values = lex('10 0x10u 7ULL 4096L', new DiagnosticCollector()).tokens;
    expect(values.map(({ value }) => value)).toEqual([10, 16, 7, 4096, 0]);
  });

  it('counts lines and columns through comments, tabs and carriage returns', () => {
    const { tokens: list } = lex('/* a\n b */\tx\r\n  y', new DiagnosticCollector());
    expect(list.map(({ at }) => [at.line, at.column, at.length])).toEqual([
      [2, 7, 1],
      [3, 3, 1],
      [3, 4, 1],
    ]);
  });

  it('keeps comments with the token they stand before', () => {
    const { comments } = lex('// one\na /* two */ b // three', new DiagnosticCollector());
    expect(comments.map(({ text, before, line, column }) => [text, before, line, column])).toEqual([
      ['// one', 0, 1, 1],
      ['/* two */', 1, 2, 3],
      ['// three', 2, 2, 15],
    ]);
  });

  it('reports a run of stray characters once', () => {
    expect(errors('a @@@ b\n§')).toEqual(['L002 1:3+3', 'L002 2:1+1']);
  });

  it('reports what the language does not have', () => {
    expect(errors('#define X 1\ny = "abc" + \'c')).toEqual([
      'L002 1:1+11',
      'L002 2:5+5',
      'L002 2:13+2',
    ]);
  });

  it('reports numbers it cannot keep', () => {
    expect(errors('0x 1e5 9007199254740992 9007199254740991 017 0 1uu')).toEqual([
      'L004 1:1+2',
      'L004 1:4+3',
      'L004 1:8+16',
      'L004 1:42+3',
      'L004 1:48+3',
    ]);
  });

  it('refuses binary input at its first NUL, and gives no tokens', () => {
    expect(errors('abc\nd\0e')).toEqual(['L001 2:2+1']);
    expect(tokens('abc\nd\0e')).toEqual(['']);
  });

  it('reports an open comment at its start', () => {
    expect(errors('a /* b\nc')).toEqual(['L003 1:3+2']);
    expect(errors('a /*/ b')).toEqual(['L003 1:3+2']);
  });
});
