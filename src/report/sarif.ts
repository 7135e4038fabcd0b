/**
 * SARIF 2.1.0, for code-scanning services: one result per finding, the shortest run as its code
 * flow, limits and broken inputs as notifications. Keeps within what GitHub accepts: 25,000
 * results per run, 10,000 locations per flow.
 * Leaves out: fixes (what would mend a finding is in its message text).
 */
import { version } from '../base/version.js';
import { hazards } from '../verdict/hazards.js';
import type { CheckResult, Finding, TraceStep } from '../verdict/result.js';
import type { InputProblem } from './json.js';
import { certaintyInWords, needsInWords } from './words.js';

const resultsMax = 25_000;
const flowMax = 10_000;

interface Region {
  readonly startLine: number;
  readonly startColumn?: number;
  readonly endColumn?: number;
}

interface Location {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string };
    readonly region?: Region;
  };
  readonly message?: { readonly text: string };
}

export interface SarifResult {
  readonly ruleId: string;
  readonly level: 'error' | 'warning';
  readonly message: { readonly text: string };
  readonly locations: readonly Location[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly codeFlows?: readonly {
    readonly threadFlows: readonly {
      readonly locations: readonly { readonly location: Location }[];
    }[];
  }[];
}

export interface SarifNotification {
  readonly level: 'error' | 'warning';
  readonly message: { readonly text: string };
  readonly locations: readonly Location[];
}

export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly {
    readonly tool: { readonly driver: SarifDriver };
    readonly columnKind: 'utf16CodeUnits';
    readonly results: readonly SarifResult[];
    readonly invocations: readonly {
      readonly executionSuccessful: boolean;
      readonly toolExecutionNotifications: readonly SarifNotification[];
    }[];
  }[];
}

interface SarifDriver {
  readonly name: 'civac';
  readonly version: string;
  readonly rules: readonly {
    readonly id: string;
    readonly name: string;
    readonly shortDescription: { readonly text: string };
    readonly fullDescription: { readonly text: string };
    readonly help: { readonly text: string };
  }[];
}

function uri(file: string): string {
  return file.split(/[\\/]/).map(encodeURIComponent).join('/');
}

function place(file: string, region?: Region, text?: string): Location {
  const artifactLocation = { uri: uri(file) };
  const physicalLocation =
    region === undefined ? { artifactLocation } : { artifactLocation, region };
  return text === undefined ? { physicalLocation } : { physicalLocation, message: { text } };
}

function stepLocation(file: string, step: TraceStep, lastLine: number): Location {
  // A step of the machine itself has no line; it is shown where the program last was.
  const region = { startLine: step.line > 0 ? step.line : Math.max(1, lastLine) };
  return place(file, region, `${step.agent}: ${step.text} (${step.rule})`);
}

function codeFlow(result: CheckResult, finding: Finding): readonly { location: Location }[] {
  let last = 1;
  return finding.trace.slice(0, flowMax).map((step) => {
    const location = stepLocation(result.file, step, last);
    if (step.line > 0) last = step.line;
    return { location };
  });
}

function messageText(finding: Finding): string {
  const mends = finding.mends.map((mend) => `\nWhat would mend it: ${mend}`).join('');
  const needs = `${needsInWords(finding.needs)}; ${certaintyInWords(finding)}`;
  const values = `Expected ${finding.expected}, got ${finding.actual}`;
  return `${finding.message}\n${values}.\nIt ${needs}.${mends}`;
}

function sarifResult(result: CheckResult, finding: Finding): SarifResult {
  const { at } = finding;
  const region = { startLine: at.line, startColumn: at.column, endColumn: at.column + at.length };
  const flow = codeFlow(result, finding);
  const plain: SarifResult = {
    ruleId: finding.id,
    level: finding.cause ? 'error' : 'warning',
    message: { text: messageText(finding) },
    locations: [place(result.file, region)],
    partialFingerprints: { 'civacPlace/v1': `${result.name}:${at.agent}:${finding.id}:${at.line}` },
  };
  if (flow.length === 0) return plain;
  return { ...plain, codeFlows: [{ threadFlows: [{ locations: flow }] }] };
}

function driver(): SarifDriver {
  const rules = Object.entries(hazards).map(([id, hazard]) => ({
    id,
    name: hazard.name,
    shortDescription: { text: hazard.name },
    fullDescription: { text: hazard.meaning },
    help: { text: [hazard.meaning, ...hazard.mends].join('\n') },
  }));
  const assertion = 'a stated assertion fails';
  const text = { text: assertion };
  const own = {
    id: 'assertion',
    name: assertion,
    shortDescription: text,
    fullDescription: text,
    help: text,
  };
  return { name: 'civac', version, rules: [...rules, own] };
}

function notifications(
  results: readonly CheckResult[],
  errors: readonly InputProblem[],
): SarifNotification[] {
  const undecided = results.filter((result) => result.verdict === 'unknown');
  return [
    ...errors.map((error): SarifNotification => {
      const region = { startLine: error.line, startColumn: error.column };
      const location = place(error.file, error.line > 0 ? region : undefined);
      return { level: 'error', message: { text: error.message }, locations: [location] };
    }),
    ...undecided.map((result): SarifNotification => {
      const text = `not decided: ${result.reason ?? 'no reason given'}`;
      return { level: 'warning', message: { text }, locations: [place(result.file)] };
    }),
  ];
}

export function sarifLog(
  results: readonly CheckResult[],
  errors: readonly InputProblem[],
): SarifLog {
  const found = results.flatMap((r) => r.hazards.map((finding) => sarifResult(r, finding)));
  const told = notifications(results, errors);
  if (found.length > resultsMax) {
    const text = `only the first ${resultsMax} of ${found.length} findings are listed`;
    told.push({ level: 'warning', message: { text }, locations: [] });
  }
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: driver() },
        columnKind: 'utf16CodeUnits',
        results: found.slice(0, resultsMax),
        invocations: [
          { executionSuccessful: errors.length === 0, toolExecutionNotifications: told },
        ],
      },
    ],
  };
}

export function sarifText(
  results: readonly CheckResult[],
  errors: readonly InputProblem[],
): string {
  return `${JSON.stringify(sarifLog(results, errors), null, 2)}\n`;
}
