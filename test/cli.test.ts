/** The command line as a contract: exit status, messages, formats, options. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench, type Run } from './cli-run.js';
import { coherent, endless, hazard } from './cli-scenarios.js';
import { problemsOfDocument } from './json-shape.js';

const bench = new Bench();
afterAll(() => bench.drop());

beforeAll(() => {
  bench.write('good.litmus', coherent);
  bench.write('bad.litmus', hazard);
  bench.write('wrong.litmus', coherent.replace('dma_read(dma)', 'dma_raed(dma)'));
  bench.write('silent.litmus', coherent.replace(/^.*Result:.*\n/m, ''));
  bench.write('lying.litmus', coherent.replace('Result: coherent', 'Result: H3'));
  bench.write('endless.litmus', endless);
});

function json(run: Run) {
  const document: unknown = JSON.parse(run.out);
  expect(problemsOfDocument(document)).toEqual([]);
  return document as { results: Record<string, unknown>[]; errors: Record<string, unknown>[] };
}

describe('civac check', () => {
  it('exits 0 for a coherent scenario', () => {
    const run = bench.civac(['check', 'good.litmus']);
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toMatch(/^good\.litmus: coherent$/m);
  });

  it('exits 1 for a hazard and shows the line, the run and what would mend it', () => {
    const run = bench.civac(['check', 'bad.litmus']);
    expect(run).toMatchObject({ status: 1, err: '' });
    expect(run.out).toMatch(/^bad\.litmus: hazard H2/m);
    expect(run.out).toContain('dma_read(dma)');
    expect(run.out).toMatch(/^ +\| \t.*\^+$/m);
    expect(run.out).toMatch(/^> +\d+ /m);
    expect(run.out).toContain('what would mend it');
  });

  it('exits 2 for a mistake in the file: place, line, caret, nearest name', () => {
    const run = bench.civac(['check', 'wrong.litmus']);
    expect(run.status).toBe(2);
    expect(run.out).toBe('');
    expect(run.err).toMatch(/^wrong\.litmus:\d+:\d+: error/);
    expect(run.err).toContain('^');
    expect(run.err).toContain('dma_read');
  });

  it('exits 3 at a limit, and says unknown', () => {
    const run = bench.civac(['check', '--max-states', '10', 'good.litmus']);
    expect(run.status).toBe(3);
    expect(run.out).toMatch(/^good\.litmus: unknown: .*10/m);
    expect(run.out).not.toContain('good.litmus: coherent');
  });

  it.each(['--max-seconds', '--max-memory'])('knows the limit %s', (limit) => {
    const run = bench.civac(['check', limit, '1', 'endless.litmus']);
    expect(run.status).toBe(3);
    expect(run.out).toMatch(/^endless\.litmus: unknown: /m);
  });

  it('with several files says the worst, and still checks the others', () => {
    const all = ['wrong.litmus', 'bad.litmus', 'good.litmus', 'nowhere.litmus'];
    const run = bench.civac(['check', '--brief', ...all]);
    expect(run.status).toBe(2);
    expect(run.out).toMatch(/^bad\.litmus: +hazard H2/m);
    expect(run.out).toMatch(/^good\.litmus: +coherent$/m);
    expect(run.err).toContain('nowhere.litmus: no such file or directory');
    expect(bench.civac(['check', 'bad.litmus', 'good.litmus']).status).toBe(1);
    const limited = ['check', '--max-states', '10', 'good.litmus', 'bad.litmus'];
    expect([1, 3]).toContain(bench.civac(limited).status);
  });

  it('reads standard input for -', () => {
    const run = bench.civac(['check', '-'], { input: coherent });
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toMatch(/^<stdin>: coherent$/m);
  });

  it('takes a folder for the scenarios under it, each once', () => {
    const run = bench.civac(['check', '--brief', '--max-states', '50', '.', 'good.litmus']);
    expect(run.out.match(/^good\.litmus:/gm)).toHaveLength(1);
    expect(run.out).toContain('bad.litmus:');
  });

  it('says the same twice, and the same verdict in the other search order', () => {
    const first = bench.civac(['check', 'bad.litmus']);
    expect(bench.civac(['check', 'bad.litmus']).out).toBe(first.out);
    const reverse = bench.civac(['check', '--brief', '--order', 'reverse', 'bad.litmus']);
    expect(reverse.out).toBe(bench.civac(['check', '--brief', 'bad.litmus']).out);
  });

  it('is quiet when told to be, except about errors', () => {
    expect(bench.civac(['check', '--quiet', 'bad.litmus'])).toEqual({
      status: 1,
      out: '',
      err: '',
    });
    const run = bench.civac(['check', '--quiet', 'wrong.litmus']);
    expect(run.status).toBe(2);
    expect(run.err).not.toBe('');
  });

  it('prints states and time only with --stats', () => {
    expect(bench.civac(['check', '--brief', 'good.litmus']).out).toBe('good.litmus: coherent\n');
    const run = bench.civac(['check', '--brief', '--stats', 'good.litmus']);
    expect(run.out).toMatch(/coherent {2}\[[\d,]+ states, [\d,]+ transitions, \d+\.\d\d s\]/);
  });

  it('colours only when asked or on a terminal', () => {
    const env = { NO_COLOR: '', FORCE_COLOR: '1' };
    expect(bench.civac(['check', 'bad.litmus'], { env }).out).toContain('\u001b[');
    for (const args of [
      ['check', '--no-color'],
      ['--no-color', 'check'],
    ]) {
      expect(bench.civac([...args, 'bad.litmus'], { env }).out).not.toContain('\u001b[');
    }
    expect(bench.civac(['check', 'bad.litmus'], { env: { FORCE_COLOR: '1' } }).out).not.toContain(
      '\u001b[',
    );
  });
});

describe('civac check --format', () => {
  it('prints JSON as documented', () => {
    const run = bench.civac(['check', '--json', 'bad.litmus', 'good.litmus', 'wrong.litmus']);
    expect(run.status).toBe(2);
    const { results, errors } = json(run);
    expect(results.map((r) => [r.file, r.verdict])).toEqual([
      ['bad.litmus', 'hazard'],
      ['good.litmus', 'coherent'],
    ]);
    expect(results[0]).toMatchObject({ expected: 'H2 H6', asExpected: true });
    expect(errors).toMatchObject([{ file: 'wrong.litmus', code: 'L021' }]);
  });

  it('prints SARIF and JUnit', () => {
    const sarif = bench.civac(['check', '--format', 'sarif', 'bad.litmus']);
    expect(sarif.status).toBe(1);
    expect(JSON.parse(sarif.out)).toMatchObject({ version: '2.1.0' });
    const junit = bench.civac(['check', '--format', 'junit', 'bad.litmus', 'good.litmus']);
    expect(junit.out).toContain('tests="2" failures="1" errors="0"');
  });

  it('writes to a file with -o, and prints nothing', () => {
    const run = bench.civac(['check', '--json', '-o', 'out.json', 'good.litmus']);
    expect(run).toEqual({ status: 0, out: '', err: '' });
    expect(problemsOfDocument(JSON.parse(readFileSync(bench.path('out.json'), 'utf8')))).toEqual(
      [],
    );
  });

  it('fails before the work when the file cannot be written, and spares the input', () => {
    const late = bench.civac(['check', '-o', 'no/such/folder/x', 'endless.litmus']);
    expect(late.status).toBe(2);
    expect(late.err).toContain('cannot write no/such/folder/x: no such file or directory');
    const own = bench.civac(['check', '-o', 'good.litmus', 'good.litmus']);
    expect(own.status).toBe(2);
    expect(readFileSync(bench.path('good.litmus'), 'utf8')).toBe(coherent);
  });
});

describe('civac check --expect', () => {
  it('exits 0 when all is as stated', () => {
    const run = bench.civac(['check', '--expect', 'good.litmus', 'bad.litmus']);
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toContain('2 scenarios: all as stated');
  });

  it('exits 1 and lists what differs, what states nothing and what was not decided', () => {
    const files = ['good.litmus', 'lying.litmus', 'silent.litmus'];
    const run = bench.civac(['check', '--expect', ...files]);
    expect(run.status).toBe(1);
    expect(run.out).toContain('different (1):\n  lying.litmus: stated H3; found coherent\n');
    expect(run.out).toContain('no expectation stated (1):\n  silent.litmus: found coherent\n');
    expect(run.out).toContain('3 scenarios: 1 as stated, 2 not');
    const limited = bench.civac(['check', '--expect', '--max-states', '10', 'good.litmus']);
    expect(limited.status).toBe(1);
    expect(limited.out).toContain('not decided (1):');
  });

  it('exits 2 when a file cannot be read as a scenario', () => {
    const run = bench.civac(['check', '--expect', 'good.litmus', 'wrong.litmus']);
    expect(run.status).toBe(2);
    expect(run.out).toContain('not checked for errors in the file (1):\n  wrong.litmus\n');
  });

  it('keeps the document clean and lists on stderr', () => {
    const run = bench.civac(['check', '--expect', '--json', 'good.litmus', 'lying.litmus']);
    expect(run.status).toBe(1);
    expect(json(run).results.map((r) => r.asExpected)).toEqual([true, false]);
    expect(run.err).toContain('different (1)');
  });
});

describe('Ctrl-C', () => {
  it('ends a long run with 130 after printing what is known', async () => {
    const args = ['check', '--brief', 'good.litmus', 'endless.litmus', 'bad.litmus'];
    const run = await bench.interrupted(args, 2000);
    expect(run.status).toBe(130);
    expect(run.out).toMatch(/^good\.litmus: +coherent$/m);
    expect(run.out).toMatch(/^endless\.litmus: +unknown: /m);
    expect(run.err).toContain('civac: interrupted');
    expect(run.seconds).toBeLessThan(8);
  });

  it('still completes the JSON document', async () => {
    const run = await bench.interrupted(['check', '--json', 'good.litmus', 'endless.litmus'], 2000);
    expect(run.status).toBe(130);
    expect(json(run).results.map((r) => r.verdict)).toEqual(['coherent', 'unknown']);
  });
});
