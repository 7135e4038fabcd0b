/**
 * The report a person reads: verdict, every hazard with its source line and its shortest run, the
 * alias facts, the operations that did nothing, and what would mend it. Also the one-line form.
 * Leaves out: how a trace becomes a table (trace-table.ts).
 */
import { count, groupDigits, hang } from '../base/text.js';
import { hazards } from '../verdict/hazards.js';
import type {
  AliasFact,
  AssertionResult,
  CheckResult,
  Finding,
  ImporterResult,
  TraceStep,
} from '../verdict/result.js';
import { sourceExcerpt } from './excerpt.js';
import { type Palette, palette } from './paint.js';
import { citedRules, ruleTitle } from './rules.js';
import { traceTable } from './trace-table.js';
import { certaintyInWords, hazardIds, needsInWords } from './words.js';

export interface TextOptions {
  /** Of the tables; prose stays narrower, as wide lines are hard to read. */
  readonly width: number;
  readonly color: boolean;
  /** Print states, transitions and time. */
  readonly stats: boolean;
}

const proseMax = 100;

function proseWidth({ width }: TextOptions): number {
  return Math.min(width, proseMax);
}

/** `coherent`, `hazard H2 H6`, `unknown: reason`; a hazard found before a limit says so. */
export function verdictText(result: CheckResult): string {
  const ids = hazardIds(result.hazards).join(' ');
  switch (result.verdict) {
    case 'coherent':
      return 'coherent';
    case 'hazard':
      return `hazard ${ids}${result.reason === null ? '' : `, maybe more: ${result.reason}`}`;
    default: {
      const found = ids === '' ? '' : `; found so far: ${ids}`;
      return `unknown: ${result.reason ?? 'no reason given'}${found}`;
    }
  }
}

function paintVerdict(result: CheckResult, paint: Palette): string {
  const text = verdictText(result);
  if (result.verdict === 'coherent') return paint.good(text);
  return result.verdict === 'hazard' ? paint.bad(text) : paint.unsure(text);
}

/** One line for one scenario; `pad` aligns the verdicts of several. */
export function briefText(
  result: CheckResult,
  options: TextOptions & { readonly pad?: number; readonly expect?: boolean },
): string {
  const paint = palette(options.color);
  const file = `${result.file}:`.padEnd((options.pad ?? 0) + 1);
  const line = [`${file} ${paintVerdict(result, paint)}`];
  if (options.expect) {
    if (result.expected === null) line.push(paint.unsure('(nothing stated)'));
    else if (result.asExpected === true) line.push(paint.faint('(as stated)'));
    else line.push(paint.bad(`(stated: ${result.expected})`));
  }
  if (options.stats) line.push(paint.faint(`[${statsText(result)}]`));
  return line.join('  ');
}

export function statsText(result: CheckResult): string {
  const { states, transitions, seconds } = result;
  return `${count(states, 'state')}, ${count(transitions, 'transition')}, ${seconds.toFixed(2)} s`;
}

function sameRun(a: Finding, b: Finding): boolean {
  const key = (finding: Finding) =>
    JSON.stringify(finding.trace.map(({ wrong: _, ...step }) => step));
  return a.trace.length > 0 && a.trace.length === b.trace.length && key(a) === key(b);
}

function wrongStep(finding: Finding): number {
  const index = finding.trace.findIndex((step) => step.wrong);
  return index === -1 ? finding.trace.length : index + 1;
}

function findingName(finding: Finding): string {
  return finding.id === 'assertion' ? 'stated assertion fails' : hazards[finding.id].name;
}

interface Context {
  readonly result: CheckResult;
  readonly source: string;
  readonly options: TextOptions;
  readonly paint: Palette;
}

/** The run of a finding, or a pointer to an earlier finding with the very same run. */
function runText(index: number, { result, options, paint }: Context): string[] {
  const finding = result.hazards[index];
  if (finding === undefined || finding.trace.length === 0) return [];
  const twin = result.hazards.slice(0, index).find((other) => sameRun(other, finding));
  if (twin !== undefined) {
    return [`  the shortest run is that of ${twin.id} above; wrong in step ${wrongStep(finding)}`];
  }
  const steps = count(finding.trace.length, 'step');
  const run = finding.anyRun ? 'a run' : 'the shortest run';
  return [
    `  ${run}: ${steps}; the number before an event is its source line`,
    '',
    traceTable(finding, options.width, paint),
  ];
}

function findingText(index: number, context: Context): string[] {
  const { result, source, options, paint } = context;
  const finding = result.hazards[index];
  if (finding === undefined) return [];
  const role = finding.cause ? 'cause' : 'consequence';
  const indent = '  ';
  const lines = [
    `${paint.bad(finding.id)} ${paint.strong(findingName(finding))} (${role})`,
    hang(indent, finding.message, proseWidth(options)),
    '',
    ...sourceExcerpt(result.file, source, finding.at, paint).map((line) => indent + line),
    hang(`${indent}expected  `, finding.expected, proseWidth(options)),
    hang(`${indent}actual    `, finding.actual, proseWidth(options)),
    '',
    hang(indent, needsInWords(finding.needs), proseWidth(options)),
    indent + certaintyInWords(finding),
  ];
  const run = runText(index, context);
  if (run.length > 0) lines.push('', ...run);
  if (finding.mends.length > 0) {
    lines.push('', `${indent}what would mend it`);
    for (const mend of finding.mends) lines.push(hang(`${indent}  - `, mend, proseWidth(options)));
  }
  return lines;
}

