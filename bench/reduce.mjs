/**
 * `node bench/reduce.mjs [MOST]`: what reductions are worth. First ratios: `check` on a buffer of
 * 2 to MOST lines (default 5), each line written and read by its own statements, without
 * reductions, with needed evictions and fills only, and with all, in turns; then buffers of 64
 * lines to 67 million, with reductions. User CPU time. Warm: the median of the second half of 2,000
 * runs in one process (120 of 1,024 statements), which compile the scenario anew each time and keep
 * nothing of its verdict; what is warm is V8's code for civac, which it goes on optimising until
 * about the thousandth run. Warming: the median of the second eighth.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const most = Number(process.argv[2] ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'reduce-'));

/** A streaming mapping, one statement for each line. */
function lines(n, clean = true) {
  const unmap = clean ? `dma_unmap_single(nic, bus, ${64 * n}, DMA_BIDIRECTIONAL);` : '';
  return `machine arm64 { device nic { .coherent = false }; }
u32 *buf;
dma_addr_t bus;
init { buf = kzalloc(${64 * n}, GFP_KERNEL); }
cpu driver {
	for (int i = 0; i < ${n}; i++) buf[16 * i] = 1;
	bus = dma_map_single(nic, buf, ${64 * n}, DMA_BIDIRECTIONAL);
	submit(nic);
	wait(nic);
	${unmap}
	for (int i = 0; i < ${n}; i++) { u32 v = buf[16 * i]; }
}
device nic {
	for (int i = 0; i < ${n}; i++) { u32 v = dma_read(bus + 64 * i); dma_write(bus + 64 * i, 100); }
}
`;
}

/** What bench/wcbuf does, on the whole machine, one statement for each line. */
function wcbuf(n) {
  const bytes = 4096 * Math.ceil(n / 64);
  return `machine arm64 { device dev { .coherent = false }; }
u32 *wb;
u32 *wc;
dma_addr_t bus;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, ${Math.ceil(Math.log2(bytes / 4096))});
	wb = page_address(page);
	bus = dma_map_single(dev, wb, ${bytes}, DMA_BIDIRECTIONAL);
	wc = vmap(page, pgprot_writecombine(PAGE_KERNEL));
}
cpu driver {
	for (int i = 0; i < ${n}; i++) {
		wb[16 * i] = 1;
		dcache_clean_inval_poc(wb + 16 * i, wb + 16 * i + 1);
		wc[16 * i] = 2;
	}
	submit(dev);
	wait(dev);
	for (int i = 0; i < ${n}; i++) { u32 v = wc[16 * i]; }
}
device dev {
	for (int i = 0; i < ${n}; i++) { u32 v = dma_read(bus + 64 * i); }
	for (int i = 0; i < ${n}; i++) { dma_write(bus + 64 * i, 3); }
}
`;
}

/** A graphics buffer, written and read as a whole by both sides. */
function whole(n, good = true) {
  const size = `0x${(64 * n).toString(16)}`;
  const clean = 'sgt = drm_gem_shmem_get_pages_sgt(bo);';
  return `machine arm64 { device gpu { .coherent = false, .iommu = smmu }; }
init {
	bo = drm_gem_shmem_create(gpu, ${size}, .map_wc = true);
	vm = iommu_domain_alloc(gpu);
	${good ? clean : ''}
}
cpu user {
	u32 *p = mmap(bo);
	memset(p, 1, ${size});
	${good ? '' : clean}
	iommu_map_sgtable(vm, 0x1000000, sgt, IOMMU_READ | IOMMU_WRITE);
	submit(gpu);
	wait(gpu);
	memchr_inv(p, 7, ${size});
}
device gpu {
	dma_read_range(vm, 0x1000000, ${size});
	dma_write_range(vm, 0x1000000, 7, ${size});
}
`;
}

function run(text, way, times = 1, only = '') {
  const file = join(folder, 'scenario.litmus');
  writeFileSync(file, text);
  const args = [join(folder, 'reduce.mjs'), file, way, String(times), only];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

const ms = (seconds) => `${(1000 * seconds).toFixed(1)} ms`;
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const same = (a, b) => {
  if (a.verdict !== b.verdict || a.ids !== b.ids) throw new Error(`${a.ids} and ${b.ids}`);
};

try {
  await build({
    entryPoints: [join(import.meta.dirname, 'reduce.ts')],
    outfile: join(folder, 'reduce.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'error',
  });
  console.log(`load ${loadavg()[0].toFixed(1)}\n`);
  const counts = ['states, none', 'environment steps', 'all reductions'];
  row('', ...counts, 'none', 'environment steps', 'all reductions', 'ratios');
  row('---', ...Array.from({ length: 7 }, () => '--:'));
  for (const [name, text] of Object.entries({ streaming: lines, wcbuf })) {
    for (let n = 2; n <= most; n += 1) {
      const runs = ['none', 'por', 'all'].map((way) => run(text(n), way));
      const [none] = runs;
      for (const each of runs) same(none, each);
      const ratios = runs.slice(1).map(({ cold }) => `${(none.cold / cold).toFixed(1)}x`);
      const states = runs.map((each) => each.states);
      row(`${name} ${n} lines`, ...states, ...runs.map(({ cold }) => ms(cold)), ratios.join(' '));
    }
  }
  console.log();
  const timed = ['verdict, warm', 'warming', 'all of check, warm', 'first time'];
  row('', 'verdict', 'states', 'compile', ...timed);
  row('---', '---', ...Array.from({ length: 6 }, () => '--:'));
  const large = [
    ...[64, 1024, 2 ** 26].flatMap((n) => [
      [`whole buffer, ${n} lines`, whole(n)],
      [`whole buffer, ${n} lines, cleaned late`, whole(n, false)],
    ]),
    ['streaming, 64 lines one by one', lines(64)],
    ['wcbuf, 64 lines one by one', wcbuf(64)],
    ['streaming, 1024 lines one by one', lines(1024)],
  ];
  for (const [name, text] of large) {
    const times = name.includes('1024 lines one') ? 120 : 2000;
    const only = run(text, 'all', times, 'verdict');
    const all = run(text, 'all', times / 4);
    const { verdict, states, compiling, warm, cold } = all;
    const user = [compiling, only.warm, only.soon, warm, cold].map(ms);
    row(name, verdict, states, ...user);
  }
} finally {
  rmSync(folder, { recursive: true });
}
