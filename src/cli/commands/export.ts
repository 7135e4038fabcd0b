/** `civac export`: a scenario as the source of another model checker. */
import { exportText, NotExportable, type Target } from '../../export/index.js';
import { compile } from '../../litmus/index.js';
import { DEFAULT_LIMITS, ScenarioFault } from '../../verdict/check.js';
import { runTimeFault } from '../check-one.js';
import { InputError } from '../errors.js';
import { exitCode } from '../exit-codes.js';
import { oneInput } from '../inputs.js';
import { openOutput, stderrColor } from '../output.js';
import { tellDiagnostics } from './tell.js';

export interface ExportCommandOptions {
  readonly to?: Target;
  readonly output?: string;
  readonly maxStates?: number;
  readonly maxSeconds?: number;
  /** MiB. */
  readonly maxMemory?: number;
}

export function runExport(path: string | undefined, options: ExportCommandOptions): number {
  const { to } = options;
  if (to === undefined) throw new InputError('export: say --to promela or --to murphi');
  const input = oneInput('export', path);
  const { program, diagnostics } = compile(input.text, input.file);
  tellDiagnostics({ input, diagnostics }, stderrColor(false));
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
      tellDiagnostics({ input, diagnostics: [runTimeFault(error)] }, stderrColor(false));
      return exitCode.input;
    }
    if (!(error instanceof NotExportable)) throw error;
    process.stderr.write(`civac: ${input.file}: not exported: ${error.message}\n`);
    return exitCode.unknown;
  }
}
