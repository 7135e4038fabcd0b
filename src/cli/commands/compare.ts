/**
 * `civac compare`: designs × use cases, or two scenarios side by side. This file reads the
 * inputs, has every cell explored, and writes the report.
 */
import {
  designFact,
  judgeCell,
  refusedCell,
  unknownCell,
  useCaseFacts,
} from '../../compare/judge.js';
import type { Cell, Matrix } from '../../compare/matrix.js';
import { type Setting, settingsFor } from '../../compare/settings.js';
import type { Diagnostic } from '../../diagnostics/diagnostic.js';
import { renderDiagnostic } from '../../diagnostics/render.js';
import {
  compile,
  type Design,
  type Expansion,
  expand,
  type Read,
  readDesign,
  readUseCase,
  refusalOf,
  type UseCase,
} from '../../litmus/index.js';
import type { Outcome, Settings } from '../check-one.js';
import { InputError, report } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Input, readInputs } from '../inputs.js';
import { openOutput, type Output, stderrColor } from '../output.js';
import { Progress } from '../progress.js';
import { checkAll } from '../runner.js';
import { type Signals, watchSignals } from '../signals.js';

export const compareFormats = ['text', 'markdown', 'html', 'json'] as const;
export type CompareFormat = (typeof compareFormats)[number];

export interface CompareOptions {
  readonly json?: boolean;
  readonly format?: CompareFormat;
  readonly output?: string;
  readonly expand?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
  readonly maxStates?: number;
  readonly maxSeconds?: number;
  readonly maxMemory?: number;
}

const ends = ['.design', '.usecase', '.litmus'];

/** One cell on its way: the text that is explored for it. */
interface Plan {
  readonly design: Design;
  readonly useCase: UseCase;
  readonly expansion: Expansion;
  readonly input: Input;
}

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
}

function readSources(inputs: readonly Input[], problems: Problems): Sources {
  const taken = <Thing>(input: Input, read: Read<Thing>): readonly Thing[] => {
    for (const diagnostic of read.diagnostics) problems.tell(input.file, diagnostic);
    return read.value === null ? [] : [read.value];
  };
  const of = (end: string): readonly Input[] => inputs.filter(({ file }) => file.endsWith(end));
  const designs = of('.design').flatMap((each) => taken(each, readDesign(each.text, each.file)));
  const useCases = of('.usecase').flatMap((each) => taken(each, readUseCase(each.text, each.file)));
  const names = new Set<string>();
  for (const { name, file } of designs) {
    if (names.has(name)) problems.say(`${file}: a second design '${name}'`);
    names.add(name);
  }
  return { designs, useCases };
}

function settingsOf({ maxStates, maxSeconds, maxMemory }: CompareOptions): Settings {
  return {
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    ...(maxMemory === undefined ? {} : { maxMemoryBytes: maxMemory * 2 ** 20 }),
  };
}

/** Explores many texts with the worker threads of `check`; outcomes in the order of the inputs. */
async function exploreAll(
  inputs: readonly Input[],
  options: CompareOptions,
  signals: Signals,
): Promise<readonly Outcome[]> {
  const progress = new Progress(inputs.length, options.quiet === true);
  const outcomes: Outcome[] = [];
  const tell = (input: Input, now: Parameters<Progress['update']>[1]): void =>
    progress.update(input.file, now);
  for await (const outcome of checkAll(inputs, settingsOf(options), signals, tell)) {
    progress.finished();
    outcomes.push(outcome);
  }
  return outcomes;
}

interface Trial {
  readonly plan: Plan;
  readonly setting: Setting;
}

