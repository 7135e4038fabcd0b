/**
 * `civac trace` as a user runs it: what it prints, its exit status, its formats, and what it says
 * to input and options that are wrong.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rules } from '../src/trace/judge/rules.js';
import type { JsonTrace } from '../src/trace/show/json.js';
import type { TraceSarifLog } from '../src/trace/show/sarif.js';
import { Bench, root } from './cli-run.js';
import { expectGolden } from './golden.js';
import { recording } from './trace-files.js';

const bench = new Bench();
afterAll(() => bench.drop());
beforeAll(() => {
  bench.write('faults.dat', recording('k612f-faults.dat'));
  bench.write('clean.dat', recording('k612f-clean.dat'));
  bench.write('boot.txt', recording('k612-boot.txt'));
  bench.write('double.txt', recording('k612f-double-unmap.txt'));
});

const json = (args: readonly string[]): JsonTrace => {
  const run = bench.civac(['trace', '--json', ...args]);
  expect(run.err).toBe('');
  return JSON.parse(run.out) as JsonTrace;
};

/** The fields of an object, sorted; the contract of docs/trace.md. */
const fields = (value: object | undefined) => Object.keys(value ?? {}).sort();
const moment = ['cpu', 'event', 'pid', 'task', 'time'];

describe('civac trace', () => {
  it('prints findings, devices, costs and limits', () => {
    const run = bench.civac(['trace', 'faults.dat']);
    expect(run).toMatchObject({ status: 1, err: '' });
    expectGolden(run.out, 'trace-faults.txt');
  });

  it('shows the events of notes with --all, nothing with --quiet', () => {
    expectGolden(bench.civac(['trace', '--all', 'boot.txt']).out, 'trace-boot-all.txt');
    expect(bench.civac(['trace', '--quiet', 'faults.dat'])).toEqual({
      status: 1,
      out: '',
      err: '',
    });
  });

  it('exits with 0 when there are notes only, and reads standard input', () => {
    expect(bench.civac(['trace', 'clean.dat'])).toMatchObject({ status: 0, err: '' });
    const text = new TextDecoder().decode(recording('k612f-double-unmap.txt'));
    const run = bench.civac(['trace', '-'], { input: text });
    expect(run).toMatchObject({ status: 1, err: '' });
    expect(run.out).toContain('error H11 unmap-twice');
  });

  it('exits with 0 when all depends on whether a device snoops', () => {
    const map = (at: string, dma: string, phys: string) =>
      `  task-1  [000] .....     ${at}: dma_map_page: dev dir=FROM_DEVICE dma_addr=${dma} ` +
      `size=4096 phys_addr=${phys} attrs=`;
    const head = '# tracer: nop\n#\n';
    const text = `${head}${map('1.0', '1000', '7000')}\n${map('1.1', '2000', '7000')}\n`;
    const run = bench.civac(['trace', '-'], { input: text });
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toContain('1 warning, 0 notes; 1 of them only if a device does not snoop');
    const known = bench.civac(['trace', '--non-coherent', 'dev', '-'], { input: text });
    expect(known.status).toBe(1);
  });

  it('exits with 3 when there is nothing to judge', () => {
    const text = [
      '# tracer: nop',
      '#',
      '            bash-1       [000] .....     1.000000: sched_stat: x=1',
      '',
    ].join('\n');
    const run = bench.civac(['trace', '-'], { input: text });
    expect(run.status).toBe(3);
    expect(run.err).toContain('no dma events in this trace: nothing could be judged');
  });
});

describe('Ctrl-C while the pipe is silent', () => {
  it('reports on what was read, and exits with 130', async () => {
    const program = join(root, 'bin', 'civac.mjs');
    const child = spawn(process.execPath, [program, 'trace', '-'], { stdio: 'pipe' });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString();
    });
    child.stdin.write(recording('k612f-double-unmap.txt'));
    const timer = setTimeout(() => child.kill('SIGINT'), 3000);
    const status = await new Promise((done) => child.on('close', done));
    clearTimeout(timer);
    child.stdin.destroy();
    expect({ status, err }).toEqual({
      status: 130,
      err: 'civac: interrupted; the report is on what was read until then\n',
    });
    expect(out).toContain('unmap-twice');
  });
});

