/** What the command line says to wrong input, and its smaller verbs. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../src/base/version.js';
import { compile } from '../src/litmus/index.js';
import { hazards } from '../src/verdict/hazards.js';
import { Bench, root } from './cli-run.js';
import { coherent, hazard } from './cli-scenarios.js';

const bench = new Bench();
afterAll(() => bench.drop());
beforeAll(() => {
  bench.write('good.litmus', coherent);
  bench.write('binary.litmus', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]));
  bench.write('latin1.litmus', new Uint8Array([0x2f, 0x2f, 0xe9, 0x0a]));
  bench.write('large.litmus', `// ${'x'.repeat(1 << 20)}`);
  bench.write('empty.litmus', '');
  mkdirSync(bench.path('void'));
});

describe('a wrong command line', () => {
  it.each([
    [['simulate', 'x.litmus'], "civac: 'simulate' is not a civac command; see 'civac --help'\n"],
    [['chekc'], "civac: 'chekc' is not a civac command; did you mean 'civac check'?\n"],
    [['./x.litmus'], "did you mean 'civac check ./x.litmus'?"],
    [['check'], 'name a FILE'],
    [['check', '--breif', 'x'], "unknown option '--breif'\n(Did you mean --brief?)"],
    [['check', '--max-states', '0', 'x'], 'Expected a whole number greater than 0'],
    [['check', '--max-states', '1e3', 'x'], 'Expected a whole number greater than 0'],
    [['check', '--max-seconds', 'soon', 'x'], 'Expected a number greater than 0'],
    [['check', '--max-memory'], 'argument missing'],
    [['check', '--format', 'xml', 'x'], 'Allowed choices are text, json, sarif, junit'],
    [['check', '--json', '--format', 'sarif', 'good.litmus'], 'contradict'],
    [['check', '--order', 'random', 'x'], 'Allowed choices are forward, reverse'],
    [['explain'], "missing required argument 'ID'"],
    [['explain', 'H77'], "no hazard, rule, message or function is called 'H77'"],
    [['fmt', '--check', '--write', 'good.litmus'], 'contradict'],
    [['mend', '--json', '--format', 'text', 'good.litmus'], 'contradict'],
    [['fmt', '--write', '-'], 'needs a file'],
    [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish'],
  ])('%j: exit 2 and one message', (args, message) => {
    const run = bench.civac(args);
    expect(run.err).toContain(message);
    expect(run.err).not.toMatch(/^ +at /m);
    expect(run.err.split('\n').length).toBeLessThanOrEqual(3);
    expect(run).toMatchObject({ status: 2, out: '' });
  });

  it('without any word shows the help, on stderr', () => {
    const run = bench.civac([]);
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toContain('Usage: civac');
  });
});

describe('options that every verb has', () => {
  it('--quiet: the exit status alone', () => {
    for (const args of [['fmt'], ['export', '--to', 'murphi'], ['mend'], ['check']]) {
      const run = bench.civac([...args, '--quiet', '--no-color', 'good.litmus']);
      expect(run, args.join(' ')).toMatchObject({ status: 0, out: '', err: '' });
    }
  });

  it('--json and --format json are the same', () => {
    for (const verb of ['check', 'mend']) {
      const [short, long] = [['--json'], ['--format', 'json']].map((option) => {
        const { out } = bench.civac([verb, ...option, 'good.litmus']);
        return out.replace(/"seconds": .*/g, '');
      });
      expect(short).toBe(long);
      expect(short).toContain('"version": 1');
    }
    const { out } = bench.civac(['export', '--to', 'promela', '--json', 'good.litmus']);
    const source = bench.civac(['export', '--to', 'promela', 'good.litmus']).out;
    expect(JSON.parse(out)).toEqual({ version: 1, file: 'good.litmus', to: 'promela', source });
  });
});