/** Settings under which an unsafe cell is safe, by the text of its scenario. */
async function trySettings(
  unsafe: readonly Plan[],
  options: CompareOptions,
  signals: Signals,
): Promise<ReadonlyMap<Plan, readonly string[]>> {
  const trials = unsafe.flatMap((plan): readonly Trial[] => {
    const { program } = compile(plan.input.text, plan.input.file);
    return program === null ? [] : settingsFor(program).map((setting) => ({ plan, setting }));
  });
  const inputs = trials.map(({ plan, setting }) => ({
    file: `${plan.input.file} with ${setting.label}`,
    text: setting.change(plan.input.text),
  }));
  const outcomes = await exploreAll(inputs, options, signals);
  const found = new Map<Plan, string[]>();
  outcomes.forEach((outcome, index) => {
    const trial = trials[index];
    if (trial === undefined || outcome.kind !== 'result') return;
    if (outcome.result.verdict !== 'coherent') return;
    found.set(trial.plan, [...(found.get(trial.plan) ?? []), trial.setting.label]);
  });
  return found;
}

function planOf(design: Design, useCase: UseCase): Plan {
  const expansion = expand(design, useCase);
  const input = { file: `${useCase.name}.${design.name}.litmus`, text: expansion.text };
  return { design, useCase, expansion, input };
}

async function fill(
  { designs, useCases }: Sources,
  options: CompareOptions,
  problems: Problems,
  signals: Signals,
): Promise<Matrix> {
  const pairs = designs.flatMap((design) => useCases.map((useCase) => ({ design, useCase })));
  const plans = pairs.flatMap(({ design, useCase }) =>
    refusalOf(design, useCase) === null ? [planOf(design, useCase)] : [],
  );
  const outcomes = await exploreAll(
    plans.map(({ input }) => input),
    options,
    signals,
  );
  const unsafe = plans.filter((_, index) => {
    const outcome = outcomes[index];
    return outcome?.kind === 'result' && outcome.result.verdict === 'hazard';
  });
  const safeIf = await trySettings(unsafe, options, signals);
  const cells = pairs.flatMap(({ design, useCase }): readonly Cell[] => {
    const refusal = refusalOf(design, useCase);
    if (refusal !== null) return [refusedCell(design, useCase, refusal)];
    const index = plans.findIndex((each) => each.design === design && each.useCase === useCase);
    const plan = plans[index];
    const outcome = outcomes[index];
    if (plan === undefined || outcome === undefined) return [];
    return [cellFrom(plan, outcome, safeIf.get(plan) ?? [], problems)];
  });
  return { designs: designs.map(designFact), useCases: useCaseFacts(useCases), cells };
}

function cellFrom(
  plan: Plan,
  outcome: Outcome,
  safeIf: readonly string[],
  problems: Problems,
): Cell {
  const { design, useCase, expansion } = plan;
  switch (outcome.kind) {
    case 'result':
      return judgeCell(plan, outcome.result, safeIf);
    case 'skipped':
      return unknownCell(design, useCase, 'interrupted');
    case 'crash':
      problems.crashed = true;
      report(outcome.error, ` while comparing ${plan.input.file}`);
      return unknownCell(design, useCase, 'a bug in civac');
    case 'invalid':
      for (const each of outcome.diagnostics) {
        const { file, diagnostic } = expansion.place(each);
        problems.tell(file, diagnostic);
      }
      return unknownCell(design, useCase, 'an error in the file');
  }
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
    throw new InputError('compare: --expand needs exactly one design and one use case');
  }
  const refusal = refusalOf(design, useCase);
  if (refusal !== null) {
    const place = `${useCase.file}:${refusal.line}`;
    throw new InputError(`${place}: ${design.name} refuses '${refusal.event}': ${refusal.why}`);
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
  const all = readInputs(paths, ends);
  const texts = new Map(all.inputs.map(({ file, text }) => [file, text]));
  const problems = new Problems(texts, stderrColor(!options.color));
  for (const { file, message } of all.problems) problems.say(`${file}: ${message}`);
  const sources = readSources(all.inputs, problems);
  if (options.expand === true) {
    return problems.found ? exitCode.input : expandOnly(sources, options);
  }
  const output = openOutput({
    path: options.output,
    noColor: !options.color,
    inputs: all.inputs.map(({ file }) => file),
  });
  const signals = watchSignals();
  const matrix = await fill(sources, options, problems, signals);
  signals.release();
  output.write(await document(matrix, format, output));
  output.close();
  return signals.happened ? exitCode.interrupted : statusOf(matrix, problems);
}
