/** The library: what `import { check } from 'civac'` offers. Re-exports only. */
export { version } from './base/version.js';
/** What was wrong in a scenario, and how to print it. */
export type { Diagnostic, Span } from './diagnostics/diagnostic.js';
export { renderDiagnostic } from './diagnostics/render.js';
/** Text to program, text to laid-out text. */
export { compile, format, operationsReference } from './litmus/index.js';
export type { Program } from './litmus/program.js';
/** Results as text or as the documents of `civac check --format`. */
export { type JsonDocument, jsonDocument } from './report/json.js';
export { junitText } from './report/junit.js';
export { sarifLog } from './report/sarif.js';
export { briefText, fullText } from './report/text.js';
/** Kernel traces: a sink that judges, and the reader that fills it. */
export { type AnalysisOptions, TraceAnalysis } from './trace/index.js';
export type { Mapping, TraceObserver, TraceResult } from './trace/model.js';
export { type ByteSource, bytesSource, readTrace } from './trace/read/read.js';
export { type JsonTrace, traceJson } from './trace/show/json.js';
/** Program to verdict. */
export { type CheckOptions, check } from './verdict/check.js';
export { type HazardId, hazards } from './verdict/hazards.js';
export type { CheckResult, Finding, TraceStep, Verdict } from './verdict/result.js';
