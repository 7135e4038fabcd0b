/** The syntax tree, and how reading goes on behind a mistake. */
import { describe, expect, it } from 'vitest';
import { DiagnosticCollector } from '../src/diagnostics/collector.js';
import type { Expression, Statement, SyntaxTree } from '../src/litmus/ast.js';
import { lex } from '../src/litmus/lexer.js';
import { parse } from '../src/litmus/parser.js';
import { codes, problems, scenario } from './litmus-helper.js';

function parsed(text: string): SyntaxTree {
  const diagnostics = new DiagnosticCollector();
  const tree = parse(lex(text, diagnostics).tokens, diagnostics);
  expect(diagnostics.list()).toEqual([]);
  return tree;
}

function statements(body: string): readonly Statement[] {
  const [item] = parsed(`cpu a { ${body} }`).items;
  if (item?.kind !== 'thread') throw new Error('no thread');
  return item.body.body;
}

/** Fully bracketed. */
function shape(node: Expression): string {
  switch (node.kind) {
    case 'number':
      return String(node.value);
    case 'name':
      return node.name;
    case 'paren':
      return shape(node.inner);
    case 'unary':
      return `(${node.operator}${shape(node.operand)})`;
    case 'binary':
      return `(${shape(node.left)} ${node.operator} ${shape(node.right)})`;
    case 'assign':
      return `(${shape(node.target)} ${node.operator ?? ''}= ${shape(node.value)})`;
    case 'ternary':
      return `(${shape(node.condition)} ? ${shape(node.then)} : ${shape(node.otherwise)})`;
    case 'index':
      return `${shape(node.pointer)}[${shape(node.index)}]`;
    case 'call':
      return `${node.callee}(${node.args.map(shape).join(', ')})`;
    case 'cast':
      return `(${node.type.base}${'*'.repeat(node.type.pointers)})${shape(node.operand)}`;
    case 'sizeof':
      return `sizeof(${node.type.base}${'*'.repeat(node.type.pointers)})`;
  }
}

function expression(text: string): string {
  const [statement] = statements(`${text};`);
  if (statement?.kind !== 'expression') throw new Error('no expression');
  return shape(statement.expression);
}

describe('parser', () => {
  it.each([
    ['a + b * c', '(a + (b * c))'],
    ['a - b - c', '((a - b) - c)'],
    ['a << 1 & b | c ^ d', '(((a << 1) & b) | (c ^ d))'],
    ['a == b && c < d || e', '(((a == b) && (c < d)) || e)'],
    ['-a * !b', '((-a) * (!b))'],
    ['*p++', '(*(p += 1))'],
    ['&p[1]', '(&p[1])'],
    ['*(p + 1) = 2', '((*(p + 1)) = 2)'],
    ['a = b = c', '(a = (b = c))'],
    ['a |= b & c', '(a |= (b & c))'],
    ['c ? x : d ? y : z', '(c ? x : (d ? y : z))'],
    ['(u32 *)p + 1', '((u32*)p + 1)'],
    ['(unsigned long long int)x', '(long)x'],
    ['(const volatile u8 *)p', '(u8*)p'],
    ['f(a, b + 1)[2]', 'f(a, (b + 1))[2]'],
    ['sizeof(struct page *) + 1', '(sizeof(struct page*) + 1)'],
  ])('reads %s', (text, expected) => {
    expect(expression(text)).toBe(expected);
  });

  it('reads every kind of statement', () => {
    const body = `
      u32 x = 1, *q; if (x) ; else { } while (x) break; do x--; while (x);
      for (int i = 0; i < 2; i++) continue; for (;;) return; ; { }`;
    expect(statements(body).map(({ kind }) => kind)).toEqual([
      'declaration',
      'if',
      'loop',
      'loop',
      'loop',
      'loop',
      'empty',
      'block',
    ]);
  });

  it('gives each declarator its own stars', () => {
    const [node] = statements('u32 a, *b;');
    if (node?.kind !== 'declaration') throw new Error('no declaration');
    expect(node.declarators.map(({ name, type }) => [name, type.pointers])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });

  it('reads machine blocks with and without trailing commas', () => {
    const { items } = parsed(
      'machine arm64 { device a { .coherent = true, }; device b { }; .swap = zram; }',
    );
    const [machine] = items;
    if (machine?.kind !== 'machine') throw new Error('no machine');
    expect(machine.devices.map(({ name, settings }) => [name, settings.length])).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
    expect(machine.settings.map(({ name }) => name)).toEqual(['swap']);
  });

  it('reads conditions in C and in herd spelling', () => {
    const trees = [
      'exists (a:x == 1 && !(b:y != 2 || a:z < 3))',
      'exists (a:x == 1 /\\ !(b:y != 2 \\/ a:z < 3))',
    ].map(parsed);
    const plain = JSON.stringify(trees[0], (key, value: unknown) =>
      /At$|^at$/.test(key) ? 0 : value,
    );
    const herd = JSON.stringify(trees[1], (key, value: unknown) =>
      /At$|^at$/.test(key) ? 0 : value,
    );
    expect(herd).toBe(plain);
  });
});

describe('recovery', () => {
  it('reports mistakes of several statements, each once', () => {
    expect(problems(scenario('\tp[0] = ;\n\tp[1] = 2 3;\n\tp[2] = (1;\n\tp[3] = 4;'))).toEqual([
      "L010 10:9 unexpected ';'",
      'L010 11:11 unexpected number 3',
      "L010 12:11 unexpected ';'",
    ]);
  });

  it('does not complain about names of a statement it could not read', () => {
    expect(codes(scenario('\tu32 x = p[;\n\tx = 2;\n\tp[0] = x;'))).toEqual(['L010']);
  });

  it('goes on at the next thread when a block is not closed', () => {
    const text = scenario('\tif (p[0]) {\n\t\tp[0] = 1;', '').replace(/\}\n$/, '');
    expect(codes(`${text}cpu other {\n\tnothing();\n}\n`)).toEqual(['L011', 'L021']);
  });

  it('skips a broken loop together with its body', () => {
    expect(
      codes(scenario('\tfor (int i = 0, i < 3, i++) {\n\t\tp[i] = 1;\n\t}\n\tp[0] = 2;')),
    ).toEqual(['L010']);
    expect(codes(scenario('\tif (p[0] == ) { p[0] = 1; } else { p[1] = 1; }'))).toEqual(['L010']);
  });

  it('says of a missing semicolon only that', () => {
    expect(problems(scenario('\tp[0] = 1\n\tp[1] = 2;\n\tu32 x = p[1]'))).toEqual([
      "L010 10:10 missing ';'",
      "L010 12:14 missing ';'",
    ]);
  });

  it('finds mistakes in other threads all the same', () => {
    const text = scenario(
      '\tp[0] = ;',
      'device gpu {\n\tdma_write(vm 0, 1);\n}\nexists (user:x == )\n',
    );
    expect(codes(text)).toEqual(['L010', 'L010', 'L010']);
  });

  it('names the word that was meant at file scope', () => {
    expect(compileSuggestion('exsts (user:x == 1)')).toBe('exists');
    expect(compileSuggestion('devcie { }')).toBe('device');
  });
});

function compileSuggestion(text: string): string | undefined {
  const diagnostics = new DiagnosticCollector();
  parse(lex(text, diagnostics).tokens, diagnostics);
  return diagnostics.list()[0]?.suggestion;
}
