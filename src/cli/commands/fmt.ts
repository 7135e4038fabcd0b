/** `civac fmt`: scenarios in the one layout, to stdout, in place, or only compared. */
import { renderDiagnostic } from '../../diagnostics/render.js';
import { format } from '../../litmus/index.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Input, readInputs, stdinName } from '../inputs.js';
import { stderrColor } from '../output.js';
import { replaceFile } from '../replace-file.js';

export interface FmtOptions {
  readonly check?: boolean;
  readonly write?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

/** True when the file was not in the layout. */
function settle(input: Input, text: string, options: FmtOptions): boolean {
  const differs = text !== input.text;
  if (options.check) {
    if (differs && options.quiet !== true) process.stdout.write(`${input.file}\n`);
  } else if (options.write) {
    if (differs) replaceFile(input.file, text);
  } else if (options.quiet !== true) {
    process.stdout.write(text);
  }
  return differs;
}

export function runFmt(paths: readonly string[], options: FmtOptions): number {
  if (paths.length === 0) throw new InputError("fmt: name a FILE or folder, or '-' for stdin");
  if (options.check && options.write) {
    throw new InputError('fmt: --check and --write contradict each other');
  }
  const { inputs, problems } = readInputs(paths, ['.litmus', '.design', '.usecase']);
  if (options.write && inputs.some((input) => input.file === stdinName)) {
    throw new InputError('fmt: --write needs a file, not stdin');
  }
  for (const { file, message } of problems) process.stderr.write(`civac: ${file}: ${message}\n`);
  let bad = problems.length > 0;
  let changed = false;
  const color = stderrColor(!options.color);
  for (const input of inputs) {
    const { text, diagnostics } = format(input.text);
    for (const diagnostic of diagnostics) {
      const told = renderDiagnostic(diagnostic, input.file, input.text, { color });
      process.stderr.write(`${told}\n`);
    }
    if (text === null) bad = true;
    else changed = settle(input, text, options) || changed;
  }
  if (bad) return exitCode.input;
  return options.check && changed ? exitCode.found : exitCode.ok;
}
