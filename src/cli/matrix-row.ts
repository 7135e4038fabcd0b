/**
 * One row of `check --matrix`: a scenario as written and on each other platform. A platform on
 * which nothing is different that an earlier cell's answer rests on has that answer, unexplored.
 */
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import {
  AS_WRITTEN,
  type MatrixCell,
  type MatrixRow,
  openCell,
  refusedCell,
  summaryCell,
} from '../matrix/cells.js';
import { platformsOf } from '../matrix/platforms.js';
import { ScenarioFault } from '../verdict/check.js';
import { restsAlike, type Summary, summarise } from '../verdict/summary.js';
import { type Failure, runTimeFault, type Settings, type Watch } from './check-one.js';
import type { Input } from './inputs.js';

export interface RowInput extends Input {
  /** Platforms to explore besides the scenario as written, by label; absent: all. */
  readonly only?: readonly string[];
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
  readonly onCell?: (cell: MatrixCell) => void;
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
    const written = row.summaryOf(program, AS_WRITTEN);
    row.add(summaryCell(AS_WRITTEN, written));
    for (const { label, change } of platformsOf(program)) {
      if (input.only?.includes(label) === false) continue;
      row.add(row.cell(label, change(input.text)));
    }
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
  private readonly answers: Summary[] = [];
  private readonly crashes: { file: string; error: unknown }[] = [];

  constructor(
    private readonly input: RowInput,
    private readonly settings: Settings,
    private readonly watch: RowWatch,
  ) {}

  add(cell: MatrixCell): void {
    this.cells.push(cell);
    this.watch.onCell?.(cell);
  }

  summaryOf(program: Program, label: string): Summary {
    const known = this.answers.find(({ restsOn }) => restsAlike(restsOn, program));
    if (known !== undefined) return known;
    const { onProgress } = this.watch;
    const found = summarise(program, {
      ...this.settings,
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
      const { program, diagnostics } = compile(text, file);
      if (program === null) {
        return refusedCell(label, diagnostics[0]?.message ?? 'an error in the file');
      }
      return summaryCell(label, this.summaryOf(program, label));
    } catch (error) {
      if (error instanceof ScenarioFault) return refusedCell(label, error.message);
      this.crashes.push({ file, error });
      return openCell(label, 'a bug in civac');
    }
  }

  outcome(): RowOutcome {
    const { input, crashes } = this;
    return { kind: 'row', input, row: rowFrom(input.file, this.cells), crashes };
  }
}

function rowFrom(file: string, cells: readonly MatrixCell[]): MatrixRow {
  const [written = openCell(AS_WRITTEN, 'not explored'), ...others] = cells;
  return { file, written, others };
}

/** The row when its worker was lost: what was known by then, the rest open. */
export function lostRow(input: RowInput, reason: string, known: readonly MatrixCell[]): RowOutcome {
  const { program, diagnostics } = compile(input.text, input.file);
  if (program === null) return { kind: 'invalid', input, diagnostics };
  const labels = labelsOf(input).filter((label) => input.only?.includes(label) !== false);
  const cells = [AS_WRITTEN, ...labels].map(
    (label) => known.find(({ setting }) => setting === label) ?? openCell(label, reason),
  );
  return { kind: 'row', input, row: rowFrom(input.file, cells), crashes: [] };
}
