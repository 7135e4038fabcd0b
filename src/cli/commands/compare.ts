/**
 * `civac compare`: designs × use cases, or rival scenarios of one flow. This file reads the
 * inputs and writes the report; compare-cells.ts has the cells explored.
 */

import { useCaseFacts } from '../../compare/judge.js';
import type { Matrix } from '../../compare/matrix.js';
import type { Diagnostic } from '../../diagnostics/diagnostic.js';
import { nearestName } from '../../diagnostics/nearest.js';
import { renderDiagnostic } from '../../diagnostics/render.js';
import {
  type Design,
  expand,
  type Read,
  readDesign,
  readUseCase,
  refusalOf,
  type UseCase,
} from '../../litmus/index.js';
import type { Settings } from '../check-one.js';
import { type Exploring, fillMatrix, fillRivals } from '../compare-cells.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Input, readInputs } from '../inputs.js';
import { type Output, openOutput, stderrColor } from '../output.js';
import { watchSignals } from '../signals.js';

export const compareFormats = ['text', 'markdown', 'html', 'json'] as const;
export type CompareFormat = (typeof compareFormats)[number];

export interface CompareOptions {
  readonly json?: boolean;
  readonly format?: CompareFormat;
  readonly output?: string;
  readonly expand?: boolean;
  /** `DESIGN:USECASE`: of all cells this one. */
  readonly cell?: string;
  readonly quiet?: boolean;
  readonly color: boolean;
  readonly maxStates?: number;
  readonly maxSeconds?: number;
  readonly maxMemory?: number;
}

const ends = ['.design', '.usecase', '.litmus'];

/** Problems in the input files, each told once however many cells they are in. */
class Problems {
  private readonly told = new Set<string>();
  found = false;
  crashed = false;

  constructor(
    private readonly texts: ReadonlyMap<string, string>,
    private readonly color: boolean,
  ) {}

  tell(file: string, diagnostic: Diagnostic): void {
    this.found ||= diagnostic.severity === 'error';
    const { line, column } = diagnostic.span;
    const key = `${file}:${line}:${column}:${diagnostic.code}`;
    if (this.told.has(key)) return;
    this.told.add(key);
    const text = this.texts.get(file) ?? '';
    const told = renderDiagnostic(diagnostic, file, text, { color: this.color });
    process.stderr.write(`${told}\n`);
  }

  say(message: string): void {
    this.found = true;
    process.stderr.write(`civac: ${message}\n`);
  }
}

interface Sources {
  readonly designs: readonly Design[];
  readonly useCases: readonly UseCase[];
  /** Scenarios as they are; used when there are no designs. */
  readonly rivals: readonly Input[];
}

function readSources(inputs: readonly Input[], problems: Problems): Sources {
  const taken = <Thing>(input: Input, read: Read<Thing>): readonly Thing[] => {
    for (const diagnostic of read.diagnostics) problems.tell(input.file, diagnostic);
    return read.value === null ? [] : [read.value];
  };
  const of = (end: string): readonly Input[] => inputs.filter(({ file }) => file.endsWith(end));
  const designs = of('.design').flatMap((each) => taken(each, readDesign(each.text, each.file)));
  const useCases = of('.usecase').flatMap((each) => taken(each, readUseCase(each.text, each.file)));
  refuseTwins(designs, 'design', problems);
  refuseTwins(useCases, 'use case', problems);
  const rivals = inputs.filter(({ file }) => !/\.(design|usecase)$/u.test(file));
  return { designs, useCases, rivals };
}

/** A cell is named by its design and its use case. */
function refuseTwins(
  things: readonly { readonly name: string; readonly file: string }[],
  what: string,
  problems: Problems,
): void {
  const files = new Map<string, string>();
  for (const { name, file } of things) {
    const first = files.get(name);
    if (first !== undefined) problems.say(`${file}: a second ${what} '${name}', after ${first}`);
    files.set(name, first ?? file);
  }
}

function isIncomplete({ designs, useCases, rivals }: Sources): boolean {
  if (designs.length + useCases.length > 0) return designs.length * useCases.length === 0;
  return rivals.length < 2;
}

/** Of designs and use cases those of one cell; a use case by its name or its column. */
function oneCell(sources: Sources, cell: string | undefined): Sources {
  if (cell === undefined) return sources;
  const [, design = '', useCase = ''] = /^([^:]+):([^:]+)$/u.exec(cell) ?? [];
  if (design === '') throw new InputError(`compare: --cell is DESIGN:USECASE, not '${cell}'`);
  if (sources.designs.length + sources.useCases.length === 0) {
    throw new InputError('compare: --cell names a design and a use case; there are none');
  }
  const facts = useCaseFacts(sources.useCases);
  const columns = sources.useCases.map((each, index) => ({ each, key: facts[index]?.key ?? '' }));
  const designs = sources.designs.filter(({ name }) => name === design);
  if (designs.length === 0) {
    const names = sources.designs.map(({ name }) => name);
    throw new InputError(`compare: --cell: no design '${design}'${among(design, names)}`);
  }
  const named = columns.filter(({ each, key }) => key === useCase || each.name === useCase);
  if (named.length === 0) {
    const names = columns.flatMap(({ each, key }) => [key, each.name]);
    throw new InputError(`compare: --cell: no use case '${useCase}'${among(useCase, names)}`);
  }
  return { ...sources, designs, useCases: named.map(({ each }) => each) };
}

function among(word: string, names: readonly string[]): string {
  const near = nearestName(word, names);
  return near === undefined ? '' : `; did you mean '${near}'?`;
}

