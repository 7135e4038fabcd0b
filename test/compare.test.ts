/**
 * `civac compare`: the matrix it finds, that every unsafe cell can be seen again with `check`,
 * what it says of settings and costs, how it refuses, and that the page made of it is up to date.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceSetting, machineSetting, settingsFor } from '../src/compare/settings.js';
import { compile, expand, format } from '../src/litmus/index.js';
import { check } from '../src/verdict/check.js';
import { Bench, root } from './cli-run.js';
import { design, designWith, mapFirst, shipped, useCase, useCaseWith } from './compare-helper.js';
import { expectGolden } from './golden.js';

const bench = new Bench();
const here = new Bench(root);
afterAll(() => bench.drop());

const early = {
  create:
    'bo = drm_gem_shmem_create(dev, size, .map_wc = true);\n' +
    '\t\tsgt = drm_gem_shmem_get_pages_sgt(bo);',
};
const late = designWith({}, '\trefuse purge;  // the cache of idle buffers is elsewhere\n');
const cleaned = designWith(early, '\tdma_addr_t unused;\n').replace('design small', 'design early');
const purging = `${mapFirst}\n\tevent purge(bo, gpu, PAGE_SIZE);`;
const again = `${mapFirst}\n${mapFirst.split('\n').slice(5).join('\n')}`;

bench.write('late.design', late);
bench.write('early.design', cleaned);
bench.write('a-map-first.usecase', useCaseWith(again));
bench.write('d-purge.usecase', useCaseWith(purging).replace('(a) A small', '(d) A purging'));
const four = ['late.design', 'early.design', 'a-map-first.usecase', 'd-purge.usecase'];

interface JsonCell {
  readonly design: string;
  readonly useCase: string;
  readonly verdict: string;
  readonly hazards: readonly JsonHazard[];
  readonly replay: string;
  readonly onOtherCores: {
    readonly setting: string;
    readonly hazards: readonly JsonHazard[];
    readonly replay: string;
  } | null;
}

interface JsonHazard {
  readonly id: string;
  readonly trace: readonly unknown[];
}

function resultsOf(text: string): readonly { readonly hazards: readonly JsonHazard[] }[] {
  const document: { results: readonly { readonly hazards: readonly JsonHazard[] }[] } =
    JSON.parse(text);
  return document.results;
}

function cellsOf(text: string): readonly JsonCell[] {
  const document: { cells: readonly JsonCell[] } = JSON.parse(text);
  return document.cells;
}

describe('a small matrix', () => {
  for (const format of ['text', 'markdown', 'html', 'json']) {
    it(`is reported as ${format}`, () => {
      const run = bench.civac(['compare', ...four, '--format', format]);
      expect([run.status, run.err]).toEqual([1, '']);
      expectGolden(run.out, `compare/small.${format}.txt`);
    });
  }

  it('goes into a file, and not over an input', () => {
    const run = bench.civac(['compare', ...four, '-o', 'out.txt', '--quiet']);
    expect([run.status, run.out]).toEqual([1, '']);
    const over = bench.civac(['compare', ...four, '-o', 'late.design']);
    expect([over.status, over.err]).toEqual([
      2,
      'civac: cannot write late.design: it is an input\n',
    ]);
  });

  it('exits 0 when all is safe, 3 when a cell is not decided', () => {
    const safe = ['early.design', 'a-map-first.usecase'];
    expect(bench.civac(['compare', ...safe, '--quiet']).status).toBe(0);
    const run = bench.civac(['compare', ...safe, '--max-states', '5']);
    expect(run.status).toBe(3);
    expect(run.out).toContain('unknown: gave up after 5 states (--max-states)');
  });
});

describe('rivals', () => {
  it('are ranked: safe before unsafe, then by cost', () => {
    const shelf = 'litmus/thread/q3-swap-in-zram';
    const files = [`${shelf}.broken.litmus`, `${shelf}.right.litmus`];
    const run = here.civac(['compare', ...files]);
    expect(run.status).toBe(1);
    expect(run.out.split('\n').slice(0, 2)).toEqual([
      'q3-swap-in-zram.right   safe    192 lines maintained',
      expect.stringMatching(/^q3-swap-in-zram\.broken {2}H/u),
    ]);
  });
});

describe('a cell', () => {
  it('is safe on this core only where an uncached access may not hit', () => {
    bench.write(
      'core.litmus',
      [
        'machine arm64 {\n\tdevice gpu { .coherent = false };\n}\ncpu user {',
        'page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);\naddr = page_to_phys(page);',
        'u32 *wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));',
        'u32 *wb = page_address(page);',
        'dcache_clean_poc(wb, wb + 1024);',
        'u32 old = wb[0];',
        'wc[0] = 1;',
        'submit(gpu);\nwait(gpu);\n}',
        'device gpu {\nu32 x = dma_read(addr);\n}\n',
      ].join('\n'),
    );
    bench.write('other.litmus', 'cpu user {\n\tpage = alloc_pages(GFP_KERNEL, 0);\n}\n');
    const { out, err, status } = bench.civac(['compare', 'core.litmus', 'other.litmus']);
    expect([status, err]).toEqual([0, '']);
    expect(out).toMatch(/^core +core +64 lines maintained$/mu);
    const told = 'flow safe on this core only: H4 if .unexpected_hit = arch (needs arch-hit';
    expect(out).toContain(told);
    for (const format of ['markdown', 'html']) {
      const page = bench.civac(['compare', 'core.litmus', 'other.litmus', '--format', format]);
      expect(page.out).toContain('safe on this core only');
      expect(page.out).toContain('.unexpected_hit = arch');
      expect(page.out.includes('>core.litmus:')).toBe(format === 'html');
    }
    const json = bench.civac(['compare', 'core.litmus', 'other.litmus', '--json']);
    const cell = cellsOf(json.out).find(({ design }) => design === 'core');
    const again = "civac check --with '.unexpected_hit = arch' core.litmus";
    expect(cell?.onOtherCores?.replay).toBe(again);
    const words = ['check', '--brief', '--with', '.unexpected_hit = arch', 'core.litmus'];
    expect(bench.civac(words)).toMatchObject({ status: 1, out: 'core.litmus: hazard H4\n' });
  });

  it('is not called safe when what it is about did not happen', () => {
    bench.write('pinned.design', designWith({}, '\ton unpin(bo, dev, size) {\n\t}\n'));
    const swap = `${mapFirst}\n\tevent unpin(bo, gpu, PAGE_SIZE);\n\tshmem_writepage(bo);`;
    const safe = swap.replace('\tp[0] = 1;\n', '');
    bench.write('e-swap.usecase', useCaseWith(safe).replace('arm64 {', 'arm64 {\n.swap = zram;'));
    const { out, status } = bench.civac(['compare', 'pinned.design', 'e-swap.usecase']);
    expect(out).toMatch(/^not done: shmem_writepage: /mu);
    expect(status).toBe(0);
  });
});

describe('mistakes', () => {
  const told = (args: readonly string[]): readonly [number | null, string] => {
    const { status, err } = bench.civac(['compare', ...args]);
    return [status, err];
  };

  it('in the command line say what is missing', () => {
    bench.write('one.litmus', 'cpu a {\n}\n');
    expect(told([])[1]).toContain('name designs and use cases, or scenarios');
    expect(told(['late.design'])[1]).toContain('no use case (*.usecase)');
    expect(told(['d-purge.usecase'])[1]).toContain('no design (*.design)');
    expect(told(['one.litmus'])[1]).toContain('one scenario alone');
    expect(told([...four, 'one.litmus'])[1]).toContain('one.litmus is a scenario');
    expect(told(['--expand', ...four])[1]).toContain('exactly one design and one use case');
    expect(told(['--json', '--format', 'html', ...four])[1]).toContain('contradict');
    expect(told(['nowhere.design', ...four])[0]).toBe(2);
    expect(told(['nowhere.litmus', 'one.litmus'])).toEqual([
      2,
      'civac: nowhere.litmus: no such file or directory\n',
    ]);
    expect(told(['one.litmus', '--cell', 'a:b'])[1]).toContain('there are none');
  });

  it('of two designs of one name are refused', () => {
    bench.write('twin.design', late);
    const [status, err] = told(['twin.design', ...four]);
    expect(status).toBe(2);
    expect(err).toContain("a second design 'small', after");
  });

  it('in an answer are told once, at the answer', () => {
    bench.write('wrong.design', designWith({ pages_got: 'drm_gem_shmem_pim(bo);' }));
    const [status, err] = told(['wrong.design', 'a-map-first.usecase', 'd-purge.usecase']);
    expect(status).toBe(2);
    expect(err).toBe(
      "wrong.design:7:3: error[L021]: unknown function 'drm_gem_shmem_pim'" +
        " (as the answer to 'pages_got')\n" +
        ' 7 | \t\tdrm_gem_shmem_pim(bo);\n   | \t\t^~~~~~~~~~~~~~~~~\n' +
        "   expected an operation of the reference page\n   did you mean 'drm_gem_shmem_pin'?\n",
    );
  });

  it('of a refused event are told when it is expanded', () => {
    expect(told(['--expand', 'late.design', 'd-purge.usecase'])).toEqual([
      2,
      "civac: d-purge.usecase:20: small refuses 'purge': the cache of idle buffers is elsewhere\n",
    ]);
  });
});

describe('the page about it', () => {
  const page = readFileSync(join(root, 'docs', 'compare.md'), 'utf8');
  const [one = '', other = ''] = page
    .split(/^```\w*\n/mu)
    .filter((text) => /^\/\/ .*sentence/u.test(text));

  it('shows a design and a use case that are right', () => {
    expect([format(one).text, format(other).text]).toEqual([one, other]);
    const { text } = expand(design(one), useCase(other));
    const { program, diagnostics } = compile(text, 'x');
    expect(diagnostics).toEqual([]);
    if (program !== null) expect(check(program).verdict).toBe('coherent');
  });
});

describe('settings', () => {
  const text = 'machine arm64 {\n\tdevice gpu { .coherent = false, .iommu = none };\n}\n';

  it('are changed in place, or added in the line where they belong', () => {
    const snoops = deviceSetting('gpu', 'coherent', 'true').change(text);
    expect(snoops).toBe(text.replace('= false', '= true'));
    const masked = deviceSetting('gpu', 'dma_mask', '7').change(text);
    expect(masked).toContain('device gpu { .dma_mask = 7, .coherent = false, .iommu = none };');
    expect(machineSetting('swap', 'zram').change(text)).toContain('machine arm64 { .swap = zram;');
    const swapping = text.replace('arm64 {', 'arm64 { .swap = none;');
    expect(machineSetting('swap', 'zram').change(swapping)).toBe(swapping.replace('none', 'zram'));
    expect(
      deviceSetting('gpu', 'coherent', 'true').change(text.replace(/\{ .*\}/u, '{}')),
    ).toContain('device gpu { .coherent = true };');
  });

  it('give scenarios that compile, with the lines where they were', () => {
    for (const useCase of shipped.useCases) {
      const [design] = shipped.designs.filter(({ name }) => name === 'drm_cflush');
      if (design === undefined) throw new Error('no drm_cflush');
      const { text: expanded } = expand(design, useCase);
      const { program } = compile(expanded, 'x');
      for (const { label, change } of program === null ? [] : settingsFor(program)) {
        const changed = change(expanded);
        const told = `${useCase.name} with ${label}`;
        expect(changed, told).not.toBe(expanded);
        expect(compile(changed, 'x').diagnostics, told).toEqual([]);
        expect(changed.split('\n').length, told).toBe(expanded.split('\n').length);
      }
    }
  });
});

describe('the thread', () => {
  let cells: readonly JsonCell[] = [];
  beforeAll(() => {
    const args = ['bin/civac.mjs', 'compare', 'litmus/designs', 'litmus/thread', '--json'];
    const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 } as const;
    const made = spawnSync(process.execPath, args, options).stdout;
    bench.write('thread.json', made);
    cells = cellsOf(made);
  }, 300_000);

  it('has the cells that it is known to have', () => {
    const grid = shipped.designs.map(({ name }) => {
      const mine = cells.filter(({ design }) => design === name);
      const words = mine.map(({ useCase, verdict, hazards }) => {
        const ids = hazards.map(({ id }) => id).join(' ');
        return `  ${useCase}: ${[verdict, ids].join(' ').trim()}\n`;
      });
      return `${name}\n${words.join('')}`;
    });
    expectGolden(grid.join(''), 'compare/thread.txt');
  });

  it('shows every unsafe cell again with check', () => {
    const unsafe = cells.filter(({ hazards }) => hazards.length > 0);
    expect(unsafe.length).toBeGreaterThan(40);
    for (const cell of unsafe) {
      const design = shipped.designs.find(({ name }) => name === cell.design);
      const useCase = shipped.useCases.find(({ name }) => name === cell.useCase);
      if (design === undefined || useCase === undefined) throw new Error(cell.design);
      const { program } = compile(expand(design, useCase).text, 'x');
      if (program === null) throw new Error(cell.design);
      const found = new Set<string>(check(program).hazards.map(({ id }) => id));
      expect([...found].sort(), `${cell.design} ${cell.useCase}`).toEqual(
        cell.hazards.map(({ id }) => id).sort(),
      );
      expect(cell.hazards.every(({ trace }) => trace.length > 0)).toBe(true);
    }
  }, 300_000);

  it('does so on the command line that a cell names', () => {
    const unsafe = cells.filter(({ hazards }) => hazards.length > 0);
    const core = cells.filter(({ verdict }) => verdict === 'core');
    expect(core.length).toBeGreaterThan(0);
    const some = [...unsafe.filter((_, index) => index % 24 === 0), ...core];
    for (const { hazards, replay, onOtherCores } of some) {
      const shown = onOtherCores ?? { hazards, replay };
      const [, design = '', useCase = '', setting] =
        /^civac compare --expand (\S+) (\S+) \| civac check (?:--with '(.+)' )?-$/u.exec(
          shown.replay,
        ) ?? [];
      const { out, status } = here.civac(['compare', '--expand', design, useCase]);
      expect(status, shown.replay).toBe(0);
      const changed = setting === undefined ? [] : ['--with', setting];
      const again = here.civac(['check', '--json', ...changed, '-'], { input: out });
      const [result] = resultsOf(again.out);
      const ids = new Set(result?.hazards.map(({ id }) => id));
      expect([...ids].sort(), shown.replay).toEqual(shown.hazards.map(({ id }) => id).sort());
      expect(shown.hazards.every(({ trace }) => trace.length > 0)).toBe(true);
    }
  }, 100_000);

  it('shows the run of a cell that is named', () => {
    const paths = ['litmus/designs', 'litmus/thread'];
    const one = here.civac(['compare', ...paths, '--cell', 'shmem_helper:a']);
    expect([one.status, one.out.split('\n')[0]]).toEqual([
      1,
      'shmem_helper in a-wc-mmap-before-map',
    ]);
    expect(one.out).toContain('the shortest run:\n  1  init  drm_gem_shmem_create(');
    const core = here.civac(['compare', ...paths, '--cell', 'linear_reads:n-kernel-reads']);
    expect(core.status).toBe(0);
    expect(core.out).toContain("| civac check --with '.unexpected_hit = arch' -\n");
    const wrong = here.civac(['compare', ...paths, '--cell', 'shmem_helpr:a']);
    expect(wrong).toMatchObject({
      status: 2,
      err: "civac: compare: --cell: no design 'shmem_helpr'; did you mean 'shmem_helper'?\n",
    });
  });

  it('has its page up to date', () => {
    const script = join(root, 'scripts', 'which-api.mjs');
    const from = bench.path('thread.json');
    const options = { encoding: 'utf8' } as const;
    const made = spawnSync(process.execPath, [script, '--check', '--from', from], options);
    expect([made.status, made.stderr]).toEqual([0, '']);
  }, 300_000);
});
