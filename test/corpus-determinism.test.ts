/**
 * Nothing in a result depends on chance or on the order of the search: every scenario of the corpus
 * twice, and once in the other order. And every counterexample is a run: its last step, and no
 * other, is the wrong one.
 */
import { describe, expect, it } from 'vitest';
import { check } from '../src/verdict/check.js';
import type { CheckResult } from '../src/verdict/result.js';
import { type Scenario, scenarios } from './corpus-scenarios.js';

/** What must not change, as text that a difference shows well in; states do not depend on order. */
function factsOf(result: CheckResult): readonly string[] {
  const findings = result.hazards.map(({ id, at, needs, certain, trace }) => {
    const sets = needs.map((set) => [...set].sort().join('+')).sort();
    const place = `${at.agent} ${at.line}:${at.column}`;
    const sure = certain ? 'certain' : 'possible';
    return `${id} at ${place}, needs ${sets.join(' | ')}, ${sure}, ${trace.length} steps`;
  });
  const { verdict, states, portable, assertions } = result;
  const held = assertions.map(({ line, holds }) => `assertion ${line}: ${holds}`);
  return [`${verdict}, ${states} states, portable ${portable}`, ...findings.sort(), ...held];
}

/** Counterexamples that are no run to the finding they are printed under. */
function brokenTraces({ hazards }: CheckResult): readonly string[] {
  return hazards.flatMap(({ id, at, trace }) => {
    const name = `${id} at line ${at.line}`;
    const wrong = trace.flatMap((step, i) => (step.wrong ? [i + 1] : []));
    const isRun = trace.length > 0 && wrong.length === 1 && wrong[0] === trace.length;
    return isRun ? [] : [`${name}: ${trace.length} steps, wrong in ${wrong.join(', ') || 'none'}`];
  });
}

describe('determinism', () => {
  it.each(scenarios())('$name', ({ program }: Scenario) => {
    const forward = check(program);
    const expected = factsOf(forward);
    expect(factsOf(check(program)), 'the second time').toEqual(expected);
    const reverse = check(program, { order: 'reverse' });
    expect(factsOf(reverse), 'in reverse order').toEqual(expected);
    expect([...brokenTraces(forward), ...brokenTraces(reverse)]).toEqual([]);
  });
});
