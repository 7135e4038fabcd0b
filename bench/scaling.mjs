/**
 * `node bench/scaling.mjs [MOST [MOST_PLAIN]]`: how states and user CPU time of `check` grow with
 * lines, pages, threads and domains of a scenario (default: up to 4, unreduced up to 3), without
 * reductions and with them, in turns. One process for each figure; prints tables for a docs page.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const most = Number(process.argv[2] ?? 4);
const mostPlain = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'scaling-'));

const each = (n, text) => Array.from({ length: n }, (_, i) => text(i)).join('\n');
const machine = 'machine arm64 { device nic { .coherent = false }; }';

/** A buffer with a word in each of n lines, or of n pages, `apart` bytes from one to the next. */
function buffer(n, apart) {
  return `${machine}
u32 *buf;
dma_addr_t bus;
init { buf = kzalloc(${apart * n}, GFP_KERNEL); }
cpu driver {
${each(n, (i) => `	buf[${(apart / 4) * i}] = 1;`)}
	bus = dma_map_single(nic, buf, ${apart * n}, DMA_BIDIRECTIONAL);
	submit(nic);
	wait(nic);
	dma_unmap_single(nic, bus, ${apart * n}, DMA_BIDIRECTIONAL);
${each(n, (i) => `	u32 v${i} = buf[${(apart / 4) * i}];`)}
}
device nic {
${each(n, (i) => `	u32 r${i} = dma_read(bus + ${apart * i});\n	dma_write(bus + ${apart * i}, 9);`)}
}
`;
}

/** n CPUs that write a word each, in a line of its own, and read it back; one has a mapping. */
function threads(n) {
  return `${machine}
u32 *buf;
dma_addr_t bus;
init {
	buf = kzalloc(4096, GFP_KERNEL);
	bus = dma_map_single(nic, buf, 4, DMA_TO_DEVICE);
}
${each(n, (i) => `cpu c${i} {\n	buf[${16 * (i + 1)}] = 1;\n	u32 v = buf[${16 * (i + 1)}];\n}`)}
device nic {
	u32 r = dma_read(bus);
}
`;
}

/** One page in the domains of n devices behind IOMMUs of their own, each of which reads it. */
function domains(n) {
  const device = (i) => `	device d${i} { .coherent = false, .iommu = s${i} };`;
  return `machine arm64 {
${each(n, device)}
}
u32 *buf;
init {
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	buf = page_address(page);
${each(n, (i) => `	dom${i} = iommu_domain_alloc(d${i});`)}
}
cpu driver {
	buf[0] = 1;
	dcache_clean_poc(buf, buf + 1);
${each(n, (i) => `	iommu_map(dom${i}, 0x10000, page_to_phys(page), 4096, IOMMU_READ);`)}
${each(n, (i) => `	submit(d${i});`)}
${each(n, (i) => `	wait(d${i});`)}
}
${each(n, (i) => `device d${i} {\n	u32 r = dma_read(dom${i}, 0x10000);\n}`)}
`;
}

const families = {
  lines: (n) => buffer(n, 64),
  pages: (n) => buffer(n, 4096),
  threads,
  domains,
};

function run(text, way) {
  const file = join(folder, 'scenario.litmus');
  writeFileSync(file, text);
  const args = [join(folder, 'reduce.mjs'), file, way, '1', ''];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${child.stderr}\n${text}`);
  return JSON.parse(child.stdout);
}

const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
const seconds = (s) => `${s.toFixed(2)} s`;
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);

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
  row('', 'verdict', 'states, none', 'states, reduced', 'none', 'reduced');
  row('---', '---', '--:', '--:', '--:', '--:');
  for (const [name, text] of Object.entries(families)) {
    for (let n = 1; n <= most; n += 1) {
      const all = run(text(n), 'all');
      const none = n > mostPlain ? null : run(text(n), 'none');
      if (none !== null && (none.verdict !== all.verdict || none.ids !== all.ids)) {
        throw new Error(`${name} ${n}: ${none.ids} and ${all.ids}`);
      }
      row(
        `${n} ${n === 1 ? name.slice(0, -1) : name}`,
        all.verdict,
        none === null ? '-' : count(none.states),
        count(all.states),
        none === null ? '-' : seconds(none.cold),
        seconds(all.cold),
      );
    }
  }
  console.log(`\nload ${loadavg()[0].toFixed(1)} at the end`);
} finally {
  rmSync(folder, { recursive: true });
}
