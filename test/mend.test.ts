/** mend on known scenarios: what it answers, what it must never do, and its front doors. */
import { chmodSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { advise } from '../src/mend/advise.js';
import { countSets } from '../src/mend/answers.js';
import { DEFAULT_COSTS, readCosts } from '../src/mend/costs.js';
import { unifiedDiff } from '../src/mend/diff.js';
import { distance, sameScenario } from '../src/mend/distance.js';
import { type MendOptions, mend } from '../src/mend/mend.js';
import type { MendResult } from '../src/mend/outcome.js';
import { check } from '../src/verdict/check.js';
import { Bench, root } from './cli-run.js';

function read(path: string): string {
  return readFileSync(join(root, 'litmus', path), 'utf8');
}

function mended(text: string, options: MendOptions = {}): MendResult {
  const outcome = mend(text, 'x.litmus', options);
  if (outcome.kind !== 'result') throw new Error('does not compile');
  return outcome.result;
}

function verdictOf(text: string): string {
  const { program } = compile(text, 'x.litmus');
  return program === null ? 'invalid' : check(program).verdict;
}

const titles = ({ mends }: MendResult): string[] =>
  mends.flatMap(({ edits }) => edits.map(({ title }) => title));

describe('mend', () => {
  it('moves the clean of a write-combined object to where upstream has it', () => {
    const result = mended(read('bugs/b01-panthor-wc-before-clean.bug.litmus'));
    expect(result.verdict).toBe('mended');
    expect(titles(result).every((title) => title.includes('get_pages_sgt'))).toBe(true);
    for (const { text, edits } of result.mends) {
      expect(verdictOf(text)).toBe('coherent');
      expect(text).toContain('// Result: coherent');
      expect(edits[0]?.reason).toMatch(/^without it: H[1236]/);
    }
  });

  it('gives the syncs of netmap, and no wait that never ends', () => {
    const result = mended(read('bugs/b14-netmap-no-sync.bug.litmus'), { level: 'api' });
    // The fix syncs FROM_DEVICE what is mapped BIDIRECTIONAL: the same maintenance.
    const alike = (text: string): string => text.replace(/DMA_(BIDIR|FROM)\w+/g, 'DMA_X');
    const fix = read('bugs/b14-netmap-no-sync.fix.litmus');
    expect(sameScenario(alike(result.mends[0]?.text ?? ''), alike(fix))).toBe(true);
    expect(titles(result).some((title) => title.includes('wait('))).toBe(false);
    expect(result.mends[0]?.edits.map(({ operation }) => operation)).toEqual([
      'dma_sync_single_for_cpu',
      'dma_sync_single_for_device',
      'dma_sync_single_for_cpu',
    ]);
  });

  it('maps and unmaps user pages that nobody mapped, as etnaviv does', () => {
    const [first] = mended(read('thread/h-user-pages-no-sync.broken.litmus')).mends;
    expect(first?.level).toBe('api');
    expect(first?.edits.map(({ operation }) => operation)).toEqual([
      'dma_map_sgtable',
      'dma_unmap_sgtable',
    ]);
  });

  it('tells last what comes right because a call does nothing any more', () => {
    const { mends } = mended(read('thread/q2-clean-without-alias.broken.litmus'));
    expect(mends.map(({ idle }) => idle)).toEqual([[], [], [], ['set_direct_map_invalid_noflush']]);
    const zeroes = mended(read('thread/q5-new-pages-invalidate.broken.litmus')).mends;
    expect(zeroes[0]?.edits[0]?.title).toContain('`DRM_CFLUSH_CLEAN` for');
  });

  it('does not unmap what the device is yet to write', () => {
    const result = mended(read('arch/cut-line.riscv.litmus'));
    expect(titles(result).some((title) => /to before line 1[45]$/u.test(title))).toBe(false);
  });

  it('sends no access to other memory: the batch keeps reading its object', () => {
    const result = mended(read('bugs/b90-i915-tlb-before-free.bug.litmus'));
    expect(titles(result).length).toBeGreaterThan(0);
    expect(titles(result).some((title) => /remove|move `iommu_map/.test(title))).toBe(false);
  });

  it('keeps comments and layout, and changes nothing else', () => {
    const text = read('thread/b-ring-vmap.broken.litmus');
    const [first] = mended(text).mends;
    expect(first?.diff.split('\n').filter((line) => /^[-+]\t/.test(line))).toHaveLength(2);
    expect(first?.edits[0]?.operation).toBe('writel');
  });

  it('says why when nothing helps', () => {
    const result = mended(read('thread/d-purge-under-vmap.broken.litmus'));
    expect(result.verdict).toBe('none');
    expect(result.why).toMatch(/H(8|11) /);
    expect(result.effort.ruledOut).toBeGreaterThan(1000);
  });

  it('gives up at a limit without an answer', () => {
    const text = read('bugs/b09-libdragon-pi-dma.bug.litmus');
    const result = mended(text, { maxEdits: 1 });
    expect(result).toMatchObject({ verdict: 'unknown', mends: [] });
    expect(result.why).toContain('--max-edits');
    expect(mended(text, { maxStates: 5 }).verdict).toBe('unknown');
  });

  it('follows the costs it is given', () => {
    const text = read('bugs/b02-vgem-clflush-noop.bug.litmus');
    const costs = { ...DEFAULT_COSTS, allocation: 5000 };
    expect(
      titles(mended(text, { costs, level: 'raw' })).some((title) => title.includes('map_wc')),
    ).toBe(false);
    expect(titles(mended(text)).some((title) => title.includes('map_wc'))).toBe(true);
  });

  it('counts sets as a hand would', () => {
    expect(countSets([1, 1, 2], 2, 2)).toBe(4);
    expect(countSets([1, 1, 2], 3, 1)).toBe(3);
  });
});

describe('what a fix costs', () => {
  it('is the same for the same edits, and nothing for none', () => {
    const bug = read('bugs/b90-i915-tlb-before-free.bug.litmus');
    const fix = read('bugs/b90-i915-tlb-before-free.fix.litmus');
    expect(distance(bug, bug, DEFAULT_COSTS)).toMatchObject({ cost: 0, edits: [] });
    const far = distance(bug, fix, DEFAULT_COSTS);
    expect(far?.edits).toEqual(['insert `iommu_iotlb_sync(vm);`']);
    expect(far?.cost).toBe(DEFAULT_COSTS.insert + DEFAULT_COSTS.call + DEFAULT_COSTS.iotlb);
  });

  it('is unknown where accesses differ', () => {
    const one = read('bugs/b01-panthor-wc-before-clean.bug.litmus');
    expect(distance(one, one.replace('p[0] = 1;', ''), DEFAULT_COSTS)).toBeNull();
  });
});

describe('costs', () => {
  it('names what is wrong with a file of them', () => {
    expect(readCosts('{')).toMatchObject({ problem: expect.stringContaining('not JSON') });
    expect(readCosts('[]')).toMatchObject({ problem: expect.stringContaining('object') });
    expect(readCosts('{"dbs": 1}')).toMatchObject({ problem: expect.stringContaining("'dbs'") });
    expect(readCosts('{"dsb": -1}')).toMatchObject({ problem: expect.stringContaining('whole') });
    expect(readCosts('{"move": 0}')).toMatchObject({ problem: expect.stringContaining('least 1') });
    expect(readCosts('{"dsb": 7}')).toMatchObject({ dsb: 7, insert: DEFAULT_COSTS.insert });
  });

  it('are documented as they are', () => {
    const page = readFileSync(join(root, 'docs', 'mend.md'), 'utf8');
    const found = new Map<string, number>();
    const costs = page.slice(page.indexOf('## Costs'), page.indexOf('## What a sync'));
    for (const [, names = '', values = ''] of costs.matchAll(/^\| (`[^|]+) \| ([\d, ]+) \|/gm)) {
      const numbers = values.split(',').map(Number);
      names.match(/\w+/g)?.forEach((name, i) => {
        found.set(name, numbers[i] ?? numbers[0] ?? -1);
      });
    }
    expect(Object.fromEntries(found)).toEqual(DEFAULT_COSTS);
  });
});

