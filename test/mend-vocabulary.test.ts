/**
 * The vocabulary of mend, edit by edit: what each kind mends, mostly as upstream did; and that
 * none of them takes away or alters an access, an agent or an observation.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile } from '../src/litmus/index.js';
import { DEFAULT_COSTS } from '../src/mend/costs.js';
import { sameScenario } from '../src/mend/distance.js';
import { apply, type Edit } from '../src/mend/edit.js';
import { mend } from '../src/mend/mend.js';
import type { MendResult } from '../src/mend/outcome.js';
import { useCaseOf, vocabularyOf } from '../src/mend/vocabulary.js';
import { check } from '../src/verdict/check.js';
import { root } from './cli-run.js';

const folder = join(root, 'litmus', 'bugs');

function read(name: string): string {
  return readFileSync(join(folder, `${name}.litmus`), 'utf8');
}

function mended(text: string): MendResult {
  const outcome = mend(text, 'x.litmus');
  if (outcome.kind !== 'result') throw new Error('does not compile');
  return outcome.result;
}

function vocabulary(text: string): readonly Edit[] {
  const { program } = compile(text, 'x.litmus');
  return program === null ? [] : vocabularyOf(text, program, DEFAULT_COSTS);
}

describe('what mend finds is what upstream did', () => {
  it.each([
    ['the size of a mapping', 'b03-mali-user-import'],
    ['padding in front of a field', 'b51-devres-data-alignment'],
    ['padding, by lines of 128 bytes', 'b54-iio-minalign'],
    ['a call moved to another thread', 'b83-page-pool-device-gone'],
    ['an option of a by-hand call', 'b67-optee-pl310-nonsecure-lines'],
    ['a page table dropped first', 'b98-arm64-table-to-block'],
    ['a barrier for another', 'b114-sddf-clean-dmb'],
    ['a reservation made earlier', 'b65-nomap-mapped-at-boot'],
    ['a pin kept', 'b140-msm-evict-exported'],
  ])('%s', (_, name) => {
    const { mends } = mended(read(`${name}.bug`));
    const fix = read(`${name}.fix`);
    expect(mends.map(({ text }) => sameScenario(text, fix))).toContain(true);
  });

  it.each([
    ['bar-peer', 'insert `readl(gpu);`'],
    ['pin-interrupt', 'insert `readl(nic);`'],
    ['linear-map-tlb', 'insert `flush_tlb_all();`'],
    ['bar-wc-doorbell', '`writel` for `writel_relaxed`'],
  ])('%s: one edit makes the near miss of it', (name, title) => {
    const file = join(root, 'litmus', 'nearmiss', `${name}.hazard.litmus`);
    const { mends } = mended(readFileSync(file, 'utf8'));
    expect(mends.map(({ edits }) => edits.map((each) => each.title).join())).toEqual([
      expect.stringContaining(title),
    ]);
  });

  it.each([
    ['b40-ixp4xx-unmap-wrong-address', '`phys_addr` for `phys_next` in `dma_unmap_single`'],
    ['b112-ufs-reset-no-readback', 'insert `readl(hci);`'],
    ['b120-etnaviv-shmem-above-4g', 'insert `mapping_set_gfp_mask(bo, GFP_USER | __GFP_DMA32);`'],
    ['b122-virt-to-page-remap', '`dma_mmap_coherent(npu, va)` for `mmap(page)`'],
    ['b132-msm-a650-apriv', '`IOMMU_READ | IOMMU_WRITE | IOMMU_PRIV` for'],
    ['b63-arm-domains-ifetch', '`.executable = false`'],
    ['b97-panthor-as-recycled', 'move `panthor_gpu_flush_caches(gpu);`'],
  ])('%s: one edit, which does as upstream did', (name, title) => {
    const { mends } = mended(read(`${name}.bug`));
    expect(mends[0]?.edits.map((edit) => edit.title)).toEqual([expect.stringContaining(title)]);
  });

  it('an error that is checked', () => {
    const text = readFileSync(join(root, 'litmus/basics/map-error-unchecked.litmus'), 'utf8');
    const [first] = mended(text).mends;
    expect(first?.text).toContain('\tif (dma_mapping_error(nic, dma) != 0)\n\t\treturn;\n');
  });

  it('two arguments in the right order', () => {
    const text = `machine arm64 { device nic { .coherent = false }; }
u32 *p;
dma_addr_t dma;
init {
	p = kzalloc(256, GFP_KERNEL);
	dma = dma_map_single(nic, p, 256, DMA_BIDIRECTIONAL);
}
cpu driver {
	submit(nic);
	wait(nic);
	dma_sync_single_range_for_cpu(nic, dma, 128, 64, DMA_BIDIRECTIONAL);
	u32 x = p[16];
}
device nic { dma_write(dma + 64, 7); }
`;
    const [first] = mended(text).mends;
    expect(first?.edits.map(({ title }) => title)).toEqual([
      '`64, 128` for `128, 64` in `dma_sync_single_range_for_cpu` in line 11',
    ]);
  });

  it('memory handed from one device to another that it is bounced for', () => {
    const { mends } = mended(read('b72-rpi4-hvs-bounced-scanout.bug'));
    expect(mends[0]?.edits.map(({ operation }) => operation)).toEqual([
      'dma_sync_sgtable_for_cpu',
      'dma_sync_sgtable_for_device',
    ]);
  });
});

/** What a scenario does and looks at, by its text alone: accesses, doorbells, device programs. */
function observed(text: string): string {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/gu, '');
  const inLoops = /\b(?:for|while|if) \([^;{]*\b\w+\[[^\]]+\]/gu;
  const accesses = code.match(/(?:\w+ = )?\w+\[[^\]]+\](?: [-+*|&]?= [^;]+)?/gu) ?? [];
  const doorbells = code.match(/\b(?:submit|writel)\w*\([^)]*\)/gu) ?? [];
  const agents = code.match(/^(?:cpu|device|init)\b.*\{/gmu) ?? [];
  const programs = code.match(/^device [\s\S]*?^\}/gmu) ?? [];
  const asserted = code.match(/^(?:exists|forbidden|always)\b.*/gmu) ?? [];
  const all = [accesses, doorbells.map((each) => each.replace('_relaxed', ''))];
  const kept = [...all, agents, programs, asserted, code.match(inLoops) ?? []];
  return JSON.stringify(kept);
}

