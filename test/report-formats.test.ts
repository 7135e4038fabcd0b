/** JSON, SARIF and JUnit, each held against a check of its own shape. */
import { describe, expect, it } from 'vitest';
import { jsonDocument, jsonText } from '../src/report/json.js';
import { escapeXml, junitText } from '../src/report/junit.js';
import { sarifLog } from '../src/report/sarif.js';
import { hazards } from '../src/verdict/hazards.js';
import { problemsOfDocument } from './json-shape.js';
import { coherent, lostWrite, panthor, unknown } from './report-fixture.js';

const broken = {
  file: 'litmus/<broken> & "odd".litmus',
  line: 3,
  column: 7,
  code: 'L001',
  message: "unexpected '<'\u0001",
};

describe('json', () => {
  it('has the documented shape', () => {
    const text = jsonText([panthor, coherent, unknown], [broken]);
    expect(problemsOfDocument(JSON.parse(text))).toEqual([]);
  });

  it('is held to that shape: every field missing or mistyped is noticed', () => {
    const whole = () => structuredClone(jsonDocument([panthor], [broken])) as unknown;
    const spoil = (path: readonly (string | number)[], value: unknown) => {
      const document = whole();
      let at = document as Record<string | number, unknown>;
      for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
      at[path.at(-1) ?? ''] = value;
      return problemsOfDocument(document);
    };
    const hazard = ['results', 0, 'hazards', 0];
    expect(spoil(['version'], 2)).not.toEqual([]);
    expect(spoil(['results', 0, 'verdict'], 'safe')).not.toEqual([]);
    expect(spoil(['results', 0, 'seconds'], '1')).not.toEqual([]);
    expect(spoil([...hazard, 'needs'], ['eviction'])).not.toEqual([]);
    expect(spoil([...hazard, 'at'], { line: 0, column: 1 })).not.toEqual([]);
    expect(spoil([...hazard, 'trace', 0, 'agent'], undefined)).not.toEqual([]);
    expect(spoil([...hazard, 'mends'], undefined)).not.toEqual([]);
    expect(spoil(['results', 0, 'extra'], 1)).not.toEqual([]);
    expect(spoil(['errors', 0, 'line'], -1)).not.toEqual([]);
  });
});

describe('sarif', () => {
  const log = sarifLog([panthor, coherent, unknown], [broken]);
  const run = log.runs[0]!;

  it('describes every hazard as a rule, and every result refers to one', () => {
    const rules = run.tool.driver.rules.map((rule) => rule.id);
    expect(rules).toEqual([...Object.keys(hazards), 'assertion']);
    expect(run.results.map((result) => result.ruleId)).toEqual(['H2', 'H6', 'H3']);
    expect(run.results.every((result) => rules.includes(result.ruleId))).toBe(true);
  });

  it('calls causes errors and consequences warnings', () => {
    expect(run.results.map((result) => result.level)).toEqual(['error', 'warning', 'error']);
  });

  it('tells the shortest run as a code flow of valid places', () => {
    const flow = run.results[2]?.codeFlows?.[0]?.threadFlows[0]?.locations ?? [];
    expect(flow).toHaveLength(6);
    const lines = flow.map((step) => step.location.physicalLocation.region?.startLine);
    expect(lines).toEqual([7, 8, 9, 9, 9, 10]);
    expect(flow[4]?.location.message?.text).toBe('cache: dirty line written back and dropped (M3)');
  });

  it('escapes what a URI cannot hold', () => {
    const uris = JSON.stringify(log).match(/"uri":"[^"]*"/g) ?? [];
    expect(uris.length).toBeGreaterThan(0);
    for (const uri of uris) expect(uri).toMatch(/^"uri":"[\w%./-]+"$/);
  });

  it('reports limits and broken inputs as notifications, and no success then', () => {
    const invocation = run.invocations[0];
    expect(invocation?.executionSuccessful).toBe(false);
    const told = invocation?.toolExecutionNotifications.map((n) => [n.level, n.message.text]);
    expect(told).toEqual([
      ['error', broken.message],
      ['warning', 'not decided: the limit of 10 states was reached'],
    ]);
  });

  it('keeps within what code-scanning services take', () => {
    const step = lostWrite.trace[0]!;
    const long = { ...lostWrite, trace: Array.from({ length: 10_050 }, () => step) };
    const flow = sarifLog([{ ...panthor, hazards: [long] }], []).runs[0]?.results[0]?.codeFlows;
    expect(flow?.[0]?.threadFlows[0]?.locations).toHaveLength(10_000);
    const many = Array.from({ length: 25_001 }, () => ({ ...lostWrite, trace: [] }));
    const crowded = sarifLog([{ ...panthor, hazards: many }], []).runs[0];
    expect(crowded?.results).toHaveLength(25_000);
    expect(crowded?.invocations[0]?.toolExecutionNotifications).toHaveLength(1);
  });
});

describe('junit', () => {
  const text = junitText([panthor, coherent, unknown], [broken], false);

  it('counts hazards as failures, unknown and broken as errors', () => {
    expect(text).toContain('<testsuites name="civac" tests="4" failures="1" errors="2"');
    expect(text.match(/<testcase /g)).toHaveLength(4);
    expect(text.match(/<failure /g)).toHaveLength(1);
    expect(text.match(/<error /g)).toHaveLength(2);
  });

  it('is well formed whatever the texts hold', () => {
    expect(wellFormed(text)).toBe(true);
    expect(wellFormed(text.replace('</testsuite>', ''))).toBe(false);
    expect(escapeXml('a<b>&"\u0000\n')).toBe('a&lt;b&gt;&amp;&quot;\ufffd&#10;');
  });

  it('with expectations passes what is as stated', () => {
    const stated = junitText([{ ...panthor, asExpected: true }, coherent], [], true);
    expect(stated).toContain('failures="0" errors="0"');
    const other = junitText([panthor, { ...coherent, expected: null, asExpected: null }], [], true);
    expect(other).toContain('failures="2"');
    expect(other).toContain('stated: H2 H3; found: hazard H2 H6 H3');
    expect(other).toContain('stated: nothing; found: coherent');
  });
});

/** A small reader of elements and attributes: tags must nest and text must be escaped. */
function wellFormed(xml: string): boolean {
  const open: string[] = [];
  const body = xml.replace(/^<\?xml[^>]*\?>\n/, '');
  const tag = /<(\/?)([a-z]+)((?: [a-z]+="[^"<&]*(?:&[a-z#0-9]+;[^"<&]*)*")*)(\/?)>/g;
  const text = body.replace(tag, (_all, close: string, name: string, _rest, self: string) => {
    if (close === '/') return open.pop() === name ? '' : '<';
    if (self === '') open.push(name);
    return '';
  });
  return open.length === 0 && !text.includes('<') && !text.includes('>');
}
