/**
 * Fills the rows of `check --matrix` with the worker threads of `check`: every scenario on every
 * platform is a text like any other.
 */
import { compile } from '../litmus/index.js';
import {
  AS_WRITTEN,
  cellOf,
  type MatrixCell,
  type MatrixRow,
  openCell,
  refusedCell,
} from '../matrix/cells.js';
import { platformsOf } from '../matrix/platforms.js';
import type { Outcome, Settings } from './check-one.js';
import { report } from './errors.js';
import type { Input } from './inputs.js';
import { checkAll, type Interruption } from './runner.js';
import type { WorkerProgress } from './worker.js';

export interface MatrixRun {
  readonly settings: Settings;
  readonly interruption: Interruption;
  readonly onProgress: (input: Input, progress: WorkerProgress) => void;
  /** A scenario with errors of its own has no row. */
  readonly invalid: (outcome: Outcome) => void;
  /** A bug of ours. */
  readonly crashed: () => void;
  readonly row: (row: MatrixRow) => void;
}

interface Variant {
  readonly file: string;
  readonly setting: string;
  readonly input: Input;
}

function variantsOf(input: Input): readonly Variant[] {
  const written = { file: input.file, setting: AS_WRITTEN, input };
  const { program } = compile(input.text, input.file);
  if (program === null) return [written];
  const others = platformsOf(program).map(({ label, change }) => ({
    file: input.file,
    setting: label,
    input: { ...input, file: `${input.file} with ${label}`, text: change(input.text) },
  }));
  return [written, ...others];
}

function cell(setting: string, outcome: Outcome, crashed: () => void): MatrixCell {
  switch (outcome.kind) {
    case 'result':
      return cellOf(setting, outcome.result);
    case 'invalid':
      return refusedCell(setting, outcome.diagnostics[0]?.message ?? 'an error in the file');
    case 'skipped':
      return openCell(setting, 'interrupted');
    case 'crash':
      crashed();
      report(outcome.error, ` while checking ${outcome.input.file}`);
      return openCell(setting, 'a bug in civac');
  }
}

/** Rows in the order of the inputs, each as soon as its last cell is known. */
export async function runMatrix(inputs: readonly Input[], run: MatrixRun): Promise<void> {
  const variants = inputs.map(variantsOf);
  const all = variants.flat();
  const texts = all.map((each) => each.input);
  const cells: MatrixCell[] = [];
  let at = 0;
  /** The scenario itself makes no sense, so neither do its variants. */
  let refused = false;
  for await (const outcome of checkAll(texts, run.settings, run.interruption, run.onProgress)) {
    const variant = all[at++];
    if (variant === undefined) break;
    const own = variant.setting === AS_WRITTEN;
    if (own) refused = outcome.kind === 'invalid';
    if (own && refused) run.invalid(outcome);
    else if (!refused) cells.push(cell(variant.setting, outcome, run.crashed));
    if (all[at]?.setting !== AS_WRITTEN && at < all.length) continue;
    const [written, ...others] = cells.splice(0);
    if (written !== undefined) run.row({ file: variant.file, written, others });
  }
}