describe('the JSON report', () => {
  it('has the fields that docs/trace.md lists, and no others', () => {
    const told = json(['faults.dat']);
    const page = readFileSync(new URL('../docs/trace.md', import.meta.url), 'utf8');
    for (const name of fields(told)) expect(page).toContain(`\`${name}`);
    expect(fields(told.source)).toEqual(['events', 'file', 'first', 'kernel', 'last', 'lost']);
    expect(told).toMatchObject({ version: 1, source: { events: 6763, lost: 0 } });
    const lists = [told.devices, told.costs, told.dearest, told.findings];
    for (const list of lists) {
      for (const name of fields(list[0])) expect(page).toContain(`\`${name}`);
    }
    const [finding] = told.findings;
    expect(fields(finding?.first)).toEqual(moment);
    expect(fields(finding?.evidence[0])).toEqual([...moment, 'role', 'text'].sort());
    const ids = new Set(rules.map(({ id }) => id));
    for (const { rule, evidence } of told.findings) {
      expect(ids).toContain(rule);
      expect(evidence.length).toBeGreaterThan(0);
    }
  });

  it('is the same whether the trace comes as a file or as a stream', () => {
    const { source: _, ...file } = json(['boot.txt']);
    const run = bench.civac(['trace', '--json', '-'], {
      input: new TextDecoder().decode(recording('k612-boot.txt')),
    });
    const { source: __, ...stream } = JSON.parse(run.out) as JsonTrace;
    expect(stream).toEqual(file);
  });
});

describe('SARIF', () => {
  it('has a rule for every result, and the evidence as its flow', () => {
    const run = bench.civac(['trace', '--format', 'sarif', 'faults.dat']);
    const log = JSON.parse(run.out) as TraceSarifLog;
    const [only] = log.runs;
    const ids = only?.tool.driver.rules.map((rule) => ('id' in rule ? rule.id : ''));
    expect(only?.results).toHaveLength(20);
    for (const result of only?.results ?? []) {
      expect(ids).toContain(result.ruleId);
      expect(['error', 'warning', 'note']).toContain(result.level);
      expect(result.locations[0]?.physicalLocation.artifactLocation.uri).toBe('faults.dat');
    }
    const size = only?.results.find(({ ruleId }) => ruleId === 'unmap-size');
    expect(size?.codeFlows?.[0]?.threadFlows[0]?.locations).toHaveLength(2);
    expect(only?.invocations[0]?.toolExecutionNotifications).not.toEqual([]);
  });
});

describe('what is known of the machine', () => {
  const coherence = (told: JsonTrace) =>
    Object.fromEntries(told.devices.map((d) => [d.name, `${d.coherent} ${d.coherenceFrom}`]));

  it('comes from the command line, a device tree, or is inferred', () => {
    const inferred = coherence(json(['boot.txt']));
    expect(inferred['0000:00:08.0']).toBe('false inferred');
    expect(inferred['0000:00:01.0']).toBe('null unknown');
    bench.write('m.dts', '/ { smmuv3@9050000 { dma-coherent; }; pcie { device_type = "pci"; }; };');
    const tree = coherence(json(['--dt', 'm.dts', 'boot.txt']));
    expect(tree['9050000.smmuv3']).toBe('true device tree');
    expect(tree['0000:00:01.0']).toBe('false device tree');
    const stated = coherence(json(['--dt', 'm.dts', '--coherent', '0000:*', 'boot.txt']));
    expect(stated['0000:00:01.0']).toBe('true command line');
    expect(stated['9050000.smmuv3']).toBe('true device tree');
  });

  it('drops what a device that snoops cannot suffer from', () => {
    const snoops = json(['--coherent', '*', 'faults.dat']);
    const found = snoops.findings.map(({ rule }) => rule);
    expect(found).not.toContain('map-overlap');
    expect(found).toContain('unmap-size');
    expect(snoops.notes).toContain('map-overlap: 2 matches dropped, since the device snoops');
    expect(snoops.costs[0]).toMatchObject({ bytesCleaned: 0, bytesInvalidated: 0 });
  });
});

describe('wrong input', () => {
  it.each([
    [['trace'], 'trace: name a FILE'],
    [['trace', 'absent.dat'], 'absent.dat: no such file or directory'],
    [['trace', '.'], 'is a directory'],
    [['trace', 'm.txt'], 'm.txt: no event in 1 lines'],
    [['trace', '--dt', 'm.txt', 'boot.txt'], "m.txt: has no node '/ {'"],
    [['trace', '--machine', 'm.txt', 'boot.txt'], 'm.txt: is not JSON'],
    [['trace', '--granule', '100', 'boot.txt'], 'Expected a power of two'],
    [['trace', '--json', '--format', 'sarif', 'boot.txt'], 'contradict each other'],
    [['trace', '-o', 'boot.txt', 'boot.txt'], 'it is an input'],
    [['explain', 'unmap-sise'], 'did you mean unmap-size?'],
  ])('%j', (args, words) => {
    bench.write('m.txt', 'hello\n');
    const run = bench.civac(args);
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toContain(words);
    expect(run.err).not.toMatch(/^ +at /m);
  });
});

describe('civac explain', () => {
  it('knows the rules', () => {
    const run = bench.civac(['explain', 'map-overlap']);
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toContain('mappings share memory or cache lines');
    expect(run.out).toContain('CONFIG_DMA_API_DEBUG');
  });
});
