/**
 * The walls of the house: a folder of src/ imports itself and the folders left of it, nothing
 * else; only the command line and the recorder know Node; packages come in where they are
 * declared to.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** From the ground up: each may import what stands before it. */
const layers = [
  'base',
  'diagnostics',
  'machine',
  'ideal',
  'kernel',
  'litmus',
  'explore',
  'system',
  'fast',
  'reduce',
  'verdict',
  'export',
  'mend',
  'report',
  'compare',
  'matrix',
  'trace',
  'record',
  'cli',
];

/** The folders that may use Node's modules. */
const knowNode: readonly string[] = ['record', 'cli'];

/** Packages, and who may use them. */
const packages: Readonly<Record<string, readonly string[]>> = {
  picocolors: ['report', 'cli'],
  commander: ['cli'],
  'fflate/browser': ['trace'],
  'hyparquet-writer': ['trace'],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly target: string;
}

/** Import and export-from lines, dynamic imports, and the old require. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const forms = [
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1] ?? ''));
}

function layerOf(path: string): string {
  const parts = relative(src, path).split(sep);
  return parts.length > 1 ? (parts[0] ?? '') : '';
}

function allImports(): Import[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const file = join(src, name);
      const targets = importsOf(readFileSync(file, 'utf8'));
      return targets.map((target) => ({ file: name, from: layerOf(file), target }));
    });
}

/** What is wrong with an import, or null. */
function judge({ file, from, target }: Import): string | null {
  const told = `${file}: ${target}`;
  if (target.startsWith('node:'))
    return knowNode.includes(from) ? null : `${told}: Node outside its folders`;
  if (!target.startsWith('.')) {
    return packages[target]?.includes(from) ? null : `${told}: package not declared for this layer`;
  }
  const to = layerOf(resolve(src, dirname(file), target));
  if (relative(src, resolve(src, dirname(file), target)).startsWith('..'))
    return `${told}: leaves src`;
  // src/index.ts stands above the layers and is imported by none of them.
  if (from === '') return to === 'cli' ? `${told}: the library needs no command line` : null;
  if (to === '') return `${told}: imports the library surface`;
  return layers.indexOf(to) <= layers.indexOf(from) ? null : `${told}: against the wall`;
}

describe('walls', () => {
  it('knows every folder of src', () => {
    const folders = readdirSync(src, { withFileTypes: true })
      .filter((item) => item.isDirectory())
      .map((item) => item.name);
    expect(folders.filter((name) => !layers.includes(name))).toEqual([]);
  });

  it('finds imports in every form', () => {
    const text = [
      "import type { A } from './a.js';",
      "import {\n  b,\n} from '../b.js';",
      "export { c } from './c.js';",
      "export * from './d.js';",
      "import './e.js';",
      "const f = await import('./f.js');",
      "// import g from './g.js';",
      "/** import h from './h.js'; */",
    ].join('\n');
    expect(importsOf(text).sort()).toEqual(
      ['./a.js', '../b.js', './c.js', './d.js', './e.js', './f.js'].sort(),
    );
  });

  it('judges as written', () => {
    const wrong = (from: string, target: string) =>
      judge({ file: join(from, 'x.ts'), from, target });
    expect(wrong('kernel', '../litmus/program.js')).toContain('against the wall');
    expect(wrong('litmus', '../kernel/registry.js')).toBeNull();
    expect(wrong('report', 'node:fs')).toContain('Node outside');
    expect(wrong('cli', 'node:fs')).toBeNull();
    expect(wrong('machine', 'picocolors')).toContain('package');
    expect(wrong('report', '../../test/x.js')).toContain('leaves src');
  });

  it('is respected everywhere', () => {
    const found = allImports();
    expect(found.length).toBeGreaterThan(50);
    expect(found.map(judge).filter((wrong) => wrong !== null)).toEqual([]);
  });
});