/** The same with every constant index left out: padding moves fields, and alters nothing else. */
function unplaced(text: string): string {
  return observed(text).replace(/\[\d+\]/gu, '[]');
}

describe('an edit', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.bug.litmus'));

  it('never removes or alters an access, an agent or an observation', { timeout: 120_000 }, () => {
    let count = 0;
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8');
      const of = (scenario: string, { relocation }: Edit): string =>
        relocation === undefined ? observed(scenario) : unplaced(scenario);
      for (const edit of vocabulary(text)) {
        const after = apply(text, [edit])?.text ?? '';
        expect(of(after, edit), `${name}: ${edit.title}`).toBe(of(text, edit));
        count++;
      }
    }
    expect(count).toBeGreaterThan(5000);
  });

  it('leaves the use case as it is, also for the compiler', { timeout: 120_000 }, () => {
    for (const name of names.filter((_, index) => index % 8 === 0)) {
      const text = readFileSync(join(folder, name), 'utf8');
      const before = compile(text, name).program;
      for (const edit of vocabulary(text)) {
        const { program } = compile(apply(text, [edit])?.text ?? '', name);
        if (program === null || before === null) continue;
        expect(useCaseOf(program), `${name}: ${edit.title}`).toBe(useCaseOf(before));
      }
    }
  });

  it('of the cheapest kind would be to leave the read out: that is none', () => {
    const text = read('b11-nuttx-sdmmc-rx.bug');
    const without = text.replace(/^\tu32 \w+ = sector\[0\];.*\n/mu, '');
    expect(without).not.toBe(text);
    const { program } = compile(without, 'x.litmus');
    expect(program === null ? '' : check(program).verdict).toBe('coherent');
    expect(vocabulary(text).filter(({ title }) => title.includes('sector[0]'))).toEqual([]);
  });
});
