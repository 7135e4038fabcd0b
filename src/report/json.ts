/**
 * The machine-readable report, version 1; docs/json.md describes every field. Fields may be added
 * within a version, never renamed or removed. Copies field by field, so that a change of the
 * engine's own types cannot change the document unnoticed.
 */
import type {
  AliasFact,
  AssertionResult,
  CellView,
  CheckResult,
  Finding,
  ImporterResult,
  Liberty,
  Note,
  TraceStep,
  Verdict,
} from '../verdict/result.js';

export interface JsonStep {
  readonly agent: string;
  readonly rule: string;
  readonly text: string;
  readonly line: number;
  readonly wrong: boolean;
  readonly cells: readonly CellView[];
}

export interface JsonHazard {
  readonly id: string;
  readonly cause: boolean;
  readonly needs: readonly (readonly Liberty[])[];
  readonly certain: boolean;
  readonly message: string;
  readonly at: { readonly line: number; readonly column: number };
  readonly expected: string;
  readonly actual: string;
  readonly trace: readonly JsonStep[];
  readonly mends: readonly string[];
}

export interface JsonResult {
  readonly file: string;
  readonly name: string;
  readonly verdict: Verdict;
  readonly reason: string | null;
  readonly portable: boolean | null;
  readonly assumptions: Readonly<Record<string, string | number | boolean>>;
  readonly hazards: readonly JsonHazard[];
  readonly aliases: readonly AliasFact[];
  readonly notes: readonly JsonNote[];
  readonly assertions: readonly AssertionResult[];
  readonly expected: string | null;
  readonly asExpected: boolean | null;
  readonly states: number;
  readonly transitions: number;
  readonly seconds: number;
  /** Empty without an `any` device. */
  readonly importers: readonly ImporterResult[];
}

/** An input that is no scenario; `line` and `column` are 0 when the file could not be read. */
export interface InputProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly code: string;
  readonly message: string;
}

export interface JsonDocument {
  readonly version: 1;
  readonly results: readonly JsonResult[];
  readonly errors: readonly InputProblem[];
}

type JsonNote = Omit<Note, 'trace'> & { readonly trace: readonly JsonStep[] };

function jsonCell({ name, dram, cache, buffer, ideal }: CellView): CellView {
  return { name, dram, cache, buffer, ideal };
}

function jsonStep({ agent, rule, text, line, wrong, cells }: TraceStep): JsonStep {
  return { agent, rule, text, line, wrong, cells: cells.map(jsonCell) };
}

function jsonHazard(finding: Finding): JsonHazard {
  return {
    id: finding.id,
    cause: finding.cause,
    needs: finding.needs,
    certain: finding.certain,
    message: finding.message,
    at: { line: finding.at.line, column: finding.at.column },
    expected: finding.expected,
    actual: finding.actual,
    trace: finding.trace.map(jsonStep),
    mends: finding.mends,
  };
}

function jsonAlias({ buffer, first, second, since, apart, removable }: AliasFact): AliasFact {
  return { buffer, first, second, since, apart, removable };
}

function jsonNote({ kind, rule, operation, line, message, trace = [] }: Note): JsonNote {
  return { kind, rule, operation, line, message, trace: trace.map(jsonStep) };
}

export function jsonResult(result: CheckResult): JsonResult {
  return {
    file: result.file,
    name: result.name,
    verdict: result.verdict,
    reason: result.reason,
    portable: result.portable,
    assumptions: result.assumptions,
    hazards: result.hazards.map(jsonHazard),
    aliases: result.aliases.map(jsonAlias),
    notes: result.notes.map(jsonNote),
    assertions: result.assertions.map(({ kind, line, holds }) => ({ kind, line, holds })),
    expected: result.expected,
    asExpected: result.asExpected,
    states: result.states,
    transitions: result.transitions,
    seconds: result.seconds,
    importers: (result.importers ?? []).map(({ importer, verdict, hazards }) => ({
      importer,
      verdict,
      hazards: [...hazards],
    })),
  };
}

export function jsonDocument(
  results: readonly CheckResult[],
  errors: readonly InputProblem[],
): JsonDocument {
  return { version: 1, results: results.map(jsonResult), errors };
}

export function jsonText(results: readonly CheckResult[], errors: readonly InputProblem[]): string {
  return `${JSON.stringify(jsonDocument(results, errors), null, 2)}\n`;
}
