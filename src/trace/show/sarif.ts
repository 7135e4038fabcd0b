/**
 * SARIF 2.1.0 of a trace, for code-scanning services: one result per finding, its evidence as the
 * code flow, notes of the reading as notifications. A trace has no source lines: the trace file is
 * the artifact, and places in it are told in words. Notes about cost are results of level note.
 */
import { version } from '../../base/version.js';
import { rules } from '../judge/rules.js';
import { timestamp } from '../judge/words.js';
import type { Evidence, Finding, TraceResult } from '../model.js';

const resultsMax = 25_000;

export interface TraceSarifLocation {
  readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } };
  readonly logicalLocations?: readonly { readonly name: string; readonly kind: string }[];
  readonly message?: { readonly text: string };
}

export interface TraceSarifResult {
  readonly ruleId: string;
  readonly level: 'error' | 'warning' | 'note';
  readonly message: { readonly text: string };
  readonly occurrenceCount: number;
  readonly locations: readonly TraceSarifLocation[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
  readonly codeFlows?: readonly {
    readonly threadFlows: readonly {
      readonly locations: readonly { readonly location: TraceSarifLocation }[];
    }[];
  }[];
}

export interface TraceSarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: 'civac';
        readonly version: string;
        readonly rules: readonly object[];
      };
    };
    readonly results: readonly TraceSarifResult[];
    readonly invocations: readonly {
      readonly executionSuccessful: boolean;
      readonly toolExecutionNotifications: readonly object[];
    }[];
  }[];
}

function uri(file: string): string {
  return file.split(/[\\/]/).map(encodeURIComponent).join('/');
}

function evidenceText(e: Evidence): string {
  const where = `[${String(e.cpu).padStart(3, '0')}] ${timestamp(e.time)}`;
  return `${e.role}: ${e.task}-${e.pid} ${where}: ${e.event}: ${e.text}`;
}

function location(file: string, finding: Finding): TraceSarifLocation {
  return {
    physicalLocation: { artifactLocation: { uri: uri(file) } },
    logicalLocations: [
      { name: finding.device, kind: 'resource' },
      { name: finding.first.task, kind: 'function' },
    ],
  };
}

function flow(file: string, finding: Finding): NonNullable<TraceSarifResult['codeFlows']> {
  const artifactLocation = { uri: uri(file) };
  const locations = finding.evidence.map((each) => ({
    location: { physicalLocation: { artifactLocation }, message: { text: evidenceText(each) } },
  }));
  return [{ threadFlows: [{ locations }] }];
}

function sarifResult(file: string, finding: Finding): TraceSarifResult {
  const { rule, device, first, certainty } = finding;
  return {
    ruleId: rule,
    level: finding.severity,
    message: { text: `${device}, ${first.task}: ${finding.message} (${certainty})` },
    occurrenceCount: finding.count,
    locations: [location(file, finding)],
    // Stable over runs: times and addresses are not.
    partialFingerprints: { 'civac/v1': `${rule}:${device}:${first.task}:${first.event}` },
    properties: { certainty, hazard: finding.id },
    ...(finding.evidence.length > 0 ? { codeFlows: flow(file, finding) } : {}),
  };
}

function driverRules(): object[] {
  return rules.map((rule) => ({
    id: rule.id,
    name: rule.title,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.meaning },
    help: { text: `${rule.limits}\nWhat mends it: ${rule.mend}` },
    defaultConfiguration: { level: rule.severity },
  }));
}

export function traceSarif(result: TraceResult): TraceSarifLog {
  const { file } = result.source;
  const told = [...result.notes];
  const { findings } = result;
  if (findings.length > resultsMax) {
    told.push(`only the first ${resultsMax} of ${findings.length} findings are listed`);
  }
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'civac', version, rules: driverRules() } },
        results: findings.slice(0, resultsMax).map((finding) => sarifResult(file, finding)),
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: told.map((text) => ({ level: 'note', message: { text } })),
          },
        ],
      },
    ],
  };
}

export function traceSarifText(result: TraceResult): string {
  return `${JSON.stringify(traceSarif(result), null, 2)}\n`;
}
