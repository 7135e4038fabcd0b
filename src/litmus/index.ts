/**
 * The front door of the litmus language: text in, a program or diagnostics out; the formatter;
 * the reference page. Nothing here throws, whatever the text, and nothing needs Node.
 */
import '../kernel/index.js';
import { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { refuseEvents } from './design.js';
import { readHeader } from './header.js';
import { lex } from './lexer.js';
import { lower } from './lower.js';
import { parse } from './parser.js';
import { print } from './printer.js';
import type { Program } from './program.js';

export type * from './ast.js';
export type * from './program.js';
export { foldBinary, foldUnary } from './arithmetic.js';
export * from './design.js';
export * from './events.js';
export * from './expand.js';
export { machineVariant } from './machine-variant.js';
export { operationsReference } from './reference.js';
export { type WordPage, wordNames, wordPage } from './words.js';
export { findOperation } from '../kernel/registry.js';
export { everyCall } from './walk.js';
export { type RemovableCall, removableCalls, withoutCall } from './without.js';

export interface CompileResult {
  /** null exactly when there is an error. */
  readonly program: Program | null;
  readonly diagnostics: readonly Diagnostic[];
}

export function compile(text: string, file: string): CompileResult {
  const diagnostics = new DiagnosticCollector();
  const tokens = lex(text, diagnostics);
  const isUnreadable = tokens.tokens.length <= 1 && diagnostics.hasErrors;
  if (isUnreadable) return { program: null, diagnostics: diagnostics.list() };
  const header = readHeader(tokens, diagnostics);
  const tree = parse(tokens.tokens, diagnostics);
  if (refuseEvents(tree, diagnostics)) return { program: null, diagnostics: diagnostics.list() };
  const program = lower({ file, text, header, tree }, diagnostics);
  return { program: diagnostics.hasErrors ? null : program, diagnostics: diagnostics.list() };
}

export interface FormatResult {
  /** null when there are syntax errors: such text is left alone. */
  readonly text: string | null;
  readonly diagnostics: readonly Diagnostic[];
}

export function format(text: string): FormatResult {
  const diagnostics = new DiagnosticCollector();
  const tokens = lex(text, diagnostics);
  parse(tokens.tokens, diagnostics);
  const formatted = diagnostics.hasErrors ? null : print(tokens);
  return { text: formatted, diagnostics: diagnostics.list() };
}