describe('an input that cannot be used', () => {
  it.each([
    ['nowhere.litmus', 'no such file or directory'],
    ['binary.litmus', 'a binary file, not a scenario'],
    ['latin1.litmus', 'not UTF-8 text'],
    ['large.litmus', 'too large for a scenario (1048579 bytes)'],
    ['good.litmus/x', 'a part of the path is not a directory'],
  ])('%s: %s', (file, message) => {
    for (const verb of ['check', 'fmt']) {
      const run = bench.civac([verb, file]);
      expect(run).toEqual({ status: 2, out: '', err: `civac: ${file}: ${message}\n` });
    }
  });

  it('may be a folder without what the verb reads', () => {
    const err = (verb: string) => bench.civac([verb, 'void']).err;
    expect(err('check')).toBe('civac: void: no .litmus file in this directory\n');
    expect(err('fmt')).toBe(
      'civac: void: no .litmus, .design or .usecase file in this directory\n',
    );
  });

  it('may be a file we may not read, or a loop of links', () => {
    symlinkSync('loop.litmus', bench.path('loop.litmus'));
    expect(bench.civac(['check', 'loop.litmus']).err).toContain('too many symbolic links');
    bench.write('secret.litmus', coherent);
    chmodSync(bench.path('secret.litmus'), 0);
    const run = bench.civac(['check', 'secret.litmus']);
    // Root reads everything.
    if (process.getuid?.() === 0) expect(run.status).toBe(0);
    else expect(run).toMatchObject({ status: 2, out: '' });
  });

  it('may be empty', () => {
    const run = bench.civac(['check', 'empty.litmus']);
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toMatch(/^empty\.litmus:1:1: error/);
  });
});

