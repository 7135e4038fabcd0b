/** `civac export`: a scenario as the source of another model checker. */
import type { Diagnostic } from '../../diagnostics/diagnostic.js';
import { renderDiagnostic } from '../../diagnostics/render.js';
import { exportText, NotExportable, type Target } from '../../export/index.js';
import { compile } from '../../litmus/index.js';
import { DEFAULT_LIMITS, ScenarioFault } from '../../verdict/check.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { type Input, readInputs } from '../inputs.js';
import { openOutput, stderrColor } from '../output.js';

export interface ExportCommandOptions {
  readonly to?: Target;
  readonly output?: string;
  readonly maxStates?: number;
  readonly maxSeconds?: number;
  /** MiB. */
  readonly maxMemory?: number;
}

function oneInput(path: string | undefined): Input {
  if (path === undefined) throw new InputError("export: name a FILE, or '-' for stdin");
  const { inputs, problems } = readInputs([path]);
  const [problem] = problems;
  if (problem !== undefined) throw new InputError(`${problem.file}: ${problem.message}`);
  const [input] = inputs;
  if (inputs.length !== 1 || input === undefined) {
    throw new InputError(`export: ${path} is a folder; name one FILE`);
  }
  return input;
}

function tell(diagnostics: readonly Diagnostic[], { file, text }: Input): void {
  const color = stderrColor(false);
  for (const each of diagnostics) {
    process.stderr.write(`${renderDiagnostic(each, file, text, { color })}\n`);
  }
}

export function runExport(path: string | undefined, options: ExportCommandOptions): number {
  const { to } = options;
  if (to === undefined) throw new InputError('export: say --to promela or --to murphi');
  const input = oneInput(path);
  const { program, diagnostics } = compile(input.text, input.file);
  tell(diagnostics, input);
  if (program === null) return exitCode.input;
  const limits = {
    maxStates: options.maxStates ?? DEFAULT_LIMITS.maxStates,
    maxSeconds: options.maxSeconds ?? DEFAULT_LIMITS.maxSeconds,
    maxMemoryBytes: (options.maxMemory ?? 0) * 2 ** 20 || DEFAULT_LIMITS.maxMemoryBytes,
  };
  try {
    const text = exportText(program, to, limits);
    const output = openOutput({ path: options.output, noColor: true, inputs: [input.file] });
    output.write(text);
    output.close();
    return exitCode.ok;
  } catch (error) {
    if (error instanceof ScenarioFault) {
      const { message, at } = error;
      tell([{ severity: 'error', code: 'L070', message, span: at }], input);
      return exitCode.input;
    }
    if (!(error instanceof NotExportable)) throw error;
    process.stderr.write(`civac: ${input.file}: not exported: ${error.message}\n`);
    return exitCode.unknown;
  }
}
