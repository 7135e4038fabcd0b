/** `--checkpoint`: killed and gone on with, a check says what it says undisturbed. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, root } from './cli-run.js';
import { coherent } from './cli-scenarios.js';

const bench = new Bench();
afterAll(() => bench.drop());
// By sets of states this scenario is over before a first checkpoint has been written.
process.env.CIVAC_SETS_FROM = '0';

/** Some seconds of states, with a hazard, a no-op, an alias and maintenance to report. */
const scenario = `machine arm64 {
	device nic { .coherent = false };
}
u32 *buf;
dma_addr_t dma;
init {
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
}
cpu a {
	buf[16] = 1;
	buf[32] = 2;
	buf[48] = 3;
	buf[64] = 4;
	buf[80] = 5;
}
cpu b {
	buf[0] = 1;
	dma = dma_map_single(nic, buf, 4, DMA_TO_DEVICE);
	buf[0] = 2;
	submit(nic);
	wait(nic);
	dma_sync_single_for_cpu(nic, dma, 4, DMA_TO_DEVICE);
}
device nic {
	u32 z = dma_read(dma);
}
`;
const check = ['check', '--no-projection', '--json'];
const kept = (file: string): string[] => [...check, '--checkpoint', file, 'long.litmus'];

/** A report but for how long it took. */
function said(out: string): unknown {
  return JSON.parse(out, (key, value: unknown) => (key === 'seconds' ? 0 : value));
}

/** Starts a check and kills it as soon as its checkpoint has been written so often. */
function killed(file: string, writes: number): Promise<void> {
  return new Promise((done) => {
    const program = join(root, 'bin', 'civac.mjs');
    const child = spawn(process.execPath, [program, ...kept(file)], { cwd: bench.folder });
    const seen = new Set<string>();
    const timer = setInterval(() => {
      if (!existsSync(bench.path(file))) return;
      seen.add(readFileSync(bench.path(file)).subarray(-32).toString('hex'));
      if (seen.size >= writes) child.kill('SIGKILL');
    }, 20);
    child.on('close', () => {
      clearInterval(timer);
      done();
    });
  });
}

describe('--checkpoint', () => {
  let undisturbed: unknown;
  beforeAll(() => {
    bench.write('long.litmus', scenario);
    bench.write('good.litmus', coherent);
    undisturbed = said(bench.civac([...check, 'long.litmus']).out);
  }, 60_000);

  it('goes on after kill -9, twice, and ends as if nothing had been', async () => {
    await killed('a.checkpoint', 1);
    expect(existsSync(bench.path('a.checkpoint'))).toBe(true);
    await killed('a.checkpoint', 2);
    const run = bench.civac(kept('a.checkpoint'));
    expect(run.err).toBe('');
    expect(said(run.out)).toEqual(undisturbed);
    expect(run.status).toBe(1);
  });

  it('goes on from a limit, which is unknown until then', () => {
    const limited = bench.civac([...kept('b.checkpoint'), '--max-states', '20000']);
    expect(limited.out).toContain('gave up after 20000 states');
    const run = bench.civac(kept('b.checkpoint'));
    expect(said(run.out)).toEqual(undisturbed);
  });

  it.each([
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100), 'it is damaged'],
    ['flipped', flipped, 'it is damaged'],
    ['half a header', (bytes: Buffer) => bytes.subarray(0, 200), 'it is damaged'],
    ['empty', () => Buffer.alloc(0), 'it is damaged'],
    ['foreign', () => Buffer.from('x'.repeat(500)), 'not a checkpoint of civac'],
  ])('refuses a file that is %s', (name, change, message) => {
    const file = `${name.replaceAll(' ', '-')}.checkpoint`;
    writeFileSync(bench.path(file), change(readFileSync(bench.path('b.checkpoint'))));
    const run = bench.civac(kept(file));
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toContain(`cannot go on from ${file}: ${message}`);
  });

  it('refuses the checkpoint of another scenario or order', () => {
    const other = bench.civac([...check, '--checkpoint', 'b.checkpoint', 'good.litmus']);
    expect(other).toMatchObject({ status: 2, out: '' });
    expect(other.err).toContain('it is of another scenario');
    const order = bench.civac([...kept('b.checkpoint'), '--order', 'reverse']);
    expect(order).toMatchObject({ status: 2, out: '' });
    expect(order.err).toContain('it was made with --order forward');
  });

  it('is for one scenario, not for a matrix, and not for the reference engine', () => {
    for (const more of [['good.litmus'], ['--matrix'], ['--engine', 'reference']]) {
      const run = bench.civac([...kept('c.checkpoint'), ...more]);
      expect(run).toMatchObject({ status: 2, out: '' });
      expect(run.err).toContain('--checkpoint');
    }
  });

  it('that cannot be written is told, and the check goes on', () => {
    const run = bench.civac(kept('nowhere/d.checkpoint'));
    expect(run.err).toContain('cannot write nowhere/d.checkpoint: no such file or directory');
    expect(said(run.out)).toEqual(undisturbed);
  });

  it('for which there is no room is told, and the check goes on', () => {
    // No file may be longer than 8 KiB: what a full disk is to a program.
    const program = join(root, 'bin', 'civac.mjs');
    const command = [process.execPath, program, ...kept('e.checkpoint')];
    const run = spawnSync('bash', ['-c', 'ulimit -f 8; exec "$@"', 'bash', ...command], {
      cwd: bench.folder,
      encoding: 'utf8',
    });
    expect(run.stderr).toContain('cannot write e.checkpoint: larger than a file may be; going on');
    expect(said(run.stdout)).toEqual(undisturbed);
    expect(existsSync(bench.path('e.checkpoint'))).toBe(false);
  });

  it('that is a device is refused, and stays what it is', () => {
    const run = bench.civac(kept('/dev/full'));
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toContain('cannot go on from /dev/full: it is no file that could be replaced');
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it('leaves no draft behind', () => {
    const drafts = readdirSync(bench.folder).filter((name) => name.endsWith('.tmp'));
    // Of those that were killed at most, and they never count as a checkpoint.
    expect(drafts.length).toBeLessThanOrEqual(2);
  });
});

/** One bit in the middle. */
function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}
