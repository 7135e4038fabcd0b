/**
 * What a mend does to a scenario's header: its `Result:` line becomes `coherent`, and its `Without`
 * lines go, since they speak of the calls of the scenario as it was. Prose stays.
 */
import { DiagnosticCollector } from '../diagnostics/collector.js';
import { lex } from '../litmus/lexer.js';
import { lineStarts } from './source.js';
import type { Patch } from './edit.js';

/** The patches; none where the header states nothing. Only `//` comments are rewritten. */
export function headerPatches(text: string): readonly Patch[] {
  const { tokens } = lex(text, new DiagnosticCollector());
  const starts = lineStarts(text);
  const first = tokens[0]?.at.line ?? 1;
  const patches: Patch[] = [];
  for (let line = 1; line < first; line++) {
    const from = starts[line - 1] ?? 0;
    const to = starts[line] ?? text.length;
    const words = text.slice(from, to);
    if (/^\s*\/\/\s*without\s+\w+\s*(#\s*\w+\s*)?:/iu.test(words)) {
      patches.push({ from, to, text: '' });
    } else if (/^\s*\/\/\s*Result:/u.test(words)) {
      patches.push({ from, to, text: '// Result: coherent\n' });
    }
  }
  return patches;
}