function aliasText(alias: AliasFact, width: number): string[] {
  const apart = alias.apart.length > 0 ? alias.apart.join(', ') : 'nothing';
  const removable = alias.removable ? 'can' : 'cannot';
  return [
    hang(
      '  ',
      `${alias.buffer}: ${alias.first} beside ${alias.second}, since line ${alias.since}`,
      width,
    ),
    hang('    ', `maintenance before or while both existed: ${apart}`, width),
    `    the linear map side ${removable} be removed on this machine`,
  ];
}

function importerText({ importer, verdict, hazards }: ImporterResult): string {
  return `  ${importer}: ${verdict}${hazards.length > 0 ? ` ${hazards.join(' ')}` : ''}`;
}

function assertionText({ kind, line, holds }: AssertionResult): string {
  if (holds === null) return `  line ${line}: ${kind}: not decided`;
  if (kind === 'exists') {
    const who = holds ? 'some complete run' : 'no complete run';
    return `  line ${line}: exists: ${who} satisfies it`;
  }
  return `  line ${line}: ${kind}: ${holds ? 'holds in every run' : 'fails'}`;
}

/** One step of a run that proves a note. */
function stepText({ agent, text, wrong }: TraceStep, width: number): string {
  return hang(`      ${wrong ? '>' : ' '} ${agent}: `, text, width);
}

/** Facts that are no findings, each group under its own heading. */
function factsText({ result, options, paint }: Context): string[] {
  const width = proseWidth(options);
  const lines: string[] = [];
  const group = (title: string, body: readonly string[]) => {
    if (body.length > 0) lines.push('', paint.strong(title), ...body);
  };
  group(
    'aliases (facts, no verdict)',
    result.aliases.flatMap((alias) => aliasText(alias, width)),
  );
  group(
    'notes',
    result.notes.flatMap((note) => {
      const rule = note.rule === '' ? '' : ` (${note.rule})`;
      const said = hang(
        `  line ${note.line}: `,
        `${note.operation}: ${note.message}${rule}`,
        width,
      );
      return [said, ...(note.trace ?? []).map((step) => stepText(step, width))];
    }),
  );
  group('importers', (result.importers ?? []).map(importerText));
  group('assertions', result.assertions.map(assertionText));
  return lines;
}

function legendText({ result, options, paint }: Context): string[] {
  const steps = result.hazards.flatMap((finding) => finding.trace.map((step) => step.rule));
  const cited = citedRules([...steps, ...result.notes.map((note) => note.rule)]);
  if (cited.length === 0) return [];
  const lines = cited.map((rule) =>
    hang(`  ${rule.padEnd(4)}`, ruleTitle(rule) ?? '', proseWidth(options)),
  );
  return ['', paint.strong('rules'), ...lines];
}

function statedText(result: CheckResult): string[] {
  if (result.expected === null || result.asExpected === null) return [];
  if (result.reason !== null) return [`its header states: ${result.expected} (not decided)`];
  return [
    result.asExpected
      ? `as its header states: ${result.expected}`
      : `not as its header states: ${result.expected}`,
  ];
}

function summaryText({ result, options }: Context): string[] {
  const lines: string[] = [];
  const settings = Object.entries(result.assumptions).map(
    ([key, value]) => `${key.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)}: ${value}`,
  );
  if (settings.length > 0) {
    lines.push(hang('assuming ', settings.join(' | '), proseWidth(options) - 2));
  }
  if (result.verdict === 'coherent') {
    lines.push(
      `no read returned a value it must not, in any of ${groupDigits(result.states)} states`,
    );
  }
  if (result.portable === true) {
    lines.push(
      'portable: also where a non-cacheable access may hit as the architecture allows (M6)',
    );
  } else if (result.portable === false && result.verdict === 'coherent') {
    lines.push(
      'not portable: a non-cacheable access that hits as the architecture allows breaks it (M6)',
    );
  }
  lines.push(...statedText(result));
  if (options.stats) lines.push(statsText(result), ...(result.reduction ?? []));
  return lines;
}

/** The whole report on one scenario; ends with a line feed. */
export function fullText(result: CheckResult, source: string, options: TextOptions): string {
  const paint = palette(options.color);
  const context = { result, source, options, paint };
  const lines = [`${paint.strong(`${result.file}:`)} ${paintVerdict(result, paint)}`];
  lines.push(...summaryText(context).map((line) => line.replace(/^/gm, '  ')));
  for (const index of result.hazards.keys()) lines.push('', ...findingText(index, context));
  lines.push(...factsText(context), ...legendText(context));
  return `${lines.join('\n')}\n`;
}
