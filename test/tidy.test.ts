/**
 * The house rules that a machine can hold: sizes, no `any`, no default exports, nothing printed
 * outside the command line, an opening comment, no leftover markers. Data tables are exempt from
 * the sizes by name, each with its reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { version } from '../src/base/version.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const lineMax = 100;
const fileMax = 400;
const functionMax = 70;

/** Tables whose rows read best whole. */
const longLines: Readonly<Record<string, string>> = {
  'src/kernel/constants.ts': 'one constant per line, its source beside it',
  'src/machine/cache-rules.ts': 'one row of the rule table per line',
  ...Object.fromEntries(
    [
      'dma-alloc',
      'dma-buf',
      'dma-buf-dynamic',
      'dma-buf-vmap',
      'dma-masks',
      'dma-iova',
      'driver',
      'gpuvm',
      'reserved',
      'scatterlist',
      'sync-ioctls',
      'iommu-api',
      'mappings',
      'coherent',
      'msm',
      'pages',
      'userptr',
      'gem',
      'device',
      'dma-parts',
      'gem-dma',
      'page-pool',
      'ttm',
      'videobuf2',
      'dma-iova',
      'driver',
      'scatterlist',
    ].map((name) => [
      `src/kernel/ops/${name}.ts`,
      'the doc line of an operation is one sentence on one line',
    ]),
  ),
  'src/verdict/hazards.ts': 'the hazards in sentences, one per line',
  'test/mutation/equivalent.ts': 'one argument per line',
  ...Object.fromEntries(
    [
      'part',
      'functions-drivers',
      'functions-iova',
      'functions-videobuf2',
      'functions-life',
      'functions-more',
      'functions-msm',
      'functions-objects',
      'functions-rest',
    ].map((name) => [`test/mutation/${name}.ts`, 'the text of a scenario, its title on one line']),
  ),
};
const longFiles: Readonly<Record<string, string>> = {};

interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8');
      const lines = text.replace(/\n$/, '').split('\n');
      return { file: `${folder}/${name.replaceAll('\\', '/')}`, text, lines };
    });
}

const src = sourcesIn('src');
const all = [...src, ...['test', 'scripts', 'bin', 'bench'].flatMap(sourcesIn)];

function parse({ file, text }: Source): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

/** Functions longer than allowed, as `file:line`; test suites are lists and do not count. */
function longFunctions(source: Source): string[] {
  const tree = parse(source);
  const found: string[] = [];
  visit(tree, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
    const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
    if (last - first + 1 > functionMax && !isSuite(node)) found.push(`${source.file}:${first + 1}`);
  });
  return found;
}

function isSuite(node: ts.Node): boolean {
  const call = node.parent;
  return ts.isCallExpression(call) && /^describe\b/.test(call.expression.getText());
}

/** Uses of the type `any`, default exports, and console calls, as `file:line: what`. */
function forbidden(source: Source): string[] {
  const tree = parse(source);
  const found: string[] = [];
  const note = (node: ts.Node, what: string) => {
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
    found.push(`${source.file}:${line + 1}: ${what}`);
  };
  visit(tree, (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) note(node, 'any');
    if (ts.isExportAssignment(node)) note(node, 'default export');
    if (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent)) {
      note(node, 'default export');
    }
    if (ts.isPropertyAccessExpression(node) && node.expression.getText(tree) === 'console') {
      if (!source.file.startsWith('src/cli/')) note(node, 'console');
    }
  });
  return found;
}

function made(text: string, file = 'src/base/made.ts'): Source {
  return { file, text, lines: text.split('\n') };
}

describe('tidy', () => {
  it('can see what it forbids', () => {
    expect(forbidden(made('export default 1;'))).toHaveLength(1);
    expect(forbidden(made('export default function f() {}'))).toHaveLength(1);
    expect(forbidden(made('const x: any = 1; console.log(x);'))).toHaveLength(2);
    expect(forbidden(made('switch (1) { default: break; }'))).toEqual([]);
    expect(longFunctions(made(`function f() {${'\n'.repeat(70)}}`))).toHaveLength(1);
    expect(longFunctions(made(`const f = () => {${'\n'.repeat(60)}};`))).toEqual([]);
  });

  it('has no any, no default export, no console outside the command line', () => {
    expect(src.length).toBeGreaterThan(20);
    expect(src.flatMap(forbidden)).toEqual([]);
  });

  it(`has lines of at most ${lineMax} columns`, () => {
    const long = all
      .filter(({ file }) => !(file in longLines))
      .flatMap(({ file, lines }) =>
        lines.flatMap((line, i) => (line.length > lineMax ? [`${file}:${i + 1}`] : [])),
      );
    expect(long).toEqual([]);
  });

  it(`has files of at most ${fileMax} lines`, () => {
    const long = all.filter((s) => s.lines.length > fileMax && !(s.file in longFiles));
    expect(long.map(({ file, lines }) => `${file}: ${lines.length}`)).toEqual([]);
  });

  it('exempts only files that exist', () => {
    const files = new Set(all.map(({ file }) => file));
    const exempt = [...Object.keys(longLines), ...Object.keys(longFiles)];
    expect(exempt.filter((file) => !files.has(file))).toEqual([]);
  });

  it(`has functions of at most ${functionMax} lines`, () => {
    expect(all.flatMap(longFunctions)).toEqual([]);
  });

  it('opens every file with a comment that says what it is', () => {
    const bare = all.filter(({ text }) => !/^(#!.*\n)?\/\*\*?[\s\S]/.test(text));
    expect(bare.map(({ file }) => file)).toEqual([]);
  });

  it('has no leftover markers', () => {
    const marker = new RegExp(
      `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`,
    );
    const left = all.flatMap(({ file, lines }) =>
      lines.flatMap((line, i) => (marker.test(line) ? [`${file}:${i + 1}`] : [])),
    );
    expect(left).toEqual([]);
  });
});

interface LockEntry {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('package', () => {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
  const lock = read('package-lock.json') as { packages: Record<string, LockEntry> };

  it('has one version', () => {
    expect(read('package.json')).toMatchObject({ version });
    expect(lock.packages['']).toMatchObject({ version });
  });

  it('locks without naming a registry', () => {
    const named = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
    expect(named).toEqual([]);
  });

  it('locks every platform package, or npm ci fails on another machine', () => {
    const wanted = Object.values(lock.packages)
      .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
      .map((name) => `node_modules/${name}`);
    expect(wanted.filter((path) => lock.packages[path] === undefined)).toEqual([]);
  });
});
