/**
 * One row of `check --matrix`: a scenario as written, on each other platform, and with each two
 * settings changed where that is asked for. A platform on
 * which nothing is different that an earlier cell's answer rests on has that answer, unexplored.
 */
import { compile, machineVariant } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import {
  AS_WRITTEN,
  type MatrixCell,
  type MatrixRow,
  openCell,
  type PairCell,
  refusedCell,
  summaryCell,
} from '../matrix/cells.js';
import { inOrder, type Pair, pairsOf } from '../matrix/pairs.js';
import { platformsOf } from '../matrix/platforms.js';
import { ScenarioFault } from '../verdict/check.js';
import { restsAlike, type Summary, summarise } from '../verdict/summary.js';
import { type Failure, runTimeFault, type Settings, type Watch } from './check-one.js';
import type { Input } from './inputs.js';

export interface RowInput extends Input {
  /** Platforms to explore besides the scenario as written, by label; absent: all. */
  readonly only?: readonly string[];
  /** How many pairs of settings to explore at most; absent: no pairs at all. */
  readonly pairs?: number;
}

export type RowOutcome =
  | {
      readonly kind: 'row';
      readonly input: RowInput;
      readonly row: MatrixRow;
      /** Bugs of ours, each with the cell it left open. */
      readonly crashes: readonly { readonly file: string; readonly error: unknown }[];
    }
  | Failure;

export interface RowWatch extends Watch {
  /** One more cell is known. */
  readonly onCell?: (cell: MatrixCell | PairCell) => void;
}

const NOT_EXPLORED = 'more pairs than --max-pairs';

function pairLabel({ settings }: Pair): string {
  return settings.join(' and ');
}

/** The cells of a row besides the scenario as written; none for a text with errors. */
export function labelsOf(input: Input): readonly string[] {
  const { program } = compile(input.text, input.file);
  return program === null ? [] : platformsOf(program).map(({ label }) => label);
}

export function rowOne(input: RowInput, settings: Settings, watch: RowWatch): RowOutcome {
  const row = new Row(input, settings, watch);
  try {
    const { program, diagnostics } = compile(input.text, input.file);
    if (program === null) return { kind: 'invalid', input, diagnostics };
    row.addWritten(program);
    for (const { label, change } of platformsOf(program)) {
      if (input.only?.includes(label) === false) continue;
      row.add(row.cell(label, change(input.text)));
    }
    if (input.pairs !== undefined) row.addPairs(input.pairs);
    return row.outcome();
  } catch (error) {
    if (error instanceof ScenarioFault) {
      return { kind: 'invalid', input, diagnostics: [runTimeFault(error)] };
    }
    return { kind: 'crash', input, error };
  }
}

class Row {
  private readonly cells: MatrixCell[] = [];
  private pairs: PairCell[] | undefined;
  private written: Program | undefined;
  private readonly answers: Summary[] = [];
  private readonly crashes: { file: string; error: unknown }[] = [];
  /** Explorations that are still allowed. */
  private left = Number.POSITIVE_INFINITY;

  constructor(
    private readonly input: RowInput,
    private readonly settings: Settings,
    private readonly watch: RowWatch,
  ) {}

  add(cell: MatrixCell): void {
    this.cells.push(cell);
    this.watch.onCell?.(cell);
  }

  addWritten(program: Program): void {
    this.written = program;
    const found = this.summaryOf(program, AS_WRITTEN);
    if (found !== null) this.add(summaryCell(AS_WRITTEN, found));
  }

  /** Every two settings, at most so many of them explored; an answer that is known is free. */
  addPairs(max: number): void {
    const { file, text } = this.input;
    this.pairs = [];
    this.left = max;
    for (const pair of inOrder(pairsOf(text, file), rowFrom(file, this.cells))) {
      const cell = { ...this.cell(pairLabel(pair), pair.change(text)), settings: pair.settings };
      this.pairs.push(cell);
      this.watch.onCell?.(cell);
    }
  }

  summaryOf(program: Program, label: string): Summary | null {
    const known = this.answers.find(({ restsOn }) => restsAlike(restsOn, program));
    if (known !== undefined) return known;
    if (this.left <= 0) return null;
    this.left--;
    const { onProgress } = this.watch;
    const [written] = this.answers;
    const found = summarise(program, {
      ...this.settings,
      ...(written === undefined ? {} : { like: written.like }),
      ...this.watch,
      onProgress: (now) => onProgress?.({ ...now, run: `${label}; ${now.run}` }),
    });
    // An answer that a limit cut short is nobody else's.
    if (found.reason === null) this.answers.push(found);
    return found;
  }

  cell(label: string, text: string): MatrixCell {
    if (this.watch.interrupted?.() === true) return openCell(label, 'interrupted');
    const file = `${this.input.file} with ${label}`;
    try {
      const variant = this.written && machineVariant(this.written, text, file);
      const { program, diagnostics } = variant
        ? { program: variant, diagnostics: [] }
        : compile(text, file);
      if (program === null) {
        return refusedCell(label, diagnostics[0]?.message ?? 'an error in the file');
      }
      const found = this.summaryOf(program, label);
      return found === null ? openCell(label, NOT_EXPLORED) : summaryCell(label, found);
    } catch (error) {
      if (error instanceof ScenarioFault) return refusedCell(label, error.message);
      this.crashes.push({ file, error });
      return openCell(label, 'a bug in civac');
    }
  }

  outcome(): RowOutcome {
    const { input, crashes } = this;
    return { kind: 'row', input, row: rowFrom(input.file, this.cells, this.pairs), crashes };
  }
}

function rowFrom(
  file: string,
  cells: readonly MatrixCell[],
  pairs?: readonly PairCell[],
): MatrixRow {
  const [written = openCell(AS_WRITTEN, 'not explored'), ...others] = cells;
  const row = { file, written, others };
  return pairs === undefined ? row : { ...row, pairs };
}

/** The row when its worker was lost: what was known by then, the rest open. */
export function lostRow(input: RowInput, reason: string, known: readonly MatrixCell[]): RowOutcome {
  const { program, diagnostics } = compile(input.text, input.file);
  if (program === null) return { kind: 'invalid', input, diagnostics };
  const labels = labelsOf(input).filter((label) => input.only?.includes(label) !== false);
  const cells = [AS_WRITTEN, ...labels].map(
    (label) => known.find(({ setting }) => setting === label) ?? openCell(label, reason),
  );
  const pairs = input.pairs === undefined ? undefined : lostPairs(input, reason, known);
  return { kind: 'row', input, row: rowFrom(input.file, cells, pairs), crashes: [] };
}

function lostPairs(input: RowInput, reason: string, known: readonly MatrixCell[]): PairCell[] {
  return pairsOf(input.text, input.file).map((pair) => {
    const label = pairLabel(pair);
    const cell = known.find(({ setting }) => setting === label) ?? openCell(label, reason);
    return { ...cell, settings: pair.settings };
  });
}
