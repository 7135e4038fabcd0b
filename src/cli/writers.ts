/**
 * One writer per format: text is printed scenario by scenario, the others as one document at the
 * end. The text writer also tells how the results compare with what the headers state.
 */
import { count } from '../base/text.js';
import type { InputProblem } from '../report/json.js';
import { briefText, fullText, verdictText } from '../report/text.js';
import type { CheckResult } from '../verdict/result.js';
import type { Output } from './output.js';

export const formats = ['text', 'json', 'sarif', 'junit'] as const;
export type Format = (typeof formats)[number];

export interface Writer {
  add(result: CheckResult, source: string): void;
  finish(errors: readonly InputProblem[]): Promise<void>;
}

export interface WriterOptions {
  readonly output: Output;
  readonly files: readonly string[];
  readonly brief: boolean;
  readonly expect: boolean;
  readonly stats: boolean;
  /** Where the lists of --expect go when the report itself is a document. */
  readonly lists: (text: string) => void;
}

/** Longer names are not padded to: one would push every verdict out of sight. */
const padMax = 64;

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${title} (${lines.length}):\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** The lists of --expect: what differs, what states nothing, what was not decided or not read. */
export function expectationLists(
  results: readonly CheckResult[],
  errors: readonly InputProblem[],
): string {
  const undecided = results.filter((r) => r.reason !== null || r.verdict === 'unknown');
  const decided = results.filter((r) => !undecided.includes(r));
  const silent = decided.filter((r) => r.expected === null);
  const different = decided.filter((r) => r.expected !== null && r.asExpected !== true);
  const unread = [...new Set(errors.map((error) => error.file))];
  const fine = decided.length - silent.length - different.length;
  const all = results.length + unread.length;
  return [
    section(
      'different',
      different.map((r) => `${r.file}: stated ${r.expected}; found ${verdictText(r)}`),
    ),
    section(
      'no expectation stated',
      silent.map((r) => `${r.file}: found ${verdictText(r)}`),
    ),
    section(
      'not decided',
      undecided.map((r) => `${r.file}: ${verdictText(r)}`),
    ),
    section('not checked for errors in the file', unread),
    fine === all
      ? `${count(all, 'scenario')}: all as stated\n`
      : `${count(all, 'scenario')}: ${fine} as stated, ${all - fine} not\n`,
  ].join('');
}

function summary(results: readonly CheckResult[], errors: readonly InputProblem[]): string {
  const of = (verdict: string) => results.filter((r) => r.verdict === verdict).length;
  const unread = new Set(errors.map((error) => error.file)).size;
  const parts = [`${of('coherent')} coherent`, `${of('hazard')} with hazards`];
  if (of('unknown') > 0) parts.push(`${of('unknown')} unknown`);
  if (unread > 0) parts.push(`${unread} not checked for errors in the file`);
  return `${count(results.length + unread, 'scenario')}: ${parts.join(', ')}\n`;
}

function textWriter(options: WriterOptions): Writer {
  const { output, files, expect, stats } = options;
  const several = files.length > 1;
  const pad = Math.max(...files.map((f) => f.length).filter((n) => n <= padMax), 0);
  const results: CheckResult[] = [];
  const text = { width: output.width, color: output.color, stats };
  return {
    add(result, source) {
      if (options.brief) output.write(`${briefText(result, { ...text, pad, expect })}\n`);
      else output.write((results.length > 0 ? '\n' : '') + fullText(result, source, text));
      results.push(result);
    },
    async finish(errors) {
      if (expect) output.write(`\n${expectationLists(results, errors)}`);
      else if (several) output.write(`\n${summary(results, errors)}`);
    },
  };
}

/** Loaded only when asked for: start-up of the text report should not pay for them. */
async function document(
  format: Exclude<Format, 'text'>,
  results: readonly CheckResult[],
  errors: readonly InputProblem[],
  expect: boolean,
): Promise<string> {
  if (format === 'json') return (await import('../report/json.js')).jsonText(results, errors);
  if (format === 'sarif') return (await import('../report/sarif.js')).sarifText(results, errors);
  return (await import('../report/junit.js')).junitText(results, errors, expect);
}

export function makeWriter(format: Format, options: WriterOptions): Writer {
  if (format === 'text') return textWriter(options);
  const results: CheckResult[] = [];
  return {
    add: (result) => void results.push(result),
    async finish(errors) {
      options.output.write(await document(format, results, errors, options.expect));
      if (options.expect) options.lists(expectationLists(results, errors));
    },
  };
}