describe('help', () => {
  it.each([
    'check',
    'mend',
    'compare',
    'explain',
    'fmt',
    'reference',
    'trace',
    'record',
    'completion',
  ])('%s has an example', (verb) => {
    const run = bench.civac([verb, '--help']);
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toMatch(/Examples?:\n {2}(eval "\$\()?civac /);
  });

  it('lists only verbs that exist', () => {
    const { status, out } = bench.civac(['--help']);
    expect(status).toBe(0);
    const commands = out.slice(out.indexOf('Commands:'), out.indexOf('Example:'));
    const verbs = [...commands.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1]);
    expect(verbs).toEqual([
      'check',
      'mend',
      'compare',
      'explain',
      'fmt',
      'reference',
      'export',
      'trace',
      'record',
      'completion',
    ]);
  });

  it('knows its version', () => {
    expect(bench.civac(['--version'])).toEqual({ status: 0, out: `${version}\n`, err: '' });
  });
});

describe('civac explain', () => {
  it('is the same as the option of civac and of check', () => {
    const run = bench.civac(['explain', 'H3']);
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toContain(hazards.H3.name);
    expect(bench.civac(['--explain', 'h3'])).toEqual(run);
    expect(bench.civac(['check', '--explain', 'H3'])).toEqual(run);
  });

  it('names exactly the scenarios whose header states the hazard', () => {
    const named = bench.civac(['explain', 'H13']).out.match(/\S+\.litmus$/gm) ?? [];
    const corpus = join(root, 'litmus');
    const stated = readdirSync(corpus, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.litmus'))
      .map((name) => join(corpus, name))
      .filter((file) => {
        const result = compile(readFileSync(file, 'utf8'), file).program?.header.result ?? [];
        return result !== 'coherent' && result.includes('H13');
      });
    expect(stated.length).toBeGreaterThan(0);
    expect(named.sort()).toEqual(stated.sort());
  });

  it('knows rules in full, messages, functions and settings too', () => {
    expect(bench.civac(['explain', 'M4']).out).toContain(
      'an absent line may be filled from memory',
    );
    expect(bench.civac(['explain', 'l021']).out).toContain('L021 ');
    const called = bench.civac(['explain', 'dma_iova_link']).out.match(/\S+\.litmus$/gm) ?? [];
    expect(called.length).toBeGreaterThan(0);
    for (const file of called) {
      expect(readFileSync(resolve(bench.folder, file), 'utf8')).toContain('dma_iova_link(');
    }
    expect(bench.civac(['explain', '.swiotlb']).out).toContain('.litmus');
    expect(bench.civac(['explain', 'vmapp']).err).toContain('did you mean vmap?');
  });
});

describe('civac fmt', () => {
  const untidy = coherent.replace('\tbuf[0] = 1;', '   buf [0]=1 ;');

  it('prints, checks and rewrites, and what it wrote it leaves alone', () => {
    bench.write('untidy.litmus', untidy);
    const printed = bench.civac(['fmt', 'untidy.litmus']);
    expect(printed).toMatchObject({ status: 0, err: '' });
    expect(printed.out).toContain('\tbuf[0] = 1;');
    expect(bench.civac(['fmt', '--check', 'untidy.litmus'])).toEqual({
      status: 1,
      out: 'untidy.litmus\n',
      err: '',
    });
    expect(bench.civac(['fmt', '--write', 'untidy.litmus'])).toEqual({
      status: 0,
      out: '',
      err: '',
    });
    expect(readFileSync(bench.path('untidy.litmus'), 'utf8')).toBe(printed.out);
    expect(bench.civac(['fmt', '--check', 'untidy.litmus']).status).toBe(0);
    expect(bench.civac(['fmt', '-'], { input: untidy }).out).toBe(printed.out);
  });

  it('leaves a file with a syntax error alone', () => {
    bench.write('broken.litmus', 'cpu a { buf[0] = ; }\n');
    const run = bench.civac(['fmt', '--write', 'broken.litmus']);
    expect(run).toMatchObject({ status: 2, out: '' });
    expect(run.err).toContain('broken.litmus:1:');
    expect(readFileSync(bench.path('broken.litmus'), 'utf8')).toBe('cpu a { buf[0] = ; }\n');
  });
});

describe('civac reference', () => {
  it('has the operations the scenarios use', () => {
    const run = bench.civac(['reference']);
    expect(run).toMatchObject({ status: 0, err: '' });
    for (const name of ['dma_map_single', 'iommu_map', 'wmb']) expect(run.out).toContain(name);
  });
});

describe('civac completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s knows every verb and option', (shell) => {
    const run = bench.civac(['completion', shell]);
    expect(run).toMatchObject({ status: 0, err: '' });
    for (const word of [
      'check',
      'mend',
      'explain',
      'fmt',
      'reference',
      'expect',
      'max-states',
      'sarif',
    ]) {
      expect(run.out).toContain(word);
    }
  });

  it('works in bash', () => {
    const { out } = bench.civac(['completion', 'bash']);
    const ask = (words: readonly string[]) => {
      const script = `${out}
        COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        _civac
        echo "\${COMPREPLY[@]}"`;
      return spawnSync('bash', ['-c', script], {
        encoding: 'utf8',
        cwd: bench.folder,
      }).stdout.trim();
    };
    expect(ask(['civac', 'ch'])).toBe('check');
    expect(ask(['civac', 'check', '--max-st'])).toBe('--max-states');
    expect(ask(['civac', 'check', '--format', 'j'])).toBe('json junit');
    expect(ask(['civac', 'trace', '--format', 'j'])).toBe('json');
    expect(ask(['civac', 'completion', 'f'])).toBe('fish');
    expect(ask(['civac', 'check', 'goo'])).toBe('good.litmus');
  });
});

describe('a reader that goes away', () => {
  it('is no error worth a word', () => {
    for (let i = 0; i < 40; i += 1) bench.write(`many${i}.litmus`, hazard);
    const program = new URL('../bin/civac.mjs', import.meta.url).pathname;
    const civac = `'${process.execPath}' '${program}'`;
    const script = `${civac} check . 2>errors | head -n 1; cat errors >&2`;
    const run = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: bench.folder });
    expect(run.stderr).not.toContain('EPIPE');
    expect(run.stderr).not.toMatch(/^ +at /m);
  });
});