describe('unified diff', () => {
  it('has hunks with three lines of context', () => {
    const before = `${[...'abcdefghijklmnop'].join('\n')}\n`;
    const after = before.replace('b\n', 'B\n').replace('o\n', '');
    expect(unifiedDiff(before, after, 'x')).toBe(
      '--- a/x\n+++ b/x\n@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n' +
        '@@ -12,5 +12,4 @@\n l\n m\n n\n-o\n p\n',
    );
    expect(unifiedDiff('a\n', 'b\n', '/tmp/x')).toContain('--- a/tmp/x\n+++ b/tmp/x\n');
    expect(unifiedDiff('a', 'a\nb', 'x')).toContain('\\ No newline at end of file');
    expect(unifiedDiff(before, before, 'x')).toBe('');
  });
});

describe('advise', () => {
  const words = (text: string): string[] => advise(text, 'x.litmus').map(({ kind }) => kind);

  it('tells needed from redundant', () => {
    const notes = advise(read('bugs/b08-stm32h7-pbuf-free.fix.litmus'), 'x.litmus');
    expect(notes.map(({ kind }) => kind)).toEqual(['redundant', 'needed', 'needed']);
    expect(notes[1]?.message).toBe('needed: without it H3 at line 23 (lwip)');
    expect(notes[1]?.trace?.at(-1)?.wrong).toBe(true);
  });

  it('finds the invalidate that throws own data away', () => {
    expect(words(read('basics/inval-own-dirty-line.litmus'))).toContain('destructive');
  });

  it('finds the sync that a cheaper one replaces', () => {
    const text = read('bugs/b11-nuttx-sdmmc-rx.fix.litmus');
    const dear = text.replace('submit(sdmmc);', 'mb();\n\tsubmit(sdmmc);');
    expect(words(dear)).toContain('redundant');
    const ring = read('basics/doorbell-relaxed-nc-wmb.litmus').replaceAll('dma_wmb', 'mb');
    expect(words(ring)).toContain('dearer');
  });

  it('has nothing to say where nothing compiles', () => {
    expect(advise('cpu x {', 'x.litmus')).toEqual([]);
  });
});

