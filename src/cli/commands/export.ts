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
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

/** docs/json.md, "export". */
function documentOf(file: string, to: Target, source: string): string {
  return `${JSON.stringify({ version: 1, file, to, source }, null, 2)}\n`;
}

export function runExport(path: string | undefined, options: ExportCommandOptions): number {
  const { to } = options;
  if (to === undefined) throw new InputError('export: say --to promela or --to murphi');
  const input = oneInput('export', path);
  const { program, diagnostics } = compile(input.text, input.file);
  tellDiagnostics({ input, diagnostics }, stderrColor(!options.color));
  if (program === null) return exitCode.input;
  const limits = {
    maxStates: options.maxStates ?? DEFAULT_LIMITS.maxStates,
    maxSeconds: options.maxSeconds ?? DEFAULT_LIMITS.maxSeconds,
    maxMemoryBytes: (options.maxMemory ?? 0) * 2 ** 20 || DEFAULT_LIMITS.maxMemoryBytes,
  };
  try {
    const source = exportText(program, to, limits);
    if (options.quiet === true && options.output === undefined) return exitCode.ok;
    const output = openOutput({ path: options.output, noColor: true, inputs: [input.file] });
    output.write(options.json === true ? documentOf(input.file, to, source) : source);
    output.close();
    return exitCode.ok;
  } catch (error) {
    if (error instanceof ScenarioFault) {
      tellDiagnostics({ input, diagnostics: [runTimeFault(error)] }, stderrColor(!options.color));
      return exitCode.input;
    }
    if (!(error instanceof NotExportable)) throw error;
    process.stderr.write(`civac: ${input.file}: not exported: ${error.message}\n`);
    return exitCode.unknown;
  }
}
