/** The library: what `import { check } from 'civac'` offers. Re-exports only. */
export { version } from './base/version.js';
/** Designs × use cases, as `civac compare` reports them. */
export { matrixMarkdown } from './compare/markdown.js';
export type { Matrix } from './compare/matrix.js';
/** What was wrong in a scenario, and how to print it. */
export type { Diagnostic, Span } from './diagnostics/diagnostic.js';
export { renderDiagnostic } from './diagnostics/render.js';
/** Text to program, text to laid-out text. */
export { compile, format, operationsReference } from './litmus/index.js';
export type { Program } from './litmus/program.js';
/** The cheapest edits that make a scenario coherent; how far one scenario is from another. */
export { type Costs, DEFAULT_COSTS, readCosts } from './mend/costs.js';
export { type Distance, distance, sameScenario } from './mend/distance.js';
export { mend, type MendOptions, type MendOutcome } from './mend/mend.js';
export type { Mend, MendEdit, MendResult } from './mend/outcome.js';
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
