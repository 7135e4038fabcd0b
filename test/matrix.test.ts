/** `check --matrix`: which platforms are tried, and what a row of verdicts comes to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOne } from '../src/cli/check-one.js';
import { runMatrix } from '../src/cli/matrix.js';
import { mapsByDma, unmapsByDma } from '../src/compare/settings.js';
import { compile } from '../src/litmus/index.js';
import { type MatrixRow, matters, verdictOnAll } from '../src/matrix/cells.js';
import { platformsOf } from '../src/matrix/platforms.js';
import { matrixJson, matrixText } from '../src/matrix/report.js';
import { Bench, root } from './cli-run.js';

/** FROM_DEVICE with its unmap: right for a device that does not snoop, and for one that does. */
const STREAMING = `machine arm64 {
	device nic { .coherent = false };
}
dma_addr_t addr;
init {
	page = alloc_pages(GFP_KERNEL, 0);
}
cpu driver {
	addr = dma_map_page(nic, page, 0, 4, DMA_FROM_DEVICE);
	submit(nic);
	wait(nic);
	UNMAP
	u32 *p = page_address(page);
	u32 got = p[0];
}
device nic {
	dma_write(addr, 2);
}
`;
const UNMAP = 'dma_unmap_page(nic, addr, 4, DMA_FROM_DEVICE);';

function fail(): never {
  throw new Error('not there');
}

async function rowsOf(...texts: string[]): Promise<{ rows: MatrixRow[]; refused: number }> {
  const rows: MatrixRow[] = [];
  let refused = 0;
  const inputs = texts.map((text, i) => ({ file: `m${i}.litmus`, text }));
  await runMatrix(inputs, {
    settings: {},
    interruption: { happened: false, onInterrupt: () => {} },
    onProgress: () => {},
    invalid: () => {
      refused++;
    },
    skipped: () => {},
    crashed: () => {
      throw new Error('crashed');
    },
    row: (row) => rows.push(row),
  });
  return { rows, refused };
}