/** What the paths come to; scenarios of a folder only count where there is no design. */
function checkSources(
  { designs, useCases, rivals }: Sources,
  inputs: readonly Input[],
  named: readonly string[],
): void {
  const has = (end: string): boolean => inputs.some(({ file }) => file.endsWith(end));
  const stray = rivals.find(({ file }) => named.includes(file));
  if ((has('.design') || has('.usecase')) && stray !== undefined) {
    throw new InputError(
      `compare: ${stray.file} is a scenario; compare designs in use cases, or scenarios alone`,
    );
  }
  if (has('.design') && !has('.usecase')) {
    throw new InputError('compare: designs, but no use case (*.usecase) to try them in');
  }
  if (has('.usecase') && !has('.design')) {
    const isFolder = rivals.length > 0 && designs.length + useCases.length > 0;
    const hint = isFolder ? '; name scenarios one by one to compare those' : '';
    throw new InputError(`compare: use cases, but no design (*.design) to try in them${hint}`);
  }
  if (!has('.design') && rivals.length === 1) {
    throw new InputError('compare: one scenario alone; name the ones to compare it with');
  }
}

function settingsOf({ maxStates, maxSeconds, maxMemory }: CompareOptions): Settings {
  return {
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(maxMemory === undefined ? {} : { maxMemoryBytes: maxMemory * 2 ** 20 }),
  };
}

async function document(matrix: Matrix, format: CompareFormat, output: Output): Promise<string> {
  switch (format) {
    case 'json':
      return (await import('../../compare/json.js')).matrixJson(matrix);
    case 'markdown':
      return (await import('../../compare/markdown.js')).matrixMarkdown(matrix);
    case 'html':
      return (await import('../../compare/html.js')).matrixHtml(matrix);
    case 'text': {
      const { matrixText } = await import('../../compare/text.js');
      return matrixText(matrix, { width: output.width, color: output.color });
    }
  }
}

function formatOf({ json, format }: CompareOptions): CompareFormat {
  if (json && format !== undefined && format !== 'json') {
    throw new InputError(`--json and --format ${format} contradict each other`);
  }
  return json ? 'json' : (format ?? 'text');
}

function statusOf(matrix: Matrix, problems: Problems): number {
  if (problems.crashed) return exitCode.internal;
  if (problems.found) return exitCode.input;
  const verdicts = new Set(matrix.cells.map(({ verdict }) => verdict));
  if (verdicts.has('hazard') || verdicts.has('setting')) return exitCode.found;
  return verdicts.has('unknown') ? exitCode.unknown : exitCode.ok;
}

function expandOnly({ designs, useCases }: Sources, options: CompareOptions): number {
  const [design, ...moreDesigns] = designs;
  const [useCase, ...moreUseCases] = useCases;
  const isOne = moreDesigns.length === 0 && moreUseCases.length === 0;
  if (design === undefined || useCase === undefined || !isOne) {
    throw new InputError(
      'compare: --expand needs exactly one design and one use case, or --cell DESIGN:USECASE',
    );
  }
  const refusal = refusalOf(design, useCase);
  if (refusal !== null) {
    const why = refusal.why === '' ? '' : `: ${refusal.why}`;
    const place = `${useCase.file}:${refusal.line}`;
    throw new InputError(`${place}: ${design.name} refuses '${refusal.event}'${why}`);
  }
  const inputs = [design.file, useCase.file];
  const output = openOutput({ path: options.output, noColor: !options.color, inputs });
  output.write(expand(design, useCase).text);
  output.close();
  return exitCode.ok;
}

export async function runCompare(
  paths: readonly string[],
  options: CompareOptions,
): Promise<number> {
  if (paths.length === 0) throw new InputError('compare: name designs and use cases, or scenarios');
  const format = formatOf(options);
  const { inputs, problems: unread } = readInputs(paths, ends);
  const texts = new Map(inputs.map(({ file, text }) => [file, text]));
  const problems = new Problems(texts, stderrColor(!options.color));
  for (const { file, message } of unread) problems.say(`${file}: ${message}`);
  const sources = oneCell(readSources(inputs, problems), options.cell);
  if (options.expand === true) {
    return problems.found ? exitCode.input : expandOnly(sources, options);
  }
  // What could not be read has been told, and may be all that is missing.
  if (unread.length > 0 && isIncomplete(sources)) return exitCode.input;
  checkSources(sources, inputs, paths);
  const files = inputs.map(({ file }) => file);
  const output = openOutput({ path: options.output, noColor: !options.color, inputs: files });
  const signals = watchSignals();
  const exploring: Exploring = {
    settings: settingsOf(options),
    signals,
    quiet: options.quiet === true,
    tell: (file, diagnostic) => problems.tell(file, diagnostic),
    crashed: () => {
      problems.crashed = true;
    },
  };
  const { designs, useCases, rivals } = sources;
  const matrix =
    designs.length > 0
      ? await fillMatrix(designs, useCases, exploring)
      : await fillRivals(rivals, exploring);
  signals.release();
  const silent = options.quiet === true && options.output === undefined;
  if (!silent && matrix.cells.length > 0) output.write(await document(matrix, format, output));
  output.close();
  if (!signals.happened) return statusOf(matrix, problems);
  const open = matrix.cells.filter(({ verdict }) => verdict === 'unknown').length;
  process.stderr.write(`civac: interrupted; ${open} cells are not decided\n`);
  return exitCode.interrupted;
}
