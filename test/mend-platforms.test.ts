/** mend for all platforms at once, and what it says where nothing helps. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { platformsOf } from '../src/matrix/platforms.js';
import { mend } from '../src/mend/mend.js';
import type { MendResult } from '../src/mend/outcome.js';
import { check } from '../src/verdict/check.js';
import { Bench, root } from './cli-run.js';

function read(path: string): string {
  return readFileSync(join(root, 'litmus', path), 'utf8');
}

function everywhere(text: string): MendResult {
  const outcome = mend(text, 'x.litmus', { platformsOf });
  if (outcome.kind !== 'result') throw new Error('does not compile');
  return outcome.result;
}

/** Verdicts of a text on its platforms, found by changing the text and checking that. */
function cells(text: string): Map<string, string> {
  const { program } = compile(text, 'x.litmus');
  if (program === null) throw new Error('does not compile');
  const own: [string, string] = ['as written', check(program).verdict];
  const others = platformsOf(program).map(({ label, change }): [string, string] => {
    const changed = compile(change(text), label).program;
    return [label, changed === null ? 'invalid' : check(changed).verdict];
  });
  return new Map([own, ...others]);
}

/** The IOMMU has addresses of 20 bits; without it there is no memory that low. */
const NARROW = `machine arm64 {
	device nic { .coherent = false, .iommu = smmu, .dma_mask = DMA_BIT_MASK(20) };
}
u32 *p;
init {
	p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	dma = dma_map_single(nic, p, PAGE_SIZE, DMA_TO_DEVICE);
}
cpu driver {
	p[0] = 1;
	submit(nic);
	wait(nic);
}
device nic {
	u32 x = dma_read(dma);
}
`;

/** Right for a device that snoops. */
const SNOOPING = `machine arm64 {
	device nic { .coherent = true };
}
u32 *p;
init {
	p = kzalloc(PAGE_SIZE, GFP_KERNEL);
	dma = dma_map_single(nic, p, PAGE_SIZE, DMA_FROM_DEVICE);
}
cpu driver {
	submit(nic);
	wait(nic);
	u32 got = p[0];
}
device nic {
	dma_write(dma, 2);
}
`;

/** What a device does is no driver's to mend. */
const RAW = NARROW.replace('dma_read(dma)', 'dma_read(0x12345000)').replace(
  '.iommu = smmu, .dma_mask = DMA_BIT_MASK(20)',
  '.iommu = none',
);

describe('mend for all platforms', () => {
  it('answers with what holds on every one, and says which decided', () => {
    const text = read('basics/to-device-no-clean.litmus');
    const result = everywhere(text);
    expect(result.verdict).toBe('mended');
    for (const each of result.mends) {
      for (const [label, verdict] of cells(each.text)) expect(verdict, label).toBe('coherent');
    }
    // By hand it would do on the machine as written.
    const plain = mend(text, 'x.litmus', { level: 'raw' });
    const cheapest = plain.kind === 'result' ? (plain.result.mends[0]?.cost ?? 0) : 0;
    expect(result.mends[0]?.cost).toBeGreaterThan(cheapest);
    const deciding = result.platforms.filter(({ decides }) => decides);
    expect(deciding.map(({ platform }) => platform)).toContain('nic .iommu = smmu');
    expect(result.mends[0]?.edits[0]?.platforms).toContain('as written');
  });

  it('looks at platforms where a scenario is right as it stands', () => {
    expect(cells(SNOOPING).get('as written')).toBe('coherent');
    const result = everywhere(SNOOPING);
    expect(result.verdict).toBe('mended');
    expect(result.finding).toContain('with .swiotlb = force');
    const deciding = result.platforms.filter(({ decides }) => decides);
    expect(deciding.map(({ platform }) => platform)).toContain('nic .coherent = false');
    expect(new Set(cells(result.mends[0]?.text ?? '').values())).toEqual(new Set(['coherent']));
  });

  it('leaves out, with the reason, what no answer can serve', () => {
    const result = everywhere(NARROW);
    expect(result.verdict).toBe('partly');
    const left = result.platforms.filter(({ leftOut }) => leftOut !== '');
    expect(left.map(({ platform }) => platform)).toEqual(['nic .iommu = none']);
    expect(left[0]?.leftOut).toMatch(/H7 .*cannot reach the memory/u);
    const [first] = result.mends;
    for (const [label, verdict] of cells(first?.text ?? '')) {
      expect(verdict, label).toBe(label === 'nic .iommu = none' ? 'hazard' : 'coherent');
    }
  });

  it('has nothing to do where every platform is fine', () => {
    const result = everywhere(read('basics/from-device.litmus'));
    expect(result).toMatchObject({ verdict: 'coherent', mends: [] });
    expect(result.platforms.length).toBeGreaterThan(4);
    expect(result.platforms.every(({ verdict }) => verdict === 'coherent')).toBe(true);
  });
});

describe('civac mend', () => {
  const bench = new Bench();
  afterAll(() => bench.drop());

  it('--for-all-platforms: the cells that decided, as text and as JSON', () => {
    bench.write('dma.litmus', read('basics/to-device-no-clean.litmus'));
    const shown = bench.civac(['mend', '--for-all-platforms', 'dma.litmus']);
    expect(shown).toMatchObject({ status: 0, err: '' });
    expect(shown.out).toContain('* nic .iommu = smmu');
    expect(shown.out).toMatch(/decided by \(\*\): .*nic \.iommu = smmu/u);
    const told = bench.civac(['mend', '--json', '--for-all-platforms', 'dma.litmus']);
    const json = JSON.parse(told.out);
    expect(json.platforms).toContainEqual({
      platform: 'nic .iommu = smmu',
      verdict: 'hazard',
      hazard: 'H14',
      decides: true,
      leftOut: null,
    });
    expect(json.mends[0].edits[0].platforms).toContain('as written');
  });

  it('--for-all-platforms: exit 1 where a platform is left out', () => {
    bench.write('narrow.litmus', NARROW);
    const run = bench.civac(['mend', '--for-all-platforms', 'narrow.litmus']);
    expect(run.status).toBe(1);
    expect(run.out).toContain('nothing mends it on every platform');
    expect(run.out).toContain('why not with nic .iommu = none: H7');
    expect(run.out).toContain('mend 1 of');
  });

  it('exits 1 and says why when a device cannot reach the memory', () => {
    bench.write('reach.litmus', read('basics/mask-nothing-reaches.litmus'));
    const run = bench.civac(['mend', 'reach.litmus']);
    expect(run.status).toBe(1);
    const words = run.out.replace(/\s+/gu, ' ');
    expect(words).toContain('nothing mends it');
    expect(words).toContain('codec cannot reach the memory: it emits addresses up to 0xfffff');
    expect(words).toContain('it has no IOMMU, and there are no bounce buffers');
    expect(words).toMatch(/Of \d+ possible edits \d+ come by this run, and with each/u);
  });

  it.each([
    ['an address that nothing answers', RAW, 'It depends on what no edit may change'],
    [
      'a lifetime that needs a lock',
      read('basics/page-freed-under-a-store.litmus'),
      'it comes in another run',
    ],
  ])('exits 1 and says why: %s', (_, text, why) => {
    bench.write('none.litmus', text);
    const run = bench.civac(['mend', 'none.litmus']);
    expect(run.status).toBe(1);
    expect(run.out.replace(/\s+/gu, ' ')).toContain(why);
    const json = JSON.parse(bench.civac(['mend', '--json', 'none.litmus']).out);
    expect(json).toMatchObject({ verdict: 'none', mends: [] });
    expect(json.why).toContain(why);
  });
});