describe('check --matrix', () => {
  it('changes each setting in the text, so that the variant compiles and differs in it', () => {
    const text = STREAMING.replace('UNMAP', UNMAP);
    const { program } = compile(text, 'm.litmus');
    if (program === null) throw new Error('does not compile');
    const platforms = platformsOf(program);
    expect(platforms.map((each) => each.label)).toContain('nic .coherent = true');
    expect(platforms.map((each) => each.label)).toContain('.unexpected_hit = may_hit');
    for (const { change, label } of platforms) {
      const changed = compile(change(text), label).program;
      expect(changed?.machine, label).not.toEqual(program.machine);
    }
  });

  it('changes what walks of page tables in memory are, and what the kernel takes them for', () => {
    const walks = (settings: string): string[] => {
      const block = `.coherent = false, .iommu = smmu${settings}`;
      const text = STREAMING.replace('UNMAP', UNMAP).replace('.coherent = false', block);
      const { program } = compile(text, 'm.litmus');
      if (program === null) throw new Error('does not compile');
      return platformsOf(program)
        .map(({ label }) => label)
        .filter((label) => label.includes('walk'));
    };
    expect(walks('')).toEqual([]);
    expect(walks(', .coherent_walk = false')).toEqual(['nic .coherent_walk = true']);
    expect(walks(', .coherent_walk = true, .walk_snoops = false')).toEqual([
      'nic .coherent_walk = false',
      'nic .walk_snoops = true',
    ]);
  });

  it('tries caches that write back two lines at once where an end may lie between the two', () => {
    const labels = (settings: string, call: string): string[] => {
      const text = `machine arm64 {\n\t${settings}\n}\ncpu c {\n\t${call}\n}\n`;
      const { program } = compile(text, 'm.litmus');
      if (program === null) throw new Error('does not compile');
      const lines = platformsOf(program).filter(({ label }) => /line|granule/u.test(label));
      for (const { label, change } of lines) {
        const changed = compile(change(text), label).program;
        expect(changed?.machine, label).not.toEqual(program.machine);
      }
      return lines.map(({ label }) => label);
    };
    const objects = 'u32 *p = kmalloc(64, GFP_KERNEL);';
    const long = '.cache_line = 128';
    expect(labels('', 'page = alloc_pages(GFP_KERNEL, 0);')).toEqual([long]);
    expect(labels('', objects)).toEqual([long, '.writeback_granule = 128']);
    expect(labels('.cache_line = 128;', objects)).toEqual(['.cache_line = 64']);
    const undone = [long, '.writeback_granule = 64'];
    expect(labels('.writeback_granule = 128;', objects)).toEqual(undone);
  });

  it('finds what the write-back of two lines destroys', async () => {
    const name = 'litmus/nearmiss/granule-line-aligned.hazard.litmus';
    const text = readFileSync(join(root, name), 'utf8');
    const { rows } = await rowsOf(text.replace('\t.writeback_granule = 128;\n', ''));
    const of = (label: string) => rows[0]?.others.find(({ setting }) => setting === label);
    expect(rows[0]?.written.verdict).toBe('coherent');
    expect(of('.writeback_granule = 128')?.hazards).toEqual(['H10']);
  });

  it('knows every call that maps or unmaps by DMA, whoever asks', () => {
    // Files of the kernel layer that map or unmap: a new one has calls to be told in settings.ts.
    const folder = join(root, 'src/kernel');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const using = (name: string): string[] =>
      files
        .filter((file) => file.endsWith('.ts') && file !== 'dma.ts')
        .filter((file) => readFileSync(join(folder, file), 'utf8').includes(`${name}(context`))
        .sort();
    expect(using('dmaMap')).toEqual([
      'ops/coherent.ts',
      'ops/dma-alloc.ts',
      'ops/page-pool.ts',
      'ops/scatterlist.ts',
      'ops/streaming.ts',
      'ops/videobuf2.ts',
      'sg-tables.ts',
      'ttm.ts',
    ]);
    expect(using('mapObject')).toEqual([
      'attachments.ts',
      'msm.ts',
      'ops/dma-buf.ts',
      'ops/gem.ts',
      'ops/videobuf2.ts',
      'sg-tables.ts',
    ]);
    expect(using('mapMaintenance')).toEqual(['ops/dma-iova.ts']);
    const maps = ['dma_map_sgtable', 'dma_buf_map_attachment', 'drm_gem_shmem_get_pages_sgt'];
    const drivers = [
      'udmabuf_create',
      'msm_gem_new',
      'page_pool_dev_alloc_pages',
      'vb2_dma_sg_alloc',
    ];
    const joining = ['dma_buf_attach', 'dma_buf_dynamic_attach', 'drm_gem_prime_import'];
    for (const name of [...maps, ...drivers, ...joining]) expect(mapsByDma(name), name).toBe(true);
    for (const name of ['dma_alloc_coherent', 'iommu_map']) expect(mapsByDma(name)).toBe(false);
    expect(using('dmaUnmap')).toEqual([
      'ops/scatterlist.ts',
      'ops/streaming.ts',
      'ops/ttm.ts',
      'sg-tables.ts',
    ]);
    expect(using('unmapTable')).toEqual([
      'attachments.ts',
      'msm.ts',
      'ops/gem-parts.ts',
      'ops/videobuf2.ts',
      'sg-tables.ts',
    ]);
    const unmaps = ['dma_unmap_page', 'dma_free_coherent', 'dma_buf_unmap_attachment'];
    for (const name of [...unmaps, 'msm_gem_new']) expect(unmapsByDma(name), name).toBe(true);
  });

  it('says which setting decides', async () => {
    const bare = STREAMING.replace('UNMAP', '');
    const { rows } = await rowsOf(bare, STREAMING.replace('UNMAP', UNMAP));
    const [without, withUnmap] = rows;
    if (without === undefined || withUnmap === undefined) throw new Error('two rows');
    expect(without.written.hazards).toContain('H1');
    const snooping = without.others.find((cell) => cell.setting === 'nic .coherent = true');
    expect(snooping?.hazards).not.toContain('H1');
    expect(matters(without, snooping ?? without.written)).toBe(true);
    expect(withUnmap.written.verdict).toBe('coherent');
    expect(matrixText(without)).toContain('what matters:');
    const json: unknown = JSON.parse(matrixJson(rows, 1));
    expect(json).toMatchObject({ version: 1, matrix: [{ file: 'm0.litmus' }, {}] });
  });

  it('agrees with check of the changed text', async () => {
    const text = STREAMING.replace('UNMAP', UNMAP);
    const { program } = compile(text, 'm.litmus');
    if (program === null) throw new Error('does not compile');
    const { rows } = await rowsOf(text);
    for (const { label, change } of platformsOf(program)) {
      const outcome = checkOne({ file: 'm.litmus', text: change(text) }, {}, {});
      const cell = rows[0]?.others.find((each) => each.setting === label);
      if (outcome.kind === 'result') expect(cell?.verdict).toBe(outcome.result.verdict);
      else expect(cell?.verdict).toBe('does not apply');
    }
  });

  it('shows how to see the run of a cell: check --with its setting', async () => {
    const bench = new Bench();
    bench.write('m0.litmus', STREAMING.replace('UNMAP', ''));
    const { rows } = await rowsOf(STREAMING.replace('UNMAP', ''));
    const [row] = rows;
    expect(matrixText(row ?? fail())).toMatch(/^ {2}a run: civac check --with '.+' m0\.litmus$/mu);
    for (const setting of ['nic .coherent = true', '.unexpected_hit = arch']) {
      const cell = row?.others.find((each) => each.setting === setting) ?? fail();
      const { out } = bench.civac(['check', '--brief', '--with', setting, 'm0.litmus']);
      const told = [cell.verdict, ...cell.hazards].join(' ');
      expect(out).toBe(`m0.litmus: ${told}\n`);
    }
    const errors = (...args: string[]): string => bench.civac(['check', ...args, 'm0.litmus']).err;
    expect(errors('--with', 'force')).toMatch(/^civac: --with: expected '\.name = value'/u);
    expect(errors('--with', 'nik .iommu = smmu')).toContain("did you mean 'nic'?");
    expect(errors('--with', '.swotlb = force')).toContain("did you mean 'swiotlb'?");
    expect(errors('--expect', '--with', '.swiotlb = force')).toContain('its own machine');
    bench.drop();
  });

  it('gives a scenario with errors no row, and the others theirs', async () => {
    const { rows, refused } = await rowsOf('cpu {', STREAMING.replace('UNMAP', UNMAP));
    expect(refused).toBe(1);
    expect(rows.map((row) => row.file)).toEqual(['m1.litmus']);
  });

  it('never calls unknown coherent', () => {
    const cell = (setting: string, verdict: 'coherent' | 'unknown') => ({
      setting,
      verdict,
      hazards: [],
      reason: null,
    });
    const row = {
      file: 'x',
      written: cell('as written', 'coherent'),
      others: [cell('a', 'unknown')],
    };
    expect(verdictOnAll(row)).toBe('unknown');
    expect(matters(row, cell('a', 'unknown'))).toBeNull();
  });
});
