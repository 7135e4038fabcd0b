/**
 * JUnit XML, for continuous integration: one test case per scenario. A hazard is a failure, an
 * undecided scenario and a broken input are errors; with expectations a scenario passes when its
 * verdict is as its header states.
 */
import type { CheckResult } from '../verdict/result.js';
import type { InputProblem } from './json.js';
import { verdictText } from './text.js';

interface Case {
  readonly file: string;
  readonly seconds: number;
  readonly problem: { readonly kind: 'failure' | 'error'; readonly message: string } | null;
  readonly details: string;
}

/** Also drops what XML 1.0 cannot hold at all. */
export function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML forbids.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
      .replace(/\n/g, '&#10;')
  );
}

function problemOf(result: CheckResult, expect: boolean): Case['problem'] {
  if (result.verdict === 'unknown') return { kind: 'error', message: verdictText(result) };
  if (!expect) {
    return result.verdict === 'hazard' ? { kind: 'failure', message: verdictText(result) } : null;
  }
  if (result.asExpected === true) return null;
  const stated = result.expected ?? 'nothing';
  return { kind: 'failure', message: `stated: ${stated}; found: ${verdictText(result)}` };
}

function resultCase(result: CheckResult, expect: boolean): Case {
  const details = result.hazards.map(
    (finding) =>
      `${finding.id} at ${result.file}:${finding.at.line}:${finding.at.column}: ` +
      `${finding.message} (expected ${finding.expected}, got ${finding.actual})`,
  );
  return {
    file: result.file,
    seconds: result.seconds,
    problem: problemOf(result, expect),
    details: details.join('\n'),
  };
}

function errorCases(errors: readonly InputProblem[]): Case[] {
  return [...new Set(errors.map((error) => error.file))].map((file) => {
    const own = errors.filter((error) => error.file === file);
    const lines = own.map((e) => `${e.file}:${e.line}:${e.column}: ${e.message}`);
    const message = own[0]?.message ?? '';
    return { file, seconds: 0, problem: { kind: 'error', message }, details: lines.join('\n') };
  });
}

function caseXml({ file, seconds, problem, details }: Case): string {
  const parts = file.split(/[\\/]/);
  const name = parts.pop() ?? file;
  const folder = parts.filter((part) => part !== '.' && part !== '').join('.') || 'civac';
  const time = seconds.toFixed(3);
  const names = `classname="${escapeXml(folder)}" name="${escapeXml(name)}"`;
  const open = `    <testcase ${names} time="${time}"`;
  if (problem === null) return `${open}/>`;
  const { kind, message } = problem;
  return [
    `${open}>`,
    `      <${kind} message="${escapeXml(message)}">${escapeXml(details)}</${kind}>`,
    '    </testcase>',
  ].join('\n');
}

export function junitText(
  results: readonly CheckResult[],
  errors: readonly InputProblem[],
  expect: boolean,
): string {
  const cases = [...results.map((result) => resultCase(result, expect)), ...errorCases(errors)];
  const failed = (kind: string) => cases.filter((c) => c.problem?.kind === kind).length;
  const seconds = cases.reduce((sum, c) => sum + c.seconds, 0).toFixed(3);
  const bad = `failures="${failed('failure')}" errors="${failed('error')}"`;
  const counts = `tests="${cases.length}" ${bad}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="civac" ${counts} time="${seconds}">`,
    `  <testsuite name="civac check" ${counts} skipped="0" time="${seconds}">`,
    ...cases.map(caseXml),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}
