/**
 * `node bench/lines.mjs [MOST [ROUNDS]]`: how long `check` takes on a buffer of 1 to MOST lines
 * (default 4), with the reference engine and by tables, in turns; user CPU time, medians, ratio.
 * Two families: a streaming mapping written and read by both sides, and wcbuf as a scenario: what
 * bench/wcbuf has as a toy, on the whole machine. Results must be equal.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { aliased } from './aliased.mjs';
import { median } from './median.mjs';

const most = Number(process.argv[2] ?? 4);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'lines-'));

const each = (n, text) => Array.from({ length: n }, (_, i) => text(i)).join('\n');

function streaming(n) {
  return `machine arm64 { device nic { .coherent = false }; }
u32 *buf;
dma_addr_t bus;
init { buf = kzalloc(${64 * n}, GFP_KERNEL); }
cpu driver {
${each(n, (i) => `	buf[${16 * i}] = ${i + 1};`)}
	bus = dma_map_single(nic, buf, ${64 * n}, DMA_BIDIRECTIONAL);
	submit(nic);
	wait(nic);
	dma_unmap_single(nic, bus, ${64 * n}, DMA_BIDIRECTIONAL);
${each(n, (i) => `	u32 v${i} = buf[${16 * i}];`)}
}
device nic {
${each(n, (i) => `	u32 r${i} = dma_read(bus + ${64 * i});\n	dma_write(bus + ${64 * i}, 100);`)}
}
`;
}

function run(file, engine) {
  const args = [join(folder, 'lines.mjs'), file, engine];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${file}: ${child.stderr}`);
  return JSON.parse(child.stdout);
}

function compare(name, lines, text) {
  const file = join(folder, `${name}-${lines}.litmus`);
  writeFileSync(file, text);
  const all = { reference: [], fast: [] };
  for (let i = 0; i < rounds; i += 1) {
    for (const engine of Object.keys(all)) all[engine].push(run(file, engine));
  }
  const said = ({ verdict, ids, states, transitions }) =>
    JSON.stringify({ verdict, ids, states, transitions });
  const [reference] = all.reference;
  const [fast] = all.fast;
  if (said(reference) !== said(fast)) throw new Error(`${said(reference)} and ${said(fast)}`);
  const [slow, quick] = [all.reference, all.fast].map((list) => median(list.map((r) => r.user)));
  const memory = [reference, fast].map((r) => `${Math.round(r.rss / 2 ** 20)} MiB`);
  console.log(
    [
      `${name} ${lines} line${lines > 1 ? 's' : ' '}`,
      reference.verdict.padEnd(8),
      `${String(reference.states).padStart(7)} states`,
      `${String(reference.transitions).padStart(8)} transitions`,
      `reference ${slow.toFixed(2)} s ${memory[0]}`,
      `tables ${quick.toFixed(2)} s ${memory[1]}`,
      `${(slow / quick).toFixed(1)}x`,
    ].join('  '),
  );
}

try {
  await build({
    entryPoints: [join(import.meta.dirname, 'lines.ts')],
    outfile: join(folder, 'lines.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'error',
  });
  console.log(`check, median of ${rounds} runs each, load ${loadavg()[0].toFixed(1)}`);
  for (const [name, text] of Object.entries({ streaming, wcbuf: aliased })) {
    for (let lines = 1; lines <= most; lines += 1) compare(name, lines, text(lines));
  }
} finally {
  rmSync(folder, { recursive: true });
}
