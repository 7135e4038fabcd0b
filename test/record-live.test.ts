/**
 * `civac record` on this kernel, as a person runs it: needs Linux, root and a kernel with tracefs
 * and kmem events, else the suite is skipped. Where trace-cmd is installed, it reads the file too.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSidecar } from '../src/trace/sidecar.js';

const civac = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'civac.mjs');
const work = mkdtempSync(join(tmpdir(), 'civac-live-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** What is mounted on the way is mounted here, so that other recorders do not disturb us. */
const surroundings = { cwd: work, env: { ...process.env, TMPDIR: work } };
const pids: number[] = [];

function run(args: readonly string[]) {
  const done = spawnSync(process.execPath, [civac, 'record', ...args], {
    encoding: 'utf8',
    ...surroundings,
  });
  pids.push(done.pid);
  return done;
}

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [civac, 'record', ...args], surroundings);
  pids.push(child.pid ?? 0);
  return child;
}

const probe = run(['--list', '-e', 'kmem:mm_page_alloc']);
const possible = probe.status === 0;
const impossible = possible ? '' : ` (${probe.stderr.split('\n')[0] ?? ''})`;
const hasTraceCmd = spawnSync('trace-cmd', ['--version']).error === undefined;

/** Instances, mounts and directories of ours: what must be gone afterwards. */
function traces(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const places = mounts
    .filter((line) => line.includes(' tracefs '))
    .map((line) => line.split(' ')[1]);
  const instances = places.flatMap((place) => {
    const all = readdirSync(join(place ?? '', 'instances'));
    return all.filter((name) => pids.some((pid) => name === `civac-${pid}`));
  });
  const folders = readdirSync(work).filter((name) => name.startsWith('civac-tracefs-'));
  return [...instances, ...folders];
}

async function until(condition: () => boolean): Promise<void> {
  for (let left = 100; left > 0 && !condition(); left--) {
    await new Promise((done) => setTimeout(done, 100));
  }
  expect(condition()).toBe(true);
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.stderr?.on('data', (text) => {
      if (String(text).includes('Ctrl-C ends it')) resolve();
    });
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('exit', resolve));
}

describe.skipIf(!possible)(`civac record on this kernel${impossible}`, () => {
  it('records the pages that a command takes, and trace-cmd reads them', () => {
    const output = join(work, 'ls.dat');
    const { status, stdout, stderr } = run(['-e', 'kmem', '-o', output, '--', 'ls', '/']);
    expect(stderr).toMatch(/^civac: [\d,]+ events in/);
    expect({ status, out: stdout.includes('proc') }).toEqual({ status: 0, out: true });
    expect(traces()).toEqual([]);
    const sidecar = parseSidecar(readFileSync(`${output}.machine.json`, 'utf8'));
    expect(sidecar).toMatchObject({ command: { argv: ['ls', '/'], exit: 0, signal: null } });
    const told = Number(/([\d,]+) events/.exec(stderr)?.[1]?.replaceAll(',', ''));
    const json = spawnSync(process.execPath, [civac, 'trace', '--json', output], {
      encoding: 'utf8',
    });
    expect(JSON.parse(json.stdout)).toMatchObject({ source: { events: told, lost: 0 } });
    if (!hasTraceCmd) return;
    const report = spawnSync('trace-cmd', ['report', output], { encoding: 'utf8' });
    expect(report.stdout).toMatch(/\bls-\d+ .*mm_page_alloc:/);
    expect(report.stdout.split('\n').filter((line) => /\[\d+\]/.test(line))).toHaveLength(told);
  });

  it('leaves nothing after kill -9', async () => {
    const child = start(['-e', 'kmem', '-o', 'k.dat']);
    await started(child);
    expect(traces()).not.toEqual([]);
    child.kill('SIGKILL');
    await ended(child);
    await until(() => traces().length === 0);
    expect(existsSync(join(work, 'k.dat'))).toBe(false);
  });

  it('ends with Ctrl-C: 0 without a command, 130 with one, and writes both', async () => {
    const args = ['-e', 'kmem:mm_page_alloc', '-o'];
    const open = start([...args, 'open.dat']);
    await started(open);
    open.kill('SIGINT');
    expect(await ended(open)).toBe(0);
    const marker = `for i in 1 2 3 4 5 6 7 8 9; do echo on; sleep 1; done`;
    const cut = start([...args, 'cut.dat', '--', 'sh', '-c', marker]);
    await new Promise((resolve) => cut.stdout?.once('data', resolve));
    cut.kill('SIGINT');
    expect(await ended(cut)).toBe(130);
    expect(existsSync(join(work, 'open.dat')) && existsSync(join(work, 'cut.dat'))).toBe(true);
    expect(traces()).toEqual([]);
  });

  it('ends with the process that started it', async () => {
    const rest = 'record -e kmem:mm_page_alloc -o orphan.dat & wait';
    const command = `${process.execPath} ${civac} ${rest}`;
    const parent = spawn('sh', ['-c', command], surroundings);
    await started(parent);
    parent.kill('SIGKILL');
    await until(() => existsSync(join(work, 'orphan.dat.machine.json')));
    await until(() => traces().length === 0);
  });

  it('refuses with one message, and leaves nothing', () => {
    const fake = join(work, 'fake');
    mkdirSync(join(fake, 'instances'), { recursive: true });
    mkdirSync(join(fake, 'events'));
    writeFileSync(join(fake, 'available_events'), 'dma:dma_map_phys\n');
    writeFileSync(join(fake, 'events', 'header_page'), 'field: char data;\toffset:16;\tsize:4080;');
    const cases: [readonly string[], RegExp][] = [
      [['--', 'no-such-command'], /cannot run no-such-command: no such file/],
      [['-e', 'kmem:mm_page_alok', '--', 'ls'], /did you mean kmem:mm_page_alloc\?/],
      [['-e', 'kmem', '--clock', 'momo', '--', 'ls'], /did you mean mono\?/],
      [['-e', 'kmem', '--buffer', '999999G', '--', 'ls'], /ask for less with --buffer/],
      [['-e', 'kmem', '-o', 'none/x.dat', '--', 'ls'], /cannot write into .*none/],
      [['-e', 'kmem', '-o', '.', '--', 'ls'], /is a directory/],
      [['--tracefs', work, '--', 'ls'], /cannot use tracefs/],
      [['--tracefs', fake, '-e', 'dma', '--', 'ls'], /per_cpu: no such file.*a tracefs\?/],
    ];
    for (const [args, message] of cases) {
      const { status, stderr } = run(args);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(status).toBe(2);
    }
    expect(traces()).toEqual([]);
  });
});