describe('civac mend', () => {
  const bench = new Bench();
  afterAll(() => bench.drop());
  const ring = read('thread/b-ring-vmap.broken.litmus');

  it('prints, writes, and is then satisfied', () => {
    bench.write('ring.litmus', ring);
    const shown = bench.civac(['mend', 'ring.litmus']);
    expect(shown).toMatchObject({ status: 0, err: '' });
    expect(shown.out).toContain('+++ b/ring.litmus');
    const json = JSON.parse(bench.civac(['mend', '--json', 'ring.litmus']).out);
    expect(json).toMatchObject({ version: 1, verdict: 'mended', why: null });
    expect(json.mends[0]).toMatchObject({ level: 'api', cost: 100 });
    expect(bench.civac(['mend', '--write', 'ring.litmus']).status).toBe(0);
    expect(readFileSync(bench.path('ring.litmus'), 'utf8')).toBe(json.mends[0].text);
    expect(bench.civac(['check', '--expect', 'ring.litmus']).status).toBe(0);
    const again = bench.civac(['mend', 'ring.litmus']);
    expect(again).toMatchObject({ status: 0, err: '' });
    expect(again.out).toContain('nothing to mend');
  });

  it.each([
    [['mend'], 'name a FILE'],
    [['mend', '.'], 'is a folder'],
    [['mend', 'missing.litmus'], 'no such file'],
    [['mend', '--write', '-'], 'needs a file'],
    [['mend', '--costs', 'bad.json', 'bug.litmus'], "unknown cost 'clean'"],
    [['mend', '--write', '--answer', '99', 'bug.litmus'], 'there is no answer 99'],
    [['mend', '--answer', '2', 'bug.litmus'], '--answer goes with --write'],
    [['mend', 'broken.litmus'], 'broken.litmus:1:'],
  ])('%j: exit 2 and one message', (args, message) => {
    bench.write('bug.litmus', ring);
    bench.write('other.litmus', ring);
    bench.write('bad.json', '{"clean": 1}');
    bench.write('broken.litmus', 'cpu x { 1 +; }\n');
    const run = bench.civac(args);
    expect(run.status).toBe(2);
    expect(run.err).toContain(message);
    expect(run.err).not.toMatch(/^ +at /m);
  });

  it('ends with 130 at Ctrl-C, after printing what is known, and writes nothing', async () => {
    const text = read('bugs/b24-rpi-for-device-dir.bug.litmus');
    bench.write('slow.litmus', text);
    const run = await bench.interrupted(['mend', '--write', 'slow.litmus'], 2000);
    expect(run.status).toBe(130);
    expect(run.out).toMatch(/^slow\.litmus: (unknown: interrupted|\d+ mend)/);
    expect(run.err).toBe('civac: interrupted\n');
    expect(readFileSync(bench.path('slow.litmus'), 'utf8')).toBe(text);
  });

  it('writes through a link, and not over what is read-only', () => {
    const text = read('thread/a-wc-mmap-before-map.broken.litmus');
    bench.write('linked.litmus', text);
    symlinkSync('linked.litmus', bench.path('link.litmus'));
    expect(bench.civac(['mend', '--write', '--quiet', 'link.litmus']).status).toBe(0);
    expect(lstatSync(bench.path('link.litmus')).isSymbolicLink()).toBe(true);
    expect(verdictOf(readFileSync(bench.path('linked.litmus'), 'utf8'))).toBe('coherent');
    bench.write('locked.litmus', text);
    chmodSync(bench.path('locked.litmus'), 0o444);
    // Root may write anywhere.
    if (process.getuid?.() === 0) return;
    const run = bench.civac(['mend', '--write', 'locked.litmus']);
    const err = 'civac: cannot write locked.litmus: permission denied\n';
    expect(run).toEqual({ status: 2, out: '', err });
  });

  it('exits 1 when nothing mends it', () => {
    bench.write('purge.litmus', read('thread/d-purge-under-vmap.broken.litmus'));
    const run = bench.civac(['mend', '--quiet', 'purge.litmus']);
    expect(run).toMatchObject({ status: 1, out: '' });
  });
});
