/**
 * What the corpus has to say about a model: a scenario is as its header says, and as its shelf's
 * README says where that tells what the findings need; or else it kills the mutant.
 * Leaves out: everything else that a report says; golden files hold that.
 */
import { compile, withoutCall } from '../../src/litmus/index.js';
import type { Program } from '../../src/litmus/program.js';
import { check } from '../../src/verdict/check.js';
import type { CheckResult } from '../../src/verdict/result.js';
import { inOrder, needsCell, outcomeOf, rowsOf, type Scenario } from '../corpus-scenarios.js';

/** The reference explorer has no tables that remember what a function once did. */
const limits = { engine: 'reference', maxStates: 20_000, maxSeconds: 30 } as const;

function fresh({ text, file }: Scenario): Program {
  const { program } = compile(text, file);
  if (program === null) throw new Error(`${file} does not compile`);
  return program;
}

const needsOf = new Map(
  ['basics', 'bugs', 'rules'].flatMap((shelf) =>
    [...rowsOf(shelf)].map(([name, cells]) => [name, cells[2]]),
  ),
);

function stated(result: Program['header']['result']): string {
  return typeof result === 'string' ? result : inOrder(result ?? []);
}

/** Whether the scenario itself is not as stated. A crash of the engine is not as stated either. */
export function isWrong(scenario: Scenario): boolean {
  try {
    const program = fresh(scenario);
    const result = check(program, limits);
    // Cut short by a limit, perhaps on the model as it is, too.
    if (result.verdict === 'unknown') return false;
    if (outcomeOf(result) !== stated(program.header.result)) return true;
    const says = /^\/\/ Says: (.*)$/m.exec(scenario.text)?.[1];
    if (says !== undefined && messages(result) !== says) return true;
    const needs = needsOf.get(scenario.name);
    return needs !== undefined && needsCell(result) !== needs;
  } catch {
    return true;
  }
}

/** Whether one of its claims about calls left out does not hold; `operation#n` names the call. */
export function isWrongWithout(scenario: Scenario, call: string): boolean {
  try {
    const program = fresh(scenario);
    const claim = program.header.without.find(
      ({ operation, occurrence }) => `${operation}#${occurrence}` === call,
    );
    if (claim === undefined) throw new Error(`no claim about ${call} in ${scenario.file}`);
    const result = check(withoutCall(program, claim.operation, claim.occurrence), limits);
    if (result.verdict === 'unknown') return false;
    const found = outcomeOf(result);
    return found !== (claim.hazards === 'redundant' ? 'coherent' : inOrder(claim.hazards));
  } catch {
    return true;
  }
}

/** What the checker of calls says, as a made scenario may state it: `Says: one; another`. */
export function messages({ hazards }: CheckResult): string {
  const all = hazards.filter(({ id }) => id === 'H11' || id === 'H14').map((each) => each.message);
  return [...new Set(all)].sort().join('; ');
}

export function claimsOf({ program }: Scenario): readonly string[] {
  return program.header.without.map(({ operation, occurrence }) => `${operation}#${occurrence}`);
}
