/** What verbs say about the text of a scenario, on stderr. */
import type { Diagnostic } from '../../diagnostics/diagnostic.js';
import { renderDiagnostic } from '../../diagnostics/render.js';
import type { Input } from '../inputs.js';

export interface Diagnosed {
  readonly input: Input;
  readonly diagnostics: readonly Diagnostic[];
}

/** Each diagnostic with its line and caret. */
export function tellDiagnostics({ input, diagnostics }: Diagnosed, color: boolean): void {
  for (const each of diagnostics) {
    process.stderr.write(`${renderDiagnostic(each, input.file, input.text, { color })}\n`);
  }
}
