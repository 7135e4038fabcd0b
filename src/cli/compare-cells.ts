/**
 * Fills the matrix of `civac compare`: every cell explored by the worker threads of `check`, then
 * each again with one setting changed. Two rival scenarios are a matrix of one column.
 */
import {
  type CellSource,
  designFact,
  judgeCell,
  ranked,
  refusedCell,
  rivalsMatrix,
  sourceOf,
  unknownCell,
  useCaseFacts,
  withOtherCores,
} from '../compare/judge.js';
import type { Cell, Matrix } from '../compare/matrix.js';
import { otherCores, settingsFor } from '../compare/settings.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { compile, type Design, refusalOf, type UseCase } from '../litmus/index.js';
import type { Outcome, Settings } from './check-one.js';
import { report } from './errors.js';
import type { Input } from './inputs.js';
import { Progress } from './progress.js';
import { checkAll } from './runner.js';
import type { Signals } from './signals.js';

export interface Exploring {
  readonly settings: Settings;
  readonly signals: Signals;
  readonly quiet: boolean;
  /** A mistake in an input file. */
  readonly tell: (file: string, diagnostic: Diagnostic) => void;
  /** A bug of ours. */
  readonly crashed: () => void;
}

/** Outcomes in the order of the inputs. */
async function exploreAll(
  inputs: readonly Input[],
  { settings, signals, quiet }: Exploring,
): Promise<readonly Outcome[]> {
  const progress = new Progress(inputs.length, quiet);
  const outcomes: Outcome[] = [];
  const tell = (input: Input, now: Parameters<Progress['update']>[1]): void =>
    progress.update(input.file, now);
  for await (const outcome of checkAll(inputs, settings, signals, tell)) {
    progress.finished();
    outcomes.push(outcome);
  }
  return outcomes;
}

type Decided = 'coherent' | 'hazard';

/** A scenario with its verdict, as far as settings can change it. */
interface Found {
  readonly source: CellSource;
  readonly verdict: Decided;
}

/** For each scenario the settings that turn its verdict round, each alone. */
async function trySettings(
  found: readonly Found[],
  exploring: Exploring,
): Promise<ReadonlyMap<CellSource, readonly string[]>> {
  const trials = found.flatMap(({ source, verdict }) => {
    const { program } = compile(source.text, source.file);
    const settings = program === null ? [] : settingsFor(program);
    return settings.map((setting) => ({ source, verdict, setting }));
  });
  const inputs = trials.map(({ source, setting }) => ({
    file: `${source.file} with ${setting.label}`,
    text: setting.change(source.text),
  }));
  const settings = { ...exploring.settings, verdictOnly: true };
  const outcomes = await exploreAll(inputs, { ...exploring, settings });
  const deciding = new Map<CellSource, string[]>();
  outcomes.forEach((outcome, index) => {
    const trial = trials[index];
    if (trial === undefined || outcome.kind !== 'result') return;
    const { verdict } = outcome.result;
    if (verdict === 'unknown' || verdict === trial.verdict) return;
    deciding.set(trial.source, [...(deciding.get(trial.source) ?? []), trial.setting.label]);
  });
  return deciding;
}

async function exploreCells(
  sources: readonly CellSource[],
  exploring: Exploring,
): Promise<readonly Cell[]> {
  const inputs = sources.map(({ file, text }) => ({ file, text }));
  const outcomes = await exploreAll(inputs, exploring);
  const found = sources.flatMap((source, index): readonly Found[] => {
    const outcome = outcomes[index];
    const verdict = outcome?.kind === 'result' ? outcome.result.verdict : 'unknown';
    return verdict === 'unknown' ? [] : [{ source, verdict }];
  });
  const deciding = await trySettings(found, exploring);
  const cells = sources.map((source, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) return unknownCell(source, 'not explored');
    return cellFrom(source, outcome, deciding.get(source) ?? [], exploring);
  });
  return onOtherCores(sources, cells, exploring);
}

/** Cells that are safe on this core only, explored on one where uncached accesses may hit. */
async function onOtherCores(
  sources: readonly CellSource[],
  cells: readonly Cell[],
  exploring: Exploring,
): Promise<readonly Cell[]> {
  const settings = sources.map(({ text, file }, index) => {
    const { program } = cells[index]?.verdict === 'core' ? compile(text, file) : { program: null };
    return program === null ? null : otherCores(program);
  });
  const inputs = sources.flatMap(({ file, text }, index) => {
    const setting = settings[index] ?? null;
    return setting === null ? [] : [{ file, text: setting.change(text) }];
  });
  const outcomes = (await exploreAll(inputs, exploring)).values();
  return cells.map((cell, index) => {
    const [source, setting] = [sources[index], settings[index] ?? null];
    if (source === undefined || setting === null) return cell;
    const { value } = outcomes.next();
    return value?.kind === 'result' ? withOtherCores(cell, source, value.result, setting) : cell;
  });
}

function cellFrom(
  source: CellSource,
  outcome: Outcome,
  decides: readonly string[],
  exploring: Exploring,
): Cell {
  switch (outcome.kind) {
    case 'result':
      return judgeCell(source, outcome.result, decides);
    case 'skipped':
      return unknownCell(source, 'interrupted');
    case 'crash':
      exploring.crashed();
      report(outcome.error, ` while comparing ${source.file}`);
      return unknownCell(source, 'a bug in civac');
    case 'invalid':
      for (const diagnostic of outcome.diagnostics) {
        const placed = source.expansion?.place(diagnostic);
        exploring.tell(placed?.file ?? source.file, placed?.diagnostic ?? diagnostic);
      }
      return unknownCell(source, 'an error in the file');
  }
}

export async function fillMatrix(
  designs: readonly Design[],
  useCases: readonly UseCase[],
  exploring: Exploring,
): Promise<Matrix> {
  const refused: Cell[] = [];
  const sources: CellSource[] = [];
  for (const design of designs) {
    for (const useCase of useCases) {
      const refusal = refusalOf(design, useCase);
      if (refusal === null) sources.push(sourceOf(design, useCase));
      else refused.push(refusedCell(design.name, useCase.name, refusal));
    }
  }
  const found = [...refused, ...(await exploreCells(sources, exploring))];
  const cells = designs.flatMap((design) =>
    useCases.flatMap((useCase) =>
      found.filter((cell) => cell.design === design.name && cell.useCase === useCase.name),
    ),
  );
  const facts = { designs: designs.map(designFact), useCases: useCaseFacts(useCases) };
  return ranked({ kind: 'designs', ...facts, cells });
}

/** Scenarios of one flow, side by side. */
export async function fillRivals(inputs: readonly Input[], exploring: Exploring): Promise<Matrix> {
  const names = shortNames(inputs.map(({ file }) => file));
  const sources = inputs.map(({ file, text }, index): CellSource => {
    const name = names[index] ?? file;
    const one = { expand: null, buffers: 1, jobs: 1, expansion: null };
    return { design: name, useCase: 'flow', file, text, ...one };
  });
  const cells = await exploreCells(sources, exploring);
  const rivals = sources.map(({ design, file, text }) => ({
    name: design,
    file,
    about: /^\s*\/\/\s*(.*)/u.exec(text)?.[1] ?? '',
  }));
  return ranked(rivalsMatrix(rivals, cells));
}

/** File names without folder and ending where that tells them apart. */
function shortNames(files: readonly string[]): readonly string[] {
  const short = files.map((file) => file.replace(/^.*[/\\]/u, '').replace(/\.litmus$/u, ''));
  return new Set(short).size === short.length ? short : files;
}
