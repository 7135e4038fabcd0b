/** The formatter: kernel style, every comment kept, nothing changed in what a scenario means. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, format } from '../src/litmus/index.js';
import { programTexts } from './litmus-generator.js';
import { compiled, filesOf, meaning } from './litmus-helper.js';

function formatted(text: string): string {
  const result = format(text);
  if (result.text === null) throw new Error(JSON.stringify(result.diagnostics));
  return result.text;
}

/** The body of a thread, its tabs taken off. */
function body(text: string): string {
  const lines = formatted(`cpu a {${text}}`).split('\n');
  return lines
    .slice(1, -2)
    .map((line) => line.replace(/^\t/, ''))
    .join('\n');
}

describe('layout', () => {
  it('puts every statement in its line and every block in its braces', () => {
    expect(body('if(a){b=1;}else if(c)d=2;else{e=3;}while(f);do{g++;}while(h);')).toBe(
      [
        'if (a) {',
        '\tb = 1;',
        '} else if (c)',
        '\td = 2;',
        'else {',
        '\te = 3;',
        '}',
        'while (f)',
        '\t;',
        'do {',
        '\tg++;',
        '} while (h);',
      ].join('\n'),
    );
    expect(body('for(int i=0;i<3;i++)for(;;){break;}')).toBe(
      ['for (int i = 0; i < 3; i++)', '\tfor (;;) {', '\t\tbreak;', '\t}'].join('\n'),
    );
  });

  it('spaces operators as the kernel does', () => {
    expect(body('u32*p=(u32*)q,*r;x=-a- -b*!c;*p=&p[1]-p;x=y?-1:(u64)-2;f( &a,.b=1 );')).toBe(
      [
        'u32 *p = (u32 *)q, *r;',
        'x = -a - -b * !c;',
        '*p = &p[1] - p;',
        'x = y ? -1 : (u64)-2;',
        'f(&a, .b = 1);',
      ].join('\n'),
    );
    expect(body('struct page*page=(struct page*)x;x=- -y;x=a&&b||*c;return ;')).toBe(
      ['struct page *page = (struct page *)x;', 'x = - -y;', 'x = a && b || *c;', 'return;'].join(
        '\n',
      ),
    );
  });

  it('lays out the machine block and conditions', () => {
    expect(
      formatted(
        'machine arm64{device gpu{.coherent=false,.iommu=smmu};device b{};.swap=zram;}' +
          'exists(a:x==1/\\!(b:y!=2))',
      ),
    ).toBe(
      [
        'machine arm64 {',
        '\tdevice gpu { .coherent = false, .iommu = smmu };',
        '\tdevice b { };',
        '\t.swap = zram;',
        '}',
        'exists (a:x == 1 && !(b:y != 2))',
        '',
      ].join('\n'),
    );
  });

  it('keeps single blank lines, but none inside braces', () => {
    expect(formatted('// a\n\n\n\ncpu a {\n\n\tb();\n\n\n\tc();\n\n}\n')).toBe(
      '// a\n\ncpu a {\n\tb();\n\n\tc();\n}\n',
    );
  });

  it('aligns the comments behind the lines of a block', () => {
    expect(
      body('a = 1; // one\n\tlonger = 2; // two\n\tc = 3;\n\td = 4; // four\n\n\te = 5; // five\n'),
    ).toBe(
      [
        'a = 1;       // one',
        'longer = 2;  // two',
        'c = 3;',
        'd = 4;       // four',
        '',
        'e = 5;  // five',
      ].join('\n'),
    );
  });

  it('keeps comments where they are', () => {
    expect(
      body(
        '\n// own\na(b, /* in */ c); /* behind */\n/*\n  * star\n */\nd(e, // why\nf);\n// end\n',
      ),
    ).toBe(
      [
        '// own',
        'a(b, /* in */ c);  /* behind */',
        '/*',
        ' * star',
        ' */',
        'd(e, // why',
        '\t\tf);',
        '// end',
      ].join('\n'),
    );
  });

  it('breaks lines that are too long behind commas and operators', () => {
    const args = Array.from({ length: 12 }, (_, index) => `argument_${index}`).join(', ');
    const lines = body(`call(${args});`).split('\n');
    expect(lines.length).toBe(2);
    expect(lines.every((line) => line.length <= 92)).toBe(true);
    expect(lines[0]?.endsWith(',')).toBe(true);
  });

  it('leaves text with syntax errors alone', () => {
    expect(format('cpu a {').text).toBeNull();
    expect(format('cpu a { p[0] = ; }').diagnostics.length).toBe(1);
    expect(format('cpu a { unknown(1); }').text).not.toBeNull();
    expect(format('').text).toBe('');
  });
});

function expectStable(text: string): void {
  const once = formatted(text);
  expect(formatted(once)).toBe(once);
  const commentsOf = (source: string) =>
    (source.match(/\/\/.*|\/\*[\s\S]*?\*\//g) ?? []).map((comment) =>
      comment.replace(/\s+/g, ' ').trim(),
    );
  expect(commentsOf(once)).toEqual(commentsOf(text));
  if (compile(text, 'x').program === null) return;
  expect(meaning(compiled(once))).toEqual(meaning(compiled(text)));
}

describe('stability', () => {
  for (const { name, text } of filesOf('litmus')) {
    it(`is idempotent and faithful on ${name}`, () => expectStable(text));
  }

  it('is idempotent and faithful on generated programs in any layout', () => {
    fc.assert(fc.property(programTexts, expectStable), { numRuns: 300 });
  });
});
