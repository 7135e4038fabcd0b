/**
 * Designs and use cases as language: what they refuse, how they are laid out, and what comes of
 * them when a design's answers stand in place of the events.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compile,
  events,
  format,
  readDesign,
  readUseCase,
  refusalOf,
} from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import {
  design,
  designWith,
  expanded,
  filesIn,
  mapFirst,
  shipped,
  useCase,
  useCaseWith,
} from './compare-helper.js';

function mistakes(text: string, read: typeof readDesign | typeof readUseCase): string[] {
  return read(text, 'x').diagnostics.map(
    ({ code, span, message }) => `${code} ${span.line}:${span.column} ${message}`,
  );
}

describe('a design', () => {
  it('must answer or refuse what every use case needs', () => {
    expect(mistakes('design d {\n\trefuse create;\n}', readDesign)).toEqual([
      "L082 1:8 the design does not answer 'pages_got'",
    ]);
  });

  it('answers each event once, under its own name and with its own parameters', () => {
    const twice = designWith({}, '\trefuse create;\n');
    expect(mistakes(twice, readDesign)[0]).toContain("L082 4:5 a second answer to 'create'");
    const misspelt = designWith({}, '\ton page_got(bo, dev, size) {\n\t}\n');
    const found = readDesign(misspelt, 'x').diagnostics;
    expect(found.map(({ code, suggestion }) => [code, suggestion])).toEqual([
      ['L080', 'pages_got'],
    ]);
    const short = designWith({}, '\ton unpin(bo, dev) {\n\t}\n');
    expect(mistakes(short, readDesign)).toEqual(["L081 3:5 'unpin' gives 3 things, not 2"]);
    const same = designWith({}, '\ton unpin(bo, bo, size) {\n\t}\n');
    expect(mistakes(same, readDesign)).toEqual(["L014 3:15 'bo' is named twice"]);
  });

  it('raises no events, returns nothing, and stands alone in its file', () => {
    const raising = designWith({ pages_got: 'event free(bo, dev, size);' });
    expect(mistakes(raising, readDesign)[0]).toContain('answers events and raises none');
    const returning = designWith({ pages_got: 'return;' });
    expect(mistakes(returning, readDesign)[0]).toContain('runs to its end');
    const company = `cpu user {\n}\n${designWith({})}`;
    expect(mistakes(company, readDesign)[0]).toContain('L083 1:1');
    expect(mistakes(`${designWith({})}${designWith({})}`, readDesign)[0]).toContain('L014');
    expect(readDesign(designWith({}, '\tu32 *x = 1;\n'), 'x').value).toBeNull();
  });

  it('is refused by check, and so is a use case', () => {
    const codes = (text: string) => compile(text, 'x').diagnostics.map(({ code }) => code);
    expect(codes(designWith({}))).toEqual(['L083']);
    expect(codes(useCaseWith(mapFirst))).toEqual(['L083']);
  });
});

describe('a use case', () => {
  it('raises known events with all arguments, the buffer first, and on CPUs', () => {
    const of = (line: string) => mistakes(useCaseWith(`\t${line}`), readUseCase);
    expect(of('event pin(bo, gpu, PAGE_SIZE);')[0]).toContain("there is no event 'pin'");
    expect(of('event free(bo, gpu);')[0]).toContain("'free' takes 3 arguments, not 2");
    expect(of('event free(bo + 1, gpu, PAGE_SIZE);')[0]).toContain('the name of its buffer');
    const device = useCaseWith('', 'event free(bo, gpu, PAGE_SIZE);');
    expect(mistakes(device, readUseCase)[0]).toContain('a device raises no events');
  });

  it('may still call a variable event, on or refuse', () => {
    const text = 'cpu user {\n\tu32 event = 1;\n\tu32 on = event;\n\tu32 refuse = on;\n}\n';
    expect(compile(text, 'x').diagnostics).toEqual([]);
  });
});

describe('expansion', () => {
  it('puts answers in place of events, each line with its places', () => {
    const { text, originOfLine } = expanded(designWith({}), useCaseWith(mapFirst));
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.includes('iommu_map_sgtable'));
    expect(lines[at]?.trim()).toBe(
      'iommu_map_sgtable(vm, 0x100000, bo_sgt, IOMMU_READ);  // small.design:14',
    );
    expect(lines[at - 2]?.trim()).toBe('// event map_device, small.usecase:16');
    expect(originOfLine(at + 1)).toMatchObject({
      file: 'some/small.design',
      at: { line: 14, column: 3 },
      event: { name: 'map_device', phase: 'life', line: 16 },
    });
    const store = lines.findIndex((line) => line.trim() === 'p[0] = 1;');
    expect(originOfLine(store + 1)).toMatchObject({
      file: 'some/small.usecase',
      at: { line: 15, column: 2 },
      event: null,
    });
    expect(originOfLine(1)).toBeNull();
  });

  it('keeps what the design knows of one buffer apart from another', () => {
    const two = mapFirst.replaceAll('\t', '\t').replace(/bo/gu, 'one');
    const both = `${two}\n${two.replace(/one/gu, 'two').replaceAll('0x100000', '0x200000')}`;
    const { text } = expanded(
      designWith({ submit: 'mark = sgt;' }, '\tstruct sg_table *mark;\n'),
      useCaseWith(both),
    );
    expect(text).toContain('two_sgt = drm_gem_shmem_get_pages_sgt(two);');
    expect(text).toMatch(/^struct sg_table \*one_mark; +\/\/ small.design:3$/mu);
    expect(text).toMatch(/^struct sg_table \*two_mark;/mu);
    expect(compile(text, 'x').diagnostics).toEqual([]);
  });

  it('takes no name that the use case has already', () => {
    const { text } = expanded(designWith({}), useCaseWith(`\tu32 bo_sgt = 1;\n${mapFirst}`));
    expect(text).toContain('bo_sgt_ = drm_gem_shmem_get_pages_sgt(bo);');
  });

  it('keeps an argument one operand, and option names as they are', () => {
    const body = mapFirst.replace('vm, 0x100000', 'vm, 0x100000 + 0 * 2');
    const options = { create: 'bo = drm_gem_shmem_create(dev, size * 1, .map_wc = true);' };
    const { text } = expanded(designWith(options), useCaseWith(body));
    expect(text).toContain('iommu_map_sgtable(vm, (0x100000 + 0 * 2), bo_sgt, IOMMU_READ);');
    expect(text).toContain('drm_gem_shmem_create(gpu, PAGE_SIZE * 1, .map_wc = true)');
  });

  it('stays one statement where it is the body of an if', () => {
    const body = mapFirst.replace('\tevent map_device', '\tif (1)\n\t\tevent map_device');
    const { text } = expanded(designWith({}), useCaseWith(body));
    expect(format(text).text).toBe(text);
    expect(text).toMatch(/\{\n\t+\/\/ event map_device.*?bo_sgt, IOMMU_READ\);[^\n]*\n\t+\}/su);
    const { program } = compile(text, 'x');
    expect(program).not.toBeNull();
  });

  it('keeps the comment beside an event, and takes several events in one line', () => {
    const body = mapFirst.replace(
      'event submit(bo, gpu, PAGE_SIZE);',
      'event submit(bo, gpu, PAGE_SIZE); event fence(bo, gpu, PAGE_SIZE);  // at once',
    );
    const { text } = expanded(designWith({ submit: 'mb();' }), useCaseWith(body));
    expect(text).toMatch(/event submit, small.usecase:17\n\tmb\(\);/u);
    expect(text).toMatch(/event fence, small.usecase:17: nothing to do: at once\n/u);
  });

  it('says in the design where a mistake is that shows only when expanded', () => {
    const wrong = designWith({ pages_got: 'drm_gem_shmem_pim(bo);' });
    const expansion = expanded(wrong, useCaseWith(mapFirst));
    const [first] = compile(expansion.text, 'x').diagnostics;
    if (first === undefined) throw new Error('no diagnostic');
    expect(expansion.place(first)).toMatchObject({
      file: 'some/small.design',
      diagnostic: {
        code: 'L021',
        span: { line: 7, column: 3 },
        message: "unknown function 'drm_gem_shmem_pim' (as the answer to 'pages_got')",
      },
    });
  });

  it('knows what a design refuses, and why', () => {
    const refusing = design(designWith({}, '\trefuse unpin;  // never swapped\n'));
    const swapping = useCase(useCaseWith(`${mapFirst}\n\tevent unpin(bo, gpu, PAGE_SIZE);`));
    expect(refusalOf(refusing, swapping)).toEqual({
      event: 'unpin',
      why: 'never swapped',
      line: 20,
    });
    expect(refusalOf(refusing, useCase(useCaseWith(mapFirst)))).toBeNull();
  });

  it('finds what is wrong with mapping before cleaning', () => {
    const { text } = expanded(designWith({}), useCaseWith(mapFirst));
    const { program } = compile(text, 'x');
    if (program === null) throw new Error(text);
    expect(check(program).hazards.map(({ id }) => id)).toContain('H3');
  });
});

describe('the shipped files', () => {
  const all = [...filesIn('litmus/designs', '.design'), ...filesIn('litmus/thread', '.usecase')];

  it('are in the one layout', () => {
    expect(all.filter(({ text }) => format(text).text !== text).map(({ file }) => file)).toEqual(
      [],
    );
  });

  it('expand to scenarios that compile, in the one layout, with every line placed', () => {
    for (const one of shipped.designs) {
      for (const other of shipped.useCases) {
        if (refusalOf(one, other) !== null) continue;
        const { text, originOfLine } = expanded(one.text, other.text);
        const name = `${one.name} ${other.name}`;
        expect(compile(text, name).diagnostics, name).toEqual([]);
        expect(format(text).text, name).toBe(text);
        const bare = text.split('\n').flatMap((line, index) => {
          const isCode = !/^\s*(\/\/.*)?$/u.test(line);
          return isCode !== (originOfLine(index + 1) !== null) ? [index + 1] : [];
        });
        expect(bare, name).toEqual([]);
      }
    }
  });

  it('raise every event between them', () => {
    const used = new Set(shipped.useCases.flatMap((each) => each.events.map((e) => e.node.event)));
    expect(events.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
  });
});

describe('broken texts', () => {
  const texts = [
    ...shipped.designs.slice(0, 3).map(({ text }) => text),
    ...shipped.useCases.slice(0, 3).map(({ text }) => text),
  ];
  /** A text with a piece of itself left out or repeated somewhere. */
  const mutant = fc
    .tuple(fc.constantFrom(...texts), fc.nat(), fc.nat(), fc.nat(), fc.boolean())
    .map(([text, a, b, c, cut]) => {
      const [from, to] = [a % text.length, b % text.length].sort((x, y) => x - y);
      if (cut) return text.slice(0, from) + text.slice(to);
      const at = c % text.length;
      return text.slice(0, at) + text.slice(from, to) + text.slice(at);
    });

  it('never throw, and are never taken for good ones silently', () => {
    fc.assert(
      fc.property(mutant, mutant, (first, second) => {
        const one = readDesign(first, 'a');
        const other = readUseCase(second, 'b');
        expect(one.value === null).toBe(one.diagnostics.length > 0 || !/design/u.test(first));
        if (one.value === null || other.value === null) return;
        const expansion = expanded(first, second);
        for (const each of compile(expansion.text, 'x').diagnostics) expansion.place(each);
      }),
      { numRuns: 300 },
    );
  });
});
